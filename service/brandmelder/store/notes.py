"""What people note on an incident, in their own words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import insert, select

from brandmelder.store.database import moment, seconds
from brandmelder.store.page_schema import note

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Note(Struct, frozen=True, kw_only=True):
    """What somebody noted, when."""

    incident: str
    at: datetime
    by: str
    text: str


def add(connection: Connection, one: Note) -> None:
    """Keep a note."""
    connection.execute(insert(note).values(incident=one.incident, at=seconds(one.at), by=one.by, text=one.text))


def of_incident(connection: Connection, incident: str) -> list[Note]:
    """Return an incident's notes, newest first (index note_by_incident)."""
    rows = connection.execute(select(note).where(note.c.incident == incident).order_by(note.c.id.desc()))
    return [Note(incident=row.incident, at=moment(row.at), by=row.by, text=row.text) for row in rows]
