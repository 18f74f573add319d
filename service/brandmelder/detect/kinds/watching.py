"""All statistical kinds of spike beside the negative volume, one bin at a time: `step` learns, `look` does not.

Pure like the engine of the negative volume, and fed the same bins, so that live and backtest find the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.detect.kinds import newcomer, reach, share, silence, total
from brandmelder.detect.kinds.budget import DEFAULT, split
from brandmelder.detect.kinds.hours import Hour, Hours, Place, Window, add, mean_at, spread, windows
from brandmelder.detect.kinds.judged import Counted, Verge, finding, verge
from brandmelder.detect.kinds.ordinary import Ordinary, Prior, hear
from brandmelder.detect.scan import DetectorRules, moment_at
from brandmelder.detect.tail import central_range
from brandmelder.model import Bin, Finding, SpikeKind

_VERSION = b"k1"
_DAY = 86400
_PRIORS: Mapping[str, Prior] = MappingProxyType(
    {
        "share": share.PRIOR,
        "reach": reach.PRIOR,
        "total": total.PRIOR,
        "new_source": newcomer.PRIOR,
        "silence": silence.PRIOR,
        "silent_source": silence.PRIOR,
    }
)
_KINDS = {
    "share": SpikeKind.SHARE,
    "reach": SpikeKind.REACH,
    "total": SpikeKind.TOTAL,
    "new_source": SpikeKind.NEW_SOURCE,
    "silence": SpikeKind.SILENCE,
    "silent_source": SpikeKind.SILENCE,
}
SOURCE, TOPIC = "source:", "topic:"
"""What the names of newcomers begin with."""


class KindRules(Struct, frozen=True, kw_only=True):
    """Which kinds a monitor watches, and for how much."""

    volume: DetectorRules
    """Rules of the negative volume; its budget is the whole of the monitor's here."""
    kinds: tuple[SpikeKind, ...] = DEFAULT
    marked: tuple[tuple[datetime, datetime], ...] = ()
    """Periods that were not normal: they teach nothing."""

    def teaches(self, since: datetime, until: datetime) -> bool:
        """Return whether [since, until) may be learnt from: no known event and no marked period falls into it."""
        apart = (*self.marked, *((event.since, event.until) for event in self.volume.events))
        return not any(begin < until and end > since for begin, end in apart)

    @property
    def parts(self) -> Mapping[SpikeKind, float]:
        """False pages per day that each kind may cost."""
        return split(self.volume.budget, self.kinds)

    @property
    def negative(self) -> DetectorRules:
        """Rules of the negative volume with its own part of the budget."""
        return replace(self.volume, budget=self.parts.get(SpikeKind.NEGATIVE, self.volume.budget))


class SeenBin(Struct, frozen=True, kw_only=True):
    """A bin with what stands behind it: which source brought how much, and what the negatives are about."""

    bin: Bin
    brought: Mapping[str, float] = MappingProxyType({})
    """Mentions by source."""
    critical: Mapping[str, float] = MappingProxyType({})
    """Negative mentions by `source:…` and `topic:…`."""
    sources: tuple[str, ...] = ()
    """The sources that were read in this bin."""


class KindsState(Struct, frozen=True, array_like=True):
    """What the kinds remember of one monitor; a few hundred numbers."""

    next: int = 0
    width: int = 0
    hours: Hours = Hours()
    shares: share.Shares = share.Shares()
    reaches: reach.Reaches = reach.Reaches()
    silences: silence.Silences = silence.Silences()
    newcomers: newcomer.Newcomers = newcomer.Newcomers()
    days: dict[str, Ordinary] = {}
    high: tuple[Finding, ...] = ()
    """What was out of the ordinary at the last bin: an empty one within an hour changes nothing about it."""


class _Verdict(Struct, frozen=True):
    """One kind's word on a bin: its name, score, window, and whether there is enough of it to page."""

    name: str
    score: float
    counted: Counted
    may_page: bool


def new_kinds() -> KindsState:
    """Return the state of kinds that have seen nothing."""
    return KindsState()


def step(
    state: KindsState, seen: SeenBin, rules: KindRules, *, flagged: bool
) -> tuple[KindsState, tuple[Finding, ...]]:
    """Judge the next settled bin and learn; `flagged` says that the negative volume is out of the ordinary.

    Bins between the state's last and this one were not seen. Raises ValueError for a bin that lies before.
    """
    start, width = round(seen.bin.start.timestamp()), round(seen.bin.width.total_seconds())
    if state.width and (width != state.width or start < state.next):
        raise ValueError(f"the bin at {seen.bin.start.isoformat()} does not continue this series")
    place = _place(start, width, rules)
    moved = _moved(state, seen, place, flagged=flagged or not rules.teaches(seen.bin.start, seen.bin.end))
    is_quiet = not seen.bin.total and not place.is_last
    verdicts = _verdicts(moved, place, seen, rules, is_quiet=is_quiet)
    findings = tuple(_finding(state.days, one, seen, rules) for one in verdicts)
    if is_quiet and state.high:
        again = (replace(one, start=seen.bin.start, pages=False) for one in state.high)
        findings += tuple(one for one in again if one.spike.kind is not SpikeKind.SILENCE)
    days = _heard(moved.days, verdicts, place, seen)
    if any(one.pages for one in findings) and not moved.hours.running.flagged:
        moved = replace(moved, hours=replace(moved.hours, running=replace(moved.hours.running, flagged=True)))
    for one in findings:
        if one.pages and one.spike.kind is SpikeKind.NEW_SOURCE:
            moved = replace(moved, newcomers=newcomer.meet(moved.newcomers, one.spike.subject, place.pace))
    high = tuple(one for one in findings if one.is_high)
    return replace(moved, next=start + width, width=width, days=days, high=high), findings


def _heard(days: Mapping[str, Ordinary], verdicts: list[_Verdict], place: Place, seen: SeenBin) -> dict[str, Ordinary]:
    """Return the days with the scores of a bin; what did not speak only gets older with the next that does."""
    part = place.width / _DAY * min(1.0, seen.bin.exposure)
    every = dict(days)
    for one in verdicts:
        known = every.get(one.name, Ordinary())
        if one.score > known.top or place.is_last or known.day != place.day:
            eyes = place.parts * part * place.is_last
            every[one.name] = hear(known, place.day, one.score, seen=eyes, prior=_PRIORS[one.name])
    return every


def close_history(state: KindsState) -> KindsState:
    """End a history that only teaches: no window and no newcomer reaches behind it."""
    if not state.width:
        return state
    hour = max(3600, state.width)
    return replace(
        state,
        hours=replace(state.hours, begin=state.next // hour + (state.next % hour > 0)),
        newcomers=newcomer.close_history(state.newcomers),
        high=(),
    )


def look(state: KindsState, seen: SeenBin, rules: KindRules) -> tuple[Finding, ...]:
    """Judge a running bin: its counts can only grow, so a silence in it says nothing."""
    start, width = round(seen.bin.start.timestamp()), round(seen.bin.width.total_seconds())
    place = _place(start, width, rules)
    whole = SeenBin(bin=msgspec.structs.replace(seen.bin, exposure=1.0), brought=seen.brought, critical=seen.critical)
    moved = _moved(state, whole, place, flagged=False)
    found = (_finding(state.days, one, seen, rules) for one in _verdicts(moved, place, whole, rules, is_quiet=False))
    return tuple(
        replace(one, spike=replace(one.spike, is_open_bin=True))
        for one in found
        if one.spike.kind is not SpikeKind.SILENCE
    )


def encode(state: KindsState) -> bytes:
    """Return the state as bytes that name their version."""
    return _VERSION + msgspec.msgpack.encode(state)


def decode(packed: bytes) -> KindsState:
    """Read a state. Raises ValueError for another version or broken bytes."""
    if packed[: len(_VERSION)] != _VERSION:
        raise ValueError(f"kinds of another version {packed[: len(_VERSION)]!r}")
    try:
        return msgspec.msgpack.decode(packed[len(_VERSION) :], type=KindsState)
    except msgspec.DecodeError as error:
        raise ValueError(f"kinds that cannot be read ({error})") from error


# ------------------------------------------------------------------ one bin


def _place(start: int, width: int, rules: KindRules) -> Place:
    moment = moment_at(start, width, rules.volume)
    return Place(
        hour=moment.unit,
        part=moment.part,
        parts=moment.parts,
        pace=moment.pace,
        cells=moment.cells,
        past_cells=moment.past_cells,
        lift=moment.lift,
    )


def _moved(state: KindsState, seen: SeenBin, place: Place, *, flagged: bool) -> KindsState:
    """Return the state with the bin in it."""
    one = seen.bin
    exposure = min(1.0, max(0.0, one.exposure))
    hours, shares, reaches = state.hours, state.shares, state.reaches
    if place.hour != hours.number and len(hours.past) >= place.pace - 1:
        lesson = (*hours.past, hours.running)[-place.pace]
        shares, reaches = share.learn(shares, lesson, place.pace), reach.learn(reaches, lesson, place.pace)
    mean = mean_at(hours, place.cells) * place.lift * exposure / place.parts
    figures = Hour(
        total=one.total * (exposure > 0),
        negative=float(one.labelled) * (exposure > 0),
        reach=one.reach * (exposure > 0),
        seen=exposure,
        mean=mean,
        flagged=flagged,
    )
    end = round(one.start.timestamp() + one.width.total_seconds())
    return replace(
        state,
        hours=add(hours, place, figures),
        shares=shares,
        reaches=reaches,
        silences=silence.listen(
            state.silences,
            silence.Elapsed(end, mean, one.width.total_seconds() / _DAY),
            seen.brought or ({"": one.total} if one.total > 0 else {}),
            seen.sources,
        ),
        newcomers=newcomer.listen(state.newcomers, place.hour, place.pace, seen.critical),
    )  # fmt: skip


def _verdicts(state: KindsState, place: Place, seen: SeenBin, rules: KindRules, *, is_quiet: bool) -> list[_Verdict]:
    """Return what the kinds say; after an empty bin within an hour only silence can be louder than before."""
    verdicts = _silences(state, place, seen) if SpikeKind.SILENCE in rules.kinds else []
    if is_quiet:
        return verdicts
    held = windows(state.hours, place) if place.hour >= state.hours.begin else ()
    counting = {SpikeKind.SHARE: _share, SpikeKind.REACH: _reach, SpikeKind.TOTAL: _total}
    verdicts += [judge(state, held, place) for kind, judge in counting.items() if kind in rules.kinds and held]
    if SpikeKind.NEW_SOURCE in rules.kinds and seen.sources:
        verdicts.append(_newcomer(state))
    return verdicts


def _seconds(window: Window, place: Place) -> int:
    hour = _DAY // place.pace
    return (window.length - 1) * hour + place.width * (place.part + 1)


def _share(state: KindsState, held: tuple[Window, ...], place: Place) -> _Verdict:
    heard = share.hear(state.shares, held, place.lift)
    window = held[heard.place]
    whole = round(window.total)
    counted = Counted(
        seconds=_seconds(window, place),
        observed=min(round(window.negative), whole),
        usual=heard.usual,
        expected=heard.share * whole,
        seen=window.seen,
        whole=whole,
    )
    return _Verdict("share", heard.score, counted, heard.may_page and counted.observed > heard.usual[1])


def _total(state: KindsState, held: tuple[Window, ...], place: Place) -> _Verdict:
    heard = total.hear(held, spread(state.hours))
    window = held[heard.place]
    counted = Counted(
        seconds=_seconds(window, place),
        observed=round(window.total),
        usual=heard.usual,
        expected=window.mean,
        seen=window.seen,
    )
    return _Verdict("total", heard.score, counted, heard.may_page)


def _reach(state: KindsState, held: tuple[Window, ...], place: Place) -> _Verdict:
    heard = reach.hear(state.reaches, held)
    window = held[heard.place]
    known = state.days.get("reach", Ordinary())
    counted = Counted(
        seconds=_seconds(window, place),
        observed=round(window.reach),
        usual=reach.usual_reach(heard.expected, max(known.maxima[-28:], default=0.0) / 2),
        expected=heard.expected,
        seen=window.seen,
        whole=round(window.negative),
    )
    return _Verdict("reach", heard.score, counted, heard.may_page)


def _newcomer(state: KindsState) -> _Verdict:
    heard = newcomer.hear(state.newcomers)
    counted = Counted(seconds=_DAY, observed=heard.number, usual=(0, 0), expected=heard.usual, subject=heard.name)
    return _Verdict("new_source", heard.score, counted, heard.may_page)


def _silences(state: KindsState, place: Place, seen: SeenBin) -> list[_Verdict]:
    end = round(seen.bin.end.timestamp())
    wavering = spread(state.hours)
    parts = place.parts
    verdicts = [_silent("silence", silence.hear(state.silences.whole, end, wavering, parts), end, "")]
    if len(state.silences.sources) < 2:
        return verdicts
    heard = {name: silence.hear(quiet, end, wavering, parts) for name, quiet in state.silences.sources.items()}
    name = max(sorted(heard), key=lambda name: heard[name].score)
    return [*verdicts, _silent("silent_source", heard[name], end, SOURCE + name)]


def _silent(name: str, heard: silence.Heard, end: int, subject: str) -> _Verdict:
    counted = Counted(
        seconds=max(60, end - heard.since) if heard.since else 60,
        observed=0,
        usual=central_range(heard.mean, heard.variance),
        expected=heard.mean,
        subject=subject,
    )
    return _Verdict(name, heard.score, counted, heard.may_page)


def _finding(days: Mapping[str, Ordinary], one: _Verdict, seen: SeenBin, rules: KindRules) -> Finding:
    kind = _KINDS[one.name]
    budget = rules.parts[kind] / (2 if kind is SpikeKind.SILENCE and len(seen.sources) > 1 else 1)
    known = days.get(one.name, Ordinary())
    at = verge(known, one.score, _PRIORS[one.name], budget)
    if not one.may_page:
        at = Verge(min(at.chance, at.bar), at.bar) if at.is_high else at
    start, width = round(seen.bin.start.timestamp()), round(seen.bin.width.total_seconds())
    return finding(kind, (start, start + width), one.counted, at=at, days=len(known.maxima))
