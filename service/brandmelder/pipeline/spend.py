"""What a source takes, written down beside its mentions, and the interval that its budget leaves it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.pipeline.pace import RECENT, Pace, Used, pace
from brandmelder.store import incidents, usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from brandmelder.model import SourceId
    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.sources import SourceRow


def read_pace(connection: Connection, parts: Parts, row: SourceRow, now: datetime) -> Pace:
    """Return how often a source is asked as things stand."""
    rhythm = parts.places[row.id].pace
    burning = incidents.burning(connection)
    is_storm = bool(burning) and any(row.id in parts.watches[one].sources for one in burning if one in parts.watches)
    used = used_by_day(usage.days_of(connection, row.id, first_day(now))) if rhythm.budget.limits(now) else {}
    return pace(rhythm, used, now, is_storm=is_storm, empty_polls=row.empty_polls)


class Took(Struct, frozen=True, kw_only=True):
    """What an answer took beside its requests."""

    dollars: float = 0.0
    polls: int = 0


def write_usage(connection: Connection, parts: Parts, source: SourceId, now: datetime, took: Took) -> None:
    """Add what a source has asked and paid to its day."""
    requests = parts.meter.take(source)
    if requests or took.dollars or took.polls:
        one = usage.Day(source, now.date(), requests, round(took.dollars * 1e6), took.polls)
        usage.add(connection, one)


def first_day(now: datetime) -> date:
    """Return the first day that budgets and forecasts look at."""
    return min(now.date().replace(day=1), now.date() - RECENT - timedelta(days=1))


def used_by_day(days: Iterable[usage.Day]) -> dict[date, Used]:
    """Return what one source took, by day."""
    return {one.day: Used(requests=one.requests, micros=one.micros, polls=one.polls) for one in days}
