"""Reads beside the writer: a few threads, each with a connection of its own that cannot write (decision 0101)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

P = ParamSpec("P")
T = TypeVar("T")

THREADS: Final = 4
"""One that searches for a second must not hold up the others; more would only take turns at the interpreter."""
_PRAGMAS: Final = ("PRAGMA query_only=ON", "PRAGMA busy_timeout=5000", "PRAGMA cache_size=-32768")


class Readers:
    """Connections to one file for reading. What each look sees is the file as it stood when the look began."""

    def __init__(self, path: Path) -> None:
        self._engine = create_engine(
            f"sqlite:///{path}", poolclass=NullPool, connect_args={"check_same_thread": False}, hide_parameters=True
        )
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", _on_begin)
        self._mine = threading.local()
        self._open: list[Connection] = []
        self.threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="reader")

    def look(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function over one snapshot, in a thread of `threads`."""
        connection = self._connection()
        with connection.begin():
            return function(connection, *args, **kwargs)

    def _connection(self) -> Connection:
        found: Connection | None = getattr(self._mine, "connection", None)
        if found is None:
            found = self._mine.connection = self._engine.connect()
            self._open.append(found)
        return found

    def close(self) -> None:
        """Let the last looks end, then let go of the file."""
        self.threads.shutdown(wait=True)
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._engine.dispose()


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
