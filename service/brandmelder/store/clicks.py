"""The inbox: what people asked through channels, each once, and what came of it.

    waiting ──applied──> settled ──answered──> answered

A click is `waiting` before its channel is told that it arrived. It is applied and settled in one transaction, so that a
crash at any point applies it exactly once; an answer that nobody got is given at the next start.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import Click
from brandmelder.store import unreadable
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import click

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.store.unreadable import AnyRow

KEPT = timedelta(days=7)
"""How long a click is remembered, so that it does not act twice."""

_encode = msgspec.msgpack.Encoder().encode
_click = msgspec.msgpack.Decoder(Click).decode

_TAKE = insert(click).on_conflict_do_nothing()
_IN_STATE = (
    select(click.c.id, click.c.body, click.c.answer, click.c.received_at)
    .where(click.c.state == bindparam("state"))
    .order_by(click.c.id)
)
_MOVE = (
    update(click)
    .where(click.c.id == bindparam("ident"), click.c.state == bindparam("before"))
    .values({"state": bindparam("after"), "answer": bindparam("told")})
)
_FORGET = delete(click).where(click.c.received_at < bindparam("before"), click.c.state == "answered")


class Inboxed(msgspec.Struct, frozen=True, kw_only=True):
    """A click in the inbox, with the answer that is to be given (msgpack, the pipeline's shape) once it is settled."""

    id: int
    click: Click
    received_at: datetime
    answer: bytes | None = None


def take(connection: Connection, one: Click, now: datetime) -> bool:
    """Write a click down; says whether it is new. The same envelope, or the same act of the same person, is not."""
    done = connection.execute(
        _TAKE,
        {
            "envelope": one.envelope,
            "person": one.person,
            "at": one.at,
            "state": "waiting",
            "received_at": seconds(now),
            "body": _encode(one),
        },
    )
    return done.rowcount == 1


def waiting(connection: Connection) -> list[Inboxed]:
    """Return the clicks that are to be applied, in the order they came (index click_by_state)."""
    return _in_state(connection, "waiting")


def unanswered(connection: Connection) -> list[Inboxed]:
    """Return the clicks that are applied and whose people were not told yet."""
    return _in_state(connection, "settled")


def settle(connection: Connection, ident: int, answer: bytes) -> bool:
    """Note that a click is applied, and what is to be answered; false if somebody else did so before."""
    move = {"ident": ident, "before": "waiting", "after": "settled", "told": answer}
    return connection.execute(_MOVE, move).rowcount == 1


def answered(connection: Connection, ident: int) -> None:
    """Note that nothing is left to be said."""
    connection.execute(_MOVE, {"ident": ident, "before": "settled", "after": "answered", "told": None})


def forget(connection: Connection, now: datetime) -> None:
    """Delete what is older than any channel would repeat it (index click_by_age)."""
    connection.execute(_FORGET, {"before": seconds(now - KEPT)})


def _in_state(connection: Connection, state: str) -> list[Inboxed]:
    return unreadable.readable(connection, "click", connection.execute(_IN_STATE, {"state": state}), _read)


def _read(row: AnyRow) -> Inboxed:
    return Inboxed(id=row.id, click=_click(row.body), received_at=moment(row.received_at), answer=row.answer)
