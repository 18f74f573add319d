"""Which incident is told within another's alert: the same mentions, or a storm that the configuration lets mute it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Incident, IncidentId, SpikeKind, State

if TYPE_CHECKING:
    from collections.abc import Iterable

SHARED = 0.8
"""From this share of common negative mentions on, two monitors see one fire."""
TOLD = frozenset({State.OPEN, State.ACKNOWLEDGED})
_COUNTED = frozenset({SpikeKind.NEGATIVE, SpikeKind.SHARE, SpikeKind.TOTAL, SpikeKind.REACH})
"""Kinds whose mentions can be compared; a key mention and a silence always speak for themselves."""


class Neighbour(Struct, frozen=True, kw_only=True):
    """Another monitor's incident, beside one that is about to be told."""

    incident: Incident
    shared: float = 0.0
    """The share of the one's negative mentions that this one counts, too."""
    mutes: bool = False
    """The configuration says that its storms mute the one's monitor."""


def may_shelter(incident: Incident, other: Incident) -> bool:
    """Return whether another incident is one that could tell of this one at all."""
    return (
        other.id != incident.id
        and other.monitor != incident.monitor
        and other.state in TOLD
        and other.under is None
        and incident.spike.kind in _COUNTED
        and other.spike.kind in _COUNTED
    )


def shelter_of(incident: Incident, neighbours: Iterable[Neighbour]) -> IncidentId | None:
    """Return the incident whose alert is to tell of this one: the largest that mutes it or sees the same fire.

    Of two that see the same, the larger one tells of both; of two of one size, the one with the lower number.
    """
    fitting = [
        one
        for one in neighbours
        if may_shelter(incident, one.incident) and (one.mutes or (one.shared >= SHARED and _is_larger(one, incident)))
    ]
    chosen = max(fitting, key=lambda one: (one.incident.spike.observed, one.incident.severity), default=None)
    return None if chosen is None else chosen.incident.id


def _is_larger(one: Neighbour, incident: Incident) -> bool:
    other = one.incident
    if other.severity < incident.severity:
        return False
    return (other.spike.observed, incident.id) > (incident.spike.observed, other.id)


def leaves(incident: Incident, above: Incident | None) -> bool:
    """Return whether an incident is to be told apart from now on: its shelter has ended, or it is the worse of the two.

    What a person called no crisis does not come back under another name, unless it grows worse.
    """
    if above is None or above.state not in TOLD | {State.DISMISSED}:
        return True
    return incident.severity > above.severity
