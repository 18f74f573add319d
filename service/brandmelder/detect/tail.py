"""How unlikely a count is: the upper tail of the negative binomial, as −log10 of its mid-p value.

The signed-root saddlepoint r* (Barndorff-Nielsen 1986; Pierce & Peters 1992, section 3) without continuity correction
approximates the mid-p value of a lattice, takes real counts such as sums of probabilities, and is exact enough (1 % of
the score beyond three expected deviations) at a cost of a few logarithms.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LN10 = math.log(10.0)
_MEDIAN = math.log10(2.0)
_DAMPING, _NOISIEST = 0.4, 1.5
_EXACT, _NORMAL_95 = 60.0, 1.6448536
_APART, _APART_OF_MANY = 1e-3, 1e-6
_BORJESSON = (0.339, 5.510)


def surprise(count: ArrayLike, mean: ArrayLike, variance: ArrayLike) -> NDArray[np.float64]:
    """Return −log10 P(N > count) − with half the weight of equality − for N negative binomial. Shapes broadcast.

    A smaller `mean` is taken as 1e-4, `variance` ≤ `mean` as Poisson.
    """
    return _surprise(*np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in (count, mean, variance))))


def _surprise(
    count: NDArray[np.float64], mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    mean = np.maximum(mean, 1e-4)
    variance = np.maximum(variance, (1.0 + 1e-6) * mean)
    # Below the mean nothing is decided: a straight line that joins at the median will do.
    score = np.empty(count.shape)  # in C's order, whatever the arguments' is: it is filled through a flat view
    np.maximum(0.0, _MEDIAN + 0.3465 * np.minimum(0.0, count - mean) / np.sqrt(variance), out=score)
    above = np.flatnonzero(count > mean)
    if above.size:
        score.reshape(-1)[above] = _above(*(part.reshape(-1)[above] for part in (count, mean, variance)))
    return score


def _above(count: NDArray[np.float64], mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the surprise of counts beyond their mean."""
    # The formula is 0/0 where count and mean meet, and for millions it cancels to noise further away from there.
    deviation = np.sqrt(variance)
    apart = np.minimum(deviation * np.maximum(_APART, _APART_OF_MANY * np.sqrt(deviation)), 0.05 * mean)
    off = np.maximum(count - mean, apart)
    count = mean + off
    size = mean * mean / (variance - mean)
    log_ratio, excess = np.log1p(off / mean), np.log1p(off / (mean + size))
    root = np.sqrt(2.0 * np.maximum(count * log_ratio - (count + size) * excess, 5e-9))
    wald = np.abs(log_ratio - excess) * np.sqrt(count + count * count / size)
    return _log10_upper(root + np.log(np.maximum(wald, 1e-12) / root) / root)


def damped(score: NDArray[np.float64], mean: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the surprise, less as far as it rests on noise of the rate: that has a heavier tail than a gamma.

    `noise` is the relative variance of the rate; it makes up a share r of the variance. The score s becomes
    log(1 + c s) / c with c = 0.4 noise r, about what a log-normal rate of the same variance takes from it.
    """
    share = noise * mean / (1.0 + noise * mean)
    bend = np.maximum(_DAMPING * np.minimum(noise, _NOISIEST) * share, 1e-6)
    less: NDArray[np.float64] = np.log1p(bend * score) / bend
    return less


def _log10_upper(deviate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return −log10 of the normal's upper tail at a `deviate` of 0 or more: Börjesson & Sundberg 1979, within 0.3 %."""
    deviate = np.maximum(deviate, 0.0)
    square = deviate * deviate
    ratio = (1.0 - _BORJESSON[0]) * deviate + _BORJESSON[0] * np.sqrt(square + _BORJESSON[1])
    upper: NDArray[np.float64] = (0.5 * square + np.log(math.sqrt(2.0 * math.pi) * ratio)) / _LN10
    return upper


def central_range(mean: float, variance: float) -> tuple[int, int]:
    """Return the least and the greatest count of the central 90 % of the negative binomial.

    Exact sums for small means; beyond, Wilson and Hilferty's cube root (1931) for the gamma of the same two moments.
    """
    if mean > _EXACT:
        shape = mean * mean / max(variance, mean)
        low, high = (
            mean * max(0.0, 1.0 - 1.0 / (9.0 * shape) + side * math.sqrt(1.0 / (9.0 * shape))) ** 3
            for side in (-_NORMAL_95, _NORMAL_95)
        )
        return max(0, round(low)), max(0, round(high))
    mean = max(mean, 1e-9)
    size = mean * mean / max(variance - mean, 1e-6 * mean)
    share = mean / (mean + size)
    term = below = math.exp(size * math.log1p(-share))
    least, count = (0 if below >= 0.05 else -1), 0
    while below < 0.95 and count < 100 * _EXACT:
        term *= share * (size + count) / (count + 1)
        count += 1
        below += term
        if least < 0 and below >= 0.05:
            least = count
    return max(0, least), count
