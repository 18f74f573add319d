"""A channel that comes while incidents run is told of them: it would wait for ever for news of alerts it never had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from brandmelder.incident.watch import is_told_of
from brandmelder.model import DeliveryKind
from brandmelder.notify.routing import channels_of
from brandmelder.pipeline.apart import Apart
from brandmelder.pipeline.duty import Scene, hush_now
from brandmelder.pipeline.promise import made, scheduled
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import ChannelId, Evidence, Incident
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()


def welcome(connection: Connection, parts: Parts, channels: Collection[ChannelId], now: datetime) -> None:
    """Promise channels the alerts of what runs, is told of, and was never promised to them in any form.

    Nobody is called: whoever was to be was called when it opened. What a silence holds back, or held until
    this very start, is told at its end, and then calls.
    """
    scene, apart = Scene(connection, parts, now), Apart(connection, parts)
    for incident, evidence in incidents.all_incidents(connection, running_only=True):
        if is_told_of(incident.state) and incident.under is None and incident.silenced_since is None:
            apart.do(f"incident {incident.id} for new channels", _tell, scene, channels, incident, evidence)


def _tell(scene: Scene, channels: Collection[ChannelId], incident: Incident, evidence: Evidence) -> None:
    had = {one.channel for one in deliveries.of_incident(scene.connection, incident.id)}
    new = [
        channel
        for channel in channels_of(incident.monitor, scene.parts.routes)
        if channel in channels and channel in scene.parts.notifiers and channel not in had
    ]
    if not new or hush_now(scene, incident, evidence) is not None:
        return
    promised = (made(incident, DeliveryKind.OPEN, channel, scene.now) for channel in new)
    deliveries.promise(scene.connection, scheduled(promised))
    log.info("incident.caught_up", incident=incident.id, channels=new)
