"""How unlikely one figure is: scalar tails for counts, shares and silence, each as −log10 of a probability."""

from __future__ import annotations

import math

_LN10 = math.log(10.0)
_NORMAL_95 = 1.6448536
_LEAST_TERM = 1e-9


def count_surprise(count: float, mean: float, variance: float) -> float:
    """Return −log10 P(N ≥ count), mid-p, for N negative binomial; 0 at or below the mean.

    The signed-root saddlepoint of `detect/tail.py` for one number; a `variance` ≤ `mean` is taken as Poisson.
    """
    mean = max(mean, 1e-4)
    if count <= mean * 1.000001:
        return 0.0
    size = mean * mean / max(variance - mean, 1e-6 * mean)
    log_ratio, excess = math.log(count / mean), math.log1p((count - mean) / (mean + size))
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
    upward from `part` until its terms no longer matter.
    """
    if whole <= 0 or part <= share * whole:
        return 0.0
    rate = 1.0 / min(0.9, max(spread, 1e-4)) - 1.0
    alpha, beta = share * rate, (1.0 - share) * rate
    log_term = (
        math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
        + math.lgamma(part + alpha) + math.lgamma(whole - part + beta) - math.lgamma(whole + rate)
        - math.lgamma(alpha) - math.lgamma(beta) + math.lgamma(rate)
    )  # fmt: skip
    term, total = 1.0, 0.5
    for count in range(part, whole):
        term *= (whole - count) / (count + 1) * (alpha + count) / (beta + whole - count - 1)
        total += term
        if term < _LEAST_TERM * total:
            break
    return max(0.0, -(log_term + math.log(total)) / _LN10)


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
