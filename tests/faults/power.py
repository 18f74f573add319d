"""Power cuts: a file system that forgets what was not synced, under the very statements that the service ran.

An evening of the real pipeline is recorded statement by statement. It is run again by SQLite on a VFS (apsw) that
passes writes through and keeps the old bytes of each that was not synced yet. At a drawn moment the power goes: a
random half of those writes is undone, one in ten of the others is torn in the middle, and the machine's own SQLite
opens what is left. Not modelled: a disk that lies about a sync, lost directory entries.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import apsw

from brandmelder.store import database


class PowerCut(Exception):
    """The power is gone."""


@dataclass
class Unsynced:
    """A write that a power cut may undo."""

    path: str
    offset: int
    new: bytes
    old: bytes | None
    """None where the file ended before."""


class Power:
    """Counts what is done to files, and is cut at one of them."""

    def __init__(self, cut_at=None):
        self.cut_at, self.count, self.is_out, self.unsynced = cut_at, 0, False, []

    def step(self):
        if self.is_out:
            raise PowerCut
        self.count += 1
        if self.count == self.cut_at:
            self.is_out = True
            raise PowerCut


class _File(apsw.VFSFile):
    def __init__(self, power, filename, flags):
        super().__init__("", filename, flags)
        self.power = power
        self.path = filename if isinstance(filename, str) else filename.filename()

    def xWrite(self, data, offset):
        self.power.step()
        size = super().xFileSize()
        old = None if offset >= size else super().xRead(min(len(data), size - offset), offset)
        self.power.unsynced.append(Unsynced(self.path, offset, bytes(data), old))
        super().xWrite(data, offset)

    def xTruncate(self, size):
        self.power.step()
        before = super().xFileSize()
        if size < before:
            self.power.unsynced.append(Unsynced(self.path, size, b"", super().xRead(before - size, size)))
        super().xTruncate(size)

    def xSync(self, flags):
        self.power.step()
        super().xSync(flags)
        self.power.unsynced = [one for one in self.power.unsynced if one.path != self.path]


class _System(apsw.VFS):
    def __init__(self, power):
        super().__init__("power", "")
        self.power = power

    def xOpen(self, name, flags):
        return _File(self.power, name, flags)

    def xDelete(self, name, sync):
        self.power.step()
        super().xDelete(name, sync)


def restored(power, rng):
    """Do to the files what a power cut does: what was not synced may be there, may be not, may be torn."""
    for one in reversed(power.unsynced):
        is_lost, is_torn = rng.random() < 0.5, rng.random() < 0.1
        if not is_lost and not is_torn:
            continue
        with Path(one.path).open("r+b") as file:
            kept = len(one.new) // 2 if is_torn and not is_lost else 0
            if one.old is None:
                file.seek(0, 2)
                file.truncate(min(file.tell(), one.offset + kept))
            else:
                file.seek(one.offset + kept)
                file.write(one.old[kept:])


def recorded(work):
    """Run `work(database)` on an empty store in memory; return its transactions, each a list of statements."""
    there = database.Database("sqlite://")
    there.prepare()
    raw = there._open().connection.driver_connection
    transactions = []

    def note(statement):
        if statement.startswith("BEGIN"):
            transactions.append([])
        elif transactions and not statement.startswith(("COMMIT", "ROLLBACK", "SELECT", "PRAGMA", "--")):
            transactions[-1].append(statement)
        elif statement.startswith("ROLLBACK") and transactions:
            transactions.pop()

    raw.set_trace_callback(note)
    work(there)
    raw.set_trace_callback(None)
    there.close()
    return [one for one in transactions if one]


def empty_store(path):
    """Make an empty store at `path`, as the service makes it."""
    there = database.Database(f"sqlite:///{path}")
    there.prepare()
    there.close()
    return path


def run(path, transactions, power, *, synchronous="FULL"):
    """Run transactions on a store until the power goes; returns how many were acknowledged."""
    system = _System(power)
    acknowledged = 0
    connection = None
    try:
        connection = apsw.Connection(str(path), vfs="power")
        for pragma in ("PRAGMA locking_mode=EXCLUSIVE", *database._PRAGMAS, f"PRAGMA synchronous={synchronous}"):
            connection.execute(pragma)
        connection.execute("PRAGMA wal_autocheckpoint=64")  # so that checkpoints, too, are cut
        for number, statements in enumerate(transactions, 1):
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"INSERT OR REPLACE INTO meta (name, value) VALUES ('acknowledged', '{number}')")
            connection.execute("COMMIT")
            acknowledged = number
    except (PowerCut, apsw.Error):
        if not power.is_out:
            raise
    finally:
        power.is_out = True
        if connection is not None:
            with _quietly():
                connection.close(force=True)
        system.unregister()
    return acknowledged


class _quietly:  # noqa: N801 -- reads as a statement
    def __enter__(self):
        return self

    def __exit__(self, *what):
        return True


@dataclass
class Cuts:
    """What came of many cuts."""

    cuts: int = 0
    lost: int = 0
    corrupt: int = 0
    in_the_middle: int = 0
    """Cuts at which something unsynced was undone or torn."""


def cut(folder, transactions, *, times, seed, synchronous="FULL"):
    """Cut the power `times`, each at another moment of the same evening; returns what was lost."""
    rng = random.Random(seed)
    eve = empty_store(folder / "eve.db")
    clean = Power()
    run(shutil.copy(eve, folder / "clean.db"), transactions, clean, synchronous=synchronous)
    found = Cuts()
    for number in range(times):
        path = folder / f"cut-{number}.db"
        shutil.copy(eve, path)
        power = Power(cut_at=rng.randrange(1, clean.count + 1))
        acknowledged = run(path, transactions, power, synchronous=synchronous)
        found.cuts += 1
        found.in_the_middle += bool(power.unsynced)
        restored(power, rng)
        _judge(path, acknowledged, found)
        for leftover in folder.glob(f"cut-{number}.db*"):
            leftover.unlink()
    return found


def _judge(path, acknowledged, found):
    try:
        there = sqlite3.connect(path)
        sound = there.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        row = there.execute("SELECT value FROM meta WHERE name = 'acknowledged'").fetchone()
        there.close()
    except sqlite3.DatabaseError:
        found.corrupt += 1
        return
    found.corrupt += not sound
    found.lost += (int(row[0]) if row else 0) < acknowledged
