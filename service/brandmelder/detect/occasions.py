"""When planned events take place, by the local clock, and by how much they lift what is expected.

What an event lifts is learnt from earlier ones of its kind: what they brought against what the same hours brought in
the weeks around. The logarithms are averaged and shrunk toward twofold: one loud evening does not mute the next.
"""

from __future__ import annotations

import enum
import math
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from brandmelder.detect.calendar import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNKNOWN = 2.0
"""The lift of an event of which nothing is known but that somebody thought it worth writing down."""
_MOST, _AROUND = 20.0, (-4, -3, -2, -1, 1, 2, 3, 4)
_LONGEST = timedelta(days=31)
REMEMBERED = 12
"""So many earlier events of a kind are learnt from, the newest first."""


class Repeats(enum.StrEnum):
    """How often an event comes again."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    YEARLY = "yearly"


class Planned(Struct, frozen=True, kw_only=True):
    """An event as staff write it down: `start` and `end` by the local clock, without a zone."""

    name: str
    kind: str
    start: datetime
    end: datetime
    repeats: Repeats = Repeats.NEVER
    last: date | None = None
    """The last day on which it may begin."""
    lift: float | None = None


class Occasion(Struct, frozen=True, kw_only=True):
    """One time that a planned event takes place, in UTC."""

    planned: Planned
    since: datetime
    until: datetime


class Brought(Struct, frozen=True):
    """What an earlier event brought, and what the same hours of one week around it brought on average."""

    count: float
    usual: float


def check_planned(planned: Planned) -> Planned:
    """Return the event if it can be meant. Raises ValueError that says what would be right."""
    length = planned.end - planned.start
    if length <= timedelta(0):
        raise ValueError(f"it ends at {planned.end:%Y-%m-%d %H:%M}, before it begins; write a later end")
    most = {Repeats.DAILY: timedelta(days=1), Repeats.WEEKLY: timedelta(weeks=1)}.get(planned.repeats, _LONGEST)
    if length > most:
        raise ValueError(f"it lasts longer than {most.days} days; shorten it, or mark the period instead")
    if planned.last is not None and planned.last < planned.start.date():
        raise ValueError(f"it is over on {planned.last}, before it first begins; write a later day")
    if planned.lift is not None and not 1.0 <= planned.lift <= 1000.0:
        raise ValueError(f"it lifts {planned.lift:g}-fold; a lift lies between 1 and 1000")
    return planned


def occasions(planned: Planned, zone: str, since: datetime, until: datetime) -> tuple[Occasion, ...]:
    """Return when an event takes place in [since, until), oldest first; the local clock counts through any change."""
    length, place = planned.end - planned.start, ZoneInfo(zone)
    first = since.astimezone(place).replace(tzinfo=None) - length - timedelta(days=1)
    found = []
    for start in _starts(planned, first):
        if planned.last is not None and start.date() > planned.last:
            break
        one = _occasion(planned, start, place)
        if one.since >= until:
            break
        if one.until > since:
            found.append(one)
    return tuple(found)


def _occasion(planned: Planned, start: datetime, place: ZoneInfo) -> Occasion:
    """Return one time of an event; what begins in the hour that a spring night leaves out lasts as long as ever."""
    length = planned.end - planned.start
    since, until = _moment(start, place), _moment(start + length, place)
    return Occasion(planned=planned, since=since, until=until if until > since else since + length)


def _moment(local: datetime, place: ZoneInfo) -> datetime:
    return local.replace(tzinfo=place).astimezone(UTC)


def _starts(planned: Planned, first: datetime) -> Iterator[datetime]:
    """Yield local starts from about `first` on."""
    match planned.repeats:
        case Repeats.NEVER:
            yield planned.start
        case Repeats.YEARLY:
            for year in range(max(planned.start.year, first.year - 1), 9999):
                yield _in_year(planned.start, year)
        case _:
            step = timedelta(days=1 if planned.repeats is Repeats.DAILY else 7)
            start = planned.start + max(0, (first - planned.start) // step) * step
            while start.year < 9999:
                yield start
                start += step


def _in_year(start: datetime, year: int) -> datetime:
    """Return the same day of another year; what falls on 29 February is kept on the 28th."""
    try:
        return start.replace(year=year)
    except ValueError:
        return start.replace(year=year, day=28)


def around(occasion: Occasion) -> tuple[tuple[datetime, datetime], ...]:
    """Return the same stretch of the weeks around, which tell what is usual."""
    return tuple(
        (occasion.since + weeks * timedelta(weeks=1), occasion.until + weeks * timedelta(weeks=1)) for weeks in _AROUND
    )


def learnt_lift(planned: Planned, earlier: Sequence[Brought]) -> float:
    """Return by how much the next event of a kind lifts the expectation; what staff wrote down stands."""
    if planned.lift is not None:
        return planned.lift
    ratios = [math.log((one.count + 1.0) / (one.usual + 1.0)) for one in earlier]
    lift = math.exp((sum(ratios) + math.log(UNKNOWN)) / (len(ratios) + 1))
    return min(_MOST, max(1.0, lift))


def event_of(occasion: Occasion, lift: float) -> Event:
    """Return the event as the detector knows it."""
    return Event(since=occasion.since, until=occasion.until, lift=lift, name=occasion.planned.name)
