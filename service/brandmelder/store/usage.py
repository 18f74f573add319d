"""What sources asked and paid, by day of UTC: what their budgets are held against."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import SourceId
from brandmelder.store.schema_polls import usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

KEPT = timedelta(days=400)
_ADD = insert(usage)
_ADD = _ADD.on_conflict_do_update(
    index_elements=["source", "day"],
    set_={name: usage.c[name] + _ADD.excluded[name] for name in ("requests", "micros", "polls")},
)
_OF = select(usage).where(usage.c.source == bindparam("ident"), usage.c.day >= bindparam("first"))
_ALL = select(usage).where(usage.c.day >= bindparam("first")).order_by(usage.c.source, usage.c.day)
_FORGET = delete(usage).where(usage.c.day < bindparam("first"))


class Day(NamedTuple):
    """What one source took on one day; money in millionths of a US dollar."""

    source: SourceId
    day: date
    requests: int
    micros: int
    polls: int


def add(connection: Connection, one: Day) -> None:
    """Add to a day; what lies more than a year back is forgotten when a new day begins."""
    row: dict[str, str | int] = {"source": one.source, "day": one.day.isoformat()}
    row |= {"requests": one.requests, "micros": one.micros, "polls": one.polls}
    connection.execute(_ADD, row)


def forget(connection: Connection, today: date) -> None:
    """Forget what no budget and no forecast asks for any more."""
    connection.execute(_FORGET, {"first": (today - KEPT).isoformat()})


def days_of(connection: Connection, source: SourceId, first: date) -> list[Day]:
    """Return what one source took on each day since `first`."""
    return list(_days(connection, {"ident": source, "first": first.isoformat()}))


def days(connection: Connection, first: date) -> list[Day]:
    """Return what every source took on each day since `first`."""
    rows = connection.execute(_ALL, {"first": first.isoformat()})
    return [Day(SourceId(row.source), date.fromisoformat(row.day), row.requests, row.micros, row.polls) for row in rows]


def _days(connection: Connection, asked: dict[str, str]) -> Iterator[Day]:
    for row in connection.execute(_OF, asked):
        yield Day(SourceId(row.source), date.fromisoformat(row.day), row.requests, row.micros, row.polls)
