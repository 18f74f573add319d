"""The tables about polls: what they took, day by day, and the times in which a source could not be seen."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

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
