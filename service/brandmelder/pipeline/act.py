"""What a person does to an incident: applied, written into its timeline and told to the channels in one transaction.

Buttons, words in the thread and the command line all come through here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.errors import BrandmelderError
from brandmelder.incident.people import SNOOZE, Asked, apply
from brandmelder.incident.transitions import Illegal
from brandmelder.model import Act, SourceClass, State, Transition
from brandmelder.pipeline.promise import promise_change
from brandmelder.store import audit, incidents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import Evidence, Incident
    from brandmelder.pipeline.parts import Parts

_NEW_LIVES = frozenset({Act.REOPEN, Act.UNDO})


class Wish(Struct, frozen=True, kw_only=True):
    """What a person asks for."""

    incident: str
    act: Act
    by: str
    note: str = ""
    person: str = ""
    """The id under which a channel knows them."""
    other: str = ""
    """The id of whoever takes over."""
    span: timedelta = SNOOZE
    revision: int = 0
    """Which revision the person saw; 0 if that is not known."""


class Unknown(Struct, frozen=True):
    """There is no such incident."""

    incident: str


def fulfil(connection: Connection, parts: Parts, wish: Wish, now: datetime) -> Incident | Illegal | Unknown:
    """Do what a person asks, by compare-and-set; returns the incident as it stands now, or why it cannot be done.

    Raises Conflict if somebody else was faster: read again and decide anew.
    """
    found = incidents.find(connection, wish.incident)
    if found is None:
        return Unknown(wish.incident)
    incident, evidence = found
    if _is_of_a_former_life(incidents.timeline(connection, incident.id), wish):
        return Illegal(act=wish.act, state=incident.state, by=_who(incident), at=_when(incident))
    change = apply(incident, _asked(wish, evidence, parts), now)
    if isinstance(change, Illegal):
        return change
    if change.incident is None or not change.transitions:
        return incident
    incidents.save_incident(
        connection, change.incident, evidence, change.transitions, expected_revision=incident.revision
    )
    promise_change(connection, parts, change.incident, change.transitions, now)
    audit.record(
        connection,
        f"incident.{wish.act.value}",
        by=wish.by,
        subject=incident.id,
        now=now,
        person=wish.person,
        before=incident.state.value,
        after=change.incident.state.value,
        reason=wish.note,
        other=wish.other,
    )
    return change.incident


def do(connection: Connection, parts: Parts, wish: Wish, now: datetime) -> Incident:
    """Do what a person asks. Raises BrandmelderError that says who was first, or Conflict."""
    outcome = fulfil(connection, parts, wish, now)
    if isinstance(outcome, Unknown):
        raise BrandmelderError(f"there is no incident {wish.incident}; see: brandmelder incidents list --all")
    if isinstance(outcome, Illegal):
        at = f" ({outcome.at.astimezone(parts.zone):%Y-%m-%d %H:%M})" if outcome.at else ""
        raise BrandmelderError(f"{wish.incident}: {outcome.text.removesuffix('.')}{at}.")
    return outcome


def _asked(wish: Wish, evidence: Evidence, parts: Parts) -> Asked:
    return Asked(
        act=wish.act,
        by=wish.by,
        person=wish.person,
        note=wish.note,
        other=wish.other,
        span=wish.span,
        classes=_classes(evidence, parts),
    )


def _classes(evidence: Evidence, parts: Parts) -> tuple[SourceClass, ...]:
    """Return in which classes of sources an incident burns."""
    known = (parts.places.get(source) for source, count in evidence.sources if count)
    return tuple(sorted({place.source_class for place in known if place is not None}))


def _is_of_a_former_life(timeline: list[Transition], wish: Wish) -> bool:
    """Whether a person clicked on what has been reopened since: they meant another situation."""
    return 0 < wish.revision < max((step.revision for step in timeline if step.act in _NEW_LIVES), default=0)


def _who(incident: Incident) -> str | None:
    return incident.closed_by or incident.acknowledged_by


def _when(incident: Incident) -> datetime | None:
    return incident.closed_at if incident.state in {State.RESOLVED, State.DISMISSED} else incident.acknowledged_at
