"""What is normal at this hour: a level, times the hour of the local week, times a slow drift, each learnt and doubted.

Learning lags a day behind, is winsorised, and nearly stands still inside flagged hours. Ratios of exponentially
weighted sums are shrunk toward their parent as a gamma prior would. All arrays have the series as their last axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brandmelder.detect.memory import REACH, WEEK, WINDOWS

if TYPE_CHECKING:
    from brandmelder.detect.memory import Array, Memory

_PRIOR_COUNT, _PRIOR_HOURS = 0.3, 0.15
_PHI, _PHI_WEIGHT = 0.32, 1 / 0.32**2
_STEADIEST, _WILDEST = 0.05**2, 6.0
"""No audience keeps an hour to less than 5 % beyond Poisson, and no baseline by hours knows one better."""
_LEVEL_DAYS, _DRIFT_DAYS, _SPREAD_DAYS, _FLAG_DAYS = 14.0, 28.0, 90.0, 20.0
_CELL_DECAY = 0.5 ** (1 / 6)
_DRIFT_PRIOR = 200.0
_EARLY = 48.0
_INTERACTION_AFTER = 14
_LOCKED = 0.25
"""Beyond this share of flagged hours the flags are no longer believed: the world has changed."""


def phi(memory: Memory) -> Array:
    """Return the squared coefficient of variation of an hour beyond Poisson. Shape (series,)."""
    raw = (memory["phi_sum"] + _PHI * _PHI_WEIGHT) / (memory["phi_weight"] + _PHI_WEIGHT)
    return np.clip(raw, _STEADIEST, _WILDEST)


def level(memory: Memory, now: int, pace: int) -> Array:
    """Return the mean count of an average unit. While less than two days are learnt, the lagging day helps out."""
    count, shape = memory["count"], memory["shape"]
    young = memory["learnt"] < _EARLY * pace / 24
    if not young.any():
        known: Array = (_PRIOR_COUNT + count) / (_PRIOR_HOURS + shape)
        return known
    rows = np.arange(now - pace, now - max(1, pace // 12)) % REACH
    seen = memory["unit_seen"][rows]
    early = np.where(young, seen.sum(axis=0), 0.0)
    counts = np.where(young, (memory["unit_count"][rows] * (seen > 0)).sum(axis=0), 0.0)
    return (_PRIOR_COUNT + count + counts) / (_PRIOR_HOURS + shape + early)


def mean_at(memory: Memory, cell: int, other: int, height: Array) -> Array:
    """Return the mean count of a fully seen unit half-way between two cells of the local week. Shape (series,)."""
    profile = memory["profile"]
    shape = profile[cell] if cell == other else 0.5 * (profile[cell] + profile[other])
    mean: Array = height * shape * memory["drift"]
    return mean


def doubt(memory: Memory, height: Array, spread: Array, pace: int) -> Array:
    """Return the squared relative error of each window's mean: level, hours, inexperience. Shape (W, series)."""
    seen = memory["seen"] / pace
    of_level = 1.0 / (_PRIOR_COUNT + memory["count"] / (1.0 + spread * height))
    days = np.minimum(seen, 45.0)
    of_hour = 1.0 / (1.3 + days * height / (1.0 + spread * height))
    lengths = np.array(WINDOWS, dtype=np.float64)[:, None] * (24 / pace)
    young = 1.0 / (1.0 + seen) * np.maximum(0.0, 1.0 - seen / 28.0)
    pooled: Array = of_level + of_hour / np.minimum(lengths, 24.0) + young / np.minimum(lengths, 8.0) ** 0.5
    return pooled


def learn(memory: Memory, unit: int, cells: tuple[int, int], *, now: int, pace: int) -> None:
    """Learn the unit that lies a day back, in place; `pace` is the number of units in a day.

    A public holiday, which lies between two cells, teaches the level and neither cell.
    """
    row = unit % REACH
    seen = memory["unit_seen"][row]
    if not seen.any():
        return
    count = memory["unit_count"][row]
    height, spread = level(memory, now, pace), phi(memory)
    mean = mean_at(memory, *cells, height) * seen
    plain = mean / memory["drift"]
    deviation = np.sqrt(mean + spread * mean * mean)
    share = memory["flag_share"]
    share += (seen > 0) * (memory["unit_flag"][row] - share) * (1 - 0.5 ** (1 / (_FLAG_DAYS * pace)))
    flagged = (memory["unit_flag"][row] > 0) & (share < _LOCKED)
    known = memory["learnt"] >= pace
    # What one hour alone says is capped; what the same hour said a week ago, too, is the brand's week.
    witness = memory["last_week"][cells[0]] * seen
    taken = np.where(flagged, mean + deviation, mean + 3 * deviation + 1)
    taken = np.where(known, np.minimum(count, np.maximum(taken, witness)), count)
    is_seen = seen > 0
    if cells[0] == cells[1]:
        memory["last_week"][cells[0]] = np.where(is_seen, count / np.maximum(seen, 0.25), 0.0)
    _learn_spread(memory, count - mean, mean, clean=is_seen & known & ~flagged, pace=pace)
    fade = np.where(is_seen, _CELL_DECAY, 1.0)
    if cells[0] == cells[1]:
        for name, value in (("observed", taken), ("expected", height * memory["drift"] * seen), ("worth", seen)):
            ring = memory[name]
            ring[cells[0]] = ring[cells[0]] * fade + value * is_seen
    fade = 0.5 ** (seen / (_LEVEL_DAYS * pace))
    memory["count"][:] = memory["count"] * fade + taken * is_seen
    memory["shape"][:] = memory["shape"] * fade + plain / height
    memory["learnt"][:] += seen
    memory["day_taken"][:] += taken * is_seen
    memory["day_count"][0] += count * is_seen
    memory["day_mean"][0] += plain
    memory["day_shape"][0] += plain / height


def _learn_spread(memory: Memory, off: Array, mean: Array, *, clean: Array, pace: int) -> None:
    variance = mean + phi(memory) * mean * mean
    weight = clean * mean * mean / np.maximum(mean + 2 * variance * variance, 1e-12)
    square = np.minimum(off * off, 9 * variance + 4)
    fade = np.where(clean, 0.5 ** (1 / (_SPREAD_DAYS * pace)), 1.0)
    memory["phi_sum"][:] = memory["phi_sum"] * fade + weight * (square - mean)
    memory["phi_weight"][:] = memory["phi_weight"] * fade + weight * mean * mean


def close_day(memory: Memory, pace: int) -> None:
    """Follow drift and shift at the end of a learnt day, and rebuild the profile, in place."""
    spread = phi(memory) / pace + 0.01
    mean, count = memory["day_mean"][0], memory["day_count"][0]
    variance = np.maximum(mean + spread * mean * mean, 1e-9)
    off = np.where(mean > 0, (count - mean * memory["drift"]) / np.sqrt(variance), 0.0)
    memory["day_off"][0] = off
    relative = np.clip(
        np.divide(memory["day_taken"], mean, out=np.ones_like(mean), where=mean > 0),
        1 - 2.5 * np.sqrt(variance) / np.maximum(mean, 1e-9),
        1 + 2.5 * np.sqrt(variance) / np.maximum(mean, 1e-9),
    )
    weight = mean * mean / variance
    fade = np.where(mean > 0, 0.5 ** (1 / _DRIFT_DAYS), 1.0)
    memory["drift_sum"][:] = memory["drift_sum"] * fade + weight * relative
    memory["drift_weight"][:] = memory["drift_weight"] * fade + weight
    drift = (memory["drift_sum"] + _DRIFT_PRIOR) / (memory["drift_weight"] + _DRIFT_PRIOR)
    memory["drift"][:] = np.clip(drift, 0.5, 2.0)
    _shift(memory)
    _rebuild(memory, pace)
    for name in ("day_count", "day_mean", "day_shape", "day_off"):
        ring = memory[name]
        ring[1:] = ring[:-1].copy()
        ring[0] = 0.0
    memory["day_taken"][:] = 0.0


def _shift(memory: Memory) -> None:
    """Where four days all lie beyond 1.5 deviations on one side, the level becomes those days."""
    off = memory["day_off"]
    moved = (off > 1.5).all(axis=0) | (off < -1.5).all(axis=0)
    moved &= memory["day_shape"].min(axis=0) > 0
    if not moved.any():
        return
    for name, ring in (("count", "day_count"), ("shape", "day_shape")):
        memory[name][:] = np.where(moved, memory[ring].sum(axis=0), memory[name])
    for name in ("drift_sum", "drift_weight"):
        memory[name][:] = np.where(moved, 0.0, memory[name])
    memory["drift"][:] = np.where(moved, 1.0, memory["drift"])
    memory["day_off"][:] = np.where(moved, 0.0, off)


def _rebuild(memory: Memory, pace: int) -> None:
    """Build the profile from the cells: hour, hour by weekend, weekday; then each cell's own part, if there is one."""
    shape = (7, 24, memory.series)
    observed, expected = memory["observed"].reshape(shape), memory["expected"].reshape(shape)
    worth, spread = memory["worth"].reshape(shape), phi(memory)
    hour, weekday = np.ones(shape[1:]), np.ones((7, 1, memory.series))
    split = np.ones((2, *shape[1:]))
    parts = (slice(0, 5), slice(5, 7))
    noise_hour, noise_day = (spread / np.maximum(worth.sum(axis=axis), 1e-9) for axis in (0, 1))
    noise_part = [spread / np.maximum(worth[part].sum(axis=0), 1e-9) for part in parts]
    sums = observed.sum(axis=0), [observed[part].sum(axis=0) for part in parts], observed.sum(axis=1)
    for _ in range(3):
        around = [(expected[part] * weekday[part]).sum(axis=0) for part in parts]
        hour = _factor(sums[0], around[0] * split[0] + around[1] * split[1], 1.0, noise_hour)
        for place in (0, 1):
            split[place] = _factor(sums[1][place], around[place] * hour, 0.5, noise_part[place])
        daily = [(expected[part] * (hour * split[place])).sum(axis=1) for place, part in enumerate(parts)]
        weekday[:, 0] = _factor(sums[2], np.concatenate(daily), 0.3, noise_day)
    separable = weekday * hour
    for place, part in enumerate(parts):
        separable[part] *= split[place]
    profile = _interaction(observed, expected * separable, spread / np.maximum(worth, 1e-9), separable)
    enough = memory["learnt"] >= _INTERACTION_AFTER * pace
    profile = np.where(enough, profile, separable).reshape(WEEK, -1)
    weight = np.where(worth.reshape(WEEK, -1) > 0, 1.0, 0.0)
    middle = ((profile - 1.0) * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1.0) + 1.0
    memory["profile"][:] = profile / np.maximum(middle, 0.05)


def _factor(observed: Array, expected: Array, tau: float, noise: Array) -> Array:
    """Return 1 + shrunk relative excess: the posterior mean under a prior of variance `tau` around 1."""
    safe = np.maximum(expected, 1e-9)
    return np.maximum(0.02, 1.0 + tau / (tau + 1.0 / safe + noise) * (observed / safe - 1.0))


def _interaction(observed: Array, expected: Array, noise: Array, separable: Array) -> Array:
    """Let each cell leave the separable shape as far as the series as a whole is seen to do so."""
    safe = np.maximum(expected, 1e-9)
    off = np.minimum(observed / safe - 1.0, 8.0)
    error = 1.0 / safe + noise
    weight = (error + 0.05) ** -2
    tau = np.maximum(0.0, (weight * (off * off - error)).sum((0, 1)) / weight.sum((0, 1)))
    profile: Array = separable * np.maximum(0.02, 1.0 + tau / (tau + error) * off)
    return profile
