"""Who is told instead of a channel that did not confirm in time: promised in one transaction with the note of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from brandmelder.errors import Conflict
from brandmelder.model import DeliveryKind, DeliveryState
from brandmelder.notify.delivery import next_moment
from brandmelder.notify.routing import routes_of
from brandmelder.notify.stand_in import called, stand_in_at, stands_in
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import ChannelId, Delivery
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()


def call_stand_ins(connection: Connection, parts: Parts, now: datetime) -> None:
    """Promise every alert that its channel has not confirmed to that channel's fallback; whose sending hangs, too."""
    for one in deliveries.wanting(connection, now):
        moment = stand_in_at(one)
        if moment is None or moment > now:
            continue
        places = _places(connection, parts, one)
        promised = [stands_in(place, one, now) for place in places]
        deliveries.promise(connection, [(each, next_moment(each)) for each in promised])
        noted = called(one, now)
        try:
            deliveries.save_delivery(connection, noted, next_moment(noted), expected=one.state)
        except Conflict:  # it was confirmed, or taken in hand, in this very moment; then it is looked at again
            continue
        if places:
            log.info("delivery.stood_in", key=one.key, by=list(places), state=one.state.value)


def _places(connection: Connection, parts: Parts, one: Delivery) -> tuple[ChannelId, ...]:
    """Return who stands in; a word in the thread only goes where the alert itself was told in its channel's place."""
    if one.kind is DeliveryKind.NOTICE:
        return tuple(place for place in parts.fallbacks.of(one.channel, parts.routes) if place in parts.notifiers)
    found = incidents.find(connection, one.incident)
    if found is None:
        return ()
    places = parts.fallbacks.of(one.channel, routes_of(found[0].monitor, parts.routes))
    known = [place for place in places if place in parts.notifiers]
    if one.kind is DeliveryKind.OPEN:
        return tuple(known)
    group = deliveries.of_incident(connection, one.incident)
    told = {
        other.channel
        for other in group
        if other.kind is DeliveryKind.OPEN and other.instead_of == one.channel and other.state is not DeliveryState.DEAD
    }
    return tuple(place for place in known if place in told)
