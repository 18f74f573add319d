"""The tables of the page: who may open it, who is signed in, what people note on incidents."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from brandmelder.store.schema import metadata

member = Table(
    "member",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("shown", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password", Text, nullable=False, default="", server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("factor", String(64), nullable=False, default="", server_default=""),
    Column("factor_step", BigInteger, nullable=False, default=0, server_default="0"),
    Column("zone", String(64), nullable=False, default="", server_default=""),
)

web_session = Table(
    "web_session",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("member", String(200), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)
Index("web_session_by_member", web_session.c.member)

note = Table(
    "note",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(200), nullable=False),
    Column("text", Text, nullable=False),
)
Index("note_by_incident", note.c.incident, note.c.id)
