"""When a number of an account has jumped: what it changed by within a day, against the usual change of a day.

Robust on purpose: median and median absolute deviation of the daily changes of four weeks, and a change must also be
half as large again as the largest of them, so that an account that jumps every week is not news every week.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY: Final = timedelta(days=1)
EARLIER: Final = 28
"""So many daily changes are the usual."""
LEAST: Final = 7
"""Of fewer nothing is called usual."""
HISTORY: Final = DAY * (EARLIER + 2)
FAR: Final = 8.0
"""In standard deviations, as the median absolute deviation tells them."""
BEYOND: Final = 1.5
_DEVIATION: Final = 1.4826
_STALE: Final = timedelta(hours=6)
"""A reading so much older than the moment asked for says nothing of it."""
_SMALL: Final = 0.001
"""Changes below a thousandth of the number itself are noise."""


class Jump(Struct, frozen=True, kw_only=True):
    """A change within a day that is far from usual."""

    before: float
    after: float
    usual_low: float
    """The smallest and the largest of the usual changes, but for one in ten at each end."""
    usual_high: float

    @property
    def change(self) -> float:
        """By how much."""
        return self.after - self.before


def value_at(times: Sequence[datetime], values: Sequence[float], moment: datetime) -> float | None:
    """Return the number as it stood at a moment; None where nobody looked for hours."""
    place = bisect_right(times, moment) - 1
    return values[place] if place >= 0 and moment - times[place] <= _STALE else None


def changes(times: Sequence[datetime], values: Sequence[float], now: datetime) -> list[float | None]:
    """Return the change of the day that ends now, then those of the days before, as far as they are known."""
    marks = [value_at(times, values, now - DAY * number) for number in range(EARLIER + 2)]
    pairs = pairwise(marks)
    return [None if later is None or earlier is None else later - earlier for later, earlier in pairs]


def jump(times: Sequence[datetime], values: Sequence[float], now: datetime) -> Jump | None:
    """Return the jump of the day that ends now, if it is one. `times` ascend, `values` belong to them."""
    latest, *before = changes(times, values, now)
    earlier = sorted(one for one in before if one is not None)
    after = value_at(times, values, now)
    if latest is None or after is None or len(earlier) < LEAST:
        return None
    centre = median(earlier)
    resolution = 1.0 if all(value.is_integer() for value in values) else 0.01
    deviation = _DEVIATION * median(abs(one - centre) for one in earlier)
    spread = max(deviation, resolution, abs(after) * _SMALL)
    largest = max(abs(one - centre) for one in earlier)
    distance = abs(latest - centre)
    if distance <= FAR * spread or distance <= BEYOND * largest:
        return None
    cut = len(earlier) // 10
    return Jump(before=after - latest, after=after, usual_low=earlier[cut], usual_high=earlier[-1 - cut])
