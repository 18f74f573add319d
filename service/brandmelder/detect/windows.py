"""How far every window is from its mean: sums, dispersion and nowcast by length, and the improbability that follows.

A window that is cut by the running unit holds the unit's part so far and the whole units before it. The variance of a
window's count is M + φ·Σm² + ψ_W·M² + M²·doubt: counting, hour to hour, window to window, and what is not known.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from brandmelder.detect.baseline import phi
from brandmelder.detect.memory import REACH, SUMS, WINDOWS

if TYPE_CHECKING:
    from brandmelder.detect.memory import Array, Memory

_PSI, _PSI_WEIGHT = 0.02, 1 / 0.05**2
_LENGTHS = np.array(WINDOWS)
_BEFORE = np.maximum(_LENGTHS, 6)
_RAW = 2
"""So many of the first windows sum raw counts; the longer ones cap every unit, so that one hour is not three days."""
_FADE_DAYS = 90.0
_CLUMP_WEIGHT = 1 / 0.1**2
_CLUMP_DOUBT = 3.0
_RINGS = ("sum_count", "sum_capped", "sum_mean", "sum_square", "sum_labelled")


class Weighed(NamedTuple):
    """The windows that end now. All of shape (W, series), but for `capped`."""

    counts: Array
    plain: Array
    """Mean by the baseline alone."""
    mean: Array
    """Mean with the nowcast from the hours before."""
    rest: Array
    """Variance without ψ."""
    variance: Array
    clumped: Array
    """What of the variance is due to posts that come in threads."""
    before: Array
    """Relative excess of the hours before the window, shrunk."""


class Part(NamedTuple):
    """The running unit so far, or a whole unit. All of shape (series,)."""

    counts: Array
    capped: Array
    mean: Array
    square: Array


def part_of(count: Array, mean: Array, spread: Array, *, share: Array | float = 1.0) -> Part:
    """Return a unit or the `share` of it that has run; `mean` is expected of that share, as far as it was seen."""
    whole = mean / np.maximum(share, 1e-9)
    cap = whole + 3 * np.sqrt(whole + spread * whole * whole) + 3
    return Part(count, np.minimum(count, cap), mean, mean * mean)


def push(memory: Memory, unit: int, part: Part) -> None:
    """Add a whole unit to the cumulative sums, in place."""
    row, last = unit % SUMS, (unit - 1) % SUMS
    for name, value in zip(_RINGS, (*part, memory["unit_labelled"][unit % REACH]), strict=True):
        ring = memory[name]
        ring[row] = ring[last] + value


def weigh(memory: Memory, last: int, doubt: Array, spread: Array, part: Part | None = None) -> Weighed:
    """Weigh the windows that end with unit `last`, or with the running `part` behind it."""
    begin = (last - _LENGTHS + (part is not None)) % SUMS
    earlier = (last - _LENGTHS - _BEFORE + (part is not None)) % SUMS
    end = last % SUMS
    sums = [memory[name] for name in _RINGS[:4]]
    total, capped, plain, square = (ring[end] - ring[begin] for ring in sums)
    past, usual = sums[1][begin] - sums[1][earlier], sums[2][begin] - sums[2][earlier]
    if part is not None:
        total, capped, plain, square = (a + b for a, b in zip((total, capped, plain, square), part, strict=True))
    count = np.concatenate([total[:_RAW], capped[_RAW:]])
    extra = psi(memory)
    safe = np.maximum(plain, 1e-6)
    raw = spread * square / (safe * safe) + extra + 0.005
    before = np.clip((past - usual) * raw / (1.0 + raw * usual), -0.9, 2.0 * np.sqrt(raw))
    weight = memory["follow_weight"]
    lean = np.clip((memory["follow_sum"] - 1.5 * np.sqrt(weight)) / (weight + 10.0), 0.0, 1.0)
    mean = safe * (1.0 + lean * before)
    rest = mean + spread * square + mean * mean * doubt
    clumped = clump(memory) * mean
    variance = rest + extra * mean * mean + clumped
    return Weighed(count, plain, mean, rest, variance, clumped, before)


def psi(memory: Memory) -> Array:
    """Return the relative excess variance of each window beyond its hours'. Shape (W, series)."""
    raw = (memory["psi_sum"] + _PSI * _PSI_WEIGHT) / (memory["psi_weight"] + _PSI_WEIGHT)
    raw = np.clip(raw, 0.0, 4.0)
    raw[0] = 0.0
    return raw


def clump(memory: Memory) -> Array:
    """Return how much each window varies beyond that in proportion to its mean, (W, series): posts come in threads."""
    weight = memory["clump_weight"]
    sure = memory["clump_sum"] - _CLUMP_DOUBT * np.sqrt(weight)
    clumped: Array = np.clip(sure / (weight + _CLUMP_WEIGHT), 0.0, 20.0)
    return clumped


@lru_cache(maxsize=4096)
def nearest(length: int) -> int:
    """Return the number of the window whose length comes nearest."""
    return int(np.abs(np.log(_LENGTHS / max(1, length))).argmin())


def learn(memory: Memory, weighed: Weighed, *, clean: Array, pace: int) -> None:
    """Learn dispersion and nowcast from the `clean` windows, (W, series), in place."""
    mean, variance = weighed.mean, weighed.variance
    fade = 0.5 ** (1 / (_FADE_DAYS * pace))
    square = np.minimum((weighed.counts - mean) ** 2, 9 * variance + 4)
    certain = clean / (mean + 2 * variance * variance)
    weight = certain * mean * mean
    memory["clump_sum"][:] = memory["clump_sum"] * fade + certain * mean * (square - variance + clump(memory) * mean)
    memory["clump_weight"][:] = memory["clump_weight"] * fade + weight
    memory["psi_sum"][:] = memory["psi_sum"] * fade + weight * (square - weighed.rest)
    memory["psi_weight"][:] = memory["psi_weight"] * fade + weight * mean * mean
    plain = np.maximum(weighed.plain, 1e-6)
    share = clean * plain * plain / variance / _LENGTHS[:, None]
    relative = np.clip((weighed.counts - plain) / plain, -1.0, 3.0 * np.sqrt(variance) / plain)
    memory["follow_sum"][:] = memory["follow_sum"] * fade + share * relative * weighed.before
    memory["follow_weight"][:] = memory["follow_weight"] * fade + share * weighed.before**2


def revise(memory: Memory, unit: int, now: int, figures: tuple[float, float, float]) -> None:
    """Replace what a past unit counted, in place: its own row and the cumulative sums from there to before `now`.

    For one series; `figures` are negative, seen and labelled. What was learnt of the unit already stays learnt.
    """
    row = unit % REACH
    rows = np.arange(unit, now) % SUMS
    full = memory["unit_mean"][row]
    before = _summands(memory, row, full)
    for name, value in zip(("unit_count", "unit_seen", "unit_labelled"), figures, strict=True):
        memory[name][row] = value
    for name, old, new in zip(_RINGS, before, _summands(memory, row, full), strict=True):
        memory[name][rows] += new - old


def _summands(memory: Memory, row: int, full: Array) -> tuple[Array, ...]:
    part = part_of(memory["unit_count"][row].copy(), full * memory["unit_seen"][row], phi(memory))
    return (*part, memory["unit_labelled"][row].copy())
