"""What people may do to an incident, and what it means: acknowledge, hand over, snooze, dismiss, undo, resolve, reopen.

An act is applied or refused with the reason: who brought the incident where it stands, and when. Asking again for what
one has done already changes nothing, so a click that arrives twice is harmless.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from brandmelder.incident.transitions import (
    ENDED,
    NOBODY,
    PEOPLES_ACTS,
    REASONS,
    TABLE,
    UNDO,
    Change,
    Draft,
    Illegal,
)
from brandmelder.model import Act, Incident, Snooze, SourceClass, State

if TYPE_CHECKING:
    from collections.abc import Mapping

SNOOZE: Final = timedelta(hours=1)
"""How long a snooze lasts if nobody says otherwise…"""
LONGEST_SNOOZE: Final = timedelta(hours=24)
"""…and at most: a crisis is not slept through unseen."""


class Asked(Struct, frozen=True, kw_only=True):
    """What a person asks for."""

    act: Act
    by: str
    person: str = ""
    """The id under which a channel knows them."""
    note: str = ""
    """Of a dismissal the reason (one of REASONS, `: words` may follow), of a hand-over the other's name."""
    other: str = ""
    """Of a hand-over: the id of whoever takes over."""
    span: timedelta = SNOOZE
    """Of a snooze."""
    classes: tuple[SourceClass, ...] = ()
    """Of a snooze: in which classes of sources it burns."""


def apply(incident: Incident, asked: Asked, at: datetime) -> Change | Illegal:
    """Do what a person asks, or say why it cannot be done."""
    is_legal = (incident.state, asked.act) in TABLE and asked.act in PEOPLES_ACTS
    if not is_legal or _is_idle(incident, asked) or _is_too_late(incident, asked, at):
        return _refuse(incident, asked)
    draft = Draft(incident, by=asked.by, person=asked.person)
    if asked.act is Act.UNDO:
        return _undo(draft, at)
    return draft.then(asked.act, at=at, note=asked.note, **_fields(incident, asked, at)).change


def reason_of(note: str) -> str:
    """Return the reason with which a dismissal's note begins; `other` if it begins with none of ours."""
    reason = note.partition(":")[0].strip()
    return reason if reason in REASONS else "other"


def _fields(incident: Incident, asked: Asked, at: datetime) -> Mapping[str, Any]:
    """Return what changes beside the state."""
    match asked.act:
        case Act.ACKNOWLEDGE:
            return _taken(asked.by, asked.person, at)
        case Act.HAND_OVER:
            return _taken(asked.note, asked.other, at) if asked.note else _taken(asked.by, asked.person, at)
        case Act.SNOOZE:
            return {"snooze": _snooze(incident, asked, at)}
        case Act.RESOLVE:
            return {"closed_by": asked.by, "closed_at": at}
        case Act.DISMISS:
            return {"closed_by": asked.by, "closed_at": at, "label": reason_of(asked.note)}
        case _:
            return NOBODY


def _taken(name: str, person: str, at: datetime) -> Mapping[str, Any]:
    return {"acknowledged_by": name, "acknowledged_at": at, "acknowledged_person": person, "asked_at": None}


def _is_idle(incident: Incident, asked: Asked) -> bool:
    """Whether it is an acknowledgement that changes nothing: only who was asked again can renew it."""
    if asked.act is not Act.ACKNOWLEDGE or incident.state is not State.ACKNOWLEDGED:
        return False
    return incident.asked_at is None or incident.acknowledged_by != asked.by or not _is_the_same(incident, asked)


def _snooze(incident: Incident, asked: Asked, at: datetime) -> Snooze:
    spike = incident.spike
    return Snooze(
        until=at + min(max(asked.span, timedelta(minutes=1)), LONGEST_SNOOZE),
        by=asked.by,
        observed=spike.observed,
        window=spike.window,
        classes=tuple(sorted(set(asked.classes))),
    )


def _undo(draft: Draft, at: datetime) -> Change:
    """Return to where it stood before the dismissal: whoever had it has it again."""
    before = draft.incident
    undone = draft.then(Act.UNDO, at=at, closed_at=None, closed_by=None, label=None)
    if before.acknowledged_by is None:
        return undone.change
    restored = Draft(undone.incident, undone.steps, before.acknowledged_by, before.acknowledged_person)
    return restored.then(Act.ACKNOWLEDGE, at=at, note="as before").change


def _is_too_late(incident: Incident, asked: Asked, at: datetime) -> bool:
    return asked.act is Act.UNDO and (incident.closed_at is None or at - incident.closed_at > UNDO)


_ASKED_AGAIN: Final[Mapping[Act, State]] = MappingProxyType(
    {Act.ACKNOWLEDGE: State.ACKNOWLEDGED, Act.RESOLVE: State.RESOLVED, Act.DISMISS: State.DISMISSED}
)


def _refuse(incident: Incident, asked: Asked) -> Change | Illegal:
    is_closed = incident.state in ENDED
    first = incident.closed_by if is_closed else incident.acknowledged_by
    if _ASKED_AGAIN.get(asked.act) is incident.state and first == asked.by and _is_the_same(incident, asked):
        return Change(incident=incident)
    at = incident.closed_at if is_closed else incident.acknowledged_at
    return Illegal(act=asked.act, state=incident.state, by=first, at=at)


def _is_the_same(incident: Incident, asked: Asked) -> bool:
    """Whether a name is the same person's, as far as the channel tells: two may be called Anna."""
    known = incident.acknowledged_person if incident.state is State.ACKNOWLEDGED else ""
    return not known or not asked.person or known == asked.person
