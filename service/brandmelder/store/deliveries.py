"""What was promised to channels, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.errors import Conflict
from brandmelder.model import Delivery, DeliveryState
from brandmelder.store.database import maybe_moment, maybe_seconds, seconds
from brandmelder.store.schema import delivery

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Delivery).decode

_PROMISE = insert(delivery).on_conflict_do_nothing(index_elements=["key"])
_WANTING = (
    select(delivery.c.body)
    .where(delivery.c.next_at <= bindparam("now"), delivery.c.channel.not_in(bindparam("besides", (), expanding=True)))
    .order_by(delivery.c.next_at)
    .limit(bindparam("limit"))
)
_NEXT = select(func.min(delivery.c.next_at))
_NEXT_BESIDES = _NEXT.where(delivery.c.channel.not_in(bindparam("besides", (), expanding=True)))
_OLDEST = (
    select(delivery.c.state, func.min(delivery.c.next_at))
    .where(delivery.c.next_at.is_not(None))
    .group_by(delivery.c.state)
)
_OF_INCIDENT = select(delivery.c.body).where(delivery.c.incident == bindparam("incident"))
_OF_CHANNEL = _OF_INCIDENT.where(delivery.c.channel == bindparam("channel"))
_IN_STATE = select(delivery.c.body).where(delivery.c.state == bindparam("state"))
_ONE = select(delivery.c.body).where(delivery.c.key == bindparam("ident"))
_ALL = select(delivery.c.body)
_AT = select(delivery.c.incident).where(delivery.c.ref == bindparam("ref")).limit(1)
_SAVE = (
    update(delivery)
    .where(delivery.c.key == bindparam("ident"), delivery.c.state == bindparam("expected"))
    .values({name: bindparam(name) for name in ("state", "next_at", "ref", "body")})
)


def promise(connection: Connection, deliveries: Sequence[tuple[Delivery, datetime | None]]) -> None:
    """Write new deliveries, each with the moment it needs attention; a key that stands already is left alone."""
    if deliveries:
        connection.execute(
            _PROMISE,
            [
                {
                    "key": one.key,
                    "incident": one.incident,
                    "channel": one.channel,
                    "state": one.state.value,
                    "next_at": maybe_seconds(next_at),
                    "ref": one.ref,
                    "body": _encode(one),
                }
                for one, next_at in deliveries
            ],
        )


def wanting(
    connection: Connection, now: datetime, *, limit: int = 500, besides: Collection[str] = ()
) -> list[Delivery]:
    """Return the deliveries that need attention at `now`, longest waiting first (index delivery_next).

    `besides` are channels that are at work already.
    """
    asked = {"now": seconds(now), "limit": limit, "besides": sorted(besides)}
    return [_decode(body) for body in connection.scalars(_WANTING, asked)]


def next_attention(connection: Connection, *, besides: Collection[str] = ()) -> datetime | None:
    """Return when the next delivery needs attention (index delivery_next), `besides` those of channels at work."""
    # A list of values is written into the statement anew each time; most of the time there is none.
    found = connection.scalar(_NEXT_BESIDES, {"besides": sorted(besides)}) if besides else connection.scalar(_NEXT)
    return maybe_moment(found)


def of_incident(connection: Connection, incident: str, channel: str | None = None) -> list[Delivery]:
    """Return an incident's deliveries, oldest first (index delivery_by_incident)."""
    statement, wanted = (
        (_OF_INCIDENT, {"incident": incident})
        if channel is None
        else (
            _OF_CHANNEL,
            {"incident": incident, "channel": channel},
        )
    )
    found = (_decode(body) for body in connection.scalars(statement, wanted))
    return sorted(found, key=lambda one: (one.created_at, one.key))


def incident_at(connection: Connection, ref: str) -> str | None:
    """Return the incident whose alert stands under `ref` (index delivery_by_ref)."""
    return connection.scalar(_AT, {"ref": ref})


def find(connection: Connection, key: str) -> Delivery | None:
    """Return one delivery, None if there is none under this key."""
    body = connection.scalar(_ONE, {"ident": key})
    return None if body is None else _decode(body)


def in_state(connection: Connection, state: DeliveryState) -> list[Delivery]:
    """Return the deliveries in one state."""
    return [_decode(body) for body in connection.scalars(_IN_STATE, {"state": state.value})]


def all_deliveries(connection: Connection) -> list[Delivery]:
    """Return every delivery, oldest first."""
    found = (_decode(body) for body in connection.scalars(_ALL))
    return sorted(found, key=lambda one: (one.created_at, one.key))


def oldest(connection: Connection) -> dict[DeliveryState, datetime | None]:
    """Return for each state that is not an end since when its oldest delivery needs attention (delivery_next)."""
    rows = dict(connection.execute(_OLDEST).all())
    waiting = (DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNCLEAR)
    return {state: maybe_moment(rows.get(state.value)) for state in waiting}


def save_delivery(connection: Connection, one: Delivery, next_at: datetime | None, *, expected: DeliveryState) -> None:
    """Write one delivery by compare-and-set on its state. Raises Conflict if somebody was faster."""
    done = connection.execute(
        _SAVE,
        {
            "ident": one.key,
            "expected": expected.value,
            "state": one.state.value,
            "next_at": maybe_seconds(next_at),
            "ref": one.ref,
            "body": _encode(one),
        },
    )
    if done.rowcount != 1:
        raise Conflict(f"delivery {one.key} was changed by somebody else")


def states_of(connection: Connection, channel: str) -> dict[DeliveryState, int]:
    """Return how many deliveries of a channel are in each state; reads the whole table."""
    rows = connection.execute(
        select(delivery.c.state, func.count()).where(delivery.c.channel == channel).group_by(delivery.c.state)
    )
    return {DeliveryState(state): count for state, count in rows}


def abandon(connection: Connection, channel: str) -> None:
    """Let everything rest that was promised to a channel and has not gone out; reads the whole table."""
    waiting = connection.scalars(
        select(delivery.c.body).where(delivery.c.channel == channel, delivery.c.next_at.is_not(None))
    ).all()
    for one in map(_decode, waiting):
        save_delivery(connection, replace(one, state=DeliveryState.SUPERSEDED), None, expected=one.state)
