"""How far the newest bins are from normal, and whether that is far enough to page: the detector of one series.

`step` takes settled bins in order; `look` judges a bin that is still running and teaches nothing. Both are pure: bins
between the settled and the running one may be stepped on a copy of the state that is then thrown away. Many series at
once are stepped by the same arithmetic in `advance`.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.detect import baseline, windows
from brandmelder.detect.advance import Moment, advance, observe, replay
from brandmelder.detect.calendar import Event, cells_at, lift_at
from brandmelder.detect.calibrate import threshold
from brandmelder.detect.explain import found, labelled_share
from brandmelder.detect.memory import NEVER, REACH, SHORT, SIZE, SUMS, Memory, forget_rings, fresh
from brandmelder.detect.tail import central_range
from brandmelder.model import Bin, Finding, SpikeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from brandmelder.detect.memory import Array

    Figures = tuple[float, float, float]
    """Counted, shown, seen."""

_VERSION = b"4"
_SHORTEST, _HOUR, _DAY = 300, 3600, 86400
WINDOW = timedelta(hours=3)
"""How much of the past a reviewed bin is given to stand on."""
CARRIES = timedelta(hours=REACH - 1)
"""How far back a state carries hours: the reach of `revise`."""


class DetectorRules(Struct, frozen=True, kw_only=True):
    """What a monitor's owner decides."""

    budget: float = 1 / 30
    """False pages per day that are put up with."""
    zone: str = "Europe/Berlin"
    """IANA name of the zone whose clock and week the brand's public lives by."""
    floor: float = 3.0
    """Never page below so many negatives in the window."""
    kind: SpikeKind = SpikeKind.NEGATIVE
    """What is counted: negative mentions or, with `TOTAL`, all of them. Other kinds are not judged here."""
    region: str = ""
    """Whose public holidays are kept: a country (`DE`) or a part of it (`DE-BY`); none if empty."""
    events: tuple[Event, ...] = ()
    """Known events, which raise the expectation."""


class DetectorState(Struct, frozen=True, kw_only=True):
    """All a detector knows of one series. Treat it as opaque: `encode` and `decode` are its only outside form."""

    width: int = 0
    """Seconds per bin; 0 until the first bin."""
    next: int = 0
    """Start of the next bin, in seconds of the epoch."""
    kind: SpikeKind = SpikeKind.NEGATIVE
    """What it has counted so far."""
    column: bytes = b""
    """The column of `memory.Memory`, float64; empty until the first bin."""


def new_state() -> DetectorState:
    """Return the state of a detector that has seen nothing."""
    return DetectorState()


def step(state: DetectorState, bin: Bin, rules: DetectorRules) -> tuple[DetectorState, Finding]:  # noqa: A002
    """Judge the next settled bin and learn from the past.

    Bins between the state's last one and this were not seen. Raises ValueError for a bin that is not aligned, has
    another width than the ones before, or lies before the last one.
    """
    width = _width_of(state, bin)
    memory = _memory_of(state)
    _catch_up(memory, state, bin, rules)
    start = round(bin.start.timestamp())
    moment = moment_at(start, width, rules)
    judged = advance(
        memory, moment, _figures(bin, bin.exposure, rules.kind), entry=threshold(rules.budget), floor=rules.floor
    )
    finding = found(memory, moment, judged, width=width, kind=rules.kind)
    return DetectorState(width=width, next=start + width, kind=rules.kind, column=memory.columns.tobytes()), finding


def look(state: DetectorState, bin: Bin, rules: DetectorRules) -> Finding:  # noqa: A002
    """Judge a running bin: its count can only grow, so it is held against the whole bin's expectation."""
    width = _width_of(state, bin)
    memory = _memory_of(state)
    _catch_up(memory, state, bin, rules)
    moment = moment_at(round(bin.start.timestamp()), width, rules)
    judged, _ = observe(
        memory, moment, _figures(bin, 1.0, rules.kind), entry=threshold(rules.budget), floor=rules.floor
    )
    finding = found(memory, moment, judged, width=width, kind=rules.kind)
    is_partial = finding.spike.is_partial or bin.exposure < 0.999
    return replace(finding, spike=replace(finding.spike, is_partial=is_partial, is_open_bin=True))


def revise(state: DetectorState, bins: Iterable[Bin]) -> DetectorState:
    """Replace counts and exposures of recent bins; older ones than the state carries, and newer ones, are passed over.

    Bins of the last hours are replaced one by one; further back, an hour is replaced when all its bins are given.
    """
    if not state.width:
        return state
    unit = max(_HOUR, state.width)
    parts = unit // state.width
    memory = _memory_of(state)
    given: dict[int, dict[int, Figures]] = {}
    for late in bins:
        start = round(late.start.timestamp())
        if start % state.width == 0 and start < state.next:
            given.setdefault(start // unit, {})[start % unit // state.width] = _seen_figures(late, state.kind)
    for number in sorted(given):
        if number > (state.next - 1) // unit - REACH + 1:
            _revise_unit(memory, number, given[number], parts=parts, end=state.next // state.width)
    return replace(state, column=memory.columns.tobytes())


def close_history(state: DetectorState, rules: DetectorRules) -> DetectorState:
    """End a history that only teaches: learn what the day's lag holds back, and put all of it out of every window.

    The next bin is the one that would have come next; no window reaches behind it, so history never pages.
    """
    if not state.width:
        return state
    ahead = state
    for start in range(state.next, state.next + _DAY, state.width):
        at = datetime.fromtimestamp(start, UTC)
        unseen = Bin(start=at, width=timedelta(seconds=state.width), exposure=0.0)
        ahead, _ = step(ahead, unseen, rules)
    memory = _memory_of(ahead)
    forget_rings(memory)
    return replace(ahead, next=state.next, column=memory.columns.tobytes())


def review(state: DetectorState, bins: Sequence[Bin], rules: DetectorRules) -> tuple[Finding, ...]:
    """Judge gapless bins of the past with what is known now: for what could not be seen when its time came.

    Teaches nothing; the first bins have only as much window as there is before them.
    """
    memory = _memory_of(state)
    forget_rings(memory)
    findings = []
    for past in bins:
        width = round(past.width.total_seconds())
        moment = moment_at(round(past.start.timestamp()), width, rules)
        figures = _figures(past, past.exposure, rules.kind)
        judged = replay(memory, moment, figures, entry=threshold(rules.budget), floor=rules.floor)
        findings.append(found(memory, moment, judged, width=width, kind=rules.kind))
    return tuple(findings)


def usual(state: DetectorState, start: datetime, window: timedelta, rules: DetectorRules) -> tuple[int, int]:
    """Return the usual range (central 90 %) of labelled negatives in a window that ends at `start`."""
    return usuals(state, (start,), window, rules)[0]


def usuals(
    state: DetectorState, ends: Sequence[datetime], window: timedelta, rules: DetectorRules
) -> tuple[tuple[int, int], ...]:
    """Return the usual range of each window of one length; what holds for all of them is reckoned once."""
    if not state.width:
        return tuple((0, 0) for _ in ends)
    memory = _memory_of(state)
    unit = max(_HOUR, state.width)
    height = baseline.level(memory, state.next // unit, _DAY // unit)
    spread, share = baseline.phi(memory), labelled_share(memory)
    doubts = (baseline.doubt(memory, height, spread, _DAY // unit) + windows.psi(memory))[:, 0]
    clumps, noise = windows.clump(memory)[:, 0], float(spread[0])
    length = round(window.total_seconds())
    spans = [(round(end.timestamp()) - length, round(end.timestamp())) for end in ends]
    touched = {number for since, end in spans for number in range(since // unit, -(-end // unit))}
    cells = {number: cells_at(number, unit, rules.zone, rules.region) for number in touched}
    hours = {number: float(baseline.mean_at(memory, *cells[number], height)[0]) for number in touched}
    found = []
    for span in spans:
        means = _means(span, unit, hours, rules.events)
        mean, near = math.fsum(means), windows.nearest(len(means))
        variance = (1 + float(clumps[near])) * mean + noise * math.fsum(one * one for one in means)
        variance += float(doubts[near]) * mean * mean
        found.append(central_range(share * mean, share * mean + share * share * (variance - mean)))
    return tuple(found)


def _means(span: tuple[int, int], unit: int, hours: Mapping[int, float], events: tuple[Event, ...]) -> list[float]:
    """Return what is expected of the part of each unit that lies in a span, `hours` being the whole ones."""
    since, end = span
    means = []
    for number in range(since // unit, -(-end // unit)):
        begin = max(since, number * unit)
        share = (min(end, (number + 1) * unit) - begin) / unit
        means.append(share * hours[number] * _mean_lift(events, begin, min(end, (number + 1) * unit)))
    return means


def _mean_lift(events: tuple[Event, ...], since: int, until: int) -> float:
    """Return by how much events lift a stretch of an hour on average; they begin and end within it."""
    starts = range(since, until, _SHORTEST) if events else ()
    lifts = [lift_at(events, datetime.fromtimestamp(start, UTC)) for start in starts]
    return math.fsum(lifts) / len(lifts) if lifts else 1.0


def encode(state: DetectorState) -> bytes:
    """Return the state as bytes that name their version."""
    return _VERSION + msgspec.msgpack.encode(state)


def decode(packed: bytes) -> DetectorState:
    """Read a state. Raises ValueError for another version or broken bytes: seed the detector anew from its bins."""
    if packed[:1] != _VERSION:
        raise ValueError(f"a detector state of version {packed[:1]!r}, not {_VERSION!r}: seed it anew from its bins")
    try:
        state = msgspec.msgpack.decode(packed[1:], type=DetectorState)
    except msgspec.DecodeError as error:
        raise ValueError(f"a detector state that cannot be read ({error}): seed it anew from its bins") from error
    if len(state.column) != 8 * SIZE * bool(state.width):
        raise ValueError("a detector state of another layout: seed it anew from its bins")
    return state


def moment_at(start: int, width: int, rules: DetectorRules) -> Moment:
    """Return where the bin that starts at `start` (seconds of the epoch) lies in time."""
    unit = max(_HOUR, width)
    number, rest = divmod(start, unit)
    pace = _DAY // unit
    lift = lift_at(rules.events, datetime.fromtimestamp(start, UTC)) if rules.events else 1.0
    return Moment(
        unit=number,
        part=rest // width,
        parts=unit // width,
        pace=pace,
        cells=cells_at(number, unit, rules.zone, rules.region),
        past_cells=cells_at(number - pace, unit, rules.zone, rules.region),
        lift=lift,
    )


# ------------------------------------------------------------------ the state


def _memory_of(state: DetectorState) -> Memory:
    if not state.column:
        return fresh(1)
    return Memory(np.frombuffer(state.column, dtype=np.float64).reshape(SIZE, 1).copy())


def _figures(bin_: Bin, exposure: float, kind: SpikeKind) -> tuple[Array, Array, Array]:
    match kind:
        case SpikeKind.NEGATIVE:
            counted, shown = bin_.negative, float(bin_.labelled)
        case SpikeKind.TOTAL:
            counted = shown = bin_.total
        case _:
            raise ValueError(f"{kind.value} is no kind of spike that is judged by counts; it is negative or total")
    negative, labelled, seen = (
        np.array([figure]) for figure in (max(0.0, counted), shown, min(1.0, max(0.0, exposure)))
    )
    return negative, labelled, seen


def _width_of(state: DetectorState, bin_: Bin) -> int:
    start, width = round(bin_.start.timestamp()), round(bin_.width.total_seconds())
    if not state.width:
        _check_width(width)
        if start % width:
            raise ValueError(f"a bin of {bin_.width} at {bin_.start.isoformat()} is not aligned")
        return width
    if width != state.width or start % width:
        raise ValueError(f"a bin of {bin_.width} at {bin_.start.isoformat()} does not continue this series")
    if start < state.next:
        raise ValueError(f"the bin at {bin_.start.isoformat()} was judged already")
    return width


def _check_width(width: int) -> None:
    fits = width % _HOUR == 0 and _DAY % width == 0 if width > _HOUR else width >= _SHORTEST and _HOUR % width == 0
    if not fits:
        raise ValueError(f"bins of {width} s; a width is 5 min or more and divides the hour, or whole hours of the day")


def _catch_up(memory: Memory, state: DetectorState, bin_: Bin, rules: DetectorRules) -> None:
    """Walk up to the bin's start, in place; what lies between was not seen. Nothing is carried further than SUMS."""
    if not state.width:
        return
    start, width = round(bin_.start.timestamp()), state.width
    unit = max(_HOUR, width)
    first = (start // unit - SUMS - 1) * unit
    if first <= state.next + _DAY:
        _walk_blind(memory, range(state.next, start, width), rules)
        return
    _walk_blind(memory, range(state.next, state.next + _DAY, width), rules)
    forget_rings(memory)  # what the day's lag held back is learnt; nothing of it may be learnt again as another hour
    _walk_blind(memory, range(first, start, width), rules)


def _walk_blind(memory: Memory, starts: range, rules: DetectorRules) -> None:
    blind = (np.zeros(1), np.zeros(1), np.zeros(1))
    for start in starts:
        at = moment_at(start, starts.step, rules)
        advance(memory, at, blind, entry=threshold(rules.budget), floor=rules.floor)


def _seen_figures(bin_: Bin, kind: SpikeKind) -> Figures:
    count, labelled, seen = (float(figure[0]) for figure in _figures(bin_, bin_.exposure, kind))
    return count * (seen > 0), labelled * (seen > 0), seen


def _revise_unit(memory: Memory, number: int, given: dict[int, Figures], *, parts: int, end: int) -> None:
    """Replace what is known of one unit; `end` is the number of the first bin that was not stepped yet."""
    run = min(parts, end - number * parts)
    row = number % REACH
    first = number * parts
    recent = {part: (first + part) % SHORT for part in range(run) if parts > 1 and end - first - part <= SHORT}
    if len(given) < run and len(recent) < run:
        return  # what the others counted is known only as a sum
    figures: list[Figures] = []
    for part in range(run):
        if part in given:
            figures.append(given[part])
        else:
            names = ("part_count", "part_labelled", "part_seen")
            count, labelled, seen = (float(memory[name][recent[part], 0]) for name in names)
            figures.append((count, labelled, seen))
        if part in recent:
            for name, figure in zip(("part_count", "part_labelled", "part_seen"), figures[-1], strict=True):
                memory[name][recent[part]] = figure
    count, labelled, seen = (sum(column) for column in zip(*figures, strict=True))
    if count != memory["unit_count"][row]:
        memory["revised"][:] = 1.0
    if seen == 0 and memory["paged_at"][0] == number:  # what was put out of sight has not paged
        memory["paged_at"][:], memory["high_at"][:], memory["was_high"][:] = NEVER, NEVER, 0.0
    memory["seen"][:] += seen / parts - memory["unit_seen"][row]
    # What was counted has faded since and what is taken back has not: neither sum falls below nothing.
    memory["labelled"][:] = np.maximum(0.0, memory["labelled"] + labelled - memory["unit_labelled"][row])
    memory["summed"][:] = np.maximum(0.0, memory["summed"] + count - memory["unit_count"][row])
    windows.revise(memory, number, end // parts, (count, seen / parts, labelled))


__all__ = [
    "CARRIES", "WINDOW", "DetectorRules", "DetectorState", "Event", "close_history", "decode", "encode", "look",
    "moment_at", "new_state", "review", "revise", "step", "usual",
]  # fmt: skip
