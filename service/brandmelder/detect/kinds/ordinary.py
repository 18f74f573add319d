"""How loud an ordinary day is, for one kind of spike: its daily maxima turn a score into the chance of such a day.

The upper half of the daily maxima is taken as exponential (peaks over threshold: Davison & Smith 1990 with shape 0);
median and mean excess are shrunk toward those of simulated clean series. What is beyond once in a hundred days is
winsorised, so that an incident teaches little.
"""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

_LN10, _MEDIAN = math.log(10.0), math.log10(2.0)
KEPT = 90
"""So many days are remembered."""
_TRUSTED = 10.0
"""Days of experience that weigh as much as the prior."""
FEWEST = 7
"""Days before a kind speaks at all."""
_COLD_DAYS, _COLD = 28, 0.6
_CAP = 2.0
_SILENT = -1e9


class Prior(Struct, frozen=True):
    """Median and mean excess of the daily maxima on simulated clean series."""

    centre: float
    scale: float


class Ordinary(Struct, frozen=True, array_like=True):
    """What the days so far came to."""

    day: int = -1
    seen: float = 0.0
    """Share of the running day that was seen."""
    top: float = _SILENT
    maxima: tuple[float, ...] = ()
    centre: float = math.nan
    scale: float = math.nan


def hear(ordinary: Ordinary, day: int, score: float, *, seen: float, prior: Prior) -> Ordinary:
    """Add the score of a bin; `seen` is the share of the day that it makes up, times its exposure."""
    before = ordinary if day == ordinary.day else _close(ordinary, day, prior)
    top = max(before.top, min(score, _score_at(before, _CAP, prior)))
    return replace(before, top=top, seen=before.seen + seen)


def chance(ordinary: Ordinary, score: float, prior: Prior) -> float:
    """Return −log10 of the chance that an ordinary day reaches as much; 0 while there is too little to compare."""
    if len(ordinary.maxima) < FEWEST:
        return 0.0
    centre, scale = _fitted(ordinary, prior)
    return max(0.0, _MEDIAN + (score - centre) / (scale * _LN10))


def bar(ordinary: Ordinary, budget: float) -> float:
    """Return what `chance` must pass for `budget` false pages a day; raised until four weeks are known.

    Never below 0, which is what `chance` says while there is too little to compare: that pages for no budget.
    """
    return max(0.0, -math.log10(budget)) + _COLD * max(0.0, 1.0 - len(ordinary.maxima) / _COLD_DAYS)


def _score_at(ordinary: Ordinary, level: float, prior: Prior) -> float:
    centre, scale = _fitted(ordinary, prior)
    return centre + scale * _LN10 * (level - _MEDIAN)


def _fitted(ordinary: Ordinary, prior: Prior) -> tuple[float, float]:
    if math.isnan(ordinary.scale):
        return prior.centre, prior.scale
    return ordinary.centre, ordinary.scale


def _close(ordinary: Ordinary, day: int, prior: Prior) -> Ordinary:
    """End the running day. A day hardly seen is passed over."""
    if ordinary.seen < 0.5 or ordinary.top == _SILENT:
        return replace(ordinary, day=day, seen=0.0, top=_SILENT)
    maxima = (*ordinary.maxima[-KEPT + 1 :], ordinary.top)
    centre, scale = _fit(maxima, prior)
    return Ordinary(day=day, maxima=maxima, centre=centre, scale=scale)


def _fit(maxima: tuple[float, ...], prior: Prior) -> tuple[float, float]:
    ordered, number = sorted(maxima), len(maxima)
    middle = ordered[number // 2] if number % 2 else (ordered[number // 2 - 1] + ordered[number // 2]) / 2
    excesses = [value - middle for value in ordered if value > middle]
    seen = sum(excesses) / len(excesses) if excesses else 0.0
    weight = len(excesses)
    scale = math.exp(
        (weight * math.log(max(seen, 0.2 * prior.scale)) + _TRUSTED / 2 * math.log(prior.scale))
        / (weight + _TRUSTED / 2)
    )
    centre = (number * middle + _TRUSTED / 4 * prior.centre) / (number + _TRUSTED / 4)
    return centre, scale
