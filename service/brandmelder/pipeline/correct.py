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
    from brandmelder.pipeline.apart import Apart
    from brandmelder.pipeline.duty import Scene
    from brandmelder.pipeline.parts import Parts

_ALL = 1_000_000
REACHES_BACK = timedelta(days=90)
"""Alerts older than this are not edited any more: no channel lets us, or anybody looks."""


def correct_alerts(
    scene: Scene, gone: Sequence[MentionId], *, since: datetime | None = None, apart: Apart | None = None
) -> list[Incident]:
    """Promise an edit of every alert that quotes one of `gone`, whether its incident still runs or not.

    The incident gets a new revision: what was shown before shows less than this edit, however short ago it was sent.
    Alerts as far back as `since` are looked at, 90 days by default; returns the incidents whose alerts quote them. With
    `apart` one that cannot be written is said, and keeps nothing else from being done.
    """
    if not gone:
        return []
    found = []
    known = incidents.all_incidents(scene.connection, since=since or scene.now - REACHES_BACK, limit=_ALL)
    for incident, evidence in known:
        if not any(quote.mention in gone for quote in evidence.quotes):
            continue
        found.append(incident)
        if apart is None:
            _correct(scene, incident)
        else:
            apart.do(f"a deleted quote in the alert of incident {incident.id}", _correct, scene, incident)
    return found


def _correct(scene: Scene, incident: Incident) -> None:
    corrected = replace(incident, revision=incident.revision + 1)
    incidents.save_incident(scene.connection, corrected, None, (), expected_revision=incident.revision)
    _promise_edits(scene.connection, scene.parts, corrected, scene.now)


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
