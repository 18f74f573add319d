"""When people write: the usual day and week, and the storm's rise and fall."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from random import Random

ZONE = ZoneInfo("Europe/Berlin")

A_DAY = 12.0
"""Comments a quiet day brings on average."""

_HOURS = (2, 1, 1, 1, 1, 2, 5, 8, 10, 12, 13, 12, 12, 11, 10, 10, 11, 12, 13, 15, 16, 14, 9, 5)
_WEEKDAYS = (1.15, 1.1, 1.05, 1.0, 1.0, 0.85, 0.8)

# Minutes after the spot, comments per minute; straight lines between.
_STORM = ((0, 1.0), (3, 2.6), (12, 3.1), (40, 3.2), (75, 1.9), (120, 0.8), (180, 0.2), (200, 0.05))
STORM = timedelta(minutes=_STORM[-1][0])
"""How long the storm lasts."""

QUIET_PEAK = A_DAY * max(_HOURS) / sum(_HOURS) * max(_WEEKDAYS)
STORM_PEAK = 60 * max(rate for _, rate in _STORM)
"""Highest rates, in comments per hour."""

Rate = Callable[[datetime], float]
"""Comments per hour at a moment."""


def quiet_rate(moment: datetime) -> float:
    """Return the usual comments per hour: few at night, most in the evening, fewer at weekends."""
    local = moment.astimezone(ZONE)
    return A_DAY * _HOURS[local.hour] / sum(_HOURS) * _WEEKDAYS[local.weekday()]


def storm_rate(elapsed: timedelta) -> float:
    """Return the storm's comments per hour, `elapsed` after the spot; 0 when it is over."""
    minutes = elapsed / timedelta(minutes=1)
    for (left, low), (right, high) in pairwise(_STORM):
        if left <= minutes < right:
            return 60 * (low + (high - low) * (minutes - left) / (right - left))
    return 0.0


def arrivals(chance: Random, since: datetime, until: datetime, *, rate: Rate, peak: float) -> Iterator[datetime]:
    """Yield the moments, in whole seconds, of a Poisson process of `rate` per hour, nowhere above `peak`.

    Thinning after Lewis and Shedler (1979).
    """
    moment = since
    while (moment := moment + timedelta(hours=chance.expovariate(peak))) < until:
        if chance.random() * peak < rate(moment):
            yield moment.replace(microsecond=0)
