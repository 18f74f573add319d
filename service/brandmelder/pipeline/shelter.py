"""Groups what would be told twice: an opening that another monitor's alert covers is held back, and never forgotten.

Runs behind the evaluation, before anything is sent. An alert that has gone out already stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from brandmelder.errors import Conflict
from brandmelder.incident.shelter import TOLD, Neighbour, leaves, may_shelter, shelter_of
from brandmelder.incident.transitions import Draft
from brandmelder.model import Act, Delivery, DeliveryKind, DeliveryState, Evidence, Incident
from brandmelder.notify.delivery import next_moment
from brandmelder.pipeline.duty import Scene, hush_now
from brandmelder.store import deliveries, incidents, tallies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import IncidentId
    from brandmelder.pipeline.apart import Apart

log = structlog.get_logger()

_LOST = frozenset({DeliveryState.DEAD, DeliveryState.SUPERSEDED})


def shelter(scene: Scene, apart: Apart) -> None:
    """Hold openings back that another alert covers; let those speak whose shelter has gone."""
    connection = scene.connection
    running = [found for found in incidents.all_incidents(connection, running_only=True) if found[0].state in TOLD]
    now_under = {one.id: one for one, _ in running}
    for incident, evidence in sorted(running, key=lambda found: (found[0].spike.observed, found[0].id)):
        held = apart.do(f"incident {incident.id} among others", _look_at, scene, incident, evidence, now_under)
        now_under |= held or {}


def _look_at(
    scene: Scene, incident: Incident, evidence: Evidence, others: Mapping[IncidentId, Incident]
) -> dict[IncidentId, Incident]:
    """Let one incident speak again, or hold its openings back; returns it as it then stands if they are held."""
    connection, now = scene.connection, scene.now
    if incident.under is not None:
        _leave(scene, incident, evidence)
    elif len(others) > 1 and (openings := _held_back(connection, incident)):
        under = shelter_of(incident, _neighbours(scene, incident, others.values(), openings))
        if under is not None:
            draft = Draft(incident).then(Act.SILENCE, at=now, note=f"told with {under}", under=under)
            _save(connection, draft, evidence, incident.revision)
            _turn(connection, openings, DeliveryState.DUE, DeliveryState.SUPERSEDED, now)
            log.info("incident.sheltered", incident=incident.id, under=under)
            return {incident.id: draft.incident}
    return {}


def _neighbours(
    scene: Scene, incident: Incident, others: Iterable[Incident], openings: Sequence[Delivery]
) -> list[Neighbour]:
    connection, watch = scene.connection, scene.parts.watches.get(incident.monitor)
    mutes = frozenset(watch.muted_by) if watch is not None else frozenset()
    return [
        Neighbour(
            incident=other,
            shared=tallies.shared(connection, incident.monitor, other.monitor, since=incident.onset, until=scene.now),
            mutes=other.monitor in mutes,
        )
        for other in others
        if may_shelter(incident, other) and _is_told(scene, other, () if other.monitor in mutes else openings)
    ]


def _is_told(scene: Scene, other: Incident, openings: Sequence[Delivery]) -> bool:
    """Whether another's alert reaches people now, and everybody whom the openings would have reached.

    What a silence keeps from people tells them of nothing else either; a team is not told by another team's alert.
    """
    if hush_now(scene, other) is not None:
        return False
    group = deliveries.of_incident(scene.connection, other.id)
    told = {one.channel: set(one.persons) for one in group if one.kind is DeliveryKind.OPEN and one.state not in _LOST}
    return bool(told) and all(one.channel in told and told[one.channel].issuperset(one.persons) for one in openings)


def _held_back(connection: Connection, incident: Incident) -> list[Delivery]:
    """Return an incident's openings if none of them has been begun; nothing if somebody may have read one."""
    openings = [one for one in deliveries.of_incident(connection, incident.id) if one.kind is DeliveryKind.OPEN]
    is_fresh = all(one.state is DeliveryState.DUE and not one.attempts for one in openings)
    return openings if is_fresh else []


def _leave(scene: Scene, incident: Incident, evidence: Evidence) -> None:
    """Let an incident speak whose shelter has gone; a silence or quiet hours are waited for."""
    connection, now = scene.connection, scene.now
    found = incidents.find_readable(connection, incident.under or "")
    if not leaves(incident, found[0] if found is not None else None):
        return
    if hush_now(scene, incident, evidence) is not None:
        return
    draft = Draft(incident).then(Act.SPEAK, at=now, note=f"told apart from {incident.under}", under=None)
    _save(connection, draft, evidence, incident.revision)
    openings = [one for one in deliveries.of_incident(connection, incident.id) if one.kind is DeliveryKind.OPEN]
    _turn(connection, openings, DeliveryState.SUPERSEDED, DeliveryState.DUE, now)
    log.info("incident.speaks", incident=incident.id)


def _save(connection: Connection, draft: Draft, evidence: Evidence, expected: int) -> None:
    incidents.save_incident(connection, draft.incident, evidence, draft.steps, expected_revision=expected)


def _turn(
    connection: Connection, openings: list[Delivery], before: DeliveryState, after: DeliveryState, now: datetime
) -> None:
    for one in openings:
        turned = replace(one, state=after, due_at=now, created_at=now)
        try:
            deliveries.save_delivery(connection, turned, next_moment(turned), expected=before)
        except Conflict:
            log.info("delivery.overtaken", key=one.key)
