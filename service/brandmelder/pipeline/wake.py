"""Ends snoozes whose time is over: one word on what still burns, at the moment that was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.incident.snooze import disturb
from brandmelder.incident.transitions import Change
from brandmelder.pipeline.promise import promise_change
from brandmelder.store import incidents

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.model import Evidence, Incident
    from brandmelder.pipeline.apart import Apart
    from brandmelder.pipeline.duty import Scene


def wake(scene: Scene, apart: Apart) -> datetime | None:
    """End what is due; returns when the next snooze ends, None if nobody snoozes."""
    coming: list[datetime] = []
    for incident, evidence in incidents.all_incidents(scene.connection, running_only=True):
        if incident.snooze is None:
            continue
        if incident.snooze.until > scene.now:
            coming.append(incident.snooze.until)
            continue
        apart.do(f"incident {incident.id} behind its snooze", _end, scene, incident, evidence)
    return min(coming, default=None)


def _end(scene: Scene, incident: Incident, evidence: Evidence) -> None:
    connection, now = scene.connection, scene.now
    change = disturb(Change(incident=incident), (), now)
    if change.incident is not None and change.transitions:
        incidents.save_incident(
            connection, change.incident, evidence, change.transitions, expected_revision=incident.revision
        )
        promise_change(connection, scene.parts, change.incident, change.transitions, now)
