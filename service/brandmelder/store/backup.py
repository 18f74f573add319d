"""Copies of the database: whole ones, made while the service writes, and how one of them takes its place again.

A copy is one snapshot (https://sqlite.org/backup.html: a WAL database is read in a single step while others write),
checked before it bears its name, and one file without a journal. What a copy takes the place of is kept.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from brandmelder.errors import StoreError, StoreFull, StoreTooNew
from brandmelder.store import schema
from brandmelder.store.database import known_revisions

_STAMP = "%Y%m%dT%H%M%SZ"
_SPARE = 16 << 20
"""So many bytes stay free beside a copy."""
_JOURNALS = ("-wal", "-shm")


class Backup(Struct, frozen=True, kw_only=True):
    """A copy that was checked."""

    file: Path
    size: int
    """Bytes."""
    mentions: int
    revision: str
    at: datetime | None
    """When the chain last got through before it was made; None if it never did."""


def back_up(database: Path, folder: Path, now: datetime) -> Backup:
    """Write a checked copy of a database into a folder, under a name that tells the time (UTC).

    Raises StoreError or StoreFull; then there is no copy, and nothing of one.
    """
    if not database.exists():
        raise StoreError(f"there is no database {database}; run the service first, or go to its directory")
    target = folder / f"{database.stem}-{now.astimezone(UTC):{_STAMP}}{database.suffix}"
    partial = folder / f".{target.name}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _has_room(folder, database)
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"backup {partial}: {error.strerror}; choose a folder this user may write to") from error
    try:
        with contextlib.closing(_opened(database)) as source, contextlib.closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        found = inspect(partial)
        _take_place(partial, target)
    except sqlite3.Error as error:
        raise StoreError(f"backup of {database}: {error}; there is no copy") from error
    finally:
        partial.unlink(missing_ok=True)
    return Backup(file=target, size=found.size, mentions=found.mentions, revision=found.revision, at=found.at)


def outdated(database: Path, folder: Path, now: datetime, keep: timedelta) -> list[Path]:
    """Return the copies of a database that `back_up` wrote into a folder longer ago than `keep`, oldest first."""
    ours = re.compile(rf"{re.escape(database.stem)}-(\d{{8}}T\d{{6}}Z){re.escape(database.suffix)}")
    found = [(match[1], one) for one in folder.iterdir() if (match := ours.fullmatch(one.name))]
    return [one for stamp, one in sorted(found) if stamp < f"{(now - keep).astimezone(UTC):{_STAMP}}"]


def inspect(file: Path) -> Backup:
    """Check a copy. Raises StoreError if it is no sound database of ours, StoreTooNew if a newer version wrote it."""
    if not file.is_file():
        raise StoreError(f"there is no file {file}")
    try:
        with contextlib.closing(_opened(file)) as raw:
            verdict = raw.execute("PRAGMA integrity_check(1)").fetchone()[0]
            revision = str(raw.execute("SELECT version_num FROM alembic_version").fetchone()[0])
            mentions = int(raw.execute("SELECT count(*) FROM mention").fetchone()[0])
            last = raw.execute("SELECT value FROM meta WHERE name = 'progressed_at'").fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise StoreError(f"{file} is no database of Brandmelder: {error}; choose another copy") from error
    if verdict != "ok":
        raise StoreError(f"{file} is damaged: {verdict}; choose another copy")
    if revision != schema.HEAD and revision not in known_revisions():
        raise StoreTooNew(f"{file} was written by a newer version (revision {revision}); upgrade brandmelder first")
    at = None if last is None else datetime.fromtimestamp(int(last[0]), UTC)
    return Backup(file=file, size=file.stat().st_size, mentions=mentions, revision=revision, at=at)


def put_back(copy: Path, database: Path, now: datetime) -> Path | None:
    """Put a checked copy in the place of a database that nobody has open; returns where that one is kept now.

    Raises StoreError; then everything is as it was.
    """
    if database.exists() and copy.samefile(database):
        raise StoreError(f"{copy} is the database itself; name a copy")
    fresh = database.with_name(f".{database.name}.restored")
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        _has_room(database.parent, copy)
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        shutil.copyfile(copy, fresh)
        aside = _set_aside(database, now)
        _take_place(fresh, database)
    except OSError as error:
        raise StoreError(f"restore to {database}: {error.strerror}; the database is as it was") from error
    finally:
        fresh.unlink(missing_ok=True)
    return aside


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)


def _has_room(folder: Path, source: Path) -> None:
    needed, free = source.stat().st_size + _SPARE, shutil.disk_usage(folder).free
    if free < needed:
        raise StoreFull(f"{folder} has {free >> 20} MB free, a copy needs {needed >> 20} MB; free space")


def _set_aside(database: Path, now: datetime) -> Path | None:
    """Give a database a second name, and take its journals from it: they belong to what it holds now."""
    if not database.exists():
        return None
    aside = database.with_name(f"{database.name}.replaced-{now.astimezone(UTC):{_STAMP}}")
    os.link(database, aside)
    for end in _JOURNALS:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{database}{end}").rename(f"{aside}{end}")
    return aside


def _take_place(file: Path, target: Path) -> None:
    """Give a written file its name, so that a power cut leaves the old or the new one whole."""
    _sync(file, os.O_RDWR)
    file.replace(target)
    _sync(target.parent, os.O_RDONLY)


def _sync(place: Path, flags: int) -> None:
    handle = os.open(place, flags | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
