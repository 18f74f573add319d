"""A channel that comes while incidents run is told of them: it would wait for ever for news of alerts it never had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from brandmelder.incident.watch import is_told_of
from brandmelder.model import DeliveryKind
from brandmelder.notify.routing import channels_of
from brandmelder.pipeline.duty import Scene, hush_now
from brandmelder.pipeline.promise import made, scheduled
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import ChannelId
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()


def welcome(connection: Connection, parts: Parts, channels: Collection[ChannelId], now: datetime) -> None:
    """Promise channels the alerts of what runs, is told of, and was never promised to them in any form.

    Nobody is called: whoever was to be was called when it opened. What a silence holds back, or held until
    this very start, is told at its end, and then calls.
    """
    for incident, evidence in incidents.all_incidents(connection, running_only=True):
        if not is_told_of(incident.state) or incident.under is not None or incident.silenced_since is not None:
            continue
        had = {one.channel for one in deliveries.of_incident(connection, incident.id)}
        new = [
            channel
            for channel in channels_of(incident.monitor, parts.routes)
            if channel in channels and channel in parts.notifiers and channel not in had
        ]
        if not new or hush_now(Scene(connection, parts, now), incident, evidence) is not None:
            continue
        deliveries.promise(connection, scheduled(made(incident, DeliveryKind.OPEN, channel, now) for channel in new))
        log.info("incident.caught_up", incident=incident.id, channels=new)
