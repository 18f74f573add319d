"""Looks at one thing after another: configuration, versions, files, database, service, sources, channels, audit."""

from __future__ import annotations

import fcntl
import os
import platform
import pyexpat
import shutil
import sqlite3
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from brandmelder import __version__
from brandmelder.doctor.finding import Finding, Level
from brandmelder.model import DeliveryState, DoubtKind, SourceClass, SourceState
from brandmelder.notify import doubt
from brandmelder.notify.voice import Voice, words_of
from brandmelder.pipeline.vitals import LOW_ON_DISK
from brandmelder.store import audit, deliveries, doubts, forgetting, meta, schema, sources
from brandmelder.store.damage import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from brandmelder.model import Delivery
    from brandmelder.settings import Settings

About = dict[str, str | int]
GOOD_EXPAT = (2, 7, 2)
STUCK = timedelta(minutes=15)
SKEW = timedelta(minutes=2)
OLD_BACKUP = timedelta(days=7)
SHOWN = 5
"""So many of the rows that cannot be read are named."""
SLACK = timedelta(days=2)
"""How much later than promised something may be forgotten before it is a finding."""


def configuration(settings: Settings) -> Iterator[Finding]:
    """Say what is configured, and what is missing for nights when something fails."""
    about: About = {
        "file": str(settings.path),
        "sources": len(settings.sources),
        "monitors": len(settings.monitors),
        "channels": len(settings.channels),
    }
    yield Finding(name="configuration", about=about)
    for problem in settings.warnings:
        yield Finding(name="configuration.warning", level=Level.WARNING, about={"text": str(problem)})
    if settings.heartbeat is None:
        yield Finding(name="heartbeat.missing", level=Level.NOTE)
    for alert in settings.alerts:
        instead = alert.fallback or any(settings.channels[ident].fallback for ident in alert.to)
        if len(alert.to) == 1 and not instead:
            yield Finding(name="fallback.missing", level=Level.NOTE, about={"channel": alert.to[0]})
    if not any(alert.escalation.steps for alert in settings.alerts):
        yield Finding(name="escalation.missing", level=Level.NOTE)


def versions() -> Iterator[Finding]:
    """Say which versions run."""
    expat = pyexpat.EXPAT_VERSION.removeprefix("expat_")
    about = {"ours": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "expat": expat}
    yield Finding(name="versions", about=about)
    if pyexpat.version_info < GOOD_EXPAT:
        yield Finding(name="versions.expat", level=Level.NOTE, about={"expat": expat})


def files(path: Path, key_variable: str, *, has_mentions: bool) -> Iterator[Finding]:
    """Look at the files of the database, and at the room around them. A new database needs no key yet."""
    free = shutil.disk_usage(path.parent).free
    is_low = free < LOW_ON_DISK
    yield Finding(
        name="disk.low" if is_low else "disk", level=Level.BAD if is_low else Level.WELL, about={"free": free >> 20}
    )
    key = Path(f"{path}.key")
    there = key.exists()
    if not os.environ.get(key_variable) and (there or has_mentions):
        yield Finding(
            name="key" if there else "key.missing", level=Level.WELL if there else Level.BAD, about={"file": str(key)}
        )
    for one in (path, key):
        if one.exists() and one.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding(name="database.open", level=Level.WARNING, about={"file": str(one)})


def backups(path: Path, now: datetime) -> Iterator[Finding]:
    """Say how old the newest copy is, beside the database or in `backups`: a file named like the database and more."""
    ours = {path.name, *(f"{path.name}{end}" for end in ("-wal", "-shm", ".lock", ".key"))}
    folders = (path.parent, path.parent / "backups")
    alike = {
        one for place in folders for name in (f"{path.name}*", f"{path.stem}*{path.suffix}") for one in place.glob(name)
    }
    copies = [one for one in alike if one.is_file() and one.name not in ours and ".replaced-" not in one.name]
    if not copies:
        yield Finding(name="backup.none", level=Level.NOTE, about={"database": str(path)})
        return
    newest = max(copies, key=lambda one: one.stat().st_mtime)
    days = max(0, int((now.timestamp() - newest.stat().st_mtime) // 86_400))
    about: About = {"file": str(newest.relative_to(path.parent)), "days": days, "database": str(path)}
    is_old = days > OLD_BACKUP.days
    yield Finding(name="backup.old" if is_old else "backup", level=Level.WARNING if is_old else Level.WELL, about=about)


def database(connection: Connection, path: Path) -> Iterator[Finding]:
    """Check that the database is sound."""
    found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    if found != "ok":
        yield Finding(name="database.corrupt", level=Level.BAD, about={"file": str(path), "text": found})
        return
    about: About = {"file": str(path), "revision": schema.HEAD, "size": path.stat().st_size >> 20}
    yield Finding(name="database", about=about)


def rows(connection: Connection) -> Iterator[Finding]:
    """Say which rows cannot be decoded: everything else passes them over."""
    found = damaged(connection)
    if found:
        more = f" … {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        about: About = {"count": len(found), "text": "; ".join(found[:SHOWN]) + more}
        yield Finding(name="database.unreadable", level=Level.BAD, about=about)


def service(connection: Connection, path: Path, now: datetime) -> Iterator[Finding]:
    """Say whether the service runs and gets on, and whether the clock went back."""
    last = meta.last_progress(connection)
    if last is not None and last > now + SKEW:
        about = {"now": f"{now:%Y-%m-%d %H:%M:%S}", "seen": f"{last:%Y-%m-%d %H:%M:%S}"}
        yield Finding(name="clock.back", level=Level.BAD, about=about)
    else:
        yield Finding(name="clock", about={"now": f"{now:%Y-%m-%d %H:%M:%S}"})
    if not is_running(path):
        yield Finding(name="service.away", level=Level.BAD)
    elif last is None or now - last > STUCK:
        since = "-" if last is None else f"{last:%Y-%m-%d %H:%M} UTC"
        yield Finding(name="service.stuck", level=Level.BAD, about={"since": since})
    else:
        yield Finding(name="service", about={"age": max(0, round((now - last).total_seconds()))})


def is_running(path: Path) -> bool:
    """Whether a service holds the database's lock."""
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def doubted(connection: Connection, settings: Settings, now: datetime, language: str) -> Iterator[Finding]:
    """Say which sources answer and are doubted all the same."""
    voice = Voice(words_of(language), settings.zone, now)
    nouns = {ident: SourceClass(options.class_) for ident, options in settings.sources.items()}
    for one in doubts.running(connection).values():
        if one.source in settings.sources:
            about: About = {"source": one.source, "text": doubt.said(one, nouns, language, voice)}
            about |= {"where": settings.where("sources", one.source)}
            is_expiry = one.kind is DoubtKind.EXPIRING
            name = "source.expiring" if is_expiry else "source.doubted"
            yield Finding(
                name=name, level=Level.WARNING, about=about | {"where": settings.where("sources", one.source)}
            )


def seen(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Say which sources cannot be seen."""
    rows = sources.read_sources(connection)
    well = 0
    for ident in settings.sources:
        row, where = rows.get(ident), settings.where("sources", ident)
        if row is not None and row.last_success_at is None and row.note:
            about = {"source": ident, "text": row.note, "where": where}
            level = Level.WARNING if row.blind_since is None else Level.BAD
            yield Finding(name="source.never", level=level, about=about)
        elif row is None or row.last_success_at is None:
            yield Finding(name="source.unread", level=Level.WARNING, about={"source": ident})
        elif row.blind_since is not None:
            since = f"{row.blind_since.astimezone(settings.zone):%Y-%m-%d %H:%M}"
            about = {"source": ident, "since": since, "text": row.note, "where": where}
            yield Finding(name="source.blind", level=Level.BAD, about=about)
        elif row.state is not SourceState.OK:
            about = {"source": ident, "text": row.note, "where": where}
            yield Finding(name="source.degraded", level=Level.WARNING, about=about)
        else:
            well += 1
    if well == len(settings.sources):
        yield Finding(name="sources", about={"count": well})


def told(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Say when each channel last took something, and what it did not take."""
    found = deliveries.all_deliveries(connection)
    for ident in settings.channels:
        mine = [one for one in found if one.channel == ident]
        dead = [one for one in mine if one.state is DeliveryState.DEAD and not _is_unwanted(one)]
        confirmed = max((one.confirmed_at for one in mine if one.confirmed_at is not None), default=None)
        if dead:
            about: About = {"channel": ident, "count": len(dead), "text": dead[-1].last_error or ""}
            yield Finding(name="channel.dead", level=Level.BAD, about=about)
        if confirmed is not None:
            at = f"{confirmed.astimezone(settings.zone):%Y-%m-%d %H:%M}"
            yield Finding(name="channel", about={"channel": ident, "at": at})
        elif not dead:
            yield Finding(name="channel.untried", level=Level.NOTE, about={"channel": ident})


def _is_unwanted(one: Delivery) -> bool:
    return (one.last_error or "").startswith(("discarded by", "its time is over"))


def trail(connection: Connection) -> Iterator[Finding]:
    """Go through the audit."""
    checked = audit.verify(connection)
    if checked.broken is not None:
        yield Finding(name="audit.broken", level=Level.BAD, about={"row": checked.broken})
    else:
        yield Finding(name="audit", about={"rows": checked.rows})


def forgotten(connection: Connection, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Say whether texts go when their time has come."""
    oldest = forgetting.oldest_text(connection, now - settings.retention.evidence)
    if oldest is not None and now - oldest > settings.retention.text + SLACK:
        about = {"days": (now - oldest).days, "wanted": settings.retention.text.days}
        yield Finding(name="retention.late", level=Level.WARNING, about=about)
