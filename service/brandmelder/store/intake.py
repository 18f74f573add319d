"""What each source brought, hour by hour of its coming, and whether it was asked in that hour: what its rhythm is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from brandmelder.store.database import maybe_moment, maybe_seconds, seconds
from brandmelder.store.schema_polls import intake

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from brandmelder.model import SourceId

KEPT = timedelta(days=35)
HOUR = 3600
_ADD = insert(intake)
_ADD = _ADD.on_conflict_do_update(
    index_elements=["source", "hour"],
    set_={name: intake.c[name] + _ADD.excluded[name] for name in ("mentions", "ahead", "polls")}
    | {
        "first_at": func.coalesce(intake.c.first_at, _ADD.excluded.first_at),
        "last_at": func.coalesce(_ADD.excluded.last_at, intake.c.last_at),
    },
)
_SINCE = (
    select(intake)
    .where(intake.c.source == bindparam("ident"), intake.c.hour >= bindparam("first"))
    .order_by(intake.c.hour)
)
_LAST = select(func.max(intake.c.last_at)).where(intake.c.source == bindparam("ident"))
_FORGET = delete(intake).where(intake.c.hour < bindparam("first"))
_UNDO = delete(intake).where(intake.c.hour > bindparam("last"))


class Intake(Struct, frozen=True, kw_only=True):
    """What came of one source in one hour."""

    hour: int
    """Since the epoch."""
    mentions: int = 0
    ahead: int = 0
    """Those dated in the future."""
    polls: int = 0
    """Good polls; an hour of a first contact's history counts as one."""
    first_at: datetime | None = None
    """When the first mention of this hour came, and the last."""
    last_at: datetime | None = None


def hour_of(moment: datetime) -> int:
    """Return the number of the hour that holds a moment."""
    return seconds(moment) // HOUR


def add(connection: Connection, source: SourceId, came: Iterable[Intake]) -> None:
    """Add to hours."""
    rows = [
        {
            "source": source,
            "hour": one.hour,
            "mentions": one.mentions,
            "ahead": one.ahead,
            "polls": one.polls,
            "first_at": maybe_seconds(one.first_at),
            "last_at": maybe_seconds(one.last_at),
        }
        for one in came
    ]
    if rows:
        connection.execute(_ADD, rows)


def hours_since(connection: Connection, source: SourceId, first: int) -> list[Intake]:
    """Return a source's hours from one on in which something came or it was asked, oldest first (primary key)."""
    return [
        Intake(
            hour=row.hour,
            mentions=row.mentions,
            ahead=row.ahead,
            polls=row.polls,
            first_at=maybe_moment(row.first_at),
            last_at=maybe_moment(row.last_at),
        )
        for row in connection.execute(_SINCE, {"ident": source, "first": first})
    ]


def last_at(connection: Connection, source: SourceId) -> datetime | None:
    """Return when a source last brought something, as far as it is remembered."""
    return maybe_moment(connection.scalar(_LAST, {"ident": source}))


def forget(connection: Connection, now: datetime) -> None:
    """Forget what no rhythm is learnt from any more."""
    connection.execute(_FORGET, {"first": hour_of(now - KEPT)})


def undo(connection: Connection, now: datetime) -> None:
    """Forget hours that have not been: the clock was ahead."""
    connection.execute(_UNDO, {"last": hour_of(now)})
