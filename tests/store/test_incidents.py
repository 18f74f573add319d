from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.errors import Conflict
from brandmelder.model import (
    Act,
    Course,
    Evidence,
    Incident,
    IncidentId,
    MonitorId,
    Phrase,
    Spike,
    SpikeKind,
    State,
    Transition,
)
from brandmelder.store import incidents
from store.conftest import NOON

SPIKE = Spike(
    kind=SpikeKind.NEGATIVE,
    since=NOON,
    until=NOON + timedelta(hours=1),
    window=timedelta(hours=1),
    observed=38,
    usual_low=2,
    usual_high=6,
    expected=3.8,
    score=9.0,
    rarity=timedelta(weeks=12),
)


def _incident(ident="NF-2026-001", monitor="nordfunk", state=State.OPEN, minutes=0):
    at = NOON + timedelta(minutes=minutes)
    return Incident(
        id=IncidentId(ident), monitor=MonitorId(monitor), kind=SpikeKind.NEGATIVE, state=state, revision=1, onset=NOON,
        opened_at=at, changed_at=at, spike=SPIKE, peak=38, total=38, severity=3, first_severity=3, course=Course.RISING,
    )  # fmt: skip


def _step(incident, act=Act.OPEN, before=None):
    return Transition(
        incident=incident.id, revision=incident.revision, at=NOON, act=act, before=before, after=incident.state
    )


def _save(database, incident, *steps, expected=None, evidence=None):
    database.run_now(incidents.save_incident, incident, evidence or Evidence(), steps, expected_revision=expected)


def test_an_incident_its_evidence_and_its_timeline_come_back_as_they_were(database):
    one = _incident()
    evidence = Evidence(phrases=(Phrase(text="Warteschleife", count=11),), critics=29)
    _save(database, one, _step(one), evidence=evidence)
    assert database.run_now(incidents.find, one.id) == (one, evidence)
    assert database.run_now(incidents.timeline, one.id) == [_step(one)]


@pytest.mark.parametrize("state", [State.PENDING, State.OPEN, State.ACKNOWLEDGED])
def test_a_second_running_incident_of_one_monitor_is_impossible(database, state):
    _save(database, _incident(state=state))
    with pytest.raises(Conflict, match="has a running incident already"):
        _save(database, _incident("NF-2026-002"))
    _save(database, _incident("NF-2026-003", monitor="other"))


def test_an_ended_incident_makes_room(database):
    _save(database, _incident(state=State.RESOLVED))
    _save(database, _incident("NF-2026-002", minutes=5))
    latest = database.run_now(incidents.latest, MonitorId("nordfunk"))
    assert latest is not None
    assert latest.id == "NF-2026-002"


def test_the_slower_of_two_writers_is_refused(database):
    one = _incident()
    _save(database, one)
    two = replace(one, revision=2, state=State.ACKNOWLEDGED)
    _save(database, two, _step(two, Act.ACKNOWLEDGE, State.OPEN), expected=1)
    with pytest.raises(Conflict, match="was changed by somebody else"):
        _save(database, replace(one, revision=2, state=State.DISMISSED), expected=1)


def test_numbers_go_on_within_a_year_and_past_a_thousand(database):
    assert database.run_now(incidents.next_number, "NF-2026-") == 1
    for ident in ("NF-2025-077", "NF-2026-009", "NF-2026-010"):
        _save(database, _incident(ident, state=State.RESOLVED))
    assert database.run_now(incidents.next_number, "NF-2026-") == 11
    _save(database, _incident("NF-2026-1000", state=State.RESOLVED))
    assert database.run_now(incidents.next_number, "NF-2026-") == 1001


def test_the_running_ones_can_be_listed_alone(database):
    _save(database, _incident(state=State.RESOLVED))
    _save(database, _incident("NF-2026-002", minutes=5))
    running = database.run_now(incidents.all_incidents, running_only=True)
    assert [one.id for one, _ in running] == ["NF-2026-002"]
    assert [one.id for one, _ in database.run_now(incidents.all_incidents)] == ["NF-2026-002", "NF-2026-001"]
