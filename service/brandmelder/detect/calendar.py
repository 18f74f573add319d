"""What is known beforehand: the local week, public holidays, and events, which raise the expectation and never mute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

_SUNDAY = 6


class Event(Struct, frozen=True, kw_only=True):
    """A known event, such as a TV spot or a price letter: from `since` to `until` the expectation is `lift`-fold.

    A spike beyond the raised expectation still pages. Raises ValueError when it ends before it begins, has no time
    zone, or lowers the expectation.
    """

    since: datetime
    until: datetime
    lift: float
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise ValueError(f"the event {self.name!r} has no time zone; write +01:00 or Z behind its times")
        if self.until <= self.since:
            raise ValueError(f"the event {self.name!r} ends at {self.until.isoformat()}, before it begins")
        if not 1.0 <= self.lift <= 1000.0:
            raise ValueError(f"the event {self.name!r} lifts {self.lift:g}-fold; a lift lies between 1 and 1000")


def lift_at(events: tuple[Event, ...], moment: datetime) -> float:
    """Return by how much known events raise the expectation; where they overlap, the strongest counts."""
    return max((event.lift for event in events if event.since <= moment < event.until), default=1.0)


def check_region(region: str) -> str:
    """Return the region if its holidays are known: a country (`DE`) or a part of it (`DE-BY`), or nothing.

    Raises ValueError that says what would be right.
    """
    if region:
        _known(region, 2026)
    return region


@lru_cache(maxsize=256)
def _known(region: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 -- half a second; only a configuration with a region pays for it

    country, _, part = region.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
    except NotImplementedError as error:
        raise ValueError(f"{region!r} is no region with known holidays; write DE, DE-BY, AT-9 or CH-ZH") from error


def is_holiday(day: date, region: str) -> bool:
    """Return whether the day is a public holiday of the region."""
    return bool(region) and day in _known(region, day.year)


@lru_cache(maxsize=65536)
def cells_at(unit: int, width: int, zone: str, region: str) -> tuple[int, int]:
    """Return the cell of the local week of a unit of `width` seconds, and the cell it is blended with.

    They differ on public holidays only, which lie half-way to a Sunday. Units longer than an hour are placed by their
    middle, so that a change of the clock moves none of them.
    """
    hours = width // 3600
    middle = datetime.fromtimestamp(unit * width, UTC) + timedelta(seconds=width / 2)
    local = middle.astimezone(ZoneInfo(zone))
    hour = local.hour // hours * hours
    weekday = local.weekday()
    other = _SUNDAY if is_holiday(local.date(), region) else weekday
    return weekday * 24 + hour, other * 24 + hour
