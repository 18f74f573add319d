"""Subscriptions made over the API become channels: the same deliveries, attempts and dead letters as any other.

A secret is never stored: it is derived from the installation's key, so that a stolen database signs nothing.
"""

from __future__ import annotations

import base64
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from brandmelder.model import ChannelId
from brandmelder.notify.routing import Route
from brandmelder.options import Secret
from brandmelder.store import subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.subscriptions import Subscription
    from brandmelder.wiring.outside import Outside

PREFIX = "subscription-"
OVERLAP = timedelta(hours=24)
"""So long the secret before signs beside the new one."""


def channel_of(ident: str) -> ChannelId:
    """Return what the channel of a subscription is called: no name of the configuration can begin so long."""
    return ChannelId(f"{PREFIX}{ident}")


def secret_of(key: bytes, ident: str, rotations: int = 0) -> str:
    """Return the signing secret of a subscription, as Standard Webhooks write it; each rotation makes another."""
    named = f"subscription\n{ident}" + (f"\n{rotations}" if rotations else "")
    return "whsec_" + base64.b64encode(hmac.digest(key, named.encode(), "sha256")).decode()


def attach(parts: Parts, reach: Outside) -> Callable[[Subscription], None]:
    """Make channels of the subscriptions that are kept; returns how a new or changed one becomes a channel at once."""
    for one in _kept(parts):
        _attach(parts, reach, one)

    def subscribe(one: Subscription) -> None:
        detach(parts, one.id)
        _attach(parts, reach, one)

    return subscribe


def _attach(parts: Parts, reach: Outside, one: Subscription) -> None:
    from brandmelder.notify.channels.webhook import WebhookNotifier
    from brandmelder.notify.channels.webhook_options import WebhookOptions

    secret, former = Secret(secret_of(parts.author_key, one.id, one.rotations)), None
    if one.rotated_at is not None:
        former = Secret(secret_of(parts.author_key, one.id, one.rotations - 1))
    options = WebhookOptions(type="webhook", url=one.url, secret=secret, former_secret=former)
    channel = channel_of(one.id)
    until = None if one.rotated_at is None else one.rotated_at + OVERLAP
    notifier = WebhookNotifier(channel, options, reach.lent(options), former_until=until)
    parts.notifiers = {**parts.notifiers, channel: notifier}
    parts.routes = (*parts.routes, Route(channels=(channel,), monitors=one.monitors or None))


def detach(parts: Parts, ident: str) -> None:
    """Let a subscription be a channel no more; what was promised to it is not sent."""
    channel = channel_of(ident)
    parts.notifiers = {known: one for known, one in parts.notifiers.items() if known != channel}
    parts.routes = tuple(route for route in parts.routes if channel not in route.channels)


def _kept(parts: Parts) -> list[Subscription]:
    return parts.database.run_now(subscriptions.every)
