"""One storm is one incident, whichever kinds of spike it shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from brandmelder.incident.choice import choose, renamed
from brandmelder.incident.severity import severity
from brandmelder.model import (
    Course,
    Finding,
    Incident,
    IncidentId,
    MonitorId,
    Pace,
    Spike,
    SpikeKind,
    State,
    Track,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEGATIVE, SHARE, REACH, TOTAL = SpikeKind.NEGATIVE, SpikeKind.SHARE, SpikeKind.REACH, SpikeKind.TOTAL


def finding(kind, *, pages=False, high=False, observed=12, **fields):
    spike = Spike(
        kind=kind,
        since=NOON - HOUR,
        until=NOON,
        window=HOUR,
        observed=observed,
        usual_low=1,
        usual_high=4,
        expected=2.0,
        score=3.0,
        **fields,
    )
    return Finding(start=NOON, spike=spike, pages=pages, is_high=high or pages)


def running(kind, state=State.OPEN):
    return Incident(
        id=IncidentId("NF-2026-001"),
        monitor=MonitorId("nordfunk"),
        kind=kind,
        state=state,
        revision=1,
        onset=NOON,
        opened_at=NOON,
        changed_at=NOON,
        spike=finding(kind).spike,
        peak=40,
        total=40,
        severity=3,
        first_severity=3,
        course=Course.RISING,
        trail=(Pace(start=NOON - HOUR, observed=40, window=HOUR),),
    )


@pytest.mark.parametrize(
    ("before", "paging", "high", "expected"),
    [
        (None, (), (), NEGATIVE),
        (None, (TOTAL, SHARE), (), SHARE),
        (None, (TOTAL, NEGATIVE), (), NEGATIVE),
        (SHARE, (), (SHARE,), SHARE),
        (SHARE, (NEGATIVE,), (SHARE,), NEGATIVE),
        (SHARE, (TOTAL,), (SHARE,), SHARE),
        (SHARE, (TOTAL,), (), TOTAL),
        (SHARE, (), (TOTAL,), SHARE),
        (NEGATIVE, (SHARE, REACH), (NEGATIVE,), NEGATIVE),
        (NEGATIVE, (SHARE, REACH), (), REACH),
        (NEGATIVE, (), (), NEGATIVE),
    ],
)
def test_an_incident_is_told_what_says_most(before, paging, high, expected):
    findings = [finding(kind, pages=kind in paging, high=kind in high) for kind in (TOTAL, SHARE, REACH, NEGATIVE)]
    assert choose(running(before) if before else None, findings).spike.kind is expected


def test_an_ended_incident_has_no_say():
    findings = [finding(NEGATIVE), finding(SHARE, pages=True)]
    assert choose(running(NEGATIVE, State.RESOLVED), findings).spike.kind is SHARE


def test_a_bin_has_findings():
    with pytest.raises(ValueError, match="without"):
        choose(None, [])


def test_under_another_kind_peak_and_trail_begin_anew():
    incident = renamed(running(SHARE), finding(NEGATIVE, pages=True, observed=15))
    assert (incident.kind, incident.peak, [pace.observed for pace in incident.trail]) == (NEGATIVE, 15, [15])


@pytest.mark.parametrize("state", [State.RESOLVED, State.DISMISSED])
def test_what_has_ended_keeps_its_kind(state):
    incident = running(SHARE, state)
    assert renamed(incident, finding(NEGATIVE)) is incident
    assert renamed(None, finding(NEGATIVE)) is None


def test_rules_and_silence_have_tracks_of_their_own():
    tracks = {kind: kind.track for kind in SpikeKind}
    assert {kind for kind, track in tracks.items() if track is not Track.STORM} == {
        SpikeKind.BACKLOG,
        SpikeKind.SILENCE,
        SpikeKind.KEY_MENTION,
    }
    assert len(set(tracks.values())) == 4


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        (SHARE, {"observed": 400}, 3),
        (TOTAL, {"observed": 400}, 3),
        (SpikeKind.NEW_SOURCE, {"observed": 3}, 1),
        (REACH, {"observed": 90_000}, 2),
        (REACH, {"observed": 100_000}, 3),
        (REACH, {"observed": 1_000_000}, 4),
        (SpikeKind.BACKLOG, {"observed": 3}, 2),
        (SpikeKind.BACKLOG, {"observed": 10}, 3),
        (SpikeKind.BACKLOG, {"observed": 50}, 4),
        (SpikeKind.SILENCE, {"observed": 0}, 1),
        (SpikeKind.KEY_MENTION, {"observed": 1}, 3),
        (SpikeKind.KEY_MENTION, {"observed": 1, "whole": 2_000_000}, 4),
    ],
)
def test_each_kind_has_its_scale(kind, fields, expected):
    one = finding(kind, pages=True)
    assert severity(replace(one, spike=replace(one.spike, **fields))) == expected
