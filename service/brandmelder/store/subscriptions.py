"""Who subscribed to alerts over the API: addresses that are told as channels are. Their secrets are not kept."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import delete, insert, select, update

from brandmelder.model import MonitorId
from brandmelder.store.api_schema import subscription
from brandmelder.store.database import maybe_moment, moment, seconds

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Subscription(Struct, frozen=True, kw_only=True):
    """One address that is told of some monitors, or of all."""

    id: str
    url: str
    monitors: frozenset[MonitorId]
    """Empty stands for all."""
    made_at: datetime
    made_by: str
    rotations: int = 0
    """How often its secret was replaced."""
    rotated_at: datetime | None = None
    """When that was done last: the secret before holds a while longer."""


def add(connection: Connection, one: Subscription) -> None:
    """Keep a new subscription."""
    connection.execute(
        insert(subscription),
        {
            "id": one.id,
            "url": one.url,
            "monitors": " ".join(sorted(one.monitors)),
            "made_at": seconds(one.made_at),
            "made_by": one.made_by,
        },
    )


def every(connection: Connection) -> list[Subscription]:
    """Return all subscriptions, oldest first."""
    return [
        Subscription(
            id=row.id,
            url=row.url,
            monitors=frozenset(MonitorId(one) for one in row.monitors.split()),
            made_at=moment(row.made_at),
            made_by=row.made_by,
            rotations=row.rotations,
            rotated_at=maybe_moment(row.rotated_at),
        )
        for row in connection.execute(select(subscription).order_by(subscription.c.made_at, subscription.c.id))
    ]


def rotate(connection: Connection, ident: str, now: datetime) -> Subscription | None:
    """Give a subscription the next secret; returns it as it stands then, None if there is none."""
    connection.execute(
        update(subscription)
        .where(subscription.c.id == ident)
        .values(rotations=subscription.c.rotations + 1, rotated_at=seconds(now))
    )
    return next((one for one in every(connection) if one.id == ident), None)


def remove(connection: Connection, ident: str) -> bool:
    """End a subscription; says whether there was one."""
    return connection.execute(delete(subscription).where(subscription.c.id == ident)).rowcount == 1
