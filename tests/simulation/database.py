"""The real store in memory, behind a thread that takes its time, and a process that may die at any commit."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

from sqlalchemy.exc import DatabaseError

from brandmelder.errors import StoreBusy, StoreFull
from brandmelder.store.database import Database, _explain

_TRACKED = {"delivery": ("key", ("state",)), "incident": ("id", ("state", "revision"))}


class Disk:
    """One SQLite in memory for all seeds of a worker: statements stay compiled, only its content is exchanged."""

    def __init__(self):
        self.database = Database("sqlite://")
        self.database.prepare()
        self.connection = self.database._open()
        self.raw = self.connection.connection.driver_connection
        self.empty = self.copy()

    def copy(self):
        copy = sqlite3.connect(":memory:")
        self.raw.backup(copy)
        return copy

    def load(self, content):
        """Put the content of a copy in the place of what there is."""
        self.raw.rollback()
        content.backup(self.raw)
        for name in [row[0] for row in self.raw.execute("SELECT name FROM temp.sqlite_master WHERE type = 'trigger'")]:
            self.raw.execute(f"DROP TRIGGER temp.{name}")
        self.raw.execute("CREATE TEMP TABLE IF NOT EXISTS moved (what TEXT, ident TEXT, before TEXT, after TEXT)")
        self.raw.execute("DELETE FROM moved")
        for table, (key, columns) in _TRACKED.items():
            before, after = (" || ' ' || ".join(f"{row}.{name}" for name in columns) for row in ("OLD", "NEW"))
            self.raw.execute(
                f"CREATE TEMP TRIGGER moved_{table} AFTER UPDATE ON main.{table} BEGIN "
                f"INSERT INTO moved VALUES ('{table}', NEW.{key}, {before}, {after}); END"
            )

    def moved(self):
        return self.raw.execute("SELECT * FROM moved").fetchall()


class SimulatedDatabase(Database):
    """What one life of the process has open."""

    def __init__(self, disk, life):
        self.path, self._lock, self._data_version, self._readers = None, None, None, None
        self._engine, self._connection = disk.database._engine, disk.connection
        self._turn = threading.RLock()
        self.raw, self.life = disk.raw, life
        self.is_written_by_others = False

    async def run(self, function, *arguments, **named):
        life = self.life
        await asyncio.sleep(0)
        life.may_die(f"before {function.__name__}")
        if life.world.command(self):
            self.is_written_by_others = True
        if life.world.is_locked():
            await asyncio.sleep(5.0)
            raise StoreBusy("database: locked by another program (a backup?); the work is repeated")
        result = self.run_now(function, *arguments, **named)
        life.world.hashed(function.__name__)
        life.may_die(f"after {function.__name__}")
        await asyncio.sleep(0)
        return result

    def run_now(self, function, *arguments, **named):
        self.life.must_live()
        try:
            with self._connection.begin():
                before = self.raw.total_changes
                result = function(self._connection, *arguments, **named)
                if self.life.world.is_full() and self.raw.total_changes != before:
                    raise StoreFull("database: the disk is full; free space")
                return result
        except DatabaseError as error:
            raise _explain(error, None) from error

    async def was_changed_by_others(self):
        was_written, self.is_written_by_others = self.is_written_by_others, False
        return was_written

    def close(self):
        """The disk outlives the process."""
