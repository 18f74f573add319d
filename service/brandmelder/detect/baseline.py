"""What is normal at this hour: a level times the hour of the local week, both learnt and both doubted.

Level and hours are ratios of exponentially weighted sums of observed over expected counts, each shrunk toward its
parent as a gamma prior would. Hourly counts scatter like a negative binomial with variance m + φ·m².
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cube = NDArray[np.float64]

WEEK = 168
"""Cells of the profile: hours of the local week, Monday 00:00 first."""
_LEVEL_DECAY = 0.5 ** (1 / (14 * 24))
_CELL_DECAY = 0.5 ** (1 / 6)
_PRIOR_COUNT, _PRIOR_HOURS = 0.3, 0.15
_PRIOR_SPREAD, _SPREAD_WEIGHT = 0.32, 1 / 0.32**2
_DAY, _MONTH = 24.0, 28 * 24.0

Cells = tuple[float, ...]
_FLAT: Cells = (1.0,) * WEEK
_EMPTY: Cells = (0.0,) * WEEK


class Baseline(Struct, frozen=True, kw_only=True):
    """What was learnt. Counts are per hour at full exposure; cells are hours of the local week."""

    hours: float = 0.0
    """Seen hours learnt from: exposure counts in part."""
    count: float = 0.0
    """Exponentially weighted Σ observed."""
    shape: float = 0.0
    """Exponentially weighted Σ profile · exposure."""
    observed: Cells = _EMPTY
    expected: Cells = _EMPTY
    profile: Cells = _FLAT
    spread: float = _SPREAD_WEIGHT * _PRIOR_SPREAD
    spread_weight: float = _SPREAD_WEIGHT
    days: int = 0
    """Day (of the epoch) for which the profile was built."""


class Normal(Struct, frozen=True, kw_only=True):
    """Mean and variance of the count of a window."""

    mean: float
    variance: float


def dispersion(baseline: Baseline) -> float:
    """Return φ: the squared coefficient of variation of an hour's count beyond Poisson."""
    return min(4.0, max(0.0, baseline.spread / baseline.spread_weight))


def level(baseline: Baseline, early: tuple[float, float] = (0.0, 0.0)) -> float:
    """Return the mean count of an average hour. `early` adds counts and hours that are not learnt yet."""
    return (_PRIOR_COUNT + baseline.count + early[0]) / (_PRIOR_HOURS + baseline.shape + early[1])


def normal(baseline: Baseline, hours: list[tuple[int, float]], early: tuple[float, float] = (0.0, 0.0)) -> Normal:
    """Return what is normal for a window made of `hours`: (cell, seen hours) pairs."""
    known = baseline.hours + early[1]
    height = level(baseline, early)
    means = [height * baseline.profile[cell] * seen for cell, seen in hours]
    mean = math.fsum(means)
    phi = dispersion(baseline)
    # Doubt: how well the level is known, and, until four weeks are seen, how little the hours are.
    worth = known / (phi + 1.0 / max(height, 0.01))
    doubt = 1.0 / (_PRIOR_COUNT + worth) + 1.5 * _DAY / (_DAY + known) * max(0.0, 1.0 - known / _MONTH)
    return Normal(mean=mean, variance=mean + phi * mean * mean + doubt * mean * mean)


def learn(baseline: Baseline, cell: int, count: float, seen: float, *, flagged: bool) -> Baseline:
    """Learn one hour of the past: `count` mentions while `seen` (0 to 1) of it was visible.

    The count is winsorised at three standard deviations. A flagged hour counts as its mean plus one: an incident hardly
    teaches, yet a world that changed for good is not fought for ever.
    """
    if seen <= 0:
        return baseline
    usual = normal(baseline, [(cell, seen)])
    known = baseline.hours >= _DAY
    most = usual.mean + 3.0 * math.sqrt(usual.variance) + 1.0
    held = usual.mean + math.sqrt(usual.mean + dispersion(baseline) * usual.mean**2)
    taken = held if flagged and known else min(count, most) if known else count
    decay = _LEVEL_DECAY**seen
    off = (taken - usual.mean) ** 2 - usual.mean
    weight = usual.mean**2 / (usual.mean + 2 * usual.variance**2) if known and not flagged else 0.0
    observed, expected = list(baseline.observed), list(baseline.expected)
    observed[cell] = observed[cell] * _CELL_DECAY**seen + taken
    expected[cell] = expected[cell] * _CELL_DECAY**seen + level(baseline) * seen
    return replace(
        baseline,
        hours=baseline.hours + seen,
        count=baseline.count * decay + taken,
        shape=baseline.shape * decay + baseline.profile[cell] * seen,
        observed=tuple(observed),
        expected=tuple(expected),
        spread=baseline.spread + weight * off,
        spread_weight=baseline.spread_weight + weight * usual.mean**2,
    )


def rebuild(baseline: Baseline, day: int) -> Baseline:
    """Rebuild the profile from the cells: hour, hour by weekend, weekday; each shrunk toward 1.

    Once a day, and every hour of the first week.
    """
    if day == baseline.days and baseline.hours >= WEEK:
        return baseline
    observed = np.array(baseline.observed).reshape(7, 24)
    expected = np.array(baseline.expected).reshape(7, 24)
    phi = dispersion(baseline)
    hour, split, weekday = np.ones(24), np.ones((2, 24)), np.ones(7)
    weekend = np.array([0, 0, 0, 0, 0, 1, 1])
    for _ in range(3):
        around = split[weekend] * weekday[:, None]
        hour = _factor(observed.sum(0), (expected * around).sum(0), 1.0, phi / 5)
        for part in (0, 1):
            rows = weekend == part
            around_part = (expected * hour * weekday[:, None])[rows].sum(0)
            split[part] = _factor(observed[rows].sum(0), around_part, 0.5, phi / 3)
        weekday = _factor(observed.sum(1), (expected * hour * split[weekend]).sum(1), 0.3, phi / 24)
    profile = hour * split[weekend] * weekday[:, None]
    return replace(baseline, profile=tuple((profile / profile.mean()).ravel().tolist()), days=day)


def _factor(
    observed: NDArray[np.float64], expected: NDArray[np.float64], tau: float, noise: float
) -> NDArray[np.float64]:
    """Return 1 + shrunk relative excess: the posterior mean under a prior of variance `tau` around 1."""
    safe = np.maximum(expected, 1e-9)
    worth = tau / (tau + 1.0 / safe + noise)
    return np.maximum(0.02, 1.0 + worth * (observed / safe - 1.0))
