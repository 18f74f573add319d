"""Subscriptions made over the API become channels: the same deliveries, attempts and dead letters as any other.

A secret is never stored: it is derived from the installation's key, so that a stolen database signs nothing.
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from brandmelder.model import ChannelId, MonitorId
from brandmelder.notify.routing import Route
from brandmelder.options import Secret
from brandmelder.store import subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.subscriptions import Subscription
    from brandmelder.wiring.outside import Outside

PREFIX = "subscription-"


def channel_of(ident: str) -> ChannelId:
    """Return what the channel of a subscription is called: no name of the configuration can begin so long."""
    return ChannelId(f"{PREFIX}{ident}")


def secret_of(key: bytes, ident: str) -> str:
    """Return the signing secret of a subscription, as Standard Webhooks write it."""
    return "whsec_" + base64.b64encode(hmac.digest(key, f"subscription\n{ident}".encode(), "sha256")).decode()


def attach(parts: Parts, reach: Outside) -> Callable[[str, str, frozenset[MonitorId]], None]:
    """Make channels of the subscriptions that are kept; returns how a new one becomes a channel at once."""

    def subscribe(ident: str, url: str, monitors: frozenset[MonitorId]) -> None:
        from brandmelder.notify.channels.webhook import WebhookNotifier
        from brandmelder.notify.channels.webhook_options import WebhookOptions

        options = WebhookOptions(type="webhook", url=url, secret=Secret(secret_of(parts.author_key, ident)))
        channel = channel_of(ident)
        notifier = WebhookNotifier(channel, options, reach.lent(options))
        parts.notifiers = {**parts.notifiers, channel: notifier}
        parts.routes = (*parts.routes, Route(channels=(channel,), monitors=monitors or None))

    for one in _kept(parts):
        subscribe(one.id, one.url, one.monitors)
    return subscribe


def detach(parts: Parts, ident: str) -> None:
    """Let a subscription be a channel no more; what was promised to it is not sent."""
    channel = channel_of(ident)
    parts.notifiers = {known: one for known, one in parts.notifiers.items() if known != channel}
    parts.routes = tuple(route for route in parts.routes if channel not in route.channels)


def _kept(parts: Parts) -> list[Subscription]:
    return parts.database.run_now(subscriptions.every)
