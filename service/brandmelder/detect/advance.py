"""One bin of time for many series at once: judge it, remember it, and learn what lies a day back.

The single step and the replay of many monitors are this one function, so that both find the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from brandmelder.detect import baseline, calibrate, windows
from brandmelder.detect.memory import FINE, PARTS, REACH, SHORT, SUMS, WINDOWS
from brandmelder.detect.tail import damped, surprise

if TYPE_CHECKING:
    from brandmelder.detect.memory import Array, Memory
    from brandmelder.detect.windows import Weighed

    Counts = tuple[Array, Array, Array]
    """Negative, labelled and the share seen; each (series,)."""

_LENGTHS = np.array(WINDOWS)
_AFTER_DAYS, _AFTER_MOST = 2, 7
"""Days after a page in which only what came after it counts, against an expectation that follows it: the second number
where two whole days stay as high."""
_TOLD = 2
"""Windows from so many days on still hold what was told when those days are over: they wait until it has left them."""
_LASTS = WINDOWS.index(48)
_FOLLOW = 0.5 ** (1 / 6)
_FINE_SPREAD, _FINE_WEIGHT = 0.4, 1 / 0.3**2
_COLD, _COLD_DAYS = 0.7, 28.0
_DUMB = 0.125
"""Days that must be seen before a window that pages: any volume at all is possible before."""
LEAST = 3
"""Never page for fewer mentions labelled negative: a flood of neutral ones sums up to much, too."""
RECOVERY = 0.7
"""The chance below which an incident begins to calm, as a share of the one that pages."""


class Moment(NamedTuple):
    """Where a bin lies in time."""

    unit: int
    """The unit of the epoch it belongs to."""
    part: int
    parts: int
    """The bin is number `part` of `parts` in its unit."""
    pace: int
    """Units in a day."""
    cells: tuple[int, int]
    past_cells: tuple[int, int]
    """Cells of the local week of the unit and of the one a day before, each with the one it is blended with."""
    lift: float = 1.0
    """By how much known events raise the expectation."""

    @property
    def bin(self) -> int:
        """Number of the bin since the epoch."""
        return self.unit * self.parts + self.part

    @property
    def is_last(self) -> bool:
        """Whether the bin completes its unit."""
        return self.part == self.parts - 1


class Heard(NamedTuple):
    """What the windows hold. Of shape (W, series), windows in units, then fine ones; the last two (series,)."""

    counts: Array
    mean: Array
    variance: Array
    noise: Array
    """Relative variance of the rate, without what is only not known."""
    standard: Array
    daily: Array
    quiet: Array


class Judged(NamedTuple):
    """What was found. The first four of shape (W, series), windows in units, then fine ones; the others (series,)."""

    counts: Array
    mean: Array
    variance: Array
    standard: Array
    chance: Array
    """−log10 of the chance that an ordinary day comes to as much."""
    best: Array
    """Number of the window to show: the one that pages, else the last hour, so that figures do not leap."""
    pages: Array
    high: Array
    flagged: Array
    burns: Array
    quiet: Array
    """An empty bin within a unit: it says nothing new."""


def advance(memory: Memory, moment: Moment, counts: Counts, *, entry: float, floor: float) -> Judged:
    """Step every series by one bin, in place."""
    judged, weighed = observe(memory, moment, counts, entry=entry, floor=floor)
    if weighed is None:
        return judged
    _page(memory, moment, judged)
    _flag(memory, moment, judged)
    loud = calibrate.groups(judged.standard)
    calibrate.remember(memory, loud, flagged=judged.flagged, quiet=judged.quiet)
    memory["was_high"][:] = judged.high
    memory["revised"][:] = 0.0
    if moment.is_last:
        _learn(memory, moment, weighed, judged)
    return judged


def replay(memory: Memory, moment: Moment, counts: Counts, *, entry: float, floor: float) -> Judged:
    """Judge a bin of the past with what is known now, in place; nothing is learnt."""
    judged, _ = observe(memory, moment, counts, entry=entry, floor=floor)
    if not judged.quiet.all():
        _page(memory, moment, judged)
        memory["was_high"][:] = judged.high
    return judged


def observe(
    memory: Memory, moment: Moment, counts: Counts, *, entry: float, floor: float
) -> tuple[Judged, Weighed | None]:
    """Put a bin into the rings and judge the windows that end with it; nothing is learnt.

    An empty bin within a unit says nothing new, unless latecomers do: no window can be louder for it. If all series
    are so quiet, only the last hour is told, and nothing is weighed.
    """
    height = baseline.level(memory, moment.unit, moment.pace)
    spread = baseline.phi(memory)
    full = baseline.mean_at(memory, *moment.cells, height) * moment.lift
    _put(memory, moment, counts, full)
    quiet = (counts[0] == 0) & (memory["revised"] == 0) & (not moment.is_last)
    doubt = baseline.doubt(memory, height, spread, moment.pace)
    if quiet.all():
        return _quiet(memory, moment, doubt, quiet), None
    if moment.parts == 1:
        part = windows.part_of(counts[0] * (counts[2] > 0), full * counts[2], spread)
    else:
        part = _part(memory, moment, spread)
    if moment.is_last:
        windows.push(memory, moment.unit, part)
        weighed = windows.weigh(memory, moment.unit, doubt, spread)
    else:
        weighed = windows.weigh(memory, moment.unit - 1, doubt, spread, part)
    count, mean, variance = weighed.counts, weighed.mean, weighed.variance
    if moment.parts > 1:
        fine = _fine(memory, moment, doubt[0], fine_lengths(moment.parts))
        count, mean, variance = (np.concatenate(pair) for pair in zip((count, mean, variance), fine, strict=True))
        doubt = np.concatenate([doubt, np.broadcast_to(doubt[0], fine[0].shape)])
    noise = np.maximum((variance - mean) / (mean * mean) - doubt, 0.0)
    score = damped(surprise(count, mean, variance), mean, noise)
    if not moment.is_last:
        score[0] = 0.0  # the fine windows tell the running hour better
    daily = height * memory["drift"] * moment.pace
    standard = calibrate.standard(score, daily, int(moment.parts > 1))
    heard = Heard(count, mean, variance, noise, standard, daily, quiet)
    return _judge(memory, moment, heard, entry=entry, floor=floor), weighed


def _quiet(memory: Memory, moment: Moment, doubt: Array, quiet: Array) -> Judged:
    rows = len(WINDOWS) + len(FINE)
    length = fine_lengths(moment.parts)[-1:]
    count, mean, variance = (
        np.broadcast_to(one, (rows, memory.series)) for one in _fine(memory, moment, doubt[0], length, last=True)
    )
    nothing = np.zeros(memory.series)
    no = nothing > 0
    best = np.full(memory.series, rows - 1)
    high = memory["was_high"] > 0
    return Judged(count, mean, variance, np.broadcast_to(nothing, count.shape), nothing, best, no, high, no, no, quiet)


def _put(memory: Memory, moment: Moment, counts: Counts, full: Array) -> None:
    count, labelled, seen = counts
    row = moment.unit % REACH
    if moment.part == 0:
        for name in ("unit_count", "unit_seen", "unit_labelled", "unit_mean", "unit_flag"):
            memory[name][row] = 0.0
    memory["unit_count"][row] += count * (seen > 0)
    memory["unit_labelled"][row] += labelled * (seen > 0)
    memory["unit_seen"][row] += seen / moment.parts
    # An event may begin or end within the unit: its mean is that of the bins so far, not that of the last one.
    mean = memory["unit_mean"][row]
    memory["unit_mean"][row] = np.where(mean > 0, mean + (full - mean) / (moment.part + 1), full)
    memory["seen"][:] += seen / moment.parts
    fade = 0.5 ** (1 / (28 * moment.pace * moment.parts))
    memory["labelled"][:] = memory["labelled"] * fade + labelled
    memory["summed"][:] = memory["summed"] * fade + count
    if moment.parts > 1:
        row = moment.bin % SHORT
        values = (count * (seen > 0), labelled * (seen > 0), seen, full / moment.parts)
        for name, value in zip(("part_count", "part_labelled", "part_seen", "part_mean"), values, strict=True):
            memory[name][row] = value


def _part(memory: Memory, moment: Moment, spread: Array) -> windows.Part:
    row = moment.unit % REACH
    mean = memory["unit_mean"][row] * memory["unit_seen"][row]
    return windows.part_of(memory["unit_count"][row], mean, spread, share=(moment.part + 1) / moment.parts)


def fine_lengths(parts: int) -> list[int]:
    """Return the lengths of the fine windows in bins."""
    return [max(1, length * parts // PARTS) for length in FINE]


def _fine(
    memory: Memory, moment: Moment, doubt: Array, lengths: list[int], *, last: bool = False
) -> tuple[Array, Array, Array]:
    """Return count, mean and variance of the fine windows, each (F, series); or only of the `last` of them."""
    rows = np.arange(moment.bin, moment.bin - max(lengths), -1) % SHORT
    means = memory["part_mean"][rows] * memory["part_seen"][rows]
    if last:
        count, mean = memory["part_count"][rows].sum(axis=0)[None], means.sum(axis=0)[None]
        spread = _fine_spread(memory)[-1:]
    else:
        ends = np.array(lengths) - 1
        count = np.cumsum(memory["part_count"][rows], axis=0)[ends]
        mean, spread = np.cumsum(means, axis=0)[ends], _fine_spread(memory)
    mean = np.maximum(mean, 1e-6)
    return count, mean, mean + mean * mean * (spread + doubt)


def _fine_spread(memory: Memory) -> Array:
    raw = (memory["fine_sum"] + _FINE_SPREAD * _FINE_WEIGHT) / (memory["fine_weight"] + _FINE_WEIGHT)
    return np.clip(raw, 0.0, 20.0)


def _judge(memory: Memory, moment: Moment, heard: Heard, *, entry: float, floor: float) -> Judged:
    count, mean, variance, _, standard, daily, quiet = heard
    plain = calibrate.each(memory, standard)
    days = memory["seen"] / moment.pace
    reach = np.concatenate([_LENGTHS, np.ones(len(count) - len(_LENGTHS))])[:, None]
    enough = (count >= floor) & (days > _DUMB + reach / moment.pace)
    after = (moment.unit - memory["high_at"] < _AFTER_DAYS * moment.pace) & (
        moment.unit - memory["paged_at"] < _AFTER_MOST * moment.pace
    )
    recent = _recent(heard)
    asked = np.where(enough, plain, 0.0)
    if after.any():
        columns = np.flatnonzero(after)
        asked[:, columns] = _anew(memory, moment, heard, columns) * (enough & recent)[:, columns]
    since = moment.unit - memory["paged_at"]
    is_long = (_TOLD * moment.pace <= reach) & (reach <= _AFTER_MOST * moment.pace)
    asked *= ~(is_long & (since < reach + moment.pace) & ~after)
    shift = calibrate.shift(daily, int(moment.parts > 1))
    shift *= np.where(shift < 0, np.minimum(1.0, days / _COLD_DAYS), 1.0)  # what is given back must be known first
    bar = entry + shift + _COLD * np.maximum(0.0, 1.0 - days / _COLD_DAYS)
    pages, chance = _paging(memory, moment, asked, np.maximum(bar, 0.0))
    pages &= ~quiet
    burning = (plain > RECOVERY * bar) & recent & enough
    lasting = after & enough[1] & (count[1] > mean[1] + 2 * np.sqrt(variance[1]))
    last_hour = len(count) - 1 if moment.parts > 1 else 0
    best = np.where(pages, asked.argmax(axis=0), last_hour)
    shown = np.where(quiet, 0.0, np.maximum(0.0, np.maximum(chance, plain[best, np.arange(memory.series)]) - shift))
    high = np.where(quiet, memory["was_high"] > 0, pages | lasting | burning.any(axis=0))
    flagged = (plain.max(axis=0) > calibrate.FLAG) & ~quiet
    return Judged(
        count,
        mean,
        variance,
        standard,
        shown,
        best,
        pages,
        high,
        flagged,
        pages | (recent & (plain > bar))[_LASTS],
        quiet,
    )


def _paging(memory: Memory, moment: Moment, asked: Array, bar: Array) -> tuple[Array, Array]:
    """Return which series page, and the chance of their loudest window; what is not `asked` is put to 0 in place.

    Asked are windows that hold enough mentions labelled negative. A `bar` of 0 or more lets nothing page unasked.
    """
    chance: Array = asked.max(axis=0)
    pages = chance > bar
    if not pages.any():
        return pages, chance
    columns = np.flatnonzero(pages)
    asked[:, columns] *= _labelled(memory, moment, columns) >= LEAST
    told = asked.max(axis=0)
    pages &= told > bar
    return pages, np.where(pages, told, chance)


def _labelled(memory: Memory, moment: Moment, columns: Array) -> Array:
    """Return how many mentions labelled negative each window holds. Shape (W, columns)."""
    total = memory["sum_labelled"][:, columns]
    whole = total[(moment.unit - 1) % SUMS] - total[(moment.unit - _LENGTHS) % SUMS]
    running = memory["unit_labelled"][moment.unit % REACH, columns]
    if moment.parts == 1:
        labelled: Array = whole + running
        return labelled
    lengths = fine_lengths(moment.parts)
    rows = np.arange(moment.bin, moment.bin - max(lengths), -1) % SHORT
    fine = np.cumsum(memory["part_labelled"][rows][:, columns], axis=0)[np.array(lengths) - 1]
    return np.concatenate([whole + running, fine])


def _anew(memory: Memory, moment: Moment, heard: Heard, columns: Array) -> Array:
    """Return the chances of the windows that lie wholly after the last page, held against what came with it."""
    count, mean, variance = heard.counts[:, columns], heard.mean[:, columns], heard.variance[:, columns]
    follow = np.maximum(1.0, (memory["excess_count"][columns] + 1) / (memory["excess_mean"][columns] + 1))
    lifted = surprise(count, mean * follow, mean * follow + (variance - mean) * follow * follow)
    lifted = damped(lifted, mean * follow, heard.noise[:, columns])
    if not moment.is_last:
        lifted[0] = 0.0
    standard = calibrate.standard(lifted, heard.daily[columns], int(moment.parts > 1))
    reach = np.concatenate([_LENGTHS, np.ones(len(count) - len(_LENGTHS))])[:, None]
    is_after = moment.unit - memory["paged_at"][columns] >= reach
    return np.where(is_after, calibrate.each(memory, standard, columns), 0.0)


def _recent(heard: Heard) -> Array:
    """Return which windows are still raised in their last quarter: what is over neither pages again nor goes on."""
    raised: Array = heard.counts > heard.mean + np.sqrt(heard.variance)
    recent = raised.copy()
    recent[2 : len(WINDOWS)] = raised[: len(WINDOWS) - 2]
    return recent


def _page(memory: Memory, moment: Moment, judged: Judged) -> None:
    """Remember a page, and let the expectation follow what came with it."""
    if moment.is_last:
        for name, value in (("excess_count", "unit_count"), ("excess_mean", "unit_mean")):
            memory[name][:] = memory[name] * _FOLLOW + memory[value][moment.unit % REACH]
    memory["high_at"][judged.burns] = moment.unit
    opened = judged.pages & (moment.unit - memory["paged_at"] >= moment.pace)
    if opened.any():
        columns = np.arange(memory.series)
        memory["paged_at"][opened] = moment.unit
        memory["excess_count"][opened] = judged.counts[judged.best, columns][opened]
        memory["excess_mean"][opened] = judged.mean[judged.best, columns][opened]


def _flag(memory: Memory, moment: Moment, judged: Judged) -> None:
    if not judged.flagged.any():
        return
    columns = np.flatnonzero(judged.flagged)
    memory["flagged_at"][columns] = moment.unit
    lengths = np.concatenate([_LENGTHS, np.ones(len(judged.standard) - len(_LENGTHS), dtype=int)])
    loudest = calibrate.each(memory, judged.standard[:, columns], columns).argmax(axis=0)
    length = np.minimum(lengths[loudest], moment.pace)
    for back in range(min(moment.pace, REACH)):
        reached = columns[length > back]
        if not reached.size:
            break
        memory["unit_flag"][(moment.unit - back) % REACH, reached] = 1.0


def _learn(memory: Memory, moment: Moment, weighed: Weighed, judged: Judged) -> None:
    quiet = moment.unit - memory["flagged_at"]
    known = (memory["learnt"] >= 2 * moment.pace) & (memory["unit_seen"][moment.unit % REACH] > 0.5)
    windows.learn(memory, weighed, clean=(quiet >= _LENGTHS[:, None]) & known, pace=moment.pace)
    if moment.parts > 1:
        _learn_fine(memory, judged, known & (quiet >= 1), moment.pace)
    past = moment.unit - moment.pace
    baseline.learn(memory, past, moment.past_cells, now=moment.unit + 1, pace=moment.pace)
    if (moment.unit + 1) % moment.pace == 0:
        rows = np.arange(moment.unit - moment.pace + 1, moment.unit + 1) % REACH
        seen = memory["unit_seen"][rows].mean(axis=0)
        daily = baseline.level(memory, moment.unit + 1, moment.pace) * memory["drift"] * moment.pace
        calibrate.close_day(memory, seen, daily, 2 + (moment.parts > 1))
        baseline.close_day(memory, moment.pace)


def _learn_fine(memory: Memory, judged: Judged, clean: Array, pace: int) -> None:
    rows = slice(len(WINDOWS), None)
    count, mean, variance = judged.counts[rows], judged.mean[rows], judged.variance[rows]
    fade = 0.5 ** (1 / (90 * pace))
    square = np.minimum((count - mean) ** 2, 9 * variance + 4)
    weight = clean * mean * mean / (mean + 2 * variance * variance)
    memory["fine_sum"][:] = memory["fine_sum"] * fade + weight * (square - mean)
    memory["fine_weight"][:] = memory["fine_weight"] * fade + weight * mean * mean
