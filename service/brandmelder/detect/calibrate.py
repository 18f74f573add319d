"""From a false-alarm budget to a threshold: how rare the loudest window of a day is, first in general, then here.

Scores are first made comparable between windows and rates by a table of simulated clean series, then between series by
the daily maxima that this series has shown outside incidents. What comes out is −log10 of the chance that a day without
an incident reaches as much.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from brandmelder.detect.memory import DAYS, FINE, GROUPS, NEVER, SPIKE, WINDOWS
from brandmelder.detect.priors import CENTRE, LOG_RATES, MEDIANS, SCALE, SCALES, SHIFTS

if TYPE_CHECKING:
    from brandmelder.detect.memory import Array, Memory

FLAG = 1.8
"""Beyond this −log10 daily chance a window is kept out of what is learnt."""
ENTRY = 1.50
"""The −log10 daily chance that pages once in 30 days (tuned on the development families of bench/detection)."""
_LONGEST = 36_500.0
_DROP = (0.02, 0.08, 0.02)
_GROUP_OF = np.array([0] * SPIKE + [1] * (len(WINDOWS) - SPIKE) + [2] * len(FINE))
_MIXTURE = ((0.85, 0.0, 0.3**2), (0.15, 0.2, 0.6**2))
_WILD = 3.0
"""Beyond this −log10 daily chance in general a day is wild, whatever the series has shown of itself."""
_WILD_AT = (np.array(CENTRE) + (_WILD - math.log10(2.0)) * math.log(10.0) * np.array(SCALE))[:, None]
_WILD_AT[1] = np.inf  # a window of three days is full of what is long over
_RESTLESS, _RESTLESS_DAYS = 0.15, 20.0
"""Beyond this share of wild days they are no incidents any more: so loud is this series."""
_STEPS = 160


def _between(tables: Array) -> Array:
    """Return tables by rate with more steps between the rates, so that none need be interpolated again."""
    fine = np.linspace(0, len(LOG_RATES) - 1, _STEPS + 1)
    low = np.minimum(fine.astype(np.intp), len(LOG_RATES) - 2)
    more: Array = tables[..., low] * (1 - (fine - low)) + tables[..., low + 1] * (fine - low)
    return more


_MEDIAN_AT, _WORTH_AT, _SHIFT_AT = _between(MEDIANS), 1.0 / _between(SCALES), _between(SHIFTS)


def threshold(budget: float) -> float:
    """Return the −log10 daily chance beyond which a window pages, for `budget` false pages a day."""
    return ENTRY - math.log10(30.0 * budget)


def rarity(chance: float, budget_entry: float = ENTRY) -> timedelta:
    """Return how often chance alone gives as much: once in so long, at most 100 years."""
    return timedelta(days=min(30.0 * 10.0 ** min(chance - budget_entry, 12.0), _LONGEST))


def standard(score: Array, daily: Array, table: int) -> Array:
    """Return the scores in units of their own daily maxima on clean series of that rate. Shape (W, series).

    `daily` is the mean count a day, (series,); `table` is 0 for bins of an hour and more, 1 for shorter ones.
    """
    column = _column(daily)
    rows = score.shape[0]
    result: Array = (score - np.take(_MEDIAN_AT[table][:rows], column, axis=1)) * np.take(
        _WORTH_AT[table][:rows], column, axis=1
    )
    return result


def _column(daily: Array) -> Array:
    place = (np.log10(np.maximum(daily, 1e-3)) - LOG_RATES[0]) / (LOG_RATES[-1] - LOG_RATES[0])
    column: Array = np.clip(place * _STEPS + 0.5, 0, _STEPS).astype(np.intp)
    return column


def shift(daily: Array, table: int) -> Array:
    """Return by how many decades a series of that rate must be rarer to page as often as asked. Shape (series,)."""
    moved: Array = _SHIFT_AT[table][_column(daily)]
    return moved


def each(memory: Memory, standard: Array, columns: Array | slice = slice(None)) -> Array:
    """Return −log10 of the chance that an ordinary day's loudest window is beyond each one. Shape (W, series)."""
    group = _GROUP_OF[: standard.shape[0]]
    scale, centre = memory["scale"][:, columns][group], memory["centre"][:, columns][group]
    result: Array = np.maximum(0.0, math.log10(2.0) + (standard - centre) / (scale * math.log(10.0)))
    return result


def remember(memory: Memory, loudest: Array, *, flagged: Array, quiet: Array) -> None:
    """Keep the day's loudest windows, (G, series), in place: without flagged ones, but where every third day has some.

    An incident is no ordinary day. A series with many wild days, by what series are in general, is a loud one,
    and they are its ordinary days: else its threshold would never hear of what it pages for.
    """
    rows = loudest.shape[0]
    apart = quiet | (flagged & (memory["restless"] == 0))
    top = memory["top"]
    top[:rows] = np.maximum(top[:rows], np.where(apart, NEVER, loudest))
    memory["top_flag"][:] = np.maximum(memory["top_flag"], flagged)
    memory["top_wild"][:] = np.maximum(memory["top_wild"], ((loudest > _WILD_AT[:rows]) & ~quiet).any(axis=0))


def close_day(memory: Memory, seen: Array, daily: Array, used: int) -> None:
    """Put the day's maxima away and calibrate the `used` groups anew, in place.

    Days hardly `seen` (0 to 1) are passed over.
    """
    counted = (seen > 0.5) & (memory["top"][0] > NEVER / 2)
    number = memory["days"]
    rows = (number % DAYS).astype(np.intp)
    columns = np.flatnonzero(counted)
    maxima = memory["maxima"].reshape(GROUPS, DAYS, -1)
    maxima[:, rows[columns], columns] = memory["top"][:, columns]
    memory["flags"][rows[columns], columns] = (memory["top_flag"] + 2.0 * memory["top_wild"])[columns]
    memory["days"][:] += counted
    number = np.minimum(memory["days"], DAYS)
    memory["restless"][:] = (memory["flags"] > 1).sum(axis=0) > _RESTLESS * np.maximum(number, _RESTLESS_DAYS)
    memory["top"][:] = NEVER
    memory["top_flag"][:] = 0.0
    memory["top_wild"][:] = 0.0
    for group in range(used):
        _fit(memory, maxima[group], group, daily)


def _fit(memory: Memory, maxima: Array, group: int, daily: Array) -> None:
    number = np.minimum(memory["days"], DAYS)
    if not number.any():
        return
    used = np.arange(DAYS)[:, None] < number
    ordered = np.sort(np.where(used, maxima, np.inf), axis=0)
    dropped = np.minimum(((memory["flags"] % 2 > 0) & used).sum(axis=0), np.floor(_DROP[group] * number))
    kept = np.maximum(number - dropped, 1.0)
    middle, high, top = (_quantile(ordered, kept, share) for share in (0.5, 0.88, 0.96))
    inside = (ordered > middle) & (np.arange(DAYS)[:, None] < kept)
    over = np.where(inside, np.minimum(ordered, high) - middle, 0.0).sum(axis=0)
    found = np.maximum((inside & (ordered <= high)).sum(axis=0), 1)
    prior = SCALE[group]
    error = 1.0 / (found * np.minimum(1.0, np.maximum(daily, 0.05) / 10.0))
    scale = prior * np.exp(_shrunk(np.log(np.maximum(over / found, 0.05) / prior), error))
    centre = (number * middle + 3.0 * CENTRE[group]) / (number + 3.0)
    scale = np.maximum(scale, np.where(number >= 25, (top - centre) / math.log(12.5), 0.0))
    memory["centre"][group] = np.where(number >= 3, centre, CENTRE[group])
    memory["scale"][group] = np.where(number >= 3, scale, prior)


def _quantile(ordered: Array, kept: Array, share: float) -> Array:
    place = np.maximum(kept - 1.0, 0.0) * share
    low = place.astype(np.intp)
    high = np.minimum(low + 1, np.maximum(kept.astype(np.intp) - 1, 0))
    columns = np.arange(ordered.shape[1])
    first = np.where(np.isfinite(ordered[low, columns]), ordered[low, columns], 0.0)
    second = np.where(np.isfinite(ordered[high, columns]), ordered[high, columns], 0.0)
    result: Array = first + (place - low) * (second - first)
    return result


def _shrunk(seen: Array, error: Array) -> Array:
    """Return the posterior mean of a log scale under the mixture prior."""
    total, mean = np.zeros_like(seen), np.zeros_like(seen)
    for share, middle, variance in _MIXTURE:
        spread = variance + error
        weight = share * np.exp(-0.5 * (seen - middle) ** 2 / spread) / np.sqrt(spread)
        mean += weight * (middle * error + seen * variance) / spread
        total += weight
    result: Array = mean / np.maximum(total, 1e-300)
    return result


def groups(standardised: Array) -> Array:
    """Return the loudest window of each group: spike, sustained and, where there are short bins, fine. (G, series)."""
    parts = [standardised[:SPIKE], standardised[SPIKE : len(WINDOWS)], standardised[len(WINDOWS) :]]
    return np.stack([part.max(axis=0) for part in parts if len(part)])
