"""Alerts already sent lose the quotations whose mention its platform took away: deletions are followed into chat."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from brandmelder.model import Delivery, DeliveryKind, DeliveryState
from brandmelder.notify.delivery import key_of
from brandmelder.notify.routing import channels_of
from brandmelder.pipeline.promise import scheduled
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import Incident, MentionId
    from brandmelder.pipeline.parts import Parts

_ALL = 1_000_000
REACHES_BACK = timedelta(days=90)
"""Alerts older than this are not edited any more: no channel lets us, or anybody looks."""


def correct_alerts(
    connection: Connection, parts: Parts, gone: Sequence[MentionId], now: datetime, *, since: datetime | None = None
) -> list[Incident]:
    """Promise an edit of every alert that quotes one of `gone`, whether its incident still runs or not.

    Alerts as far back as `since` are looked at, 90 days by default; returns the incidents whose alerts quote them.
    """
    if not gone:
        return []
    found = []
    for incident, evidence in incidents.all_incidents(connection, since=since or now - REACHES_BACK, limit=_ALL):
        if any(quote.mention in gone for quote in evidence.quotes):
            deliveries.promise(connection, scheduled(_edits(incident, parts, now)))
            found.append(incident)
    return found


def _edits(incident: Incident, parts: Parts, now: datetime) -> Iterator[Delivery]:
    for channel in channels_of(incident.monitor, parts.routes):
        notifier = parts.notifiers.get(channel)
        if notifier is None or not notifier.can_update:
            continue
        yield Delivery(
            key=key_of(incident.id, DeliveryKind.UPDATE, step=int(now.timestamp()), channel=channel),
            incident=incident.id,
            channel=channel,
            kind=DeliveryKind.UPDATE,
            revision=incident.revision,
            state=DeliveryState.DUE,
            due_at=now,
            created_at=now,
            is_correction=True,
        )
