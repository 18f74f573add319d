"""Doubts about sources that answer, of which people were told: the running ones, and those of the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import Doubt, DoubtKind, SourceId
from brandmelder.store import unreadable
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema_polls import doubt

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Doubt).decode
_BEGIN = insert(doubt)
_BEGIN = _BEGIN.on_conflict_do_update(
    index_elements=["source", "kind", "since"], set_={"ended_at": None, "body": _BEGIN.excluded.body}
)
_RUNNING = (
    select(doubt.c.source, doubt.c.kind, doubt.c.since, doubt.c.body)
    .where(doubt.c.ended_at.is_(None))
    .order_by(doubt.c.since, doubt.c.source)
)
_PAST = (
    select(doubt.c.since, func.coalesce(doubt.c.ended_at, bindparam("now")).label("ended_at"))
    .where(doubt.c.source == bindparam("ident"), doubt.c.kind.in_((DoubtKind.SILENT.value, DoubtKind.FEW.value)))
    .order_by(doubt.c.since)
)
_END = (
    update(doubt)
    .where(
        doubt.c.source == bindparam("ident"),
        doubt.c.kind == bindparam("of_kind"),
        doubt.c.since == bindparam("began"),
        doubt.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("moment"))
)


def begin(connection: Connection, one: Doubt) -> None:
    """Write down that people are told of a doubt."""
    row = {"source": one.source, "kind": one.kind.value, "since": seconds(one.since), "body": _encode(one)}
    connection.execute(_BEGIN, row)


def end(connection: Connection, one: Doubt, at: datetime) -> Doubt:
    """Write down that a doubt is over; returns it so."""
    ident = {"ident": one.source, "of_kind": one.kind.value, "began": seconds(one.since)}
    connection.execute(_END, ident | {"moment": seconds(at)})
    return replace(one, ended_at=at)


def redate(connection: Connection, now: datetime) -> None:
    """Let doubts hold from now on that were told by a clock that was ahead."""
    for one in running(connection).values():
        if max(one.since, one.told_at) > now:
            end(connection, one, now)
            begin(connection, replace(one, since=min(one.since, now), told_at=min(one.told_at, now)))


def running(connection: Connection) -> dict[tuple[SourceId, DoubtKind], Doubt]:
    """Return the doubts that hold; there is one of a kind at a source."""
    found = unreadable.readable(
        connection, "doubt", connection.execute(_RUNNING), lambda row: _decode(row.body), keys=3
    )
    return {(one.source, one.kind): one for one in found}


def quiet_times(connection: Connection, source: SourceId, now: datetime) -> list[tuple[datetime, datetime]]:
    """Return the times in which a source was told of for bringing nothing or few; a running one ends `now`."""
    rows = connection.execute(_PAST, {"ident": source, "now": seconds(now)})
    return [(moment(row.since), moment(row.ended_at)) for row in rows]
