"""What a person does to an incident: applied, written into its timeline and told to the channels in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.errors import BrandmelderError
from brandmelder.incident.lifecycle import Illegal, apply
from brandmelder.model import Act
from brandmelder.pipeline.promise import deliveries_of
from brandmelder.store import deliveries, incidents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import Incident
    from brandmelder.pipeline.parts import Parts


class Wish(Struct, frozen=True, kw_only=True):
    """What a person asks for."""

    incident: str
    act: Act
    by: str
    note: str = ""


def do(connection: Connection, parts: Parts, wish: Wish, now: datetime) -> Incident:
    """Do what a person asks, by compare-and-set. Raises BrandmelderError that says who was first, or Conflict."""
    found = incidents.find(connection, wish.incident)
    if found is None:
        raise BrandmelderError(f"there is no incident {wish.incident}; see: brandmelder incidents list --all")
    incident, evidence = found
    change = apply(incident, wish.act, by=wish.by, at=now, note=wish.note)
    if isinstance(change, Illegal):
        at = f" ({change.at.astimezone(parts.zone):%H:%M})" if change.at else ""
        raise BrandmelderError(f"{wish.incident}: {change.text.removesuffix('.')}{at}.")
    if change.incident is None or not change.transitions:
        return incident
    incidents.save_incident(
        connection, change.incident, evidence, change.transitions, expected_revision=incident.revision
    )
    deliveries.promise(connection, deliveries_of(change.incident, change.transitions, parts, now))
    return change.incident
