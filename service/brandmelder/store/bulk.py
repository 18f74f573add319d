"""How are many rows written at once? SQLAlchemy says the statement once, and the driver takes the rows as they are.

For a thousand rows SQLAlchemy's own way spends several times as long on their parameters as SQLite on the writing. The
price: a value goes to the driver as it is, so it must be one that SQLite knows (numbers, truth values, texts, bytes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.sql.dml import UpdateBase


class Bulk:
    """A statement without constants, to be run for many rows; `columns` are what an insert writes."""

    def __init__(self, statement: UpdateBase, columns: Sequence[str] | None = None) -> None:
        self._statement, self._columns = statement, None if columns is None else list(columns)
        self._said: tuple[str, list[str]] | None = None

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run the statement once for each row, given as its parameters by name; returns how many rows it wrote."""
        if not rows:
            return 0
        if self._said is None:
            self._said = self._say(connection)
        sql, order = self._said
        return connection.exec_driver_sql(sql, [tuple([row[name] for name in order]) for row in rows]).rowcount

    def _say(self, connection: Connection) -> tuple[str, list[str]]:
        compiled = self._statement.compile(dialect=connection.dialect, column_keys=self._columns)
        return str(compiled), cast("list[str]", compiled.positiontup)
