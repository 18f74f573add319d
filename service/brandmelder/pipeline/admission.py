"""Lets programs in and out of the API; each with its row in the audit, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.store import audit, tokens

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.pipeline.staff import Actor
    from brandmelder.store.tokens import Token


def admit(connection: Connection, one: Token, secret: str, actor: Actor) -> None:
    """Keep a new token under the hash of its secret."""
    tokens.add(connection, one, secret)
    audit.record(
        connection,
        "token.add",
        by=actor.name,
        subject=one.id,
        now=one.made_at,
        name=one.name,
        scopes=" ".join(sorted(one.scopes)),
        until=None if one.expires_at is None else one.expires_at.isoformat(),
        **actor.said(),
    )


def expel(connection: Connection, ident: str, actor: Actor, now: datetime) -> bool:
    """End a token now; says whether it held."""
    held = tokens.revoke(connection, ident, now)
    if held:
        audit.record(connection, "token.revoke", by=actor.name, subject=ident, now=now, **actor.said())
    return held
