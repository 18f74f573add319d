"""Puts the openings of a storm of alerts into one thread, behind one message; runs before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from brandmelder.errors import Conflict
from brandmelder.model import Delivery, DeliveryKind, DeliveryState
from brandmelder.notify.delivery import next_moment
from brandmelder.notify.flood import MOST, WITHIN, gathered, storm
from brandmelder.pipeline.bulletins import give, written
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.model import ChannelId, Incident
    from brandmelder.notify.bulletin import Reader
    from brandmelder.notify.message import Message
    from brandmelder.pipeline.apart import Apart
    from brandmelder.pipeline.duty import Scene

log = structlog.get_logger()


def gather_openings(scene: Scene, apart: Apart) -> None:
    """Gather the openings of every channel that has threads and can be searched; others tell each by itself."""
    found = incidents.all_incidents(scene.connection, since=scene.now - WITHIN)
    recent = [one for one, _ in found if one.under is None]
    if len(recent) <= MOST:
        return
    for channel, notifier in scene.parts.notifiers.items():
        if notifier.can_update and notifier.can_find:
            apart.do(f'a storm of alerts in channel "{channel}"', _gather, scene, channel, recent)


def _gather(scene: Scene, channel: ChannelId, recent: list[Incident]) -> None:
    openings = [
        one
        for incident in recent
        for one in deliveries.of_incident(scene.connection, incident.id, channel)
        if one.kind is DeliveryKind.OPEN
    ]
    chosen = gathered(openings, scene.now)
    if not chosen:
        return
    told = {one.incident for one in openings}
    head = _standing_head(openings, scene.now)
    if not head:
        head = _new_head(scene, channel, [one for one in recent if one.id in told])
    for one in chosen:
        below = replace(one, under=head)
        try:
            deliveries.save_delivery(scene.connection, below, next_moment(below), expected=DeliveryState.DUE)
        except Conflict:
            log.info("delivery.overtaken", key=one.key)
    log.info("openings.gathered", channel=channel, count=len(chosen))


def _standing_head(openings: list[Delivery], now: datetime) -> str:
    """Return the message behind which openings were gathered within the last minutes, if there is one."""
    heads = (one for one in openings if one.under and one.created_at > now - WITHIN)
    newest = max(heads, key=lambda one: one.created_at, default=None)
    return "" if newest is None else newest.under


def _new_head(scene: Scene, channel: ChannelId, recent: list[Incident]) -> str:
    ident = f"storm:{channel}:{int(scene.now.timestamp())}"

    def write(reader: Reader) -> Message:
        return storm(ident, recent, brand=reader.brand, titles=reader.titles, voice=reader.voice)

    notice = written(scene, ident, write, channels={channel: None})
    give(scene, notice)
    return notice.key_in(channel)
