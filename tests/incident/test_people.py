"""What people may do to an incident: snooze it, wake it, take a dismissal back."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from brandmelder.incident.people import LONGEST_SNOOZE, Asked, apply
from brandmelder.incident.snooze import disturb
from brandmelder.incident.transitions import ENGINE, UNDO, Change, Illegal
from brandmelder.model import (
    Act,
    Course,
    Incident,
    IncidentId,
    MonitorId,
    SourceClass,
    Spike,
    SpikeKind,
    State,
)

AT = datetime(2026, 12, 15, 19, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SPIKE = Spike(
    kind=SpikeKind.NEGATIVE,
    since=AT - HOUR,
    until=AT,
    window=HOUR,
    observed=38,
    usual_low=2,
    usual_high=6,
    expected=4.0,
    score=5.0,
)
BURNING = Incident(
    id=IncidentId("NF-2026-042"),
    monitor=MonitorId("nordfunk"),
    kind=SpikeKind.NEGATIVE,
    state=State.OPEN,
    revision=3,
    onset=AT - HOUR,
    opened_at=AT,
    changed_at=AT,
    spike=SPIKE,
    peak=38,
    total=38,
    severity=3,
    first_severity=3,
    course=Course.RISING,
)
SOCIAL = (SourceClass.SOCIAL,)


def done(incident, act, at=AT, **asked):
    change = apply(incident, Asked(act=act, **({"by": "Anna"} | asked)), at)
    assert isinstance(change, Change), change
    return change


def snoozed(incident=BURNING, **asked):
    return done(incident, Act.SNOOZE, classes=SOCIAL, **asked).incident


def observed(incident, count, window=HOUR):
    return replace(incident, spike=replace(incident.spike, observed=count, window=window))


def woken(incident, classes=SOCIAL, at=AT + MINUTE):
    change = disturb(Change(incident=incident), classes, at)
    return change.transitions[-1].note if change.transitions else None


@pytest.mark.parametrize("state", [State.OPEN, State.ACKNOWLEDGED])
def test_a_snooze_changes_no_state_and_remembers_what_it_looked_like(state):
    incident = snoozed(replace(BURNING, state=state))
    assert incident.state is state
    assert incident.snooze.until == AT + HOUR
    assert (incident.snooze.observed, incident.snooze.window, incident.snooze.classes) == (38, HOUR, SOCIAL)


@pytest.mark.parametrize(
    ("asked", "lasts"),
    [
        (timedelta(minutes=30), timedelta(minutes=30)),
        (timedelta(days=9), LONGEST_SNOOZE),
        (timedelta(0), MINUTE),
    ],
)
def test_nobody_sleeps_through_more_than_a_day(asked, lasts):
    assert snoozed(span=asked).snooze.until - AT == lasts


@pytest.mark.parametrize(
    ("incident", "classes", "after", "why"),
    [
        (observed(snoozed(), 75), SOCIAL, MINUTE, None),
        (observed(snoozed(), 76), SOCIAL, MINUTE, "38 → 76"),
        (observed(snoozed(), 12, timedelta(minutes=5)), SOCIAL, MINUTE, None),
        (observed(snoozed(), 40, timedelta(minutes=20)), SOCIAL, MINUTE, "38 → 40"),
        (snoozed(), (*SOCIAL, SourceClass.NEWS), MINUTE, "class news"),
        (snoozed(), (), HOUR - MINUTE, None),
        (snoozed(), (), HOUR, "over"),
        (BURNING, (SourceClass.NEWS,), MINUTE, None),
    ],
)
def test_a_snooze_ends_when_it_doubles_another_class_joins_or_the_time_is_over(incident, classes, after, why):
    assert woken(incident, classes, AT + after) == why


def test_a_wake_is_the_engines_act_and_ends_the_snooze():
    change = disturb(Change(incident=snoozed()), (), AT + HOUR)
    assert change.incident.snooze is None
    assert (change.transitions[-1].act, change.transitions[-1].by) == (Act.WAKE, ENGINE)


@pytest.mark.parametrize("act", [Act.RESOLVE, Act.DISMISS])
def test_a_snooze_does_not_outlive_its_incident(act):
    assert done(snoozed(), act).incident.snooze is None


def test_a_dismissal_is_undone_as_if_it_had_not_been():
    dismissed = done(BURNING, Act.DISMISS, note="sarcasm").incident
    undone = done(dismissed, Act.UNDO, at=AT + UNDO).incident
    assert (undone.state, undone.label, undone.closed_at, undone.closed_by) == (State.OPEN, None, None, None)


def test_whoever_had_it_has_it_again_after_an_undo():
    taken = done(BURNING, Act.ACKNOWLEDGE, person="U0ANNA").incident
    dismissed = done(taken, Act.DISMISS, by="Ben", person="U0BEN").incident
    change = done(dismissed, Act.UNDO, by="Ben", person="U0BEN", at=AT + MINUTE)
    assert change.incident.state is State.ACKNOWLEDGED
    assert (change.incident.acknowledged_by, change.incident.acknowledged_person) == ("Anna", "U0ANNA")
    assert [(step.act, step.by, step.person) for step in change.transitions] == [
        (Act.UNDO, "Ben", "U0BEN"),
        (Act.ACKNOWLEDGE, "Anna", "U0ANNA"),
    ]


@pytest.mark.parametrize(("act", "later"), [(Act.DISMISS, UNDO + MINUTE), (Act.RESOLVE, MINUTE)])
def test_only_a_fresh_dismissal_is_undone(act, later):
    ended = done(BURNING, act).incident
    refusal = apply(ended, Asked(act=Act.UNDO, by="Anna"), AT + later)
    assert isinstance(refusal, Illegal)
    assert "reopen" in refusal.text


def test_words_behind_the_reason_of_a_dismissal_stay_in_the_timeline():
    change = done(BURNING, Act.DISMISS, note="sports_result: Kiel gegen Lübeck")
    assert change.incident.label == "sports_result"
    assert change.transitions[-1].note == "sports_result: Kiel gegen Lübeck"


def test_who_acted_and_who_has_it_are_known_by_their_ids():
    taken = done(BURNING, Act.ACKNOWLEDGE, person="U0ANNA")
    assert (taken.transitions[-1].person, taken.incident.acknowledged_person) == ("U0ANNA", "U0ANNA")
    handed = done(taken.incident, Act.HAND_OVER, person="U0ANNA", note="Ben", other="U0BEN").incident
    assert (handed.acknowledged_by, handed.acknowledged_person) == ("Ben", "U0BEN")
    assert done(handed, Act.RESOLVE).incident.acknowledged_person == "U0BEN"


def test_two_people_of_one_name_are_two():
    taken = done(BURNING, Act.ACKNOWLEDGE, person="U0ANNA").incident
    assert isinstance(apply(taken, Asked(act=Act.ACKNOWLEDGE, by="Anna", person="U0OTHER"), AT), Illegal)
    assert apply(taken, Asked(act=Act.ACKNOWLEDGE, by="Anna", person="U0ANNA"), AT) == Change(incident=taken)
