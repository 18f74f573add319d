"""Periods that staff marked as not normal: nothing is learnt from them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import MonitorId
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import bin_, marked
from brandmelder.store.series import forget_state

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ADD = insert(marked)
_ADD = _ADD.on_conflict_do_update(
    index_elements=["monitor", "since", "until"], set_={name: _ADD.excluded[name] for name in ("why", "by", "at")}
)
# The primary key of bin is read from `since` to `until` of one monitor.
_NEGATIVES = select(func.sum(bin_.c.negative)).where(
    bin_.c.monitor == bindparam("monitor"), bin_.c.start >= bindparam("since"), bin_.c.start < bindparam("until")
)
_FIRST = select(func.min(bin_.c.start)).where(bin_.c.monitor == bindparam("monitor"))


class Marked(Struct, frozen=True, kw_only=True):
    """One marked period of one monitor."""

    monitor: MonitorId
    since: datetime
    until: datetime
    why: str
    by: str
    at: datetime


def mark(connection: Connection, one: Marked) -> None:
    """Mark a period; its monitor learns its baseline anew without it."""
    values = {"monitor": one.monitor, "since": seconds(one.since), "until": seconds(one.until)}
    connection.execute(_ADD, values | {"why": one.why, "by": one.by, "at": seconds(one.at)})
    forget_state(connection, [one.monitor])


def unmark(connection: Connection, monitor: MonitorId, since: datetime, until: datetime) -> bool:
    """Take a mark away; says whether there was one."""
    done = connection.execute(
        delete(marked).where(
            marked.c.monitor == monitor, marked.c.since == seconds(since), marked.c.until == seconds(until)
        )
    )
    if done.rowcount:
        forget_state(connection, [monitor])
    return bool(done.rowcount)


def marked_periods(connection: Connection, monitor: MonitorId | None = None) -> list[Marked]:
    """Return the marked periods, of one monitor or of all, oldest first."""
    statement = select(marked).order_by(marked.c.since, marked.c.monitor)
    if monitor is not None:
        statement = statement.where(marked.c.monitor == monitor)
    return [
        Marked(
            monitor=MonitorId(row.monitor),
            since=moment(row.since),
            until=moment(row.until),
            why=row.why,
            by=row.by,
            at=moment(row.at),
        )
        for row in connection.execute(statement)
    ]


def negatives(connection: Connection, monitor: MonitorId, since: datetime, until: datetime) -> float:
    """Return Σ P(negative) of a monitor in [since, until)."""
    span = {"monitor": monitor, "since": seconds(since), "until": seconds(until)}
    return float(connection.scalar(_NEGATIVES, span) or 0.0)


def first_counted(connection: Connection, monitor: MonitorId) -> datetime | None:
    """Return the start of a monitor's first bin."""
    first = connection.scalar(_FIRST, {"monitor": monitor})
    return None if first is None else moment(first)
