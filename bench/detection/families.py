"""The simulated worlds: every family is a rate, a shape and one mechanism of noise. Nothing here knows a detector."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

HOURS_A_DAY, HOURS_A_WEEK = 24, 168
DURATIONS = (1, 2, 3, 6, 12, 24, 48, 72)
SIZES = (4.0, 5.0, 6.0, 8.0)
SHAPES = ("step", "ramp", "lognormal")
WARM_UP = 42


@dataclass(frozen=True)
class Family:
    """One kind of series. `spread` is the squared coefficient of variation of an hour beyond Poisson."""

    name: str
    rate: float
    """Mentions a day."""
    spread: float = 0.1
    memory: float = 0.0
    """Autocorrelation of the noise from hour to hour."""
    slow: float = 0.0
    """Standard deviation of a slow log-normal wave with a memory of two days."""
    growth: float = 0.0
    """Growth of the log rate per day."""
    jump: float = 1.0
    """Factor by which the level changes for good, at a random day after the warm-up."""
    tail: str = ""
    """`lognormal`, `pareto`: the noise of an hour; `zero`: days without anything."""
    weekend: tuple[float, float] = (0.4, 1.1)
    night: tuple[float, float] = (0.3, 1.2)
    """Range of the amplitude of the day's wave, on the log scale."""
    office: bool = False
    holidays: bool = False
    clock: bool = False
    """Local time moves by an hour in the middle."""


CLEAN = (
    Family("1.2/day", 1.2),
    Family("12/day", 12),
    Family("120/day", 120),
    Family("1200/day", 1200),
)
SEVEN = (
    *CLEAN,
    Family("low+AR", 12, spread=0.5, memory=0.8),
    Family("mid+AR", 120, spread=0.3, memory=0.9),
    Family("+trend", 120, spread=0.3, memory=0.9, growth=0.005),
)
TEST = (
    *SEVEN,
    Family("size 1", 48, spread=1.0),
    Family("size 10", 240, spread=0.1, memory=0.5),
    Family("log-normal", 96, spread=0.6, tail="lognormal"),
    Family("Pareto", 60, spread=0.5, tail="pareto"),
    Family("slow wave", 300, spread=0.05, slow=0.35),
    Family("level change", 60, spread=0.2, jump=3.0),
    Family("growth", 30, spread=0.2, growth=0.015),
    Family("holidays", 200, holidays=True, weekend=(0.3, 0.6)),
    Family("clock change", 240, clock=True, night=(0.9, 1.4)),
    Family("weekday-only", 80, office=True),
)
DEVELOPMENT = (
    Family("d .6", 0.6, spread=0.2),
    Family("d 5", 5, spread=0.15),
    Family("d 40", 40, spread=0.25),
    Family("d 500", 500, spread=0.06),
    Family("d AR .6", 25, spread=0.4, memory=0.6),
    Family("d AR .95", 200, spread=0.15, memory=0.95),
    Family("d heavy", 72, spread=0.9, tail="lognormal"),
    Family("d Pareto", 150, spread=0.35, tail="pareto"),
    Family("d zero", 20, spread=0.3, tail="zero"),
    Family("d growth", 80, spread=0.15, growth=0.009),
    Family("d jump", 20, spread=0.2, jump=2.2),
    Family("d office", 40, office=True, spread=0.2),
    Family("d wave", 100, spread=0.1, slow=0.25),
)


@dataclass
class Sample:
    """Counts of `series` × hours, what was expected, and the bursts put in."""

    family: Family
    counts: np.ndarray
    mean: np.ndarray
    cells: np.ndarray
    """Hour of the local week of every column."""
    bursts: list[Burst] = field(default_factory=list)


@dataclass(frozen=True)
class Burst:
    """One injected incident: hours [start, start + duration) of a series."""

    series: int
    start: int
    duration: int
    size: float
    shape: str


def sample(family: Family, *, series: int, days: int, seed: int) -> Sample:
    """Draw clean series, Monday 00:00 first."""
    rng = np.random.default_rng([seed, int.from_bytes(family.name.encode(), "little") % 2**32])
    hours = days * HOURS_A_DAY
    clock = np.arange(hours)
    local = clock + (clock >= hours // 2) * family.clock
    mean = family.rate / HOURS_A_DAY * _profile(family, rng, series, local, days)
    mean *= np.exp(family.growth * clock / HOURS_A_DAY)
    if family.jump != 1.0:
        when = rng.integers(WARM_UP * 24, hours - 240, (series, 1))
        mean = np.where(clock >= when, mean * family.jump, mean)
    noisy = mean * _noise(family, rng, series, hours)
    return Sample(family, rng.poisson(noisy).astype(float), mean, local % HOURS_A_WEEK)


def _profile(family: Family, rng: np.random.Generator, series: int, local: np.ndarray, days: int) -> np.ndarray:
    hour, weekday = local % 24, local // 24 % 7
    peak = rng.uniform(10, 20, (series, 1))
    height, second = rng.uniform(*family.night, (series, 1)), rng.uniform(0, 0.4, (series, 1))
    turn = 2 * np.pi * (hour - peak) / 24
    shape = np.exp(height * np.cos(turn) + second * np.cos(2 * turn + rng.uniform(0, 6.28, (series, 1))))
    sunday = np.where(weekday >= 5, rng.uniform(*family.weekend, (series, 1)), 1.0)
    if family.holidays:
        off = rng.choice(np.arange(WARM_UP, days), 4, replace=False)
        sunday = np.where(np.isin(local // 24, off), sunday.min(axis=1, keepdims=True), sunday)
    shape = shape * sunday
    if family.office:
        shape = np.where((weekday < 5) & (hour >= 8) & (hour < 18), 1.0, 0.02) + 0 * shape
    return shape / shape[:, : 28 * 24].mean(axis=1, keepdims=True)


def _noise(family: Family, rng: np.random.Generator, series: int, hours: int) -> np.ndarray:
    spread = family.spread
    if family.tail == "lognormal":
        scale = np.sqrt(np.log1p(spread))
        noise = rng.lognormal(-scale * scale / 2, scale, (series, hours))
    elif family.tail == "pareto":  # one hour in a hundred is a multiple that has a Pareto tail of index 2.5
        burst = np.where(rng.random((series, hours)) < 0.01, 1 + rng.pareto(2.5, (series, hours)) * 2, 1.0)
        noise = burst * rng.gamma(1 / spread, spread, (series, hours))
    elif family.tail == "zero":
        off = np.repeat(rng.random((series, hours // 24)) < 0.15, 24, axis=1)
        noise = np.where(off, 0.0, rng.gamma(1 / spread, spread, (series, hours)))
    elif family.memory:
        noise = np.exp(_wave(rng, series, hours, family.memory) * np.sqrt(np.log1p(spread)) - np.log1p(spread) / 2)
    else:
        noise = rng.gamma(1 / spread, spread, (series, hours))
    if family.slow:
        noise = noise * np.exp(family.slow * _wave(rng, series, hours, 0.98) - family.slow**2 / 2)
    return noise


def _wave(rng: np.random.Generator, series: int, hours: int, memory: float) -> np.ndarray:
    """A stationary Gaussian AR(1) of variance 1."""
    shocks = rng.standard_normal((hours, series)) * np.sqrt(1 - memory * memory)
    shocks[0] /= np.sqrt(1 - memory * memory)
    for hour in range(1, hours):
        shocks[hour] += memory * shocks[hour - 1]
    return shocks.T


def inject(clean: Sample, *, every: int = 12, seed: int) -> Sample:
    """Put one burst into about every `every` days after the warm-up; sizes are in standard deviations of the window."""
    rng = np.random.default_rng([seed, 7])
    counts = clean.counts.copy()
    series, hours = counts.shape
    bursts = []
    for row in range(series):
        for day in range(WARM_UP, hours // 24 - every, every):
            duration, size = int(rng.choice(DURATIONS)), float(rng.choice(SIZES))
            start = day * 24 + int(rng.integers(0, every * 24 - 120))
            shape = str(rng.choice(SHAPES)) if duration > 1 else "step"
            window = clean.mean[row, start : start + duration]
            extra = size * np.sqrt(_variance(clean.family, window))
            counts[row, start : start + duration] += rng.poisson(extra * _course(shape, duration))
            bursts.append(Burst(row, start, duration, size, shape))
    return Sample(clean.family, counts, clean.mean, clean.cells, bursts)


def _variance(family: Family, mean: np.ndarray) -> float:
    """Variance of the window as if its noise had no memory: what a burst is measured in."""
    return float(mean.sum() + family.spread * (mean**2).sum())


def _course(shape: str, duration: int) -> np.ndarray:
    place = (np.arange(duration) + 0.5) / duration
    course = np.ones(duration)
    if shape == "ramp":
        course = place
    elif shape == "lognormal":
        course = np.exp(-0.5 * (np.log(place / 0.3) / 0.7) ** 2) / place
    return course / course.sum()
