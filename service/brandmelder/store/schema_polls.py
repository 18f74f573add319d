"""The tables about polls: what they took and brought, when a source could not be seen, and when it was doubted."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from brandmelder.store.schema import metadata

usage = Table(
    "usage",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False),
    Column("polls", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

blindness = Table(
    "blindness",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("told_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

intake = Table(
    "intake",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("hour", BigInteger, primary_key=True),
    Column("mentions", Integer, nullable=False),
    Column("ahead", Integer, nullable=False),
    Column("polls", Integer, nullable=False),
    Column("first_at", BigInteger),
    Column("last_at", BigInteger),
    sqlite_with_rowid=False,
)

doubt = Table(
    "doubt",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("ended_at", BigInteger),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
