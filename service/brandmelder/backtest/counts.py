"""The engine over counts that anyone has: bins in, storms and silences out, by the very rules that run live."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.detect import scan
from brandmelder.detect.kinds import watching
from brandmelder.detect.kinds.watching import KindRules, SeenBin
from brandmelder.incident.choice import choose, renamed
from brandmelder.incident.lifecycle import LifecycleRules, consider
from brandmelder.model import Bin, Finding, Incident, IncidentId, MonitorId, SpikeKind, Track

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_ASKS = {
    SpikeKind.SHARE: "total",
    SpikeKind.TOTAL: "total",
    SpikeKind.SILENCE: "total",
    SpikeKind.REACH: "reach",
}


class Opened(Struct, frozen=True, kw_only=True):
    """One incident as it opened and as it was last seen; `at` is the end of the bin at which it pages."""

    at: datetime
    first: Incident
    last: Incident


class Usual(Struct, frozen=True, kw_only=True):
    """What one bin counted and what was usual for it, for a picture."""

    end: datetime
    negative: float
    usual: tuple[int, int]
    seen: float


class Found(Struct, frozen=True, kw_only=True):
    """What a series holds."""

    opened: tuple[Opened, ...]
    course: tuple[Usual, ...] = ()


def kinds_for(columns: Collection[str]) -> tuple[SpikeKind, ...]:
    """Return the kinds of spike that the columns of a file allow; they share its budget."""
    return (SpikeKind.NEGATIVE, *(kind for kind, column in _ASKS.items() if column in columns))


class _Case:
    """One file, bin by bin."""

    def __init__(self, rules: KindRules, name: str) -> None:
        self._rules, self._held = rules, LifecycleRules(monitor=MonitorId(name), opens_at_once=1)
        self._incidents: dict[Track, Incident | None] = {Track.STORM: None, Track.SILENCE: None}
        self.opened: dict[str, Opened] = {}

    def consider(self, findings: Collection[Finding], end: datetime) -> None:
        for track, before in self._incidents.items():
            mine = [one for one in findings if one.spike.kind.track is track]
            if not mine:
                continue
            finding = choose(before, mine)
            change = consider(
                renamed(before, finding), finding, now=end, rules=self._held,
                number=lambda: IncidentId(str(len(self.opened) + 1)),
            )  # fmt: skip
            incident = self._incidents[track] = change.incident
            if incident is not None:
                known = self.opened.get(incident.id)
                first, at = (incident, end) if known is None else (known.first, known.at)
                self.opened[incident.id] = Opened(at=at, first=first, last=incident)


def find(bins: Iterable[Bin], rules: KindRules, *, name: str, with_course: bool = False) -> Found:
    """Return the incidents in a series of bins, in the order in which they opened; and its course for a picture."""
    volume, kinds = scan.new_state(), watching.new_kinds()
    case, course = _Case(rules, name), []
    has_kinds = rules.kinds != (SpikeKind.NEGATIVE,)
    for one in bins:
        if with_course:
            course.append(_usual(volume, one, rules))
        volume, finding = scan.step(volume, one, rules.negative)
        findings = [finding]
        if has_kinds:
            kinds, others = watching.step(kinds, SeenBin(bin=one), rules, flagged=finding.flagged)
            findings += others
        case.consider(findings, one.end)
    return Found(opened=tuple(case.opened.values()), course=tuple(course))


def _usual(state: scan.DetectorState, one: Bin, rules: KindRules) -> Usual:
    low, high = scan.usual(state, one.end, one.width, rules.negative) if state.width else (0, 0)
    return Usual(end=one.end, negative=one.negative, usual=(low, high), seen=one.exposure)
