"""Who is told instead of a channel that did not confirm in time: promised in one transaction with the note of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from brandmelder.model import DeliveryKind, DeliveryState
from brandmelder.notify.delivery import next_moment
from brandmelder.notify.routing import channels_of, routes_of
from brandmelder.notify.stand_in import called, refused, stand_in_at, stands_in
from brandmelder.pipeline.apart import Apart
from brandmelder.pipeline.bulletins import Notice, keep
from brandmelder.pipeline.duty import Scene
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import ChannelId, Delivery
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

ALL = -1
"""However many wait: what waits longest may be what needs nobody in its place."""


def call_stand_ins(connection: Connection, parts: Parts, now: datetime) -> None:
    """Promise every alert that its channel has not confirmed to that channel's fallback; whose sending hangs, too."""
    apart = Apart(connection, parts)
    for one in deliveries.wanting(connection, now, limit=ALL):
        moment = stand_in_at(one)
        if moment is not None and moment <= now:
            apart.do(f"who is told instead of delivery {one.key}", _call, Scene(connection, parts, now), one)


def _call(scene: Scene, one: Delivery) -> None:
    connection, parts, now = scene.connection, scene.parts, scene.now
    places = _places(connection, parts, one)
    promised = [stands_in(place, one, now) for place in places]
    deliveries.promise(connection, [(each, next_moment(each)) for each in promised])
    noted = called(one, now)
    deliveries.save_delivery(connection, noted, next_moment(noted), expected=one.state)
    if one.state is DeliveryState.DEAD and one.kind is DeliveryKind.OPEN and not places:
        _tell_the_others(connection, parts, one, now)
    if places:
        log.info("delivery.stood_in", key=one.key, by=list(places), state=one.state.value)


def _tell_the_others(connection: Connection, parts: Parts, one: Delivery, now: datetime) -> None:
    """Tell every other channel of an alert that one of them refused it: no delivery ends in silence."""
    found = incidents.find_readable(connection, one.incident)
    if found is None:
        return
    others = [place for place in channels_of(found[0].monitor, parts.routes) if place != one.channel]
    notice = Notice(
        ident=f"refused:{one.key}",
        messages={parts.language: refused(one, parts.fallbacks.names, parts.language)},
        channels={place: parts.language for place in others if place in parts.notifiers},
    )
    keep(connection, notice, now)


def _places(connection: Connection, parts: Parts, one: Delivery) -> tuple[ChannelId, ...]:
    """Return who stands in; a word in the thread only goes where the alert itself was told in its channel's place."""
    if one.kind is DeliveryKind.NOTICE:
        return tuple(place for place in parts.fallbacks.of(one.channel, parts.routes) if place in parts.notifiers)
    found = incidents.find_readable(connection, one.incident)
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
