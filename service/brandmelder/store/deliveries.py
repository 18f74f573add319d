"""What was promised to channels, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog
from msgspec.structs import replace
from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.errors import Conflict
from brandmelder.model import Delivery, DeliveryState, State
from brandmelder.store import unreadable
from brandmelder.store.database import maybe_moment, maybe_seconds, seconds
from brandmelder.store.schema import delivery, incident, notice, transition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.store.unreadable import AnyRow

log = structlog.get_logger()

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Delivery).decode

_PROMISE = insert(delivery).on_conflict_do_nothing(index_elements=["key"])
_ROW = select(delivery.c.key, delivery.c.body)
_WANTING = (
    _ROW.where(
        delivery.c.next_at <= bindparam("now"), delivery.c.channel.not_in(bindparam("besides", (), expanding=True))
    )
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
_OF_INCIDENT = _ROW.where(delivery.c.incident == bindparam("incident"))
_OF_CHANNEL = _OF_INCIDENT.where(delivery.c.channel == bindparam("channel"))
_IN_STATE = _ROW.where(delivery.c.state == bindparam("state"))
_ONE = _ROW.where(delivery.c.key == bindparam("ident"))
_ASIDE = _ROW.where(delivery.c.state == unreadable.ASIDE)
_PUT = (
    update(delivery).where(delivery.c.key == bindparam("ident")).values(state=bindparam("put"), next_at=bindparam("at"))
)
_AT = select(delivery.c.incident).where(delivery.c.ref == bindparam("ref")).limit(1)
_AT_REST = delivery.c.next_at.is_(None)
_ENDED = (
    select(incident.c.id)
    .where(
        incident.c.opened_at < bindparam("before"),
        incident.c.state.in_([state.value for state in (State.RESOLVED, State.DISMISSED, State.DISCARDED)]),
        exists().where(delivery.c.incident == incident.c.id, _AT_REST),
        ~exists().where(transition.c.incident == incident.c.id, transition.c.at >= bindparam("before")),
    )
    .limit(200)
)
_FORGET = delete(delivery).where(delivery.c.incident == bindparam("ident"), _AT_REST)
_FORGET_NOTICES = delete(delivery).where(
    _AT_REST,
    func.instr(delivery.c.incident, ":") > 0,  # what is about no incident is named like `digest:day:1792051200:de`
    ~exists().where(notice.c.id == delivery.c.incident),
)
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

    At most `limit` of them, all for -1. `besides` are channels that are at work already. One that nobody can read is
    set aside: else it would want attention for ever.
    """
    asked = {"now": seconds(now), "limit": limit, "besides": sorted(besides)}
    rows = connection.execute(_WANTING, asked).all()
    found = _readable(connection, rows)
    for key in {row.key for row in rows} - {one.key for one in found}:
        connection.execute(_PUT, {"ident": key, "put": unreadable.ASIDE, "at": None})
        log.error("delivery.set_aside", key=key, todo=unreadable.WHAT_TO_DO)
    return found


def set_aside(connection: Connection) -> list[Delivery]:
    """Return what was set aside and can be read again."""
    return _readable(connection, connection.execute(_ASIDE).all())


def put_back(connection: Connection, one: Delivery, next_at: datetime | None) -> None:
    """Let a delivery that was set aside take its place again."""
    connection.execute(_PUT, {"ident": one.key, "put": one.state.value, "at": maybe_seconds(next_at)})
    log.info("delivery.put_back", key=one.key)


def _readable(connection: Connection, rows: Iterable[AnyRow]) -> list[Delivery]:
    return unreadable.readable(connection, "delivery", rows, _read)


def _read(row: AnyRow) -> Delivery:
    return _decode(row.body)


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
    found = _readable(connection, connection.execute(statement, wanted))
    return sorted(found, key=lambda one: (one.created_at, one.key))


def incident_at(connection: Connection, ref: str) -> str | None:
    """Return the incident whose alert stands under `ref` (index delivery_by_ref)."""
    return connection.scalar(_AT, {"ref": ref})


def find(connection: Connection, key: str) -> Delivery | None:
    """Return one delivery, None if there is none under this key. Raises RowUnreadable."""
    row = connection.execute(_ONE, {"ident": key}).one_or_none()
    return None if row is None else unreadable.only(connection, "delivery", row, _read)


def in_state(connection: Connection, state: DeliveryState) -> list[Delivery]:
    """Return the deliveries in one state."""
    return _readable(connection, connection.execute(_IN_STATE, {"state": state.value}))


def all_deliveries(connection: Connection) -> list[Delivery]:
    """Return every delivery, oldest first."""
    found = _readable(connection, connection.execute(_ROW))
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
    return {DeliveryState(state): count for state, count in rows if state != unreadable.ASIDE}


def forget_ended(connection: Connection, before: datetime) -> int:
    """Delete what was promised of incidents that ended, and to which nothing happened since `before`; says how many."""
    idents = connection.scalars(_ENDED, {"before": seconds(before)}).all()
    return sum(connection.execute(_FORGET, {"ident": ident}).rowcount for ident in idents)


def forget_notices(connection: Connection) -> int:
    """Delete what was promised of notices that are forgotten themselves; says how many."""
    return connection.execute(_FORGET_NOTICES).rowcount


def abandon(connection: Connection, channel: str) -> None:
    """Let everything rest that was promised to a channel and has not gone out; reads the whole table."""
    waiting = connection.execute(_ROW.where(delivery.c.channel == channel, delivery.c.next_at.is_not(None))).all()
    for one in _readable(connection, waiting):
        save_delivery(connection, replace(one, state=DeliveryState.SUPERSEDED), None, expected=one.state)
