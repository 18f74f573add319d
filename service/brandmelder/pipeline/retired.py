"""What runs for a monitor that the configuration has no more, or does not watch for any more, ends at the start.

Nobody would evaluate it again: it would ask and call people for ever about what cannot calm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from brandmelder.incident.transitions import Draft
from brandmelder.model import Act, State
from brandmelder.pipeline.apart import Apart
from brandmelder.pipeline.duty import Scene
from brandmelder.pipeline.evaluate import tracks_of
from brandmelder.pipeline.promise import promise_change
from brandmelder.store import incidents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import Evidence, Incident
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

BY = "brandmelder.yaml"
"""Who ended it, as people read it."""


def retire(connection: Connection, parts: Parts, now: datetime) -> None:
    """End what nobody watches any more, and tell its channels so."""
    if parts.is_draft:  # it knows a monitor of its own, and no other
        return
    scene, apart = Scene(connection, parts, now), Apart(connection, parts)
    for incident, evidence in incidents.all_incidents(connection, running_only=True):
        if not _is_watched(parts, incident):
            apart.do(f"incident {incident.id}, which nobody watches any more,", _retire, scene, incident, evidence)


def _retire(scene: Scene, incident: Incident, evidence: Evidence) -> None:
    connection, now = scene.connection, scene.now
    act = Act.DISCARD if incident.state is State.PENDING else Act.RESOLVE
    note = f'monitor "{incident.monitor}" is not in the configuration any more, or does not watch for this'
    draft = Draft(incident, by=BY).then(act, at=now, note=note, closed_at=now, closed_by=BY)
    incidents.save_incident(connection, draft.incident, evidence, draft.steps, expected_revision=incident.revision)
    promise_change(connection, scene.parts, draft.incident, draft.steps, now)
    log.info("incident.retired", incident=incident.id, monitor=incident.monitor)


def _is_watched(parts: Parts, incident: Incident) -> bool:
    watch = parts.watches.get(incident.monitor)
    return watch is not None and incident.kind.track in tracks_of(watch)
