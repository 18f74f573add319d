"""When a snooze ends: its time is over, the spike doubles once more, or another class of source joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.incident.lifecycle import has_grown
from brandmelder.incident.transitions import Change, Draft
from brandmelder.model import Act

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from brandmelder.model import Incident, SourceClass

OVER = "over"
"""The note of a wake for which nothing but the time was needed."""
DOUBLED = 2.0


def disturb(change: Change, classes: Iterable[SourceClass], now: datetime) -> Change:
    """Return a change with the end of its incident's snooze, if what it says is worth waking people for.

    `classes` are the classes of sources in which it has burnt since the snooze began.
    """
    incident = change.incident
    if incident is None or incident.snooze is None:
        return change
    why = _why(incident, frozenset(classes), now)
    if why is None:
        return change
    draft = Draft(incident, change.transitions).then(Act.WAKE, at=now, note=why, snooze=None)
    return draft.change


def _why(incident: Incident, classes: frozenset[SourceClass], now: datetime) -> str | None:
    """Return why people are to be woken, as the note of the transition; None if they are not."""
    snooze = incident.snooze
    if snooze is None:
        return None
    if now >= snooze.until:
        return OVER
    if has_grown(incident.spike, DOUBLED, max(snooze.observed, 1), snooze.window):
        return f"{snooze.observed} → {incident.spike.observed}"
    fresh = sorted(classes - frozenset(snooze.classes))
    return f"class {fresh[0]}" if fresh else None
