"""What became of an incident, newest first: its transitions, each as one line, and our first answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.model import Act, Course
from brandmelder.notify.inert import inert
from brandmelder.notify.news import says_nothing
from brandmelder.web.catalogue import sentence
from brandmelder.web.sayings import COURSES, ENGINE, NAME

if TYPE_CHECKING:
    from brandmelder.model import Transition
    from brandmelder.notify.story import Story
    from brandmelder.web.reader import Reader
    from brandmelder.web.sheet import Sheet

_ICONS: Final = {
    Act.OPEN: "open", Act.SUSPECT: "pending", Act.REOPEN: "open", Act.UNDO: "open", Act.LAPSE: "open",
    Act.ACKNOWLEDGE: "acknowledged", Act.HAND_OVER: "acknowledged", Act.SNOOZE: "silenced",
    Act.SILENCE: "silenced", Act.WORSEN: "rising", Act.JOIN: "rising", Act.AGE: "high", Act.RESOLVE: "ended",
    Act.DISMISS: "ended", Act.DISCARD: "ended",
}  # fmt: skip
_SENTENCES: Final = {
    Act.OPEN: sentence("Alert"),
    Act.SUSPECT: sentence("Suspected"),
    Act.SNOOZE: sentence("{by} mutes it"),
    Act.WAKE: sentence("No longer muted"),
    Act.CORRECT: sentence("Figures corrected: {note}"),
    Act.UNDO: sentence("{by} takes “not a crisis” back"),
    Act.REOPEN: sentence("{by} opens it again"),
    Act.ESCALATE: sentence("Nobody took it: the next are called"),
    Act.ASK: sentence("{note} is asked: still on it?"),
    Act.LAPSE: sentence("No answer: nobody is on it"),
    Act.SILENCE: sentence("Silence begins"),
    Act.SPEAK: sentence("Silence ends"),
    Act.HAND_OVER: sentence("{by} hands over to {note}"),
    Act.DISCARD: sentence("Calmed before anybody was told"),
}


class Step(Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    at: datetime
    icon: str
    text: str
    is_accent: bool = False


def timeline(sheet: Sheet, reader: Reader) -> tuple[Step, ...]:
    """Return what happened, newest first: transitions, our first answer, and what people noted."""
    story = sheet.story
    steps = [one for one in (_step(story, reader, step) for step in sheet.facts.timeline) if one is not None]
    first = story.evidence.first_answered
    if first is not None and first >= story.incident.opened_at:
        steps.append(Step(at=first, icon="answered", text=reader.say("First answer of ours")))
    return tuple(sorted(steps, key=lambda step: step.at, reverse=True))


def _step(story: Story, reader: Reader, step: Transition) -> Step | None:
    if says_nothing(step):
        return None
    by, note = inert(step.by, NAME), inert(step.note, 200)
    text = _told_apart(story, reader, step) or (
        reader.say(_SENTENCES[step.act], by=by, note=note) if step.act in _SENTENCES else ""
    )
    icon = _ICONS.get(step.act, "note")
    if step.act is Act.TURN:
        icon = COURSES[Course(step.note)][0] if step.note in set(Course) else "subsiding"
    return Step(at=step.at, icon=icon, text=text, is_accent=step.act is Act.OPEN) if text else None


def _told_apart(story: Story, reader: Reader, step: Transition) -> str:
    """Say what needs more than a sentence with names in it."""
    teller = _TOLD_APART.get(step.act)
    return "" if teller is None else teller(story, reader, step)


def _taken(story: Story, reader: Reader, step: Transition) -> str:
    time = story.voice.duration(max(timedelta(0), step.at - story.incident.opened_at))
    return reader.say("{name} takes it, {time} after the alert", name=inert(step.by, NAME), time=time)


def _worsened(story: Story, reader: Reader, step: Transition) -> str:
    words = story.words
    levels = [words.severities[int(one) - 1] for one in step.note.split(" → ") if one in {"1", "2", "3", "4", "5"}]
    change = " → ".join(levels) or words.severities[story.incident.severity - 1]
    return reader.say("Severity rises: {change}", change=change)


def _joined(story: Story, reader: Reader, step: Transition) -> str:
    name = story.words.source_classes.get(step.note, inert(step.note, NAME))
    return reader.say("{name} join", name=name[:1].upper() + name[1:])


def _turned(_story: Story, reader: Reader, step: Transition) -> str:
    return reader.say(COURSES[Course(step.note)][1]) if step.note in set(Course) else reader.say("Turns")


def _aged(_story: Story, reader: Reader, step: Transition) -> str:
    is_falling = step.note in {Course.SUBSIDING, Course.CALM}
    return reader.say("Still above the usual") if is_falling else reader.say("Still high")


def _resolved(_story: Story, reader: Reader, step: Transition) -> str:
    if step.by == ENGINE:
        return reader.say("Over: calm again")
    return reader.say("{by} resolves it", by=inert(step.by, NAME))


def _dismissed(story: Story, reader: Reader, step: Transition) -> str:
    reason, _, more = step.note.partition(":")
    known = story.words.reasons.get(reason.strip(), story.words.reasons["other"])
    said = reader.say("{by}: not a crisis, {reason}", by=inert(step.by, NAME), reason=known)
    return f"{said}: {inert(more, 200)}" if more.strip() else said


_TOLD_APART: Final = {
    Act.ACKNOWLEDGE: _taken,
    Act.WORSEN: _worsened,
    Act.JOIN: _joined,
    Act.TURN: _turned,
    Act.AGE: _aged,
    Act.RESOLVE: _resolved,
    Act.DISMISS: _dismissed,
}
