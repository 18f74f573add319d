"""How unlikely one figure is: scalar tails for counts, shares and silence, each as −log10 of a probability."""

from __future__ import annotations

import math

_LN10 = math.log(10.0)
_NORMAL_95 = 1.6448536
_LEAST_TERM = 1e-9
_TERMS = 10_000
"""Of more draws than this every so many-th term is taken: a tail of millions is as smooth as a curve."""


def count_surprise(count: float, mean: float, variance: float) -> float:
    """Return −log10 P(N ≥ count), mid-p, for N negative binomial; 0 at or below the mean.

    The signed-root saddlepoint of `detect/tail.py` for one number; a `variance` ≤ `mean` is taken as Poisson.
    """
    mean = max(mean, 1e-4)
    if count <= mean * 1.000001:
        return 0.0
    size = mean * mean / max(variance - mean, 1e-6 * mean)
    deviation = math.sqrt(max(variance, mean))
    off = max(count - mean, 1e-6 * deviation * math.sqrt(deviation))  # for millions, what is nearer cancels to noise
    count = mean + off
    log_ratio, excess = math.log1p(off / mean), math.log1p(off / (mean + size))
    root = math.sqrt(2.0 * max(count * log_ratio - (count + size) * excess, 1e-12))
    wald = (log_ratio - excess) * math.sqrt(count + count * count / size)
    return normal_surprise(root + math.log(max(wald, 1e-12) / max(root, 1e-6)) / max(root, 1e-6))


def normal_surprise(deviate: float) -> float:
    """Return −log10 of the normal's upper tail, by Mills' ratio where it underflows (Abramowitz & Stegun 26.2.12)."""
    if deviate < 30.0:
        return -math.log10(max(0.5 * math.erfc(deviate * math.sqrt(0.5)), 1e-300))
    return (0.5 * deviate * deviate + math.log(deviate * math.sqrt(2 * math.pi))) / _LN10


def share_surprise(part: int, whole: int, share: float, spread: float) -> float:
    """Return −log10 P(K ≥ part), mid-p, for K beta-binomial of `whole` draws with mean `share`; 0 below the mean.

    `spread` is the intraclass correlation ρ, 0 to 1: the variance is np(1−p)(1 + (n−1)ρ) (Skellam 1948). The sum runs
    upward from `part` until its terms no longer matter, by the trapezoidal rule where there are very many draws.
    """
    if whole <= 0 or part <= share * whole:
        return 0.0
    rate = 1.0 / min(0.9, max(spread, 1e-4)) - 1.0
    alpha, beta = share * rate, (1.0 - share) * rate
    first = _log_mass(part, whole, alpha, beta)
    stride = 1 + whole // _TERMS
    total, count = 0.5, part + stride
    while count <= whole:
        term = math.exp(_log_mass(count, whole, alpha, beta) - first)
        total += term
        if term < _LEAST_TERM * total:
            break
        count += stride
    ordinary = math.lgamma(whole + 1) - math.lgamma(whole + rate) + math.lgamma(rate)
    log_first = first + ordinary - math.lgamma(alpha) - math.lgamma(beta)
    return max(0.0, -(log_first + math.log(total * stride)) / _LN10)


def _log_mass(part: int, whole: int, alpha: float, beta: float) -> float:
    """Return the part of the beta-binomial's log probability that depends on `part`."""
    rest = whole - part
    return math.lgamma(part + alpha) - math.lgamma(part + 1) + math.lgamma(rest + beta) - math.lgamma(rest + 1)


def share_range(whole: int, share: float, spread: float) -> tuple[int, int]:
    """Return the usual range (about 90 %) of a part of `whole`, by the beta-binomial's two moments."""
    deviation = _NORMAL_95 * math.sqrt(whole * share * (1.0 - share) * (1.0 + max(0, whole - 1) * spread))
    middle = whole * share
    return max(0, round(middle - deviation)), min(whole, round(middle + deviation))


def silence_surprise(mean: float, spread: float) -> float:
    """Return −log10 P(nothing) where `mean` were expected; `spread` is the relative excess variance of that count."""
    if spread < 1e-6:
        return mean / _LN10
    return math.log1p(spread * mean) / (spread * _LN10)
