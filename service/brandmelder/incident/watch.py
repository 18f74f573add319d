"""What becomes of an incident that people leave alone: it escalates, asks again, lapses, falls silent, speaks again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from brandmelder.incident.transitions import TABLE, Change, Draft
from brandmelder.model import Act, State

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.model import Incident


def escalate(incident: Incident, note: str, *, at: datetime) -> Change:
    """Write down that the next people are told, since nobody acknowledged; `note` says which step and whom."""
    return _engine(incident, Act.ESCALATE, note, at=at)


def ask(incident: Incident, *, at: datetime) -> Change:
    """Ask whoever acknowledged whether they are still on it."""
    return _engine(incident, Act.ASK, incident.acknowledged_by or "", at=at, asked_at=at)


def lapse(incident: Incident, *, at: datetime) -> Change:
    """Take back an acknowledgement behind which nobody answers."""
    by = incident.acknowledged_by or ""
    nobody = {"acknowledged_by": None, "acknowledged_at": None, "acknowledged_person": "", "asked_at": None}
    return _engine(incident, Act.LAPSE, by, at=at, **nobody)


def silence(incident: Incident, why: str, *, at: datetime) -> Change:
    """Write down that from now on nobody is told, and why."""
    if incident.silenced_since is not None:
        return Change(incident=incident)
    return _engine(incident, Act.SILENCE, why, at=at, silenced_since=at)


def speak(incident: Incident, why: str, *, at: datetime) -> Change:
    """Write down that people are told again, and why."""
    if incident.silenced_since is None:
        return Change(incident=incident)
    return _engine(incident, Act.SPEAK, why, at=at, silenced_since=None)


def is_told_of(state: State) -> bool:
    """Whether people are told of an incident in this state as time passes."""
    return (state, Act.SILENCE) in TABLE


def _engine(incident: Incident, act: Act, note: str, *, at: datetime, **fields: Any) -> Change:
    """Do one act of our own where it is legal; elsewhere nothing changes, since people were faster."""
    if (incident.state, act) not in TABLE:
        return Change(incident=incident)
    # `changed_at` stands for what happens outside: being told of it does not make an incident younger.
    draft = Draft(incident).then(act, at=at, note=note, **fields)
    return Change(incident=replace(draft.incident, changed_at=incident.changed_at), transitions=draft.steps)
