"""Rows that cannot be decoded: passed over, said once each, never overwritten (decision 0111).

A bug, a hand edit, a version that knows words this one does not: one such row must not keep its table from its readers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import structlog

from brandmelder.errors import RowUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection, Row

    AnyRow: TypeAlias = Row[*tuple[Any, ...]]

T = TypeVar("T")

log = structlog.get_logger()

ASIDE = "unreadable"
"""The state of a row that was set aside, lest it block what comes after it; what the row holds stays as it is."""
WHAT_TO_DO = "it is left as it is; see docs/how-to/backup.md, One row cannot be read"
_TROUBLE = (ValueError, TypeError, OverflowError, RecursionError)
"""What msgspec and our constructors raise over bytes that are not what they should be (a MsgspecError is the first)."""
_SAID = "brandmelder.unreadable"


def readable(
    connection: Connection, table: str, rows: Iterable[AnyRow], read: Callable[[AnyRow], T], *, keys: int = 1
) -> list[T]:
    """Return what rows hold, but for those that nobody can read; a row's first `keys` columns are its name."""
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except _TROUBLE as error:
            _note(connection, table, _name(row, keys), error)
    return found


def page(
    connection: Connection,
    table: str,
    ask: Callable[[int, AnyRow | None], Sequence[AnyRow]],
    read: Callable[[AnyRow], T],
    *,
    limit: int,
) -> list[T]:
    """Return what the next `limit` rows that can be read hold; `ask` brings so many rows behind one, or the first."""
    found: list[T] = []
    last: AnyRow | None = None
    while (missing := limit - len(found)) > 0:  # once, where all of them can be read
        rows = ask(missing, last)
        found += readable(connection, table, rows, read)
        if len(rows) < missing:
            break
        last = rows[-1]
    return found


def only(connection: Connection, table: str, row: AnyRow, read: Callable[[AnyRow], T]) -> T:
    """Return what one row holds that was asked for by its name, its first column. Raises RowUnreadable."""
    try:
        return read(row)
    except _TROUBLE as error:
        name = _name(row, 1)
        _note(connection, table, name, error)
        raise RowUnreadable(f"{table} {name} in the database cannot be read ({error}); {WHAT_TO_DO}") from error


def troubles(table: str, rows: Iterable[AnyRow], read: Callable[[AnyRow], object], *, keys: int = 1) -> list[str]:
    """Return the rows that nobody can read, each with its name and why."""
    found = []
    for row in rows:
        try:
            read(row)
        except _TROUBLE as error:
            found.append(f"{table} {_name(row, keys)} ({error})")
    return found


def _name(row: AnyRow, keys: int) -> str:
    return "/".join(str(one) for one in row[:keys])


def _note(connection: Connection, table: str, name: str, error: Exception) -> None:
    """Say it once for each connection: a process has one that writes and a few that read."""
    said: set[tuple[str, str]] = connection.info.setdefault(_SAID, set())
    if (table, name) not in said:
        said.add((table, name))
        log.error("row.unreadable", table=table, row=name, reason=str(error), todo=WHAT_TO_DO)
