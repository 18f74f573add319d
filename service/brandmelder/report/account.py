"""What a report of an incident is told from: all that is known when it is written, and the same without staff names."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.model import Act, Evidence, Gap, Incident, Picture, SourceId, Transition
from brandmelder.notify.news import ENGINE
from brandmelder.notify.story import Context


class Spoken(Struct, frozen=True, kw_only=True):
    """Something that was said, as it stands now: strangers' words, not yet inert."""

    text: str
    source: SourceId
    url: str
    published_at: datetime
    reach: int | None = None
    copies: int = 0


class Answers(Struct, frozen=True, kw_only=True):
    """How far our accounts answered what was said against us."""

    asked: int = 0
    answered: int = 0
    """By the end of the incident…"""
    answered_since: int = 0
    """…and until the report was written."""
    first: datetime | None = None
    median: timedelta | None = None
    oldest_unanswered: datetime | None = None
    could_be_seen: bool = True
    """Whether an account of ours was ever seen to write where it happened."""


class Told(Struct, frozen=True, kw_only=True):
    """When a channel was known to carry the alert."""

    channel: str
    at: datetime | None


class Account(Struct, frozen=True, kw_only=True):
    """One incident, with all that its report tells."""

    incident: Incident
    evidence: Evidence
    timeline: tuple[Transition, ...]
    context: Context
    drawn: Picture | None = None
    """The whole course, from before the onset to the end."""
    peak_at: datetime | None = None
    """Where the loudest window ended."""
    peak_usual: tuple[int, int] | None = None
    """What is usual in it."""
    spoken: tuple[Spoken, ...] = ()
    left_out: int = 0
    """Quotes of the alert that cannot be shown any more."""
    answers: Answers = Answers()
    gaps: tuple[Gap, ...] = ()
    told: tuple[Told, ...] = ()
    calls: int | None = None
    """How many calls reached people; None where that is not to be counted."""
    judge: str = ""
    """Which classifier, of which version."""
    written_at: datetime
    version: str

    @property
    def ended_at(self) -> datetime:
        """When it ended, or the moment of writing."""
        return self.incident.closed_at or self.written_at


_NAMING = frozenset({Act.HAND_OVER, Act.SILENCE, Act.SNOOZE, Act.ASK, Act.LAPSE})
"""Acts whose note may name staff."""


def without_names(account: Account, anonymous: str) -> Account:
    """Return the account with a role in the place of every name of staff: for works councils (decision 0085)."""
    incident = account.incident
    snooze = incident.snooze
    return replace(
        account,
        incident=replace(
            incident,
            acknowledged_by=anonymous if incident.acknowledged_by else None,
            acknowledged_person="",
            closed_by=_role(incident.closed_by, anonymous),
            snooze=None if snooze is None else replace(snooze, by=anonymous),
        ),
        timeline=tuple(_masked(step, anonymous) for step in account.timeline),
        context=replace(account.context, on_call=anonymous if account.context.on_call else None),
        calls=None,
    )


def _masked(step: Transition, anonymous: str) -> Transition:
    note = step.note
    if step.act in _NAMING:
        note = anonymous if step.act is Act.HAND_OVER and note else ""
    elif step.act is Act.DISMISS:
        note = note.partition(":")[0]
    return replace(step, by=_role(step.by, anonymous) or ENGINE, person="", note=note)


def _role(name: str | None, anonymous: str) -> str | None:
    return name if name in {None, ENGINE} else anonymous
