"""What a source usually brings at this hour, and when its silence, or its few mentions, can be chance no longer.

Time is stretched until mentions come evenly (Brown et al. 2002, the time-rescaling theorem): a silence is measured by
how many mentions it should have held. Of a Poisson source with N mentions a year about N·e⁻ˣ silences are longer than
x, so x = ln N + margin keeps a budget of false notices a year. Nothing real is Poisson: bursts are counted once (the
rate is divided by the Fano factor), storms do not teach (hours are capped, a weak week holds), the rate is taken at its
lower end, and a silence must be clearly longer than any in memory (decision 0095).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec import Struct

from brandmelder.detect.calendar import cells_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MEMORY = timedelta(days=28)
"""How far back a rhythm is learnt from."""
LEAST_HOURS = 7 * 24
"""So many hours must have been seen."""
LEAST_BURSTS = 12.0
"""So many mentions must have come, those of one burst counted once."""
WINDOWS = (6, 24, 72)
"""Hours over which few mentions are looked for."""
FEW = 0.1
"""Few is a tenth of the usual."""
FEW_CHANCE = 1e-6
"""So unlikely few mentions must be; a year holds some thousand windows, most of them overlapping."""
MARGIN = 1.5
"""Beyond ln N: what is left of one false notice a year after few mentions had their part, and errors of the rate."""
BEYOND_MEMORY, BEYOND_BY = 1.25, 1.0
"""A silence is longer than the longest in memory: so many times, and by so many mentions."""
FARTHEST = timedelta(days=14)
_WEEKEND = 5
_HOUR = 3600
_CELLS = 48
_PRIOR = 3.0
_CAP = 0.95
_LEAST_PEAKS = 8
_YEAR = 8766.0


class Hour(NamedTuple):
    """One hour that was seen: its number since the epoch, and how many mentions it brought."""

    at: int
    came: float


class Rhythm(Struct, frozen=True, kw_only=True):
    """What one source usually brings."""

    zone: str
    region: str
    rates: tuple[float, ...]
    """Mentions in an hour, at their lower end: 24 hours of working days, 24 of the others."""
    spread: float
    """The Fano factor: how many mentions come together."""
    need: float
    """A silence is told of when it should have held so many bursts."""
    lowest: tuple[float, ...]
    """For each of WINDOWS the least share of the usual that is in memory."""

    def rate(self, hour: int) -> float:
        """Return what an hour usually brings."""
        return self.rates[_cell(hour, self.zone, self.region)]


class Few(NamedTuple):
    """Far fewer mentions than usual in the last `hours`."""

    hours: int
    came: float
    usual: float


def _cell(hour: int, zone: str, region: str) -> int:
    own, blended = cells_at(hour, _HOUR, zone, region)
    return own % 24 + 24 * (blended // 24 >= _WEEKEND)


def learn(hours: Sequence[Hour], zone: str, region: str = "") -> Rhythm | None:
    """Return the rhythm of a source from the hours that were seen, oldest first; None while too little is known."""
    if len(hours) < LEAST_HOURS:
        return None
    counts = np.array([one.came for one in hours])
    cells = np.array([_cell(one.at, zone, region) for one in hours])
    ages = (hours[-1].at - np.array([one.at for one in hours])) // (7 * 24)
    capped = np.minimum(counts, max(1.0, _cap(counts, ages)))
    if capped.sum() < LEAST_BURSTS:
        return None
    rates = _rates(capped, cells, 1.0)
    spread = _spread(capped, rates[cells])
    rates = _rates(capped, cells, spread)
    spread = _spread(capped, rates[cells])
    bursts = capped.sum() / spread
    if bursts < LEAST_BURSTS:
        return None
    rates = rates * _weak_week(capped, rates[cells], ages) * (1.0 - 1.0 / math.sqrt(bursts))
    usual = rates[cells]
    silences = _silences(counts, usual / spread)
    a_year = _YEAR * float(usual.mean()) / spread
    return Rhythm(
        zone=zone,
        region=region,
        rates=tuple(map(float, rates)),
        spread=spread,
        need=max(
            math.log(max(a_year, 1.0)) + MARGIN,
            _once_a_year(silences, len(hours)),
            BEYOND_MEMORY * float(silences[-1]) + BEYOND_BY,
        ),
        lowest=tuple(_lowest(counts, usual, width) for width in WINDOWS),
    )


def _rates(counts: NDArray[np.float64], cells: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """Return the rate of each cell, drawn towards that of its kind of day where little is known."""
    brought = np.bincount(cells, counts, _CELLS).reshape(2, 24)
    hours = np.bincount(cells, minlength=_CELLS).reshape(2, 24).astype(float)
    mean = counts.mean()
    days = (brought.sum(axis=1) + _PRIOR * spread) / (hours.sum(axis=1) + _PRIOR * spread / mean)
    prior = _PRIOR * spread / days[:, None]
    rates: NDArray[np.float64] = ((brought + _PRIOR * spread) / (hours + prior)).reshape(-1)
    return rates


def _cap(counts: NDArray[np.float64], ages: NDArray[np.int64]) -> float:
    """Return what a full hour holds in the second-weakest week: a storm of days lifts two weeks at most."""
    full = sorted(float(np.quantile(counts[ages == age], _CAP)) for age in set(ages.tolist()))
    return full[min(1, len(full) - 1)]


def _spread(counts: NDArray[np.float64], usual: NDArray[np.float64]) -> float:
    return max(1.0, float(((counts - usual) ** 2).sum() / usual.sum()))


def _weak_week(counts: NDArray[np.float64], usual: NDArray[np.float64], ages: NDArray[np.float64]) -> float:
    """Return by how much the second-weakest week, and the last, lie below the mean: a storm or a decline lifts none."""
    expected = np.bincount(ages, usual)
    shares = np.bincount(ages, counts)[expected > 0] / expected[expected > 0]
    second = float(np.sort(shares)[min(1, len(shares) - 1)])
    return max(0.05, min(1.0, second, float(shares[0])))


def _silences(counts: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many bursts each silence in memory should have held."""
    runs, run = [], 0.0
    for count, rate in zip(counts.tolist(), rates.tolist(), strict=True):
        if count and run:
            runs.append(run)
        run = 0.0 if count else run + rate
    return np.sort(np.array([*runs, run]))


def _once_a_year(silences: NDArray[np.float64], hours: int) -> float:
    """Return what a silence holds that comes about once in seven years, by the exponential tail of those in memory.

    Peaks over a threshold (Davison & Smith 1990) with shape 0; the scale is taken at its upper end.
    """
    threshold = float(np.median(silences))
    beyond = silences[silences > threshold] - threshold
    if len(beyond) < _LEAST_PEAKS:
        return 0.0
    scale = float(beyond.mean()) * (1.0 + 1.0 / math.sqrt(len(beyond)))
    return threshold + scale * (math.log(len(beyond) * _YEAR / hours) + 2.0)


def _lowest(counts: NDArray[np.float64], usual: NDArray[np.float64], width: int) -> float:
    brought = np.convolve(counts, np.ones(width), "valid")
    expected = np.convolve(usual, np.ones(width), "valid")
    enough = expected >= 1.0
    return float((brought[enough] / expected[enough]).min()) if enough.any() else 0.0


def silent_at(rhythm: Rhythm, last: datetime, seen: Sequence[int], now: datetime) -> datetime | None:
    """Return from when on a silence since `last` is no chance, at once or ahead; None beyond two weeks.

    `seen` are the hours since then that were seen; the hour of `now` and those to come count as seen.
    """
    known, current = set(seen), int(now.timestamp()) // _HOUR
    at, held = last.timestamp(), 0.0
    end = max(now, last) + FARTHEST
    while at < end.timestamp():
        hour = int(at) // _HOUR
        until = (hour + 1) * _HOUR
        rate = rhythm.rate(hour) / rhythm.spread if hour in known or hour >= current else 0.0
        if rate > 0 and held + rate * (until - at) / _HOUR >= rhythm.need:
            return datetime.fromtimestamp(math.ceil(at + (rhythm.need - held) / rate * _HOUR), UTC)
        held += rate * (until - at) / _HOUR
        at = until
    return None


def expected(rhythm: Rhythm, since: datetime, until: datetime) -> float:
    """Return how many mentions a stretch of time usually holds."""
    at, end, held = since.timestamp(), until.timestamp(), 0.0
    while at < end:
        following = min(end, (int(at) // _HOUR + 1) * _HOUR)
        held += rhythm.rate(int(at) // _HOUR) * (following - at) / _HOUR
        at = following
    return held


def few(rhythm: Rhythm, hours: Sequence[Hour]) -> Few | None:
    """Return that the last whole hours brought far fewer mentions than usual, by the shortest window that shows it."""
    for width, lowest in zip(WINDOWS, rhythm.lowest, strict=True):
        last = hours[-width:]
        if len(last) < width or last[-1].at - last[0].at != width - 1:
            continue
        count, usual = sum(one.came for one in last), sum(rhythm.rate(one.at) for one in last)
        if count > FEW * usual or count > lowest * usual / 3:
            continue
        if _chance(count / rhythm.spread, usual / rhythm.spread) <= FEW_CHANCE:
            return Few(width, count, usual)
    return None


def is_back(rhythm: Rhythm, hours: Sequence[Hour]) -> bool:
    """Return whether a source brings again what it should: a third of it in a day, or half in six busy hours.

    At night, half of next to nothing proves nothing.
    """
    mean = sum(rhythm.rates) / len(rhythm.rates)
    for width, share in ((6, 1 / 2), (24, 1 / 3)):
        last = hours[-width:]
        usual = sum(rhythm.rate(one.at) for one in last)
        if usual >= max(rhythm.spread, width * mean / 2) and sum(one.came for one in last) >= share * usual:
            return True
    return False


def _chance(count: float, mean: float) -> float:
    """Return the probability that a Poisson number of this mean is not above `count`, which is below the mean.

    Summed downward from the last term, whose logarithm is known however far the first ones underflow.
    """
    last = int(count)
    term = total = 1.0
    for number in range(last, 0, -1):
        term *= number / mean
        total += term
        if term < 1e-12 * total:
            break
    return total * math.exp(last * math.log(mean) - mean - math.lgamma(last + 1))
