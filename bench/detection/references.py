"""How far one could come: the same windows where baseline and noise are known.

Nobody has that; it says what a miss is worth. It pages at three posts or more, as the engine does.
"""

from __future__ import annotations

import numpy as np
from families import DURATIONS, Sample

from brandmelder.detect.tail import surprise


def known_baseline(one: Sample) -> np.ndarray:
    """The largest score over all windows, each in units of its own daily maxima on this sample's expectation."""
    best = np.zeros_like(one.counts)
    rng = np.random.default_rng(1)
    spread = one.family.spread
    null = rng.poisson(one.mean * rng.gamma(1 / max(spread, 1e-3), max(spread, 1e-3), one.mean.shape)).astype(float)
    for length in DURATIONS:
        own, pure = _window(one, one.counts, length), _window(one, null, length)
        daily = pure.reshape(len(pure), -1, 24).max(axis=2)[:, 4:]
        median = np.median(daily)
        best = np.maximum(best, (own - median) / max((np.quantile(daily, 0.98) - median) / np.log(25), 0.1))
    return best


def _window(one: Sample, counts: np.ndarray, length: int) -> np.ndarray:
    count, mean, square = (_sum(each, length) for each in (counts, one.mean, one.mean**2))
    score = surprise(count, mean, mean + one.family.spread * square)
    return np.where(count >= 3, score, 0.0)


def _sum(counts: np.ndarray, length: int) -> np.ndarray:
    total = np.cumsum(np.pad(counts, ((0, 0), (length, 0))), axis=1)
    return total[:, length:] - total[:, :-length]


REFERENCES = {"(the baseline known)": known_baseline}
