"""Reads the service's own state every few seconds: what metrics show, and whether it is ready for its work."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from brandmelder import metrics
from brandmelder.errors import StoreError
from brandmelder.incident import watch
from brandmelder.model import DoubtKind
from brandmelder.notify.listener import Breathes
from brandmelder.pipeline.doubts import ends_at
from brandmelder.pipeline.heartbeat import complaint
from brandmelder.store import deliveries, doubts, incidents, meta, schema, sources
from brandmelder.store.database import revision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.notify.listener import Listener
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

EVERY = timedelta(seconds=15)
STALE = timedelta(seconds=60)
"""What was read longer ago says nothing about now: the database, or the loop, keeps it waiting."""
DEAF = timedelta(seconds=60)
"""A socket that gave no sign for so long hears nobody: its peer is pinged every five seconds."""
LOW_ON_DISK = 200 << 20
"""Below so many bytes free the next checkpoint may fail."""

SLOW = timedelta(seconds=2)
"""A commit that takes longer is told: an alert waits for five of them."""


class Vitals:
    """Reads every `EVERY`; what it found may be asked from any thread."""

    every = EVERY

    def __init__(self, parts: Parts, listeners: Sequence[Listener]) -> None:
        self._parts, self._listeners = parts, listeners
        self._read_at: datetime | None = None
        self._found: tuple[str, ...] = ("nothing was looked at yet",)
        self._is_slow = False

    async def read(self, now: datetime) -> tuple[str, ...]:
        """Look at everything; returns what keeps the service from its work, empty if nothing."""
        try:
            found = await self._parts.database.run(_look, self._parts, now)
        except StoreError as error:
            found = [str(error)]
        found += deaf(self._listeners, now)
        found += _disk(self._parts.database.path)
        found += self._slow()
        self._read_at, self._found = now, tuple(found)
        metrics.READY.set(not found)
        return self._found

    def _slow(self) -> list[str]:
        """Say that the disk is slow; an operator is told at once, too, for everything is late by it."""
        took = self._parts.database.commits.slowest()
        was_slow, self._is_slow = self._is_slow, took > SLOW
        if not self._is_slow:
            return []
        text = (
            f"the disk is slow: a commit took {took.total_seconds():.0f} s; nothing is lost, but alerts come late; see "
            f"what else writes where {self._parts.database.path} lies (iostat -x 5), or move it (docs/how-to/backup.md)"
        )
        if not was_slow:
            log.warning("disk.slow", seconds=round(took.total_seconds(), 1))
            self._parts.on_failure(text)
        return [text]

    def troubles(self, now: datetime) -> tuple[str, ...]:
        """Return what the last look found; that it is too long ago is a trouble, too."""
        if self._read_at is None or now - self._read_at <= STALE:
            return self._found
        return (f"the database was not heard from since {self._read_at:%H:%M:%S} UTC",)


def deaf(listeners: Sequence[Listener], now: datetime) -> list[str]:
    """Return which sockets gave no sign of life for too long."""
    found = []
    for one in listeners:
        silence = one.silence(now) if isinstance(one, Breathes) else None
        if silence is None:
            continue
        metrics.SOCKET_ALIVE.labels(one.line).set((now - silence).timestamp())
        if silence > DEAF:
            found.append(f"the socket {one.line} gave no sign of life for {silence.total_seconds():.0f} s")
    return found


def _look(connection: Connection, parts: Parts, now: datetime) -> list[str]:
    meta.write(connection, "written_at", str(int(now.timestamp())))
    found = []
    at = revision(connection)
    if at != schema.HEAD:
        found.append(f"the database is at revision {at}, this version needs {schema.HEAD}")
    _measure_sources(connection)
    _measure_doubts(connection, parts)
    running = incidents.all_incidents(connection, running_only=True)
    metrics.INCIDENTS_OPEN.set(sum(1 for one, _ in running if watch.is_told_of(one.state)))
    for state, since in deliveries.oldest(connection).items():
        metrics.DELIVERY_OLDEST.labels(state.value).set(0 if since is None else max(0, (now - since).total_seconds()))
    trouble = complaint(connection, parts, now)
    return [*found, *([] if trouble is None else [trouble])]


def _measure_sources(connection: Connection) -> None:
    for ident, row in sources.read_sources(connection).items():
        if row.last_success_at is not None:
            metrics.SOURCE_LAST_SUCCESS.labels(ident).set(row.last_success_at.timestamp())
        metrics.SOURCE_BLIND_SINCE.labels(ident).set(0 if row.blind_since is None else row.blind_since.timestamp())


def _measure_doubts(connection: Connection, parts: Parts) -> None:
    running = doubts.running(connection)
    for ident, row in sources.read_sources(connection).items():
        if ident not in parts.places:
            continue
        for kind in DoubtKind:
            held = running.get((ident, kind))
            metrics.SOURCE_DOUBTED.labels(ident, kind.value).set(0 if held is None else held.since.timestamp())
        ends = ends_at(row, parts.places[ident].expires_at)
        metrics.SOURCE_ACCESS_ENDS.labels(ident).set(0 if ends is None else ends.timestamp())
        if row.clock_offset is not None:
            metrics.SOURCE_CLOCK_OFFSET.labels(ident).set(row.clock_offset.total_seconds())


def _disk(path: Path | None) -> list[str]:
    if path is None:
        return []
    free = shutil.disk_usage(path.parent).free
    metrics.DISK_FREE.set(free)
    parts = (path, Path(f"{path}-wal"))
    metrics.DATABASE_SIZE.set(sum(one.stat().st_size for one in parts if one.exists()))
    return [] if free >= LOW_ON_DISK else [f"only {free >> 20} MB are free where the database lies"]
