"""Times in which a source could not be seen and people were told so: the running ones, and those of the past."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import SourceId
from brandmelder.store.database import maybe_moment, moment, seconds
from brandmelder.store.schema_polls import blindness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

_BEGIN = insert(blindness).on_conflict_do_nothing(index_elements=["source", "since"])
_RUNNING = select(blindness).where(blindness.c.ended_at.is_(None)).order_by(blindness.c.since)
_SINCE = (
    select(blindness)
    .where(func.coalesce(blindness.c.ended_at, bindparam("moment") + 1) > bindparam("moment"))
    .order_by(blindness.c.since)
)
_LAST_END = select(blindness.c.source, func.max(blindness.c.ended_at).label("ended_at")).group_by(blindness.c.source)
_END = (
    update(blindness)
    .where(blindness.c.source == bindparam("ident"), blindness.c.ended_at.is_(None))
    .values(ended_at=bindparam("moment"))
)

_REDATE = (
    update(blindness)
    .where(blindness.c.told_at > bindparam("moment"), blindness.c.ended_at.is_(None))
    .values(told_at=bindparam("moment"))
)


class Blindness(Struct, frozen=True, kw_only=True):
    """One time in which a source could not be seen, of which people were told."""

    source: SourceId
    since: datetime
    """When it was last seen."""
    told_at: datetime
    ended_at: datetime | None = None
    """When it was first seen again; None while it is not."""
    reason: str


def begin(connection: Connection, one: Blindness) -> None:
    """Write down that people are told of a source that cannot be seen."""
    row = {"source": one.source, "since": seconds(one.since), "told_at": seconds(one.told_at), "reason": one.reason}
    connection.execute(_BEGIN, row)


def end(connection: Connection, source: SourceId, at: datetime) -> None:
    """Write down that a source was seen again."""
    connection.execute(_END, {"ident": source, "moment": seconds(at)})


def redate(connection: Connection, now: datetime) -> None:
    """Write that people are told now of what they were told of by a clock that was ahead: what is later, ends it."""
    connection.execute(_REDATE, {"moment": seconds(now)})


def running(connection: Connection) -> dict[SourceId, Blindness]:
    """Return the sources of which people know that they cannot be seen."""
    return {one.source: one for one in map(_blindness, connection.execute(_RUNNING))}


def since(connection: Connection, moment: datetime) -> Sequence[Blindness]:
    """Return the times that run or ended after a moment, by their beginning."""
    return [_blindness(row) for row in connection.execute(_SINCE, {"moment": seconds(moment)})]


def last_ends(connection: Connection) -> dict[SourceId, datetime]:
    """Return when each source was last seen again."""
    return {SourceId(row.source): moment(row.ended_at) for row in connection.execute(_LAST_END) if row.ended_at}


def _blindness(row: Row[Any]) -> Blindness:
    return Blindness(
        source=SourceId(row.source),
        since=moment(row.since),
        told_at=moment(row.told_at),
        ended_at=maybe_moment(row.ended_at),
        reason=row.reason,
    )
