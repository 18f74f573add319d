"""The numbers of accounts as series: what each account has now, and what it had."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import Reading, SourceId
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import latest_reading, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_SAVE = insert(reading).on_conflict_do_nothing()
_KEEP_LATEST = insert(latest_reading)
_KEEP_LATEST = _KEEP_LATEST.on_conflict_do_update(
    index_elements=["source", "account", "name"],
    set_={name: _KEEP_LATEST.excluded[name] for name in ("title", "own", "at", "value")},
    where=_KEEP_LATEST.excluded.at >= latest_reading.c.at,
)
_LATEST = select(latest_reading).order_by(
    latest_reading.c.own.desc(),
    latest_reading.c.title,
    latest_reading.c.source,
    latest_reading.c.account,
    latest_reading.c.name,
)
_SERIES = (
    select(reading.c.at, reading.c.value)
    .where(
        reading.c.source == bindparam("source"),
        reading.c.account == bindparam("account"),
        reading.c.name == bindparam("name"),
        reading.c.at >= bindparam("since"),
    )
    .order_by(reading.c.at)
)


_KEY = (
    reading.c.source == bindparam("source"),
    reading.c.account == bindparam("account"),
    reading.c.name == bindparam("name"),
    reading.c.at >= bindparam("since"),
)
_LASTS = select(func.max(reading.c.at)).where(*_KEY).group_by((reading.c.at - bindparam("since")) // bindparam("every"))
_FIRST = select(func.min(reading.c.at)).where(*_KEY).scalar_subquery()
_THINNED = (
    select(reading.c.at, reading.c.value)
    .where(*_KEY, or_(reading.c.at.in_(_LASTS), reading.c.at == _FIRST))
    .order_by(reading.c.at)
)


class Point(Struct, frozen=True):
    """One measured number."""

    at: datetime
    value: float


class Account(Struct, frozen=True, kw_only=True):
    """An account whose numbers are read; `source` and `name` tell it from all others."""

    source: SourceId
    name: str
    title: str
    own: bool
    """Ours; else one that ours are compared with."""
    latest: Mapping[str, Point]
    """The newest reading by metric (`followers`, `posts`, `days_silent`, `fans`, `rating`, …)."""


def save_readings(connection: Connection, readings: Sequence[Reading]) -> None:
    """Keep readings, one for each account, name and moment."""
    if not readings:
        return
    rows = [
        {
            "source": one.source,
            "account": one.account,
            "name": one.name,
            "at": seconds(one.at),
            "value": one.value,
        }
        for one in readings
    ]
    connection.execute(_SAVE, rows)
    named = [row | {"title": one.title or one.account, "own": one.own} for row, one in zip(rows, readings, strict=True)]
    connection.execute(_KEEP_LATEST, named)


def accounts(connection: Connection) -> list[Account]:
    """Return every account whose numbers were ever read, ours first, by title."""
    found: dict[tuple[str, str], list[tuple[str, bool, str, Point]]] = {}
    for row in connection.execute(_LATEST):
        point = Point(moment(row.at), row.value)
        found.setdefault((row.source, row.account), []).append((row.title, row.own, row.name, point))
    return [
        Account(
            source=SourceId(source),
            name=name,
            title=rows[0][0],
            own=rows[0][1],
            latest={metric: point for _, _, metric, point in rows},
        )
        for (source, name), rows in found.items()
    ]


def readings_series(connection: Connection, account: Account, metric: str, since: datetime) -> list[Point]:
    """Return one metric of an account from `since` on, oldest first (primary key of reading)."""
    rows = connection.execute(
        _SERIES, {"source": account.source, "account": account.name, "name": metric, "since": seconds(since)}
    )
    return [Point(moment(at), value) for at, value in rows]


def thinned(connection: Connection, account: Account, metric: str, *, since: datetime, every: timedelta) -> list[Point]:
    """Return the first reading from `since` on and the last of every stretch, oldest first (primary key of reading)."""
    asked = {"source": account.source, "account": account.name, "name": metric, "since": seconds(since)}
    rows = connection.execute(_THINNED, asked | {"every": int(every.total_seconds())})
    return [Point(moment(at), value) for at, value in rows]
