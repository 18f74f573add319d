"""Which act is legal in which state of an incident, where it leads, and what one change leaves behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.model import Act, Incident, State, Transition

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE: Final[Mapping[tuple[State | None, Act], State]] = MappingProxyType(
    {
        (None, Act.SUSPECT): State.PENDING,
        (None, Act.OPEN): State.OPEN,
        (State.PENDING, Act.OPEN): State.OPEN,
        (State.PENDING, Act.DISCARD): State.DISCARDED,
        (State.OPEN, Act.ACKNOWLEDGE): State.ACKNOWLEDGED,
        (State.OPEN, Act.WORSEN): State.OPEN,
        (State.OPEN, Act.AGE): State.OPEN,
        (State.OPEN, Act.TURN): State.OPEN,
        (State.OPEN, Act.JOIN): State.OPEN,
        (State.OPEN, Act.CORRECT): State.OPEN,
        (State.OPEN, Act.RESOLVE): State.RESOLVED,
        (State.OPEN, Act.DISMISS): State.DISMISSED,
        (State.OPEN, Act.SNOOZE): State.OPEN,
        (State.OPEN, Act.WAKE): State.OPEN,
        (State.OPEN, Act.ESCALATE): State.OPEN,
        (State.OPEN, Act.SILENCE): State.OPEN,
        (State.OPEN, Act.SPEAK): State.OPEN,
        (State.ACKNOWLEDGED, Act.ACKNOWLEDGE): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.HAND_OVER): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.WORSEN): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.AGE): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.TURN): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.JOIN): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.CORRECT): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.RESOLVE): State.RESOLVED,
        (State.ACKNOWLEDGED, Act.DISMISS): State.DISMISSED,
        (State.ACKNOWLEDGED, Act.SNOOZE): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.WAKE): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.ASK): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.LAPSE): State.OPEN,
        (State.ACKNOWLEDGED, Act.SILENCE): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, Act.SPEAK): State.ACKNOWLEDGED,
        (State.RESOLVED, Act.REOPEN): State.OPEN,
        (State.DISMISSED, Act.REOPEN): State.OPEN,
        (State.DISMISSED, Act.UNDO): State.OPEN,
    }
)
"""Which act is legal in which state, and where it leads. What is not here does not happen."""

RUNNING: Final = frozenset({State.PENDING, State.OPEN, State.ACKNOWLEDGED})
ENDED: Final = frozenset({State.RESOLVED, State.DISMISSED})
PEOPLES_ACTS: Final = frozenset(
    {Act.ACKNOWLEDGE, Act.HAND_OVER, Act.SNOOZE, Act.RESOLVE, Act.DISMISS, Act.UNDO, Act.REOPEN}
)
REASONS: Final = ("sarcasm", "own_campaign", "sports_result", "bots", "wrong_brand", "other")
"""Why an incident is dismissed as no crisis."""
UNDO: Final = timedelta(minutes=10)
"""How long a dismissal can be undone as if it had not been; later the incident is reopened."""
ENGINE: Final = "brandmelder"
"""Who acts when no person does."""


class Change(Struct, frozen=True, kw_only=True):
    """What became of an incident. Without transitions the revision stands; figures may be newer all the same."""

    incident: Incident | None
    transitions: tuple[Transition, ...] = ()


class Illegal(Struct, frozen=True, kw_only=True):
    """Why an act cannot be done: what was asked, where the incident stands, who brought it there and when."""

    act: Act
    state: State
    by: str | None = None
    at: datetime | None = None

    @property
    def text(self) -> str:
        """The reason in one English sentence, without the time of day (that needs the reader's zone)."""
        who = "Brandmelder" if self.by in (None, ENGINE) else self.by
        if self.act is Act.UNDO:
            return f"Only a dismissal of the last {UNDO // timedelta(minutes=1)} minutes can be undone; reopen it."
        return _WHY[self.state].format(who=who)


_WHY: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.PENDING: "The incident is not confirmed yet; nobody was told of it.",
        State.OPEN: "The incident is open; nobody has acknowledged it yet.",
        State.ACKNOWLEDGED: "{who} acknowledged it first.",
        State.RESOLVED: "{who} resolved it already.",
        State.DISMISSED: "{who} dismissed it already.",
        State.DISCARDED: "The incident calmed before it was confirmed.",
    }
)


NOBODY: Final[Mapping[str, Any]] = MappingProxyType(
    dict.fromkeys(
        (
            "acknowledged_by",
            "acknowledged_at",
            "asked_at",
            "silenced_since",
            "closed_at",
            "closed_by",
            "label",
            "calm_since",
        )
    )
    | {"acknowledged_person": ""}
)
"""What a reopened incident forgets: its timeline keeps it."""


class Draft(Struct, frozen=True):
    """An incident on its way to the next revision, with the transitions that led there."""

    incident: Incident
    steps: tuple[Transition, ...] = ()
    by: str = ENGINE
    person: str = ""
    """Who acts, and the id under which a channel knows them."""

    def then(self, act: Act, *, at: datetime, note: str = "", **fields: Any) -> Draft:
        """Do one act and set the fields that go with it; a snooze does not outlive its incident.

        Raises KeyError if the act is not legal there.
        """
        before = self.incident
        after = TABLE[before.state, act]
        number = before.revision + 1
        if after in ENDED:
            fields["snooze"] = None
        moved = replace(before, state=after, revision=number, changed_at=at, **fields)
        step = Transition(
            incident=moved.id,
            revision=number,
            at=at,
            act=act,
            before=before.state,
            after=after,
            by=self.by,
            note=note,
            person=self.person,
        )
        return Draft(moved, (*self.steps, step), self.by, self.person)

    def worsen(self, level: int, *, at: datetime) -> Draft:
        """Raise the severity."""
        return self.then(Act.WORSEN, at=at, note=f"{self.incident.severity} → {level}", severity=level)

    @property
    def change(self) -> Change:
        """What became of the incident."""
        return Change(incident=self.incident, transitions=self.steps)
