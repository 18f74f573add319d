"""What a clock on a wall means: the moment of a day and a time in a zone, right over both changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, time, tzinfo


def moment_of(day: date, clock: time, zone: tzinfo) -> datetime:
    """Return the moment, in UTC, at which a wall in `zone` shows `clock` on `day`.

    An hour that comes twice means its first coming; one that is left out is reckoned with the offset before the
    change, so that 02:30 on a night without it is half an hour after the change (RFC 5545, 3.3.5).
    """
    return datetime.combine(day, clock, zone).astimezone(UTC)


def days_around(since: datetime, until: datetime, zone: tzinfo) -> Iterator[date]:
    """Yield every day of `zone` that [since, until] touches, and the one before."""
    day = since.astimezone(zone).date() - timedelta(days=1)
    last = until.astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)
