"""What becomes of an incident that people leave alone."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from brandmelder.incident import watch
from brandmelder.incident.people import Asked, apply
from brandmelder.incident.transitions import Illegal
from brandmelder.model import Act, Course, Incident, IncidentId, MonitorId, Spike, SpikeKind, State

NOW = datetime(2026, 12, 15, 19, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)


def an_incident(state=State.OPEN, **fields):
    spike = Spike(
        kind=SpikeKind.NEGATIVE,
        since=NOW,
        until=NOW,
        window=timedelta(hours=1),
        observed=38,
        usual_low=2,
        usual_high=6,
        expected=4.0,
        score=9.0,
    )
    incident = Incident(
        id=IncidentId("NK-1"),
        monitor=MonitorId("nordfunk"),
        kind=SpikeKind.NEGATIVE,
        state=state,
        revision=4,
        onset=NOW,
        opened_at=NOW,
        changed_at=NOW,
        spike=spike,
        peak=38,
        total=38,
        severity=3,
        first_severity=3,
        course=Course.RISING,
    )
    return replace(incident, **fields)


TAKEN = an_incident(State.ACKNOWLEDGED, acknowledged_by="Anna", acknowledged_at=NOW)


def test_an_escalation_is_written_down_and_leaves_the_incident_open():
    change = watch.escalate(an_incident(), "1 ben", at=LATER)
    (step,) = change.transitions
    assert (step.act, step.after, step.note, step.by) == (Act.ESCALATE, State.OPEN, "1 ben", "brandmelder")
    assert change.incident.revision == 5


def test_what_we_tell_does_not_make_an_incident_younger():
    assert watch.escalate(an_incident(), "1 ben", at=LATER).incident.changed_at == NOW


@pytest.mark.parametrize("state", [State.PENDING, State.ACKNOWLEDGED, State.RESOLVED, State.DISMISSED])
def test_what_somebody_is_on_or_what_is_over_does_not_escalate(state):
    incident = an_incident(state)
    assert watch.escalate(incident, "1 ben", at=LATER).incident is incident


def test_who_acknowledged_is_asked_and_the_acknowledgement_lapses():
    asked = watch.ask(TAKEN, at=LATER).incident
    assert (asked.state, asked.asked_at, asked.acknowledged_by) == (State.ACKNOWLEDGED, LATER, "Anna")
    lapsed = watch.lapse(asked, at=LATER)
    assert (lapsed.incident.state, lapsed.incident.acknowledged_by, lapsed.incident.asked_at) == (
        State.OPEN,
        None,
        None,
    )
    assert lapsed.transitions[0].note == "Anna"


def test_who_is_asked_renews_by_acknowledging_again():
    asked = watch.ask(TAKEN, at=LATER).incident
    renewed = apply(asked, Asked(act=Act.ACKNOWLEDGE, by="Anna"), LATER).incident
    assert (renewed.acknowledged_at, renewed.asked_at) == (LATER, None)


def test_acknowledging_again_without_being_asked_changes_nothing():
    assert apply(TAKEN, Asked(act=Act.ACKNOWLEDGE, by="Anna"), LATER).transitions == ()


def test_nobody_else_renews_an_acknowledgement():
    asked = watch.ask(TAKEN, at=LATER).incident
    assert isinstance(apply(asked, Asked(act=Act.ACKNOWLEDGE, by="Ben"), LATER), Illegal)


def test_a_hand_over_answers_the_question():
    asked = watch.ask(TAKEN, at=LATER).incident
    asking = Asked(act=Act.HAND_OVER, by="Anna", note="Ben")
    assert apply(asked, asking, LATER).incident.asked_at is None


@pytest.mark.parametrize("incident", [an_incident(), TAKEN])
def test_an_incident_falls_silent_once_and_speaks_again_once(incident):
    silent = watch.silence(incident, "quiet hours", at=NOW).incident
    assert silent.silenced_since == NOW
    assert silent.state is incident.state
    assert watch.silence(silent, "quiet hours", at=LATER).incident is silent
    spoken = watch.speak(silent, "quiet hours", at=LATER).incident
    assert spoken.silenced_since is None
    assert watch.speak(spoken, "quiet hours", at=LATER).incident is spoken


def test_a_reopened_incident_has_forgotten_its_silence_and_its_question():
    ended = an_incident(State.RESOLVED, silenced_since=NOW, asked_at=NOW, closed_at=NOW, closed_by="Anna")
    again = apply(ended, Asked(act=Act.REOPEN, by="Ben"), LATER).incident
    assert (again.silenced_since, again.asked_at) == (None, None)


@pytest.mark.parametrize("state", list(State))
def test_people_are_told_of_open_and_acknowledged_incidents(state):
    assert watch.is_told_of(state) is (state in {State.OPEN, State.ACKNOWLEDGED})
