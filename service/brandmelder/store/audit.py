"""Who did what: rows that are only added, each sealed with the one before, so that a change is seen.

What is sealed is everything a row says. Who can write the file can also write a whole new chain: therefore the head is
logged at every start and can be noted elsewhere (`brandmelder audit verify --head`).
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, delete, func, insert, select

from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import AUDIT_KEPT_DAYS, audit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

KEPT = timedelta(days=AUDIT_KEPT_DAYS)
FIRST = "0" * 64
"""What the first row is sealed with."""
FORGOTTEN = "audit.forget"
"""The act that tells up to which row the beginning is missing rightly."""
_PAGE = 1000
_LAST = select(audit.c.digest).order_by(audit.c.number.desc()).limit(1)
_ADD = insert(audit)
_AFTER = select(audit).where(audit.c.number > bindparam("after")).order_by(audit.c.number).limit(_PAGE)
_NEWEST = select(audit).order_by(audit.c.number.desc()).limit(bindparam("limit"))
_OLD = select(func.max(audit.c.number)).where(audit.c.at < bindparam("before"))
_FORGET = delete(audit).where(audit.c.number <= bindparam("through"))


class Entry(Struct, frozen=True, kw_only=True):
    """One act. `detail` is JSON: what was before and after, why, through what."""

    number: int
    at: datetime
    actor: str
    act: str
    subject: str
    detail: str
    previous: str
    digest: str

    def is_sealed(self) -> bool:
        """Whether the seal fits what the row says."""
        return self.digest == _seal(self.previous, seconds(self.at), self.actor, self.act, self.subject, self.detail)


class Verified(Struct, frozen=True, kw_only=True):
    """What a look at the whole chain found."""

    rows: int
    head: str
    broken: int | None = None
    """The first row that was altered, or before which one is missing."""
    has_wanted: bool = True
    """Whether the head asked for stands in the chain."""


def record(connection: Connection, act: str, /, *, by: str, subject: str = "", now: datetime, **detail: Any) -> None:
    """Add one row, in the transaction that does what it tells of. Empty details are left out."""
    said = {name: value for name, value in detail.items() if value not in {None, ""}}
    body = msgspec.json.encode(said, order="sorted").decode() if said else ""
    previous = connection.scalar(_LAST) or FIRST
    at = seconds(now)
    row = {"at": at, "actor": by, "act": act, "subject": subject, "detail": body, "previous": previous}
    connection.execute(_ADD, row | {"digest": _seal(previous, at, by, act, subject, body)})


def _seal(previous: str, *said: str | int) -> str:
    # As JSON, so that no two rows are written alike.
    return hashlib.sha256(msgspec.json.encode([previous, *said])).hexdigest()


def entries(connection: Connection) -> Iterator[Entry]:
    """Yield every row, oldest first."""
    after = 0
    while page := connection.execute(_AFTER, {"after": after}).all():
        yield from (_entry(row) for row in page)
        after = page[-1].number


def newest(connection: Connection, limit: int) -> list[Entry]:
    """Return the last rows, newest first."""
    return [_entry(row) for row in connection.execute(_NEWEST, {"limit": limit})]


def head(connection: Connection) -> str:
    """Return the seal of the last row."""
    return connection.scalar(_LAST) or FIRST


def verify(connection: Connection, wanted: str | None = None) -> Verified:
    """Go through the whole chain. What is older than a year may be missing at its beginning, and nowhere else."""
    rows, number, began = 0, 0, 0
    last, forgotten = FIRST, 0
    broken: int | None = None
    has_wanted = wanted is None
    for one in entries(connection):
        follows = one.previous == last and one.number == number + 1
        if rows == 0 and one.number > 1:
            began, follows = one.number, True
        if broken is None and not (follows and one.is_sealed()):
            broken = one.number
        if one.act == FORGOTTEN:
            forgotten = _through(one)
        rows, last, number = rows + 1, one.digest, one.number
        has_wanted = has_wanted or one.digest == wanted
    if began and forgotten != began - 1:
        broken = broken or began
    return Verified(rows=rows, head=last, broken=broken or _lost(connection, number), has_wanted=has_wanted)


def _through(one: Entry) -> int:
    """Return up to which row was forgotten; 0 if somebody altered what the row says."""
    try:
        return msgspec.json.decode(one.detail, type=_Forgotten).through
    except msgspec.MsgspecError:
        return 0


class _Forgotten(Struct, frozen=True):
    through: int


def _lost(connection: Connection, last: int) -> int | None:
    """Return the number of a row that was cut off at the end: SQLite remembers the highest it ever gave."""
    if connection.dialect.name != "sqlite":
        return None
    given = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").scalar()
    return None if given is None or given == last else int(given)


def forget(connection: Connection, now: datetime) -> int:
    """Delete what is older than a year, and say so in a row; returns how many went. Nothing younger can be deleted."""
    through = connection.scalar(_OLD, {"before": seconds(now - KEPT)})
    if through is None:
        return 0
    gone = connection.execute(_FORGET, {"through": through}).rowcount
    record(connection, FORGOTTEN, by="retention", now=now, through=through, rows=gone)
    return gone


def count(connection: Connection) -> int:
    """Return how many rows there are."""
    return connection.scalar(select(func.count()).select_from(audit)) or 0


def _entry(row: Any) -> Entry:
    return Entry(
        number=row.number,
        at=moment(row.at),
        actor=row.actor,
        act=row.act,
        subject=row.subject,
        detail=row.detail,
        previous=row.previous,
        digest=row.digest,
    )
