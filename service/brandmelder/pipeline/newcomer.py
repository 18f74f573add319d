"""A channel that comes while incidents run is told of them: it would wait for ever for news of alerts it never had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.incident.watch import is_told_of
from brandmelder.model import DeliveryKind
from brandmelder.notify.routing import channels_of
from brandmelder.pipeline.duty import Scene, hush_now
from brandmelder.pipeline.promise import made, scheduled
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import ChannelId
    from brandmelder.pipeline.parts import Parts


def welcome(connection: Connection, parts: Parts, channel: ChannelId, now: datetime) -> None:
    """Promise a channel the alerts of what runs and is told of; its key keeps each from being promised twice."""
    for incident, evidence in incidents.all_incidents(connection, running_only=True):
        is_told = is_told_of(incident.state) and incident.under is None
        if not is_told or channel not in channels_of(incident.monitor, parts.routes):
            continue
        if hush_now(Scene(connection, parts, now), incident, evidence) is None:
            deliveries.promise(connection, scheduled([made(incident, DeliveryKind.OPEN, channel, now)]))
