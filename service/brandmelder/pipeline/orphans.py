"""What becomes of promises to a channel that is configured no more: let go, and an untold alert is told elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from brandmelder.model import Delivery, DeliveryKind, DeliveryState
from brandmelder.notify import delivery as life
from brandmelder.pipeline.duty import Scene
from brandmelder.pipeline.promise import openings, scheduled
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import ChannelId, IncidentId
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

_WAITING = frozenset({DeliveryState.DUE, DeliveryState.UNCLEAR})


def let_go(connection: Connection, parts: Parts, incident: IncidentId, channel: ChannelId, now: datetime) -> None:
    """Discard what waits for a channel that is gone, and look for nothing there any more.

    An alert that it was never known to have, of an incident that runs, goes to the channels that there are now.
    """
    group = deliveries.of_incident(connection, incident, channel)
    for one in group:
        if one.state in _WAITING:
            buried = life.discard(one, "the configuration: it has no such channel any more")
            deliveries.save_delivery(connection, buried, None, expected=one.state)
        elif one.state is not DeliveryState.SENDING:
            deliveries.save_delivery(connection, one, None, expected=one.state)
    if any(_is_untold(one) for one in group):
        _tell_elsewhere(connection, parts, incident, now)


def _is_untold(one: Delivery) -> bool:
    return one.kind is DeliveryKind.OPEN and one.state in _WAITING


def _tell_elsewhere(connection: Connection, parts: Parts, incident: IncidentId, now: datetime) -> None:
    found = incidents.find_readable(connection, incident)
    if found is None or found[0].state not in incidents.RUNNING or found[0].under is not None:
        return
    told = {one.channel for one in deliveries.of_incident(connection, incident) if one.kind is DeliveryKind.OPEN}
    promised = openings(Scene(connection, parts, now), found[0], told=told)
    deliveries.promise(connection, scheduled(promised))
    log.info("incident.told_elsewhere", incident=incident, channels=[one.channel for one in promised])
