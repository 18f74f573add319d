"""Bins, the ledger behind them, and what each monitor's detector remembers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.errors import Conflict
from brandmelder.model import BIN, MentionId, MonitorId, SourceId
from brandmelder.store.bulk import Bulk
from brandmelder.store.database import maybe_moment, maybe_seconds, moment, seconds
from brandmelder.store.schema import bin_, match, mention, monitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

_NUMBERS = ("total", "negative", "labelled", "reach")

_ENTER = Bulk(insert(match))
_NEW_BIN = insert(bin_)
_ADD = Bulk(
    _NEW_BIN.on_conflict_do_update(
        index_elements=["monitor", "start", "source", "history"],
        set_={name: bin_.c[name] + _NEW_BIN.excluded[name] for name in _NUMBERS},
    )
)
_MARK_DIRTY = (
    update(monitor)
    .where(
        monitor.c.id == bindparam("ident"),
        monitor.c.evaluated_through > bindparam("at"),
        func.coalesce(monitor.c.dirty_since, bindparam("at") + 1) > bindparam("at"),
    )
    .values(dirty_since=bindparam("at"))
)
_IN_SPAN = (
    bin_.c.monitor == bindparam("name"),
    bin_.c.start >= bindparam("since"),
    bin_.c.start < bindparam("until"),
)
_COUNTS = (
    select(bin_.c.start, bin_.c.source, bin_.c.history, *(bin_.c[name] for name in _NUMBERS))
    .where(*_IN_SPAN)
    .order_by(bin_.c.start, bin_.c.source)
)
_VOLUME = select(func.coalesce(func.sum(bin_.c.total), 0), func.coalesce(func.sum(bin_.c.labelled), 0)).where(*_IN_SPAN)
_SHARES = select(bin_.c.source, func.sum(bin_.c.total)).where(*_IN_SPAN).group_by(bin_.c.source)
_STANDS = select(match.c.mention).where(
    match.c.monitor == bindparam("name"),
    match.c.published_at == bindparam("at"),
    match.c.mention == bindparam("ident"),
)
_MONITORS = select(monitor)
_MONITOR = select(monitor).where(monitor.c.id == bindparam("ident"))
_NEW_MONITOR = insert(monitor)
_SAVE_MONITOR = (
    update(monitor)
    .where(monitor.c.id == bindparam("ident"), monitor.c.revision == bindparam("expected"))
    .values({name: bindparam(name) for name in ("rules", "revision", "state", "evaluated_through", "news_since")})
)
_CLEAN = (
    update(monitor)
    .where(monitor.c.id == bindparam("ident"), monitor.c.dirty_since == bindparam("seen"))
    .values(dirty_since=None)
)


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the ledger: what a mention counted for a monitor, once and for all."""

    monitor: MonitorId
    mention: MentionId
    source: SourceId
    published_at: datetime
    history: bool
    total: float
    negative: float
    labelled: float
    reach: float


class SourceCount(Struct, frozen=True, kw_only=True):
    """Counts of one source in one bin of a monitor."""

    start: datetime
    source: SourceId
    history: bool
    total: float
    negative: float
    labelled: float
    reach: float


class MonitorRow(Struct, frozen=True, kw_only=True):
    """What the database remembers of one monitor."""

    id: MonitorId
    rules: str
    """Hash of the query, the sources and the sensitivity under which it was counted."""
    revision: int = 0
    state: bytes | None = None
    evaluated_through: datetime | None = None
    news_since: datetime | None = None
    """Start of the first bin that may open an incident."""
    dirty_since: datetime | None = None
    """The oldest bin that changed after it was evaluated."""


def counted(connection: Connection, entries: Iterable[Entry]) -> set[tuple[MonitorId, MentionId]]:
    """Return which of the lines stand in the ledger already (primary key of match: an edit keeps its event time)."""
    found: set[tuple[MonitorId, MentionId]] = set()
    for one in entries:
        asked = {"name": one.monitor, "at": seconds(one.published_at), "ident": int(one.mention)}
        if connection.scalar(_STANDS, asked) is not None:
            found.add((one.monitor, one.mention))
    return found


def enter(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write lines of the ledger and add them to their bins: one upsert per touched bin, in the same transaction."""
    if not entries:
        return
    _ENTER.run(
        connection,
        [
            {
                "monitor": one.monitor,
                "published_at": seconds(one.published_at),
                "mention": one.mention,
                "source": one.source,
                "history": one.history,
                "total": one.total,
                "negative": one.negative,
                "labelled": one.labelled,
                "reach": one.reach,
            }
            for one in entries
        ],
    )
    _ADD.run(connection, list(_sums(entries).values()))
    _mark_dirty(connection, entries)


def _sums(entries: Sequence[Entry]) -> dict[tuple[str, int, str, bool], dict[str, Any]]:
    width = int(BIN.total_seconds())
    sums: dict[tuple[str, int, str, bool], dict[str, Any]] = {}
    for one in entries:
        at = seconds(one.published_at)
        key = (one.monitor, at - at % width, one.source, one.history)
        row = sums.get(key)
        if row is None:
            row = sums[key] = dict(zip(("monitor", "start", "source", "history"), key, strict=True))
            row |= dict.fromkeys(_NUMBERS, 0)
        row["total"] += one.total
        row["negative"] += one.negative
        row["labelled"] += one.labelled
        row["reach"] += one.reach
    return sums


def _mark_dirty(connection: Connection, entries: Sequence[Entry]) -> None:
    oldest: dict[str, int] = {}
    for one in entries:
        at = seconds(one.published_at)
        oldest[one.monitor] = min(oldest.get(one.monitor, at), at)
    for name, at in sorted(oldest.items()):
        mark_dirty(connection, MonitorId(name), moment(at))


def mark_dirty(connection: Connection, name: MonitorId, since: datetime) -> None:
    """Remember that bins from `since` on changed after they were evaluated."""
    connection.execute(_MARK_DIRTY, {"ident": name, "at": seconds(since)})


def counts(connection: Connection, name: MonitorId, since: datetime, until: datetime) -> list[SourceCount]:
    """Return a monitor's counts per bin and source in [since, until), in order of time (primary key of bin)."""
    rows = connection.execute(_COUNTS, {"name": name, "since": seconds(since), "until": seconds(until)}).all()
    return [
        SourceCount(
            start=moment(start),
            source=SourceId(source),
            history=history,
            total=total,
            negative=negative,
            labelled=labelled,
            reach=reach,
        )
        for start, source, history, total, negative, labelled, reach in rows
    ]


class Volume(Struct, frozen=True):
    """What was counted in a span: all mentions, and those labelled negative."""

    total: float
    negative: float


def volume(connection: Connection, name: MonitorId, since: datetime, until: datetime) -> Volume:
    """Return what a monitor counted in [since, until) (primary key of bin)."""
    row = connection.execute(_VOLUME, {"name": name, "since": seconds(since), "until": seconds(until)}).one()
    return Volume(float(row[0]), float(row[1]))


def shares(connection: Connection, name: MonitorId, since: datetime, until: datetime) -> dict[SourceId, float]:
    """Return each source's mentions of a monitor in [since, until): the weights of its exposure."""
    rows = connection.execute(_SHARES, {"name": name, "since": seconds(since), "until": seconds(until)})
    return {SourceId(source): float(total) for source, total in rows}


def first_bins(connection: Connection, name: MonitorId) -> dict[SourceId, datetime]:
    """Return the start of each source's first bin of a monitor: from there on it was seen."""
    rows = connection.execute(
        select(bin_.c.source, func.min(bin_.c.start).label("first"))
        .where(bin_.c.monitor == name)
        .group_by(bin_.c.source)
    )
    return {SourceId(row.source): moment(row.first) for row in rows}


def read_monitors(connection: Connection) -> dict[MonitorId, MonitorRow]:
    """Return every monitor's row."""
    return {MonitorId(row.id): _monitor(row) for row in connection.execute(_MONITORS)}


def read_monitor(connection: Connection, name: MonitorId) -> MonitorRow | None:
    """Return one monitor's row, if it was ever evaluated."""
    row = connection.execute(_MONITOR, {"ident": name}).one_or_none()
    return None if row is None else _monitor(row)


def _monitor(row: Row[Any]) -> MonitorRow:
    return MonitorRow(
        id=MonitorId(row.id),
        rules=row.rules,
        revision=row.revision,
        state=row.state,
        evaluated_through=maybe_moment(row.evaluated_through),
        news_since=maybe_moment(row.news_since),
        dirty_since=maybe_moment(row.dirty_since),
    )


def save_monitor(connection: Connection, row: MonitorRow) -> MonitorRow:
    """Write a monitor's row by compare-and-set on its revision. Raises Conflict if somebody was faster.

    The mark of changed bins is cleared only if it is still the one that `row` was read with.
    """
    values = {
        "rules": row.rules,
        "revision": row.revision + 1,
        "state": row.state,
        "evaluated_through": maybe_seconds(row.evaluated_through),
        "news_since": maybe_seconds(row.news_since),
    }
    if row.revision == 0:
        connection.execute(_NEW_MONITOR, values | {"id": row.id})
    else:
        done = connection.execute(_SAVE_MONITOR, values | {"ident": row.id, "expected": row.revision})
        if done.rowcount != 1:
            raise Conflict(f"monitor {row.id!r} was evaluated by somebody else")
        if row.dirty_since is not None:
            connection.execute(_CLEAN, {"ident": row.id, "seen": seconds(row.dirty_since)})
    return MonitorRow(
        id=row.id,
        rules=row.rules,
        revision=row.revision + 1,
        state=row.state,
        evaluated_through=row.evaluated_through,
        news_since=row.news_since,
    )


def forget_state(connection: Connection, names: Sequence[MonitorId]) -> None:
    """Have monitors learn their baseline anew from their bins at the next evaluation."""
    connection.execute(
        update(monitor).where(monitor.c.id.in_(names)).values(state=None, revision=monitor.c.revision + 1)
    )


def rebuild_bins(connection: Connection) -> int:
    """Rebuild every bin from the ledger; returns how many there are."""
    width = int(BIN.total_seconds())
    start = match.c.published_at - match.c.published_at % width
    connection.execute(delete(bin_))
    connection.execute(
        insert(bin_).from_select(
            ["monitor", "start", "source", "history", *_NUMBERS],
            select(
                match.c.monitor,
                start,
                match.c.source,
                match.c.history,
                func.sum(match.c.total),
                func.sum(match.c.negative),
                func.sum(match.c.labelled),
                func.sum(match.c.reach),
            ).group_by(match.c.monitor, start, match.c.source, match.c.history),
        )
    )
    return connection.scalar(select(func.count()).select_from(bin_)) or 0


def strike(connection: Connection, name: MonitorId, *, after: int = 0) -> None:
    """Empty a monitor's ledger behind a mention: a recount writes it anew.

    What has no text any more keeps its line: it cannot.
    """
    readable = select(mention.c.id).where(mention.c.removed_at.is_(None), mention.c.id > after)
    connection.execute(delete(match).where(match.c.monitor == name, match.c.mention.in_(readable)))


def matches(connection: Connection, name: MonitorId) -> int:
    """Return how many mentions count for a monitor."""
    return connection.scalar(select(func.count()).select_from(match).where(match.c.monitor == name)) or 0
