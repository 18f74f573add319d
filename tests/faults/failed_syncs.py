"""Syncs that fail, under the real store: what a machine still has after a power cut when the system forgot its pages.

After a sync that failed, Linux holds the pages for clean: they stand in memory, some of them not on the disk, and no
later sync writes them. The real store runs in processes of their own, on a disk whose syncs fail (failing_disk.c), and
everything it writes is traced. From the trace the disk is made as it stood at any moment, and SQLite opens it.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from brandmelder.errors import StoreError
from brandmelder.store import meta
from brandmelder.store.database import Database
from faults.failing_disk import Orders

PAGE = 4096
_NOTE = struct.Struct("<qqic3x")
ACKNOWLEDGED = ".acknowledged"


# ------------------------------------------------------------------- a life


def life(path: Path, first: int, count: int, disk: Orders) -> None:
    """Write `count` transactions, each of some pages, and note each that was acknowledged; then be killed.

    The last of them meets a disk that fails to sync.
    """
    rng = random.Random(first)
    told = os.open(f"{path}{ACKNOWLEDGED}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    store = Database(f"sqlite:///{path}", exclusive=True)
    store.prepare()
    store.run_now(lambda connection: connection.exec_driver_sql("PRAGMA wal_autocheckpoint=40"))
    for number in range(first, first + count):
        if number == first + count - 1:
            disk.fail_to_sync()
        try:
            store.run_now(_write, number, rng)
        except StoreError:
            continue
        os.write(told, f"{number}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)


def _write(connection, number, rng):
    meta.write(connection, f"page-{rng.randrange(20)}", rng.randbytes(rng.randrange(100, 9000)).hex())
    meta.write(connection, f"number-{number}", str(number))


def live(path, disk, first, count):
    """Have a life in a process of its own, on a disk."""
    command = [sys.executable, "-m", "faults.failed_syncs", str(path), str(first), str(count)]
    home = str(Path(__file__).parents[1])
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": home, **disk.environment}, check=False)
    assert ended.returncode == -signal.SIGKILL
    disk.be_well()


# ------------------------------------------------------------------ the disk


@dataclass
class Kept:
    """One file: what programs see, what the disk holds, and which pages the system still owes it."""

    seen: bytearray = field(default_factory=bytearray)
    held: bytearray = field(default_factory=bytearray)
    owed: set[int] = field(default_factory=set)

    def write(self, offset, data):
        if len(self.seen) < offset + len(data):
            self.seen.extend(bytes(offset + len(data) - len(self.seen)))
        self.seen[offset : offset + len(data)] = data
        self.owed.update(range(offset // PAGE, (offset + len(data) - 1) // PAGE + 1))

    def cut(self, size):
        del self.seen[size:]
        self.owed = {page for page in self.owed if page * PAGE < size}

    def put(self, pages):
        """Bring pages, and the length of the file, to the disk."""
        for page in pages:
            data = self.seen[page * PAGE : (page + 1) * PAGE]
            if len(self.held) < page * PAGE + len(data):
                self.held.extend(bytes(page * PAGE + len(data) - len(self.held)))
            self.held[page * PAGE : page * PAGE + len(data)] = data
        del self.held[len(self.seen) :]

    def some(self, rng):
        share = rng.choice((0.0, 0.5, 0.9))
        return [page for page in sorted(self.owed) if rng.random() < share]


def notes(trace: Path):
    """Return what the trace says: what was done, to which file, where, with which bytes."""
    raw, at, found = trace.read_bytes(), 0, []
    while at < len(raw):
        offset, size, name, what = _NOTE.unpack_from(raw, at)
        at += _NOTE.size
        file = raw[at : at + name].decode()
        at += name
        found.append((what, file, offset, raw[at : at + size]))
        at += size
    return found


def disk_at(found, until, rng):
    """Return the files as a power cut after `until` notes leaves them, and the last number that was acknowledged."""
    files: dict[str, Kept] = {}
    acknowledged = []
    for what, name, offset, data in found[:until]:
        if name.endswith(ACKNOWLEDGED):
            acknowledged += [int(line) for line in data.split()]
            continue
        file = files.setdefault(name, Kept())
        if what == b"w":
            file.write(offset, data)
        elif what == b"t":
            file.cut(offset)
        elif what == b"d":
            del files[name]
        else:
            file.put(sorted(file.owed) if what == b"s" else file.some(rng))
            file.owed.clear()
    for file in files.values():
        file.put(file.some(rng))
    return {name: bytes(file.held) for name, file in files.items()}, acknowledged


@dataclass
class Judged:
    """What came of many cuts."""

    cuts: int = 0
    lost: int = 0
    corrupt: int = 0


def judge(folder, trace, *, draws, seed):
    """Cut the power `draws` times, at drawn moments of the trace; returns what SQLite still finds."""
    rng, found, result = random.Random(seed), notes(trace), Judged()
    begun = next(at for at, one in enumerate(found) if one[1].endswith(ACKNOWLEDGED))
    for number in range(draws):
        there = folder / f"cut-{number}"
        there.mkdir()
        files, acknowledged = disk_at(found, rng.randrange(begun, len(found) + 1), rng)
        for name, held in files.items():
            (there / Path(name).name).write_bytes(held)
        result.cuts += 1
        _look(there, acknowledged, result)
        for file in there.iterdir():
            file.unlink()
    return result


def _look(there, acknowledged, result):
    (path,) = (file for file in there.iterdir() if file.suffix == ".db")
    try:
        raw = sqlite3.connect(path)
        is_sound = raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        kept = {int(value) for (value,) in raw.execute("SELECT value FROM meta WHERE name LIKE 'number-%'")}
        raw.close()
    except sqlite3.DatabaseError:
        result.corrupt += 1
        return
    result.corrupt += not is_sound
    result.lost += not kept.issuperset(acknowledged)


if __name__ == "__main__":
    life(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Orders(Path(os.environ["DISK_ORDERS"])))
