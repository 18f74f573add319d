"""The last days by the hour, and what volume is usual at which hour: what the kinds of spike are judged from."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

_CELLS = 48
"""Hours of the day, on weekdays and at weekends."""
_KEPT = 96
LENGTHS = (1, 3, 6, 24)
"""Windows in hours."""
_HALF_LIFE = 21.0
"""Days after which an hour of the past counts half."""
_SHRUNK = 4.0


class Hour(Struct, frozen=True, array_like=True):
    """One hour, or one bin where bins are wider. `mean` is what was expected of `total`, as far as it was seen."""

    total: float = 0.0
    negative: float = 0.0
    reach: float = 0.0
    seen: float = 0.0
    mean: float = 0.0
    flagged: bool = False


class Hours(Struct, frozen=True, array_like=True):
    """The running hour and those before it; the usual volume by cell, learnt a day later."""

    number: int = -1
    """Of the running hour since the epoch."""
    running: Hour = Hour()
    past: tuple[Hour, ...] = ()
    """Whole hours, oldest first, without a gap."""
    counts: tuple[float, ...] = (0.0,) * _CELLS
    eyes: tuple[float, ...] = (0.0,) * _CELLS
    """Hours seen in each cell, faded like the counts."""
    spread_sum: float = 0.0
    spread_weight: float = 0.0
    begin: int = -1
    """The hour before which no window reaches: what lies there is history that only teaches."""


class Window(NamedTuple):
    """What a window that ends now holds; `late` is the mean of its last quarter."""

    length: int
    """Hours, the running one among them."""
    total: float
    negative: float
    reach: float
    mean: float
    square: float
    """Σ of the squared means of its hours."""
    seen: float
    """Share of the window that was seen, 0 to 1."""
    recent: tuple[float, float, float]
    """Total, negative and mean of its last quarter."""


class Place(NamedTuple):
    """Where a bin lies: its hour, which part of it, and the cells of the local week (detect/calendar.py)."""

    hour: int
    part: int
    parts: int
    pace: int
    """Hours (or bins) in a day."""
    cells: tuple[int, int]
    past_cells: tuple[int, int]
    lift: float

    @property
    def day(self) -> int:
        """Number of the day since the epoch, in UTC."""
        return self.hour // self.pace

    @property
    def width(self) -> int:
        """Seconds of a bin."""
        return 86400 // self.pace // self.parts

    @property
    def is_last(self) -> bool:
        """Whether the bin completes its hour."""
        return self.part == self.parts - 1


def cell_of(cell: int) -> int:
    """Return the cell of 48 for one of the 168 of the week."""
    weekday, hour = divmod(cell, 24)
    return hour + 24 * (weekday >= 5)


def mean_at(hours: Hours, cells: tuple[int, int]) -> float:
    """Return the usual volume of an hour in the given cells, halfway between the two on public holidays."""
    seen = sum(hours.eyes)
    if seen <= 0:
        return 0.0
    level = sum(hours.counts) / seen
    first, second = (_factor(hours, cell_of(cell), level) for cell in cells)
    return level * (first + second) / 2


def spread(hours: Hours) -> float:
    """Return the relative excess variance of an hour's volume beyond Poisson."""
    return min(4.0, max(0.0, (hours.spread_sum + 0.3 * 4.0) / (hours.spread_weight + 4.0)))


def add(hours: Hours, place: Place, figures: Hour) -> Hours:
    """Add a bin to its hour; hours that were skipped were not seen. `figures.seen` is the bin's exposure."""
    if place.hour != hours.number:
        hours = _turn(hours, place)
    before = hours.running
    running = Hour(
        total=before.total + figures.total,
        negative=before.negative + figures.negative,
        reach=before.reach + figures.reach,
        seen=before.seen + figures.seen / place.parts,
        mean=before.mean + figures.mean,
        flagged=before.flagged or figures.flagged,
    )
    return replace(hours, running=running)


def _turn(hours: Hours, place: Place) -> Hours:
    """Begin the hour of `place`: put the running one away and learn the one a day back."""
    if hours.number < 0:
        return replace(hours, number=place.hour)
    gap = min(max(0, place.hour - hours.number - 1), _KEPT)
    past = (*hours.past, hours.running, *(Hour(),) * gap)[-_KEPT:]
    moved = replace(hours, number=place.hour, running=Hour(), past=past)
    if len(past) < place.pace:
        return moved
    return _learn(moved, past[-place.pace], place)


def _learn(hours: Hours, lesson: Hour, place: Place) -> Hours:
    fade = 0.5 ** (1 / (_HALF_LIFE * place.pace))
    counts, eyes = [one * fade for one in hours.counts], [one * fade for one in hours.eyes]
    spread_sum, spread_weight = hours.spread_sum * fade, hours.spread_weight * fade
    usual = mean_at(hours, place.past_cells) * lesson.seen
    if lesson.seen > 0.2 and not (lesson.flagged and usual > 0):
        phi = spread(hours)
        variance = usual + phi * usual * usual
        most = usual + 3 * variance**0.5 + 1 if sum(eyes) > 48 else lesson.total
        cell = cell_of(place.past_cells[0])
        counts[cell] += min(lesson.total, most)
        eyes[cell] += lesson.seen
        if usual > 0:
            weight = usual * usual / (usual + 2 * variance * variance)
            square = min((lesson.total - usual) ** 2, 9 * variance + 4)
            spread_sum += weight * (square - usual)
            spread_weight += weight * usual * usual
    return replace(hours, counts=tuple(counts), eyes=tuple(eyes), spread_sum=spread_sum, spread_weight=spread_weight)


def _factor(hours: Hours, cell: int, level: float) -> float:
    whole = level * hours.eyes[cell]
    return (hours.counts[cell] + _SHRUNK) / (whole + _SHRUNK)


def windows(hours: Hours, place: Place) -> tuple[Window, ...]:
    """Return the windows that end with the running hour, as far as there is history for them; shortest first."""
    unit = 24 // place.pace
    lengths = sorted({max(1, length // unit) for length in LENGTHS})
    run = (place.part + 1) / place.parts
    reach = min(len(hours.past), _since_storm(hours.past), hours.number - hours.begin)
    return tuple(_window(hours, length, run) for length in lengths if length - 1 <= reach)


def _since_storm(past: tuple[Hour, ...]) -> int:
    """Return how many whole hours a window may reach back: a storm that is over is not told again."""
    is_over = False
    for back, hour in enumerate(reversed(past)):
        if hour.flagged and is_over:
            return back
        is_over = is_over or not hour.flagged
        if back > max(LENGTHS):
            break
    return len(past)


def _window(hours: Hours, length: int, run: float) -> Window:
    held = (*hours.past[len(hours.past) - length + 1 :], hours.running)
    late = held[-max(1, length // 4) :]
    return Window(
        length=length,
        total=sum(hour.total for hour in held),
        negative=sum(hour.negative for hour in held),
        reach=sum(hour.reach for hour in held),
        mean=sum(hour.mean for hour in held),
        square=sum(hour.mean * hour.mean for hour in held),
        seen=min(1.0, sum(hour.seen for hour in held) / (length - 1 + run)),
        recent=(sum(hour.total for hour in late), sum(hour.negative for hour in late), sum(hour.mean for hour in late)),
    )
