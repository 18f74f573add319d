"""When planned events take place by the local clock, and what earlier ones taught."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from brandmelder.detect.occasions import (
    Brought,
    Planned,
    Repeats,
    around,
    check_planned,
    event_of,
    learnt_lift,
    occasions,
)

BERLIN = "Europe/Berlin"
SPOT = datetime(2026, 3, 20, 19, 58)  # noqa: DTZ001 - by the local clock
HOUR = timedelta(hours=1)


def planned(repeats=Repeats.NEVER, *, start=SPOT, hours=2, last=None, lift=None):
    return Planned(
        name="TV-Spot", kind="tv", start=start, end=start + hours * HOUR, repeats=repeats, last=last, lift=lift
    )


def starts(one, since, until):
    return [f"{found.since:%m-%d %H:%M}" for found in occasions(one, BERLIN, since, until)]


YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def test_an_event_takes_place_once():
    assert starts(planned(), *YEAR) == ["03-20 18:58"]


def test_a_weekly_event_keeps_its_local_hour_over_the_change_of_the_clock():
    until = datetime(2026, 4, 11, tzinfo=UTC)
    assert starts(planned(Repeats.WEEKLY), YEAR[0], until) == [
        "03-20 18:58",
        "03-27 18:58",
        "04-03 17:58",
        "04-10 17:58",
    ]


def test_a_daily_event_ends_with_its_last_day():
    assert starts(planned(Repeats.DAILY, last=date(2026, 3, 22)), *YEAR) == [
        "03-20 18:58",
        "03-21 18:58",
        "03-22 18:58",
    ]


def test_a_yearly_event_comes_again_and_a_leap_day_is_kept_on_the_28th():
    leap = planned(Repeats.YEARLY, start=datetime(2024, 2, 29, 10))  # noqa: DTZ001
    assert starts(leap, datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)) == [
        "02-29 09:00",
        "02-28 09:00",
        "02-28 09:00",
    ]


def test_an_event_that_has_begun_is_still_running():
    since = datetime(2026, 3, 20, 20, tzinfo=UTC)
    assert len(occasions(planned(), BERLIN, since, since + HOUR)) == 1
    assert occasions(planned(), BERLIN, since + HOUR, since + 2 * HOUR) == ()


def test_years_later_the_weeks_between_are_not_walked():
    far = datetime(2126, 3, 1, tzinfo=UTC)
    assert len(occasions(planned(Repeats.DAILY), BERLIN, far, far + timedelta(days=3))) == 3


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"hours": 0}, "before it begins"),
        ({"hours": 24 * 40}, "longer than 31 days"),
        ({"hours": 25, "repeats": Repeats.DAILY}, "longer than 1 days"),
        ({"last": date(2026, 3, 1)}, "before it first begins"),
        ({"lift": 0.5}, "between 1 and 1000"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused(fields, reason):
    with pytest.raises(ValueError, match=reason):
        check_planned(planned(**fields))
    assert check_planned(planned()) == planned()


@pytest.mark.parametrize(
    ("earlier", "low", "high"),
    [
        ((), 2.0, 2.0),
        ((Brought(59, 9),), 3.4, 3.5),
        ((Brought(59, 9),) * 9, 5.3, 5.5),
        ((Brought(2, 9),) * 3, 1.0, 1.0),
        ((Brought(100_000, 1),) * 12, 20.0, 20.0),
    ],
)
def test_the_lift_is_learnt_from_earlier_events_and_shrunk_toward_twofold(earlier, low, high):
    assert low <= learnt_lift(planned(), earlier) <= high


def test_what_staff_wrote_down_stands():
    assert learnt_lift(planned(lift=7.0), (Brought(2, 9),)) == 7.0


def test_the_weeks_around_tell_what_is_usual():
    (one,) = occasions(planned(), BERLIN, *YEAR)
    spans = around(one)
    assert len(spans) == 8
    assert all((since - one.since) % timedelta(weeks=1) == timedelta(0) for since, _ in spans)
    event = event_of(one, 3.0)
    assert (event.name, event.lift, event.until - event.since) == ("TV-Spot", 3.0, 2 * HOUR)


@pytest.mark.parametrize("start", ["02:00", "02:15", "02:30", "02:59"])
@pytest.mark.parametrize("minutes", [15, 45, 75])
def test_an_event_in_the_hour_that_a_spring_night_leaves_out_is_an_event_still(start, minutes):
    begin = datetime.fromisoformat(f"2026-03-01T{start}")
    nightly = Planned(
        name="Wartung", kind="w", start=begin, end=begin + timedelta(minutes=minutes), repeats=Repeats.DAILY
    )
    found = occasions(nightly, BERLIN, datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC))
    assert len(found) == 3
    for one in found:
        event = event_of(one, 2.0)
        assert timedelta(0) < event.until - event.since <= timedelta(minutes=minutes)
