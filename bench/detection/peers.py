"""What a user could pick today: each peer turns hourly counts (series × hours) into scores held against a threshold."""

from __future__ import annotations

import numpy as np


def static(counts: np.ndarray) -> np.ndarray:
    """A fixed number, chosen per series as a multiple of its first four weeks' mean."""
    return counts / (counts[:, : 28 * 24].mean(axis=1, keepdims=True) + 1e-9)


def rolling_z(counts: np.ndarray) -> np.ndarray:
    """(x − mean) / sd of the seven days before."""
    mean, square = _trailing(counts, 168), _trailing(counts**2, 168)
    sd = np.sqrt(np.maximum(square - mean**2, 0.0))
    return (counts - mean) / np.maximum(sd, 0.5)


def _trailing(counts: np.ndarray, hours: int) -> np.ndarray:
    total = np.cumsum(np.pad(counts, ((0, 0), (hours + 1, 0))), axis=1)
    before = np.minimum(np.arange(counts.shape[1]), hours)
    return (total[:, hours:-1] - total[:, : -hours - 1]) / np.maximum(before, 1)


def ears_c2(counts: np.ndarray) -> np.ndarray:
    """EARS C2 (Hutwagner et al. 2003) on the same hour: seven days, two days' guard band."""
    lagged = np.stack([_shift(counts, 24 * day) for day in range(3, 10)])
    return (counts - lagged.mean(axis=0)) / np.maximum(lagged.std(axis=0, ddof=1), 0.5)


def _shift(counts: np.ndarray, hours: int) -> np.ndarray:
    return np.pad(counts, ((0, 0), (hours, 0)))[:, : counts.shape[1]]


def hour_of_week(counts: np.ndarray) -> np.ndarray:
    """Mean + k·sd of the same hour of the week, the last eight weeks."""
    lagged = np.stack([_shift(counts, 168 * week) for week in range(1, 9)])
    weeks = np.clip(np.arange(counts.shape[1]) // 168, 1, 8)
    mean = lagged.sum(axis=0) / weeks
    sd = np.sqrt(np.maximum((lagged**2).sum(axis=0) / weeks - mean**2, 0.0))
    return (counts - mean) / np.maximum(sd, np.sqrt(mean + 0.25))


def focus_like(counts: np.ndarray) -> np.ndarray:
    """Poisson-FOCuS (Ward et al. 2022, arXiv 2208.01494) capped at 24 h: the largest likelihood ratio over all windows,
    against the hour-of-week mean, divided by a trailing dispersion."""
    lagged = np.stack([_shift(counts, 168 * week) for week in range(1, 9)])
    weeks = np.clip(np.arange(counts.shape[1]) // 168, 1, 8)
    mean = 0.8 * lagged.sum(axis=0) / weeks + 0.2 * _trailing(counts, 672) + 0.01
    dispersion = np.maximum(1.0, _trailing((counts - mean) ** 2 / mean, 672))
    seen, expected = np.cumsum(counts, axis=1), np.cumsum(mean, axis=1)
    best = np.zeros_like(counts)
    for window in range(1, 25):
        total = seen - _shift(seen, window)
        usual = expected - _shift(expected, window)
        ratio = np.where(total > usual, total * np.log(np.maximum(total, 1e-9) / usual) - total + usual, 0.0)
        best = np.maximum(best, ratio / dispersion)
    return best


PEERS = {
    "static threshold": static,
    "rolling z, 7 days": rolling_z,
    "EARS C2, same hour": ears_c2,
    "hour-of-week": hour_of_week,
    "FOCuS-like": focus_like,
}
