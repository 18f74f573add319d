"""When another class of source joins an incident: news after social media is news, a second network is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.incident.transitions import Change, Draft
from brandmelder.model import Act, SourceClass, State

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.model import Evidence

_TOLD = frozenset({State.OPEN, State.ACKNOWLEDGED})
_BEGINS = frozenset({Act.SUSPECT, Act.OPEN, Act.REOPEN})


def join(change: Change, evidence: Evidence, now: datetime) -> Change:
    """Return a change with a transition for each class of source that its incident had not reached before.

    What an incident begins with is remembered and not told: its alert shows it.
    """
    incident = change.incident
    if incident is None:
        return change
    known, reached = frozenset(incident.classes), _reached(evidence)
    fresh = sorted(reached - known)
    if not fresh:
        return change
    draft = Draft(replace(incident, classes=tuple(sorted(known | reached))), change.transitions)
    begins = not known or any(step.act in _BEGINS for step in change.transitions)
    if incident.state in _TOLD and not begins:
        for one in fresh:
            draft = draft.then(Act.JOIN, at=now, note=one.value)
    return draft.change


def _reached(evidence: Evidence) -> frozenset[SourceClass]:
    """Return the classes in which it burns; articles count from the first, whatever their tone."""
    counts = dict(evidence.sources)
    reached = {sight.source_class for sight in evidence.sight if counts.get(sight.source)}
    return frozenset(reached | ({SourceClass.NEWS} if evidence.media else set()))
