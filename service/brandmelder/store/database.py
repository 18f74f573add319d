"""The database: one file, one writer thread, and every transaction one function run in it; pages read beside it.

The connection stays open between transactions, and the stores build their statements once: SQLAlchemy then spends a
tenth of the time of a transaction, not nine tenths.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, event, inspect
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from brandmelder.errors import StoreBusy, StoreError, StoreFull, StoreTooNew
from brandmelder.store import api_schema, journal, page_schema, schema, schema_polls
from brandmelder.store.commits import Commits
from brandmelder.store.readers import Readers
from brandmelder.store.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine.interfaces import DBAPIConnection

P = ParamSpec("P")
T = TypeVar("T")

_FURTHER = (api_schema.token, page_schema.member, schema_polls.usage)
"""Tables that stand in files of their own: what imports these makes the metadata whole."""
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA cache_size=-65536",
    "PRAGMA wal_autocheckpoint=4096",
)


def seconds(moment: datetime) -> int:
    """Return whole seconds since 1970, as the tables hold them."""
    return int(moment.timestamp())


def moment(value: int) -> datetime:
    """Return the aware UTC moment of a table's integer."""
    return datetime.fromtimestamp(value, UTC)


def maybe_seconds(value: datetime | None) -> int | None:
    """Return the seconds of a moment that may be missing."""
    return None if value is None else seconds(value)


def maybe_moment(value: int | None) -> datetime | None:
    """Return the moment of an integer that may be missing."""
    return None if value is None else moment(value)


class Immediate(SQLiteDialect_pysqlite):
    """SQLite whose transactions take the right to write at once.

    The dialect says so, and no listener for "begin": with one, SQLAlchemy asks its listeners about every statement.
    """

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: DBAPIConnection) -> None:
        """Begin a transaction."""
        cursor = dbapi_connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        cursor.close()


registry.register("sqlite.immediate", __name__, Immediate.__name__)


class Database:
    """SQLite behind one thread. `run(function, …)` is one transaction; the event loop never waits for a disk.

    A database in memory has no disk to wait for: its transactions run on the spot.
    """

    def __init__(self, url: str, *, exclusive: bool = False) -> None:
        """Open `url` (`sqlite:///FILE` or `sqlite://` for memory); `exclusive` keeps a second service away.

        Raises StoreBusy if another service holds the file, StoreError if it cannot be opened.
        """
        self.path = path_of(url)
        self._lock = _take_lock(self.path) if exclusive and self.path else None
        self._standing = Standing(self.path) if exclusive and self.path else None
        self._engine = create_engine(
            make_url(url).set(drivername="sqlite+immediate"),
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            hide_parameters=True,
        )
        event.listen(self._engine, "connect", _on_connect)
        self._connection: Connection | None = None
        self._turn = threading.RLock()
        self.commits = Commits()
        self._data_version: int | None = None
        self._readers = Readers(self.path) if self.path else None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")

    async def run(
        self,
        function: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `function(connection, …)` as one transaction in the database thread.

        Raises StoreFull, StoreBusy or StoreError; the transaction is rolled back and nothing is half done. A cancelled
        caller does not stop the transaction: it ends either way before the next one begins.
        """
        if self.path is None:
            return self.run_now(function, *args, **kwargs)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: self.run_now(function, *args, **kwargs))

    async def look(
        self,
        function: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function that only reads, over a snapshot: it waits for no writer, and none waits for it.

        What was committed before is seen. Raises StoreBusy or StoreError; StoreError, too, for one that writes.
        """
        readers = self._readers
        if readers is None:
            return await self.run(function, *args, **kwargs)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(readers.threads, lambda: readers.look(function, *args, **kwargs))
        except DatabaseError as error:
            raise _explain(error, self.path) from error

    def run_now(
        self,
        function: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run one transaction in the calling thread: for commands that have no event loop."""
        try:
            with self._turn, self.commits.timed(), (connection := self._open()).begin():
                result = function(connection, *args, **kwargs)
                self.commits.writes()
        except DatabaseError as error:
            raise _explain(error, self.path) from error
        return result

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._begin()
        if self._standing is not None:
            self._standing.check()
        return self._connection

    def _begin(self) -> Connection:
        connection = self._engine.connect()
        if self._lock is not None and self.path is not None:
            try:
                journal.write_down(connection, self.path)
            except BaseException:
                connection.close()
                raise
        return connection

    async def was_changed_by_others(self) -> bool:
        """Say whether another process (a command) wrote to the file since this was asked last."""
        version = await self.run(lambda connection: connection.exec_driver_sql("PRAGMA data_version").scalar())
        before, self._data_version = self._data_version, version
        return before is not None and version != before

    def prepare(self) -> None:
        """Create the tables of a new database; refuse one that is older or newer than this version.

        Raises StoreTooNew, or StoreError that names `brandmelder migrate`.
        """
        if self.path is not None:
            _keep_private(self.path)
        found = self.run_now(revision)
        if found == schema.HEAD:
            return
        if found is None:
            self._create()
        elif found in known_revisions():
            raise StoreError(
                f"the database {self.path} is older than this version; run: brandmelder backup, then brandmelder "
                "migrate"
            )
        else:
            raise self._too_new(found)

    def _too_new(self, found: str) -> StoreTooNew:
        return StoreTooNew(
            f"the database {self.path} was written by a newer version (revision {found}, this one knows "
            f"{schema.HEAD}); upgrade brandmelder, or restore the backup made before the upgrade"
        )

    def _create(self) -> None:
        if self.path is None:
            self.run_now(schema.metadata.create_all)
        else:
            self.migrate()

    def migrate(self) -> str:
        """Bring the database to this version's schema; returns the revision reached. Raises StoreTooNew."""
        from brandmelder.store.migrations.upgrade import upgrade  # noqa: PLC0415 -- alembic is heavy and seldom needed

        found = self.run_now(revision)
        if found is not None and found not in known_revisions():
            raise self._too_new(found)
        self.run_now(upgrade)
        return schema.HEAD

    def scrub(self, *, rebuild: bool = False) -> None:
        """Carry the journal into the file and empty it: nothing that was deleted stands in it any more.

        `rebuild` writes the whole file anew; that takes as much space again. Raises StoreBusy while others read,
        StoreFull or StoreError if the disk does not take it.
        """
        try:
            with self._turn:
                raw = self._open().connection.driver_connection
                if raw is not None:
                    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if raw is not None and rebuild:
                    raw.execute("VACUUM")
                    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise StoreBusy(f"database {self.path}: {error}; stop the service and try again") from error
            raise _explain(error, self.path) from error

    def close(self) -> None:
        """Let the last transaction end, then let go of the file."""
        self._thread.shutdown(wait=True)
        if self._readers is not None:
            self._readers.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def path_of(url: str) -> Path | None:
    """Return the file of a database; None if it lies in memory. Raises StoreError for what is no SQLite."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(f"database {parsed.render_as_string()}: only sqlite:///FILE is supported")
    return None if parsed.database in {None, "", ":memory:"} else Path(str(parsed.database))


def _keep_private(path: Path) -> None:
    """Make a new database readable for its owner alone: it holds what people wrote."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"database {path}: {error.strerror}; choose a place this user may write to") from error


def _take_lock(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"database {path}: {error.strerror}; choose a place this user may write to") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise StoreBusy(
            f"database {path}: another brandmelder runs on it; stop that one first, or give this one its own database"
        ) from error
    return handle


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def revision(connection: Connection) -> str | None:
    """Return which migration the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return schema.HEAD if inspect(connection).has_table("mention") else None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def known_revisions() -> frozenset[str]:
    """Return the revisions that this version can bring to its own."""
    return frozenset(path.name[:4] for path in (Path(__file__).parent / "migrations" / "versions").glob("0*.py"))


_ADVICE = {
    "malformed": "stop the service, keep the file, and see docs/how-to/backup.md",
    "not a database": "see that the configuration names the right file, or docs/how-to/backup.md",
    "readonly": "run this as the user who owns the file (sudo -u); is its disk mounted for writing?",
    "disk I/O": "see the system's log for what is wrong with the disk; the work is repeated",
    "unable to open": "is it there, may this user write there (sudo -u), are files left to open (ulimit -n)?",
}
"""What to do, by what SQLite says (https://sqlite.org/rescode.html)."""


def _explain(error: DatabaseError | sqlite3.Error, path: Path | None) -> StoreError:
    cause = error.orig if isinstance(error, DatabaseError) else error
    reason, is_operational = str(cause), isinstance(cause, sqlite3.OperationalError)
    if is_operational and "full" in reason:
        return StoreFull(
            f"database {path}: the disk is full; free space; nothing was lost, reading goes on where it stopped"
        )
    if is_operational and "locked" in reason:
        return StoreBusy(f"database {path}: locked by another program (a backup?); the work is repeated")
    advice = next((advice for told, advice in _ADVICE.items() if told in reason), "")
    return StoreError(f"database {path}: {reason}{advice and f'; {advice}'}")
