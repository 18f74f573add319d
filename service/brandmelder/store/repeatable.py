"""What was answered to requests that may come again: the same key of the same token gets the same answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, delete, insert, select

from brandmelder.store.api_schema import repeatable
from brandmelder.store.database import seconds

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEPT = timedelta(hours=24)
"""How long a key is remembered."""

_ONE = select(repeatable.c.digest, repeatable.c.answer).where(
    repeatable.c.token == bindparam("of"), repeatable.c.key == bindparam("wanted")
)
_FORGET = delete(repeatable).where(repeatable.c.at < bindparam("before"))


class Before(Struct, frozen=True):
    """What a key was used for: a digest of the request, and the answer."""

    digest: str
    answer: bytes


def before(connection: Connection, token: str, key: str, now: datetime) -> Before | None:
    """Return what was answered under a key; what is older than a day is forgotten (index repeatable_by_age)."""
    connection.execute(_FORGET, {"before": seconds(now - KEPT)})
    row = connection.execute(_ONE, {"of": token, "wanted": key}).one_or_none()
    return None if row is None else Before(row.digest, row.answer)


def keep(connection: Connection, token: str, key: str, one: Before, now: datetime) -> None:
    """Keep an answer, in the transaction that did what it tells of."""
    row = {"token": token, "key": key, "digest": one.digest, "answer": one.answer, "at": seconds(now)}
    connection.execute(insert(repeatable), row)
