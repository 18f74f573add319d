"""Which zones a reader may choose, and what they are called: the account keeps the choice, no browser is asked."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_NO_PLACES = ("Etc/", "posix/", "right/", "SystemV/")


def zone_of(name: str) -> ZoneInfo | None:
    """Return a zone of the IANA list by its name; None for one that this machine does not know."""
    return ZoneInfo(name) if name in zones() else None


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the names of all zones that have a place: `Europe/Berlin`, not `Etc/GMT+5`."""
    return frozenset(name for name in available_timezones() if "/" in name and not name.startswith(_NO_PLACES))


@lru_cache(maxsize=1)
def by_region() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the zones for somebody to choose from: regions, each with its zones and what they are called."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zones()):
        region, _, place = name.partition("/")
        regions.setdefault(region, []).append((name, place.replace("_", " ")))
    return tuple((region, tuple(places)) for region, places in regions.items())


def place_of(zone: ZoneInfo) -> str:
    """Return the place whose time a zone is: `New York`."""
    return zone.key.rpartition("/")[2].replace("_", " ")
