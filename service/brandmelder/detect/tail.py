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
# Numerical Recipes (Press et al. 1992), section 6.2: erfc with a fractional error below 1.2e-7 everywhere.
_ERFC = (
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806,
    0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
)  # fmt: skip


def surprise(count: ArrayLike, mean: ArrayLike, variance: ArrayLike) -> NDArray[np.float64]:
    """Return −log10 P(N > count) − with half the weight of equality − for N negative binomial. Shapes broadcast.

    A smaller `mean` is taken as 1e-4, `variance` ≤ `mean` as Poisson.
    """
    mean = np.maximum(np.asarray(mean, dtype=np.float64), 1e-4)
    variance = np.maximum(np.asarray(variance, dtype=np.float64), mean)
    count = np.maximum(np.asarray(count, dtype=np.float64), 0.1 * mean)
    apart = np.minimum(1e-3 * np.sqrt(variance), 0.05 * mean)  # the formula is 0/0 where count and mean meet
    count = np.where(np.abs(count - mean) < apart, mean + apart, count)
    size = mean * mean / np.maximum(variance - mean, 1e-6 * mean)
    log_ratio = np.log(count / mean)
    excess = np.log1p((count - mean) / (mean + size))
    deviance = np.maximum(count * log_ratio - (count + size) * excess, 1e-12)
    root = np.sqrt(2.0 * deviance)
    wald = np.abs(log_ratio - excess) * np.sqrt(count + count * count / size)
    root = np.maximum(root, 1e-4)
    bend = np.log(np.maximum(wald, 1e-12) / root) / root
    # Near a count of 0 the bend strays; no more than half the root is given back to it.
    star = np.where(count > mean, root + bend, -root - np.maximum(bend, -0.5 * root))
    return _log10_upper(star)


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
    """Return −log10 of the normal's upper tail at `deviate`, without underflow."""
    half = np.abs(deviate) * math.sqrt(0.5)
    t = 1.0 / (1.0 + 0.5 * half)
    series = np.full_like(t, _ERFC[-1])
    for term in _ERFC[-2::-1]:
        series = series * t + term
    log_upper = np.log(0.5 * t) - half * half + series
    # Below the mean nothing is decided: a straight line that joins at the median will do.
    return np.where(deviate >= 0, log_upper / -_LN10, np.maximum(0.0, _MEDIAN + 0.3465 * deviate))


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
