"""How long people could rest: an evening look is work, and after it the eleven hours begin anew."""

from __future__ import annotations

import itertools
from datetime import datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.notify.wall import days_around, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterable

ENOUGH = timedelta(hours=11)
"""§ 5 (1) ArbZG: at least eleven hours without a break after the end of a day's work."""


class WorkingHours(Struct, frozen=True, kw_only=True):
    """When somebody works anyway."""

    days: frozenset[int] = frozenset(range(5))
    since: time = time(9)
    until: time = time(17)


class Rest(Struct, frozen=True, kw_only=True):
    """The time between the end of one day's work and the beginning of the next."""

    since: datetime
    until: datetime
    calls: tuple[datetime, ...]
    """What reached the person in between: calls, and acts of theirs."""

    @property
    def last(self) -> timedelta:
        """How long it was from the last call to the next day's work: what the law reckons with."""
        return self.until - (self.calls[-1] if self.calls else self.since)

    @property
    def longest(self) -> timedelta:
        """The longest stretch without a call."""
        edges = (self.since, *self.calls, self.until)
        return max(later - earlier for earlier, later in itertools.pairwise(edges))

    @property
    def is_short(self) -> bool:
        """Whether a call left less than eleven hours before work began again."""
        return bool(self.calls) and self.last < ENOUGH


def rests(
    calls: Iterable[datetime], hours: WorkingHours, zone: tzinfo, *, since: datetime, until: datetime
) -> tuple[Rest, ...]:
    """Return the rests that end in [since, until), oldest first; a call at a moment of work interrupts none."""
    days = [day for day in days_around(since - timedelta(days=14), until, zone) if day.weekday() in hours.days]
    over_night = timedelta(days=1 if hours.until <= hours.since else 0)
    blocks = [(moment_of(day, hours.since, zone), moment_of(day + over_night, hours.until, zone)) for day in days]
    moments = sorted(set(calls))
    return tuple(
        Rest(since=end, until=begin, calls=tuple(one for one in moments if end <= one < begin))
        for (_, end), (begin, _) in itertools.pairwise(blocks)
        if since <= begin < until
    )
