"""What the rotas of the configuration do not know: overrides, and the last good copy of every calendar."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import Override, RotaId
from brandmelder.store import unreadable
from brandmelder.store.database import maybe_moment, maybe_seconds, moment, seconds
from brandmelder.store.schema import calendar, duty_override

if TYPE_CHECKING:
    from sqlalchemy import Connection

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Override).decode

_NEW = insert(duty_override)
_SAVE = (
    update(duty_override)
    .where(duty_override.c.id == bindparam("ident"))
    .values({name: bindparam(name) for name in ("ends", "body")})
)
_SINCE = (
    select(duty_override.c.id, duty_override.c.body)
    .where(duty_override.c.ends > bindparam("since"))
    .order_by(duty_override.c.id)
)
_ONE = select(duty_override.c.body).where(duty_override.c.id == bindparam("ident"))
_COPIES = select(calendar)
_KEEP = insert(calendar)
_KEEP = _KEEP.on_conflict_do_update(
    index_elements=["rota"],
    set_={
        name: _KEEP.excluded[name]
        for name in ("place", "content", "etag", "modified", "good_at", "tried_at", "trouble")
    },
)


class Copy(Struct, frozen=True, kw_only=True):
    """The last good copy of a rota's calendar, and how the last try to read it went."""

    rota: RotaId
    place: str
    content: bytes = b""
    etag: str = ""
    modified: str = ""
    good_at: datetime | None = None
    """When it was last known to be what the calendar says."""
    tried_at: datetime
    trouble: str = ""
    """Why the last try failed; empty if it did not."""


def add_override(connection: Connection, one: Override) -> Override:
    """Keep a new override; returns it with its number."""
    values = {"rota": one.rota, "ends": seconds(one.until), "body": b""}
    number = connection.execute(_NEW, values).inserted_primary_key
    numbered = replace(one, id=int(number[0]) if number else 0)
    save_override(connection, numbered)
    return numbered


def save_override(connection: Connection, one: Override) -> None:
    """Write an override that was changed."""
    connection.execute(_SAVE, {"ident": one.id, "ends": seconds(one.until), "body": _encode(one)})


def overrides_after(connection: Connection, since: datetime) -> list[Override]:
    """Return the overrides that end after `since`, in the order in which they were made, withdrawn ones included."""
    rows = connection.execute(_SINCE, {"since": seconds(since)})
    return unreadable.readable(connection, "duty_override", rows, lambda row: _decode(row.body))


def find_override(connection: Connection, ident: int) -> Override | None:
    """Return one override."""
    body = connection.scalar(_ONE, {"ident": ident})
    return None if body is None else _decode(body)


def copies(connection: Connection) -> dict[RotaId, Copy]:
    """Return what is kept of every calendar."""
    return {
        RotaId(row.rota): Copy(
            rota=RotaId(row.rota),
            place=row.place,
            content=row.content,
            etag=row.etag,
            modified=row.modified,
            good_at=maybe_moment(row.good_at),
            tried_at=moment(row.tried_at),
            trouble=row.trouble,
        )
        for row in connection.execute(_COPIES)
    }


def keep_copy(connection: Connection, one: Copy) -> None:
    """Write what is kept of a calendar."""
    connection.execute(
        _KEEP,
        {
            "rota": one.rota,
            "place": one.place,
            "content": one.content,
            "etag": one.etag,
            "modified": one.modified,
            "good_at": maybe_seconds(one.good_at),
            "tried_at": seconds(one.tried_at),
            "trouble": one.trouble,
        },
    )
