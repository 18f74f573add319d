"""Alerts already sent lose the quotations whose mention its platform took away: deletions are followed into chat."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.model import DeliveryKind
from brandmelder.pipeline.promise import made, scheduled
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from collections.abc import Sequence
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

    The incident gets a new revision: what was shown before shows less than this edit, however short ago it was sent.
    Alerts as far back as `since` are looked at, 90 days by default; returns the incidents whose alerts quote them.
    """
    if not gone:
        return []
    found = []
    for incident, evidence in incidents.all_incidents(connection, since=since or now - REACHES_BACK, limit=_ALL):
        if any(quote.mention in gone for quote in evidence.quotes):
            corrected = replace(incident, revision=incident.revision + 1)
            incidents.save_incident(connection, corrected, None, (), expected_revision=incident.revision)
            _promise_edits(connection, parts, corrected, now)
            found.append(incident)
    return found


def _promise_edits(connection: Connection, parts: Parts, incident: Incident, now: datetime) -> None:
    """Promise an edit wherever the alert stands or will: in a person's channel, in a fallback, too."""
    told = (one for one in deliveries.of_incident(connection, incident.id) if one.kind is DeliveryKind.OPEN)
    channels = {one.channel: parts.notifiers.get(one.channel) for one in told}
    deliveries.promise(
        connection,
        scheduled(
            replace(made(incident, DeliveryKind.UPDATE, channel, now), is_correction=True)
            for channel, notifier in channels.items()
            if notifier is not None and notifier.can_update
        ),
    )
