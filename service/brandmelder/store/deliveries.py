"""What was promised to channels, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.errors import Conflict
from brandmelder.model import Delivery, DeliveryState
from brandmelder.store.database import maybe_moment, maybe_seconds, seconds
from brandmelder.store.schema import delivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Delivery).decode


def promise(connection: Connection, deliveries: Sequence[tuple[Delivery, datetime | None]]) -> None:
    """Write new deliveries, each with the moment it needs attention; a key that stands already is left alone."""
    if deliveries:
        connection.execute(
            insert(delivery).on_conflict_do_nothing(index_elements=["key"]),
            [
                {
                    "key": one.key,
                    "incident": one.incident,
                    "channel": one.channel,
                    "state": one.state.value,
                    "next_at": maybe_seconds(next_at),
                    "body": _encode(one),
                }
                for one, next_at in deliveries
            ],
        )


def wanting(connection: Connection, now: datetime, limit: int = 500) -> list[Delivery]:
    """Return the deliveries that need attention at `now`, longest waiting first (index delivery_next)."""
    rows = connection.scalars(
        select(delivery.c.body).where(delivery.c.next_at <= seconds(now)).order_by(delivery.c.next_at).limit(limit)
    )
    return [_decode(body) for body in rows]


def next_attention(connection: Connection) -> datetime | None:
    """Return when the next delivery needs attention (index delivery_next)."""
    return maybe_moment(connection.scalar(select(func.min(delivery.c.next_at))))


def of_incident(connection: Connection, incident: str, channel: str | None = None) -> list[Delivery]:
    """Return an incident's deliveries, oldest first (index delivery_by_incident)."""
    statement = select(delivery.c.body).where(delivery.c.incident == incident)
    if channel is not None:
        statement = statement.where(delivery.c.channel == channel)
    return sorted((_decode(body) for body in connection.scalars(statement)), key=lambda one: (one.created_at, one.key))


def in_state(connection: Connection, state: DeliveryState) -> list[Delivery]:
    """Return the deliveries in one state."""
    return [
        _decode(body) for body in connection.scalars(select(delivery.c.body).where(delivery.c.state == state.value))
    ]


def all_deliveries(connection: Connection) -> list[Delivery]:
    """Return every delivery, oldest first."""
    found = (_decode(body) for body in connection.scalars(select(delivery.c.body)))
    return sorted(found, key=lambda one: (one.created_at, one.key))


def save_delivery(connection: Connection, one: Delivery, next_at: datetime | None, *, expected: DeliveryState) -> None:
    """Write one delivery by compare-and-set on its state. Raises Conflict if somebody was faster."""
    done = connection.execute(
        update(delivery)
        .where(delivery.c.key == one.key, delivery.c.state == expected.value)
        .values(state=one.state.value, next_at=maybe_seconds(next_at), body=_encode(one))
    )
    if done.rowcount != 1:
        raise Conflict(f"delivery {one.key} was changed by somebody else")
