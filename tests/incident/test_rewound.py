"""What an incident holds of hours that have not been is dated now."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from brandmelder.incident.rewound import redated, rewound
from brandmelder.model import Act, Pace, Snooze, State, Transition
from notify.stories import INCIDENT

HOUR = timedelta(hours=1)
NOW = INCIDENT.onset - 10 * HOUR


def test_nothing_of_it_lies_ahead_and_a_snooze_lasts_as_long_as_it_had_left():
    last = INCIDENT.opened_at + HOUR
    snooze = Snooze(until=last + HOUR / 2, by="Anna", observed=1, window=HOUR)
    paces = tuple(Pace(start=start, observed=9, window=HOUR) for start in (NOW - HOUR, INCIDENT.opened_at))
    there = replace(INCIDENT, snooze=snooze, trail=paces, acknowledged_at=last, asked_at=last, closed_at=None)
    back = rewound(there, NOW, ahead=last - NOW)
    assert {back.onset, back.opened_at, back.changed_at, back.acknowledged_at, back.asked_at} == {NOW}
    assert back.closed_at is None
    assert back.snooze.until == NOW + HOUR / 2
    assert back.trail == paces[:1]


def test_what_lies_behind_stays_as_it_is():
    now = INCIDENT.changed_at + HOUR
    assert rewound(INCIDENT, now, ahead=HOUR) == INCIDENT
    at = datetime(2026, 1, 1, tzinfo=UTC)
    step = Transition(incident=INCIDENT.id, revision=1, at=at, act=Act.OPEN, before=None, after=State.OPEN)
    assert (redated(step, now), redated(step, at - HOUR).at) == (step, at - HOUR)
