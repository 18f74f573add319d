"""Small facts about the installation: when the whole chain last made progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert

from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import meta

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_PROGRESS = "progressed_at"
_WRITE = insert(meta)
_WRITE = _WRITE.on_conflict_do_update(index_elements=["name"], set_={"value": _WRITE.excluded.value})
_READ = select(meta.c.value).where(meta.c.name == bindparam("name"))


def progressed(connection: Connection, now: datetime) -> None:
    """Remember that poll, judgement and evaluation got through."""
    write(connection, _PROGRESS, str(seconds(now)))


def last_progress(connection: Connection) -> datetime | None:
    """Return when the chain last got through."""
    value = read(connection, _PROGRESS)
    return None if value is None else moment(int(value))


def read(connection: Connection, name: str) -> str | None:
    """Return one fact."""
    return connection.scalar(_READ, {"name": name})


def write(connection: Connection, name: str, value: str) -> None:
    """Write one fact in the place of what was known."""
    connection.execute(_WRITE, {"name": name, "value": value})
