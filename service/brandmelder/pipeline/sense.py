"""What a monitor's evaluation remembers between ticks, and how bins are made ready for the kinds of spike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.count.bins import start_of
from brandmelder.detect import scan
from brandmelder.detect.kinds import watching
from brandmelder.detect.kinds.backlog import Question
from brandmelder.detect.kinds.key import Hit
from brandmelder.detect.kinds.watching import SOURCE, TOPIC, KindsState, SeenBin
from brandmelder.model import Bin, Finding, SpikeKind
from brandmelder.pipeline.view import Steps, bins_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from brandmelder.detect.kinds.watching import KindRules
    from brandmelder.pipeline.view import Sights
    from brandmelder.store.series import MonitorRow, SourceCount

Topics = Sequence[tuple[datetime, float, tuple[str, ...]]]
"""When a negative was written, what it weighs, which topics it names."""

_VERSION = b"m1"


class Remembered(Struct, frozen=True, kw_only=True):
    """The detector of the negative volume, the other kinds, and what waits: answers, key mentions."""

    volume: scan.DetectorState
    kinds: KindsState
    mark: int = 0
    """Id of the last mention that was looked at by itself."""
    hits: tuple[Hit, ...] = ()
    waiting: tuple[Question, ...] = ()
    marked: tuple[tuple[datetime, datetime], ...] = ()
    """The periods that it was told to learn nothing from."""


class _Packed(Struct, frozen=True, array_like=True):
    volume: bytes
    kinds: bytes
    mark: int
    hits: tuple[Hit, ...]
    waiting: tuple[Question, ...]
    marked: tuple[tuple[datetime, datetime], ...]


def encode(memory: Remembered) -> bytes:
    """Return the memory as bytes that name their version."""
    volume, kinds = scan.encode(memory.volume), watching.encode(memory.kinds)
    packed = _Packed(volume, kinds, memory.mark, memory.hits, memory.waiting, memory.marked)
    return _VERSION + msgspec.msgpack.encode(packed)


def decode(packed: bytes, rules: KindRules) -> Remembered:
    """Read a memory. Raises ValueError if it must be seeded anew from the bins.

    That is so for another version, for broken bytes, and when other periods are marked than it was seeded with.
    """
    if packed[: len(_VERSION)] != _VERSION:
        raise ValueError(f"a memory of version {packed[: len(_VERSION)]!r}, not {_VERSION!r}")
    try:
        one = msgspec.msgpack.decode(packed[len(_VERSION) :], type=_Packed)
    except msgspec.DecodeError as error:
        raise ValueError(f"a memory that cannot be read ({error})") from error
    if set(one.marked) != set(rules.marked):
        raise ValueError("other periods are marked as not normal than before")
    return Remembered(
        marked=one.marked,
        volume=scan.decode(one.volume),
        kinds=watching.decode(one.kinds),
        mark=one.mark,
        hits=one.hits,
        waiting=one.waiting,
    )


def seens(
    bins: Iterable[Bin], counts: Sequence[SourceCount], topics: Topics, *, sights: Sights, running: bool = False
) -> tuple[SeenBin, ...]:
    """Return bins with what stands behind each: which source brought how much, what the negatives are about."""
    brought: dict[datetime, dict[str, float]] = {}
    critical: dict[datetime, dict[str, float]] = {}
    news = sights.news_since
    for one in counts:
        if one.history and news is not None and one.start >= news:
            continue
        mine = brought.setdefault(one.start, {})
        mine[one.source] = mine.get(one.source, 0.0) + one.total
        if one.labelled > 0:
            negative = critical.setdefault(one.start, {})
            negative[SOURCE + one.source] = negative.get(SOURCE + one.source, 0.0) + one.labelled
    for at, weight, names in topics:
        negative = critical.setdefault(start_of(at), {})
        for name in names:
            negative[TOPIC + name] = negative.get(TOPIC + name, 0.0) + weight
    steps = Steps(sights)
    every = tuple(row.source for row in sights.rows)
    return tuple(
        SeenBin(
            bin=one,
            brought=brought.get(one.start, {}),
            critical=critical.get(one.start, {}),
            sources=every if running else steps.seen_at(one.start),
        )
        for one in bins
    )


def seed(
    history: Sequence[SourceCount],
    topics: Topics,
    row: MonitorRow,
    *,
    sights: Sights,
    rules: KindRules,
) -> Remembered:
    """Learn silently from everything that is known up to where evaluation stands."""
    memory = Remembered(volume=scan.new_state(), kinds=watching.new_kinds(), marked=rules.marked)
    if not history or row.evaluated_through is None or row.news_since is None:
        return memory
    begin, news = start_of(history[0].start), row.news_since
    for until, since in ((news, begin), (row.evaluated_through, max(begin, news))):
        bins = [_marked(one, rules) for one in bins_of(history, since, until, sights=sights)]
        for one in seens(bins, history, topics, sights=sights):
            memory, _ = step(memory, one, rules)
        if until is news:
            closed = scan.close_history(memory.volume, rules.negative)
            memory = replace(memory, volume=closed, kinds=watching.close_history(memory.kinds))
    return memory


def _marked(one: Bin, rules: KindRules) -> Bin:
    """Return a bin of a history; what was marked was not seen, so that nothing of it is learnt."""
    is_marked = any(since < one.end and until > one.start for since, until in rules.marked)
    return replace(one, exposure=0.0) if is_marked else one


_REMEMBERED = timedelta(hours=20)
"""An hour that teaches nothing is put out of sight at this age, before the detector learns it a day late."""


def _without_lessons(memory: Remembered, seen: SeenBin, rules: KindRules) -> Remembered:
    """Put an hour out of sight that a known event or a marked period fell into, before it is learnt."""
    start = seen.bin.start
    if start.minute or start.second or not (rules.marked or rules.volume.events):
        return memory
    hour = start - _REMEMBERED
    if rules.teaches(hour, hour + timedelta(hours=1)):
        return memory
    width = seen.bin.width
    unseen = [
        Bin(start=hour + number * width, width=width, exposure=0.0) for number in range(timedelta(hours=1) // width)
    ]
    return replace(memory, volume=scan.revise(memory.volume, unseen))


def step(memory: Remembered, seen: SeenBin, rules: KindRules) -> tuple[Remembered, tuple[Finding, ...]]:
    """Step the negative volume and the other kinds by one settled bin."""
    memory = _without_lessons(memory, seen, rules)
    volume, finding = scan.step(memory.volume, seen.bin, rules.negative)
    kinds, others = watching.step(memory.kinds, seen, rules, flagged=finding.flagged)
    if SpikeKind.NEGATIVE not in rules.kinds:
        finding = replace(finding, pages=False, is_high=False)
    return replace(memory, volume=volume, kinds=kinds), (finding, *others)


def look(memory: Remembered, seen: SeenBin, rules: KindRules) -> tuple[Finding, ...]:
    """Judge a running bin; nothing is learnt."""
    finding = scan.look(memory.volume, seen.bin, rules.negative)
    if SpikeKind.NEGATIVE not in rules.kinds:
        finding = replace(finding, pages=False, is_high=False)
    return (finding, *watching.look(memory.kinds, seen, rules))
