"""Webhooks out: addresses that are told of alerts by signed JSON, with the deliveries of any channel behind them."""

from __future__ import annotations

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from brandmelder.model import DeliveryState, MonitorId
from brandmelder.notify.excerpt import safe_url
from brandmelder.notify.inert import inert
from brandmelder.pipeline.newcomer import welcome
from brandmelder.store import audit, deliveries, subscriptions
from brandmelder.store.subscriptions import Subscription
from brandmelder.web.api.operation import Answer
from brandmelder.web.api.problems import Refused, conflict, missing
from brandmelder.web.api.silences import actor_of
from brandmelder.wiring.subscriptions import channel_of, secret_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.pipeline.staff import Actor
    from brandmelder.web.api.operation import Call

MOST = 50
Ident = Annotated[str, Meta(min_length=1, max_length=32)]


class NewWebhook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where alerts are posted, and of which monitors."""

    url: Annotated[str, Meta(pattern=r"^https://[a-z0-9.-]{1,200}(:[0-9]{1,5})?(/[!-~]{0,1000})?$")]
    """An https address in the open network: private ones are refused when they are told."""
    monitors: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=128)], ...], Meta(max_length=50)] = ()
    """None stands for all."""


class WebhookShown(Struct, frozen=True, kw_only=True):
    """A subscription, and what became of its deliveries."""

    id: str
    url: str
    monitors: tuple[str, ...]
    made_at: datetime
    made_by: str
    waiting: int
    """Deliveries that are due or tried."""
    dead: int
    """Deliveries that it refused: see `brandmelder deliveries list`."""


class WebhookMade(WebhookShown, frozen=True, kw_only=True):
    """A subscription with a new secret, which is shown this once."""

    secret: str


class WebhookList(Struct, frozen=True, kw_only=True):
    """All subscriptions."""

    items: tuple[WebhookShown, ...]


async def list_(call: Call) -> Answer:
    """List subscriptions."""
    return Answer(body=WebhookList(items=tuple(await call.look(_every))))


async def create(call: Call) -> Answer:
    """Subscribe an address."""
    body, door = call.body, call.door
    for name in body.monitors:
        if name not in door.parts.watches:
            raise missing("monitor", name[:60], "see GET /monitors", where="body $.monitors")
    if not safe_url(body.url):
        raise conflict("address", "the address cannot be reached as it stands; write https:// and a host that exists")
    if door.subscribe is None:
        text = "this process tells nobody; ask the running service"
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "no-channels", text)
    one = Subscription(
        id=secrets.token_hex(8),
        url=body.url,
        monitors=frozenset(MonitorId(name) for name in body.monitors),
        made_at=call.now,
        made_by=inert(call.token.name, 60),
    )
    if not await call.run(_add, one, actor_of(call)):
        raise conflict("too-many", f"there are {MOST} subscriptions already; remove one first")
    door.subscribe(one)
    await call.run(welcome, door.parts, (channel_of(one.id),), call.now)
    door.wake()
    return Answer(status=201, body=_with_secret(call, one, (0, 0)))


async def rotate(call: Call) -> Answer:
    """Replace a subscription's secret; the one before signs beside it for a day."""
    ident, door = call.path["id"], call.door
    if door.subscribe is None:
        text = "this process tells nobody; ask the running service"
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "no-channels", text)
    one = await call.run(_rotate, ident, actor_of(call), call.now)
    if one is None:
        raise missing("webhook", ident[:32], "see GET /webhooks", where="path id")
    door.subscribe(one)
    return Answer(body=_with_secret(call, one, await call.run(_counted, one.id)))


def _with_secret(call: Call, one: Subscription, counted: tuple[int, int]) -> WebhookMade:
    shown = _shown(one, counted)
    secret = secret_of(call.door.parts.author_key, one.id, one.rotations)
    return WebhookMade(**{name: getattr(shown, name) for name in shown.__struct_fields__}, secret=secret)


async def remove(call: Call) -> Answer:
    """End a subscription."""
    ident = call.path["id"]
    if not await call.run(_remove, ident, actor_of(call), call.now):
        raise missing("webhook", ident[:32], "see GET /webhooks", where="path id")
    call.door.unsubscribe(ident)
    return Answer(status=204)


def _every(connection: Connection) -> list[WebhookShown]:
    return [_shown(one, _counted(connection, one.id)) for one in subscriptions.every(connection)]


def _counted(connection: Connection, ident: str) -> tuple[int, int]:
    states = deliveries.states_of(connection, channel_of(ident))
    waiting = {DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNCLEAR}
    return sum(states.get(one, 0) for one in waiting), states.get(DeliveryState.DEAD, 0)


def _add(connection: Connection, one: Subscription, actor: Actor) -> bool:
    if len(subscriptions.every(connection)) >= MOST:
        return False
    subscriptions.add(connection, one)
    audit.record(
        connection, "webhook.add", by=actor.name, subject=one.id, now=one.made_at,
        url=one.url, monitors=" ".join(sorted(one.monitors)), **actor.said(),
    )  # fmt: skip
    return True


def _rotate(connection: Connection, ident: str, actor: Actor, now: datetime) -> Subscription | None:
    one = subscriptions.rotate(connection, ident, now)
    if one is not None:
        audit.record(connection, "webhook.rotate", by=actor.name, subject=ident, now=now, **actor.said())
    return one


def _remove(connection: Connection, ident: str, actor: Actor, now: datetime) -> bool:
    if not subscriptions.remove(connection, ident):
        return False
    deliveries.abandon(connection, channel_of(ident))
    audit.record(connection, "webhook.remove", by=actor.name, subject=ident, now=now, **actor.said())
    return True


def _shown(one: Subscription, counted: tuple[int, int]) -> WebhookShown:
    return WebhookShown(
        id=one.id,
        url=one.url,
        monitors=tuple(sorted(one.monitors)),
        made_at=one.made_at,
        made_by=one.made_by,
        waiting=counted[0],
        dead=counted[1],
    )
