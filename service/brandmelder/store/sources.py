"""How far each source was read, how it is, and what we know we missed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import Cursor, Gap, SourceId, SourceState
from brandmelder.store.database import maybe_moment, maybe_seconds, moment, seconds
from brandmelder.store.schema import gap, source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row


_REGISTER = insert(source).on_conflict_do_nothing(index_elements=["id"])
_ALL = select(source)
_ONE = select(source).where(source.c.id == bindparam("ident"))
_SAVE = (
    update(source)
    .where(source.c.id == bindparam("ident"))
    .values({column.name: bindparam(column.name) for column in source.c if column.name != "id"})
)
_WAKE_SPENT = update(source).where(source.c.fault == "spent").values(next_poll_at=bindparam("moment"))
_SAVE_GAP = insert(gap).on_conflict_do_nothing(index_elements=["source", "since", "until"])
_OPEN_GAPS = select(gap).where(gap.c.until > bindparam("since"), gap.c.filled_at.is_(None))


class SourceRow(Struct, frozen=True, kw_only=True):
    """What the database remembers of one source."""

    id: SourceId
    next_poll_at: datetime
    cursor: Cursor | None = None
    read_until: datetime | None = None
    first_contact: datetime | None = None
    history_done: bool = False
    last_success_at: datetime | None = None
    failures: int = 0
    state: SourceState = SourceState.OK
    state_since: datetime | None = None
    blind_since: datetime | None = None
    good_since: datetime | None = None
    """Since when every poll was good; None after a bad one."""
    every: timedelta | None = None
    """The interval it is asked at now: shorter in a storm, longer when idle or to save a budget."""
    empty_polls: int = 0
    """So many polls in a row brought nothing."""
    fault: str = ""
    """What kind of fault its last poll met: the name of an error, `bug`; empty if it was good."""
    note: str = ""
    """Why it is not wholly well, in a sentence; empty if it is."""
    clock_offset: timedelta | None = None
    """By how much its server's clock was ahead of ours in the last poll; None where it does not say."""
    skewed_since: datetime | None = None
    """Since when that is too much; None while it is not."""
    expires_at: datetime | None = None
    """When what lets us in ends, as the service says; None where it does not say."""


def register(connection: Connection, first_polls: Mapping[SourceId, datetime]) -> None:
    """Make a row for each source that has none yet, due at its moment."""
    rows = [
        {
            "id": ident,
            "next_poll_at": seconds(at),
            "history_done": False,
            "failures": 0,
            "state": SourceState.OK.value,
            "empty_polls": 0,
            "fault": "",
            "note": "",
        }
        for ident, at in first_polls.items()
    ]
    if rows:
        connection.execute(_REGISTER, rows)


def read_sources(connection: Connection) -> dict[SourceId, SourceRow]:
    """Return every source's row."""
    return {SourceId(row.id): _source(row) for row in connection.execute(_ALL).all()}


def read_source(connection: Connection, ident: SourceId) -> SourceRow:
    """Return the row of one registered source."""
    return _source(connection.execute(_ONE, {"ident": ident}).one())


def _source(row: Row[Any]) -> SourceRow:
    return SourceRow(
        id=SourceId(row.id),
        next_poll_at=moment(row.next_poll_at),
        cursor=None if row.cursor is None else Cursor(row.cursor),
        read_until=maybe_moment(row.read_until),
        first_contact=maybe_moment(row.first_contact),
        history_done=row.history_done,
        last_success_at=maybe_moment(row.last_success_at),
        failures=row.failures,
        state=_state(row.state),
        state_since=maybe_moment(row.state_since),
        blind_since=maybe_moment(row.blind_since),
        good_since=maybe_moment(row.good_since),
        every=_maybe_span(row.every),
        empty_polls=row.empty_polls,
        fault=row.fault,
        note=row.note,
        clock_offset=_maybe_span(row.clock_offset),
        skewed_since=maybe_moment(row.skewed_since),
        expires_at=maybe_moment(row.expires_at),
    )


def _state(value: str) -> SourceState:
    """Return a source's state; one that a newer version knew is not known to be well, until the next poll says."""
    try:
        return SourceState(value)
    except ValueError:
        return SourceState.FAILING


def _maybe_span(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _maybe_whole(value: timedelta | None) -> int | None:
    return None if value is None else int(value.total_seconds())


def save_source(connection: Connection, row: SourceRow) -> None:
    """Write one source's row."""
    connection.execute(
        _SAVE,
        {
            "ident": row.id,
            "cursor": row.cursor,
            "read_until": maybe_seconds(row.read_until),
            "first_contact": maybe_seconds(row.first_contact),
            "history_done": row.history_done,
            "next_poll_at": seconds(row.next_poll_at),
            "last_success_at": maybe_seconds(row.last_success_at),
            "failures": row.failures,
            "state": row.state.value,
            "state_since": maybe_seconds(row.state_since),
            "blind_since": maybe_seconds(row.blind_since),
            "good_since": maybe_seconds(row.good_since),
            "every": _maybe_whole(row.every),
            "empty_polls": row.empty_polls,
            "fault": row.fault,
            "note": row.note,
            "clock_offset": _maybe_whole(row.clock_offset),
            "skewed_since": maybe_seconds(row.skewed_since),
            "expires_at": maybe_seconds(row.expires_at),
        },
    )


def wake_spent(connection: Connection, now: datetime) -> None:
    """Have sources asked at once whose budget was spent: a new configuration may have raised it."""
    connection.execute(_WAKE_SPENT, {"moment": seconds(now)})


def save_gap(connection: Connection, one: Gap) -> None:
    """Declare a gap once."""
    connection.execute(
        _SAVE_GAP,
        {
            "source": one.source,
            "since": seconds(one.since),
            "until": seconds(one.until),
            "reason": one.reason,
            "expected": one.expected,
            "resume": one.resume,
        },
    )


def open_gaps(connection: Connection, since: datetime) -> list[Gap]:
    """Return the gaps that reach past `since` and are not filled."""
    rows = connection.execute(_OPEN_GAPS, {"since": seconds(since)})
    return [
        Gap(
            source=SourceId(row.source),
            since=moment(row.since),
            until=moment(row.until),
            reason=row.reason,
            expected=row.expected,
            resume=None if row.resume is None else Cursor(row.resume),
        )
        for row in rows
    ]
