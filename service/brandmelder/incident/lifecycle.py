"""The life of an incident: what findings make of it. Which acts are legal where stands in transitions.py.

A finding is considered, a person's act is applied (people.py), a snooze ends (snooze.py); each gives a new incident and
the transitions that led there. The revision grows by one with each transition; figures may also change without one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.incident.course import FALLING, HOUR, REMEMBERED, course
from brandmelder.incident.severity import severity
from brandmelder.incident.transitions import ENDED, ENGINE, NOBODY, TABLE, Change, Draft
from brandmelder.model import (
    BIN,
    Act,
    Course,
    Finding,
    Incident,
    IncidentId,
    MonitorId,
    Pace,
    Spike,
    State,
    Transition,
)

FEW: Final = 2
"""So few negatives never page, so they do not keep an incident alive either, however silent it usually is."""
STORM: Final = timedelta(hours=3)
"""The longest window of a storm; what is only high over longer ones is a slow climb."""


class LifecycleRules(Struct, frozen=True, kw_only=True):
    """What the life of one monitor's incidents is held to."""

    monitor: MonitorId
    pause: timedelta = timedelta(minutes=5)
    """How long the two lowest severities wait; a further bin must confirm them as well."""
    opens_at_once: int = 3
    """The severity from which nothing waits."""
    calm: timedelta = timedelta(hours=2)
    """How long it must be calm before an incident ends by itself…"""
    calm_share: float = 0.25
    """…or this share of how long it lasted, if that is longer."""
    half_blind: float = 3.0
    """How many times longer, while some source cannot be seen: silence is not calm."""
    least_seen: float = 0.5
    """A calm finding that saw less of its window says nothing."""
    grace: timedelta = timedelta(hours=6)
    """A new spike so soon after an automatic end reopens the incident."""
    doubling: float = 2.0
    """What a spike that a person ended must grow by to speak again before it has been calm."""
    age: timedelta = timedelta(hours=4)
    """After so long without a change, an incident that is still high says so."""
    late: timedelta = timedelta(minutes=30)
    """A spike that ended so long ago is told as delayed."""


# ------------------------------------------------------------------- findings


def consider(
    incident: Incident | None,
    finding: Finding,
    *,
    now: datetime,
    rules: LifecycleRules,
    number: Callable[[], IncidentId],
) -> Change:
    """Say what a finding makes of a monitor's latest incident, running or ended; `number` names a new one.

    Settled findings come in the order of their bins. One of a running bin (`is_open_bin`) may open and worsen, never
    calm or close; settled ones of bins before it have nothing to say until time has caught up.
    """
    case = _Case(finding, now, rules, number, incident is not None and _has_faded(incident, finding))
    if incident is None or incident.state is State.DISCARDED:
        return _begin(incident, case)
    if incident.trail and finding.start < incident.trail[-1].start:
        return Change(incident=incident)
    if incident.state in ENDED:
        return _after_the_end(incident, case)
    if not case.burns and (finding.spike.is_open_bin or finding.seen < rules.least_seen):
        return Change(incident=incident)
    if incident.state is State.PENDING:
        return _while_pending(incident, case)
    return _early_look(incident, case) if finding.spike.is_open_bin else _while_running(incident, case)


class _Case(Struct, frozen=True):
    """A finding and what it is held to."""

    finding: Finding
    now: datetime
    rules: LifecycleRules
    number: Callable[[], IncidentId]
    has_faded: bool

    @property
    def burns(self) -> bool:
        return self.finding.pages or (self.finding.is_high and not self.has_faded)

    @property
    def calms(self) -> bool:
        spike = self.finding.spike
        return not self.burns and not spike.is_open_bin and spike.observed <= max(spike.usual_high, FEW)

    @property
    def is_provisional(self) -> bool:
        return self.finding.spike.is_open_bin or self.finding.spike.is_partial

    @property
    def is_late(self) -> bool:
        return self.now - self.finding.spike.until > self.rules.late


def _has_faded(incident: Incident, finding: Finding) -> bool:
    """Whether of a storm of hours hardly anything is left: a long window may remember it, people need not."""
    is_short = max(finding.spike.window, incident.peak_window) <= STORM
    return is_short and finding.spike.observed <= min(FEW, incident.peak / 10)


def _begin(before: Incident | None, case: _Case) -> Change:
    if not case.finding.pages:
        return Change(incident=before)
    spike, level = case.finding.spike, severity(case.finding)
    act = Act.OPEN if level >= case.rules.opens_at_once else Act.SUSPECT
    opened = Incident(
        id=case.number(),
        monitor=case.rules.monitor,
        kind=spike.kind,
        state=TABLE[None, act],
        revision=1,
        onset=spike.since,
        opened_at=case.now,
        changed_at=case.now,
        spike=spike,
        peak=spike.observed,
        peak_window=spike.window,
        total=spike.observed,
        severity=level,
        first_severity=level,
        course=Course.RISING,
        is_provisional=case.is_provisional,
        is_delayed=case.is_late,
        trail=(_pace(case.finding),),
    )
    first = Transition(incident=opened.id, revision=1, at=case.now, act=act, before=None, after=opened.state)
    return Change(incident=opened, transitions=(first,))


def _while_pending(incident: Incident, case: _Case) -> Change:
    if not case.burns:
        return Draft(incident).then(Act.DISCARD, at=case.now, closed_at=case.now, closed_by=ENGINE).change
    level = max(incident.severity, severity(case.finding, incident.trail))
    is_further = not incident.trail or case.finding.start > incident.trail[0].start
    is_confirmed = is_further and case.now - incident.opened_at >= case.rules.pause
    grown = replace(
        _with_figures(incident, case.finding),
        severity=level,
        first_severity=level,
        is_provisional=case.is_provisional,
    )
    if level < case.rules.opens_at_once and not is_confirmed:
        return Change(incident=grown)
    return Draft(grown).then(Act.OPEN, at=case.now, opened_at=case.now, is_delayed=case.is_late).change


def _early_look(incident: Incident, case: _Case) -> Change:
    level = severity(case.finding, incident.trail)
    grown = replace(_with_figures(incident, case.finding), is_provisional=True)
    if level <= incident.severity:
        return Change(incident=grown if case.finding.spike.observed > incident.spike.observed else incident)
    return Draft(grown).worsen(level, at=case.now).change


def _while_running(incident: Incident, case: _Case) -> Change:
    spike, now = case.finding.spike, case.now
    grown = _with_figures(incident, case.finding)
    way = course(grown.trail, before=incident.course, is_calm=case.calms)
    calm_since = (incident.calm_since or case.finding.start) if case.calms else None
    is_provisional = incident.is_provisional or spike.is_partial
    draft = Draft(replace(grown, course=way, calm_since=calm_since, is_provisional=is_provisional))
    if incident.is_provisional and not spike.is_partial:
        told = incident.spike.observed if _is_corrected(incident.spike, spike) else spike.observed
        note = f"{told} → {spike.observed}"
        draft = draft.then(Act.CORRECT, at=now, note=note, is_provisional=False)
    level = severity(case.finding, incident.trail)
    if level > incident.severity:
        draft = draft.worsen(level, at=now)
    if _has_recovered(draft.incident, case):
        return draft.then(Act.RESOLVE, at=now, closed_at=now, closed_by=ENGINE).change
    if (way in FALLING) is not (incident.course in FALLING):
        return draft.then(Act.TURN, at=now, note=way.value).change
    if case.burns and not draft.steps and now - incident.changed_at >= case.rules.age:
        return draft.then(Act.AGE, at=now, note=way.value).change
    return draft.change


def _is_corrected(before: Spike, spike: Spike) -> bool:
    """Whether a settled number stands for what was told provisionally, and is not simply a later or another one."""
    later = BIN if before.is_partial else timedelta(0)
    return before.window == spike.window and spike.until - before.until <= later


def _has_recovered(incident: Incident, case: _Case) -> bool:
    if incident.calm_since is None:
        return False
    wanted = max(case.rules.calm, case.rules.calm_share * (incident.calm_since - incident.onset))
    if case.finding.spike.is_partial:
        wanted *= case.rules.half_blind
    return max(case.finding.start + BIN, case.finding.spike.until) - incident.calm_since >= wanted


def _after_the_end(incident: Incident, case: _Case) -> Change:
    by_itself, has_calmed = incident.closed_by == ENGINE, incident.calm_since is not None
    if not case.finding.pages:
        if has_calmed or not case.calms or case.finding.seen < case.rules.least_seen:
            return Change(incident=incident)
        return Change(incident=replace(incident, calm_since=case.finding.start))
    is_soon = incident.closed_at is not None and case.now - incident.closed_at <= case.rules.grace
    if by_itself and is_soon:
        return _reopen(incident, case, note="high again")
    if by_itself or has_calmed:
        return _begin(incident, case)
    before, spike = incident.spike, case.finding.spike
    if has_grown(spike, case.rules.doubling, before.observed, before.window):
        return _reopen(incident, case, note=f"{before.observed} → {spike.observed}")
    return Change(incident=incident)


def has_grown(spike: Spike, times: float, observed: int, window: timedelta) -> bool:
    """Whether a spike is `times` what was once observed in a window; a short window alone does not count as grown."""
    return spike.observed >= observed and spike.observed * window >= times * observed * spike.window


def _reopen(incident: Incident, case: _Case, *, note: str) -> Change:
    grown = replace(
        _with_figures(incident, case.finding),
        severity=max(incident.severity, severity(case.finding, incident.trail)),
        course=Course.RISING,
        is_provisional=case.is_provisional,
        is_delayed=case.is_late,
    )
    return Draft(grown).then(Act.REOPEN, at=case.now, note=note, **NOBODY).change


def with_total(incident: Incident, negatives: int) -> Incident:
    """Return the incident with the number of negative mentions counted since its onset; it never falls."""
    return replace(incident, total=max(incident.total, negatives))


def _with_figures(incident: Incident, finding: Finding) -> Incident:
    spike = finding.spike
    newest = _pace(finding)
    trail = tuple(pace for pace in incident.trail if newest.start - REMEMBERED <= pace.start < newest.start)
    is_peak = spike.observed > incident.peak and (spike.window <= HOUR) is (incident.peak_window <= HOUR)
    return replace(
        incident,
        spike=spike,
        peak=spike.observed if is_peak else incident.peak,
        peak_window=spike.window if is_peak else incident.peak_window,
        total=max(incident.total, spike.observed),
        trail=(*trail, newest),
    )


def _pace(finding: Finding) -> Pace:
    spike = finding.spike
    return Pace(start=finding.start, observed=spike.observed, window=spike.window, hour=finding.hour)
