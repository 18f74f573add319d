"""Silences that people made: kept for ever, since who silenced what and why is part of what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import Silence
from brandmelder.store import unreadable
from brandmelder.store.database import seconds
from brandmelder.store.schema import silence

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Silence).decode

_NEW = insert(silence)
_SINCE = select(silence.c.id, silence.c.body).where(silence.c.ends > bindparam("since")).order_by(silence.c.id)
_ONE = select(silence.c.body).where(silence.c.id == bindparam("ident"))
_SAVE = (
    update(silence)
    .where(silence.c.id == bindparam("ident"))
    .values({name: bindparam(name) for name in ("ends", "body")})
)


def add(connection: Connection, one: Silence) -> Silence:
    """Keep a new silence; returns it with its number."""
    number = connection.execute(_NEW, {"ends": seconds(one.ends), "body": b""}).inserted_primary_key
    numbered = replace(one, id=int(number[0]) if number else 0)
    save(connection, numbered)
    return numbered


def save(connection: Connection, one: Silence) -> None:
    """Write a silence that was changed."""
    connection.execute(_SAVE, {"ident": one.id, "ends": seconds(one.ends), "body": _encode(one)})


def ending_after(connection: Connection, since: datetime) -> list[Silence]:
    """Return the silences that end, or ended, after `since`, oldest first."""
    rows = connection.execute(_SINCE, {"since": seconds(since)})
    return unreadable.readable(connection, "silence", rows, lambda row: _decode(row.body))


def find(connection: Connection, ident: int) -> Silence | None:
    """Return one silence."""
    body = connection.scalar(_ONE, {"ident": ident})
    return None if body is None else _decode(body)
