"""Who may use the API: tokens by their hash alone, with what each may do, until when, and when it was used last."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from sqlalchemy import bindparam, insert, or_, select, update

from brandmelder.model import Scope
from brandmelder.store.api_schema import token
from brandmelder.store.database import maybe_moment, maybe_seconds, moment, seconds

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

NOTED = timedelta(minutes=1)
"""How exactly it is kept when a token was used last: not every request writes."""

_BY_DIGEST = select(token).where(token.c.digest == bindparam("wanted"))
_USED = (
    update(token)
    .where(
        token.c.id == bindparam("ident"),
        or_(token.c.used_at.is_(None), token.c.used_at < bindparam("before")),
    )
    .values(used_at=bindparam("at"))
)


class Token(Struct, frozen=True, kw_only=True):
    """What is kept of a token; its secret is not."""

    id: str
    name: str
    scopes: frozenset[Scope]
    made_at: datetime
    made_by: str
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_noted(self, now: datetime) -> bool:
        """Whether it is kept exactly enough that it is in use."""
        return self.used_at is not None and now - self.used_at < NOTED

    def holds(self, now: datetime) -> bool:
        """Whether it may be used."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def digest_of(secret: str) -> str:
    """Return what a secret is known by. It is long and drawn at random: no salt and no slow hash are needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def add(connection: Connection, one: Token, secret: str) -> None:
    """Keep a new token under the hash of its secret."""
    connection.execute(
        insert(token),
        {
            "id": one.id,
            "digest": digest_of(secret),
            "name": one.name,
            "scopes": " ".join(sorted(one.scopes)),
            "made_at": seconds(one.made_at),
            "made_by": one.made_by,
            "expires_at": maybe_seconds(one.expires_at),
        },
    )


def find(connection: Connection, secret: str, now: datetime) -> Token | None:
    """Return the token with that secret, if it holds."""
    row = connection.execute(_BY_DIGEST, {"wanted": digest_of(secret)}).one_or_none()
    found = None if row is None else _token(row)
    return found if found is not None and found.holds(now) else None


def note(connection: Connection, ident: str, now: datetime) -> None:
    """Note that a token was used."""
    connection.execute(_USED, {"ident": ident, "at": seconds(now), "before": seconds(now - NOTED)})


def every(connection: Connection) -> list[Token]:
    """Return all tokens, oldest first; ended ones, too."""
    return [_token(row) for row in connection.execute(select(token).order_by(token.c.made_at, token.c.id))]


def revoke(connection: Connection, ident: str, now: datetime) -> bool:
    """End a token now; says whether it held."""
    done = connection.execute(
        update(token).where(token.c.id == ident, token.c.revoked_at.is_(None)).values(revoked_at=seconds(now))
    )
    return done.rowcount == 1


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=frozenset(Scope(one) for one in row.scopes.split() if one in set(Scope)),
        made_at=moment(row.made_at),
        made_by=row.made_by,
        expires_at=maybe_moment(row.expires_at),
        used_at=maybe_moment(row.used_at),
        revoked_at=maybe_moment(row.revoked_at),
    )
