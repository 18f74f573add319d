"""What one person is told after a click, and nobody else: who was first, what is noted, what can be said here.

Sentences are ours; names of people are made inert. German and English.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.model import Act, State
from brandmelder.notify.inert import inert
from brandmelder.notify.listener import Answer, Choice, Question
from brandmelder.notify.voice import Voice, words_of

if TYPE_CHECKING:
    from brandmelder.model import Incident

NAME = 40
ENGINE: Final = "brandmelder"


class Said(Struct, frozen=True, kw_only=True):
    """One language; names in braces are filled with our own words and inert names."""

    acknowledged: str
    resolved: str
    dismissed: str
    ended_by_itself: str
    open_: str
    pending: str
    too_late: str
    unknown: str
    forbidden: str
    unclear: str
    failed: str
    help: str
    form_gone: str
    done: Mapping[Act, str]
    undo: str
    why: str
    who: str
    words: str
    send: str
    cancel: str


_GERMAN: Final = Said(
    acknowledged="{name} hat {incident} um {time} übernommen.",
    resolved="{name} hat {incident} um {time} abgeschlossen.",
    dismissed="{name} hat {incident} um {time} als „keine Krise“ geschlossen.",
    ended_by_itself="{incident} ist um {time} von selbst zu Ende gegangen.",
    open_="{incident} ist offen, noch hat niemand übernommen.",
    pending="{incident} ist noch nicht bestätigt.",
    too_late="„Keine Krise“ lässt sich nur zehn Minuten lang zurücknehmen. Dafür gibt es „Wieder öffnen“.",
    unknown="Zu diesem Faden gehört kein Vorfall.",
    forbidden="Dafür hast du hier kein Recht. Wer es vergibt, steht in der Konfiguration unter „roles“.",
    unclear="Das habe ich nicht verstanden.",
    failed="Das ging nicht; warum, steht im Protokoll. Es geht auch auf der Seite oder mit „brandmelder incidents“.",
    help="Ich verstehe im Faden eines Alarms: übernehmen · stumm 1h · keine krise sarkasmus · abschließen · "
    "wieder öffnen · rückgängig · an @anna · status · details",
    form_gone="Das Fenster ließ sich nicht öffnen. Schreib es in den Faden: {way}",
    done={
        Act.ACKNOWLEDGE: "Du hast {incident} übernommen.",
        Act.HAND_OVER: "{incident} ist jetzt bei {name}.",
        Act.SNOOZE: "{incident} ist stumm bis {time}. Eine Verdopplung oder eine neue Art von Quelle weckt trotzdem.",
        Act.RESOLVE: "{incident} ist abgeschlossen.",
        Act.DISMISS: "{incident}: keine Krise, Grund: {reason}. Zehn Minuten lang lässt sich das zurücknehmen.",
        Act.REOPEN: "{incident} ist wieder offen.",
        Act.UNDO: "Zurückgenommen: {incident} läuft weiter.",
    },
    undo="Rückgängig",
    why="Warum ist es keine Krise?",
    who="Wer übernimmt?",
    words="In eigenen Worten",
    send="Absenden",
    cancel="Abbrechen",
)
_ENGLISH: Final = Said(
    acknowledged="{name} took {incident} at {time}.",
    resolved="{name} resolved {incident} at {time}.",
    dismissed="{name} closed {incident} as “not a crisis” at {time}.",
    ended_by_itself="{incident} ended by itself at {time}.",
    open_="{incident} is open, nobody has acknowledged it yet.",
    pending="{incident} is not confirmed yet.",
    too_late="“Not a crisis” can be taken back for ten minutes only. After that there is “Reopen”.",
    unknown="No incident belongs to this thread.",
    forbidden="You may not do that here. Who may stands in the configuration under “roles”.",
    unclear="I did not understand that.",
    failed="That did not work; the log says why. The page or “brandmelder incidents” can do it as well.",
    help="In an alert's thread I understand: ack · snooze 1h · dismiss sarcasm · resolve · reopen · undo · "
    "hand over @anna · status · details",
    form_gone="The window could not be opened. Write in the thread: {way}",
    done={
        Act.ACKNOWLEDGE: "You have {incident}.",
        Act.HAND_OVER: "{name} has {incident} now.",
        Act.SNOOZE: "{incident} is muted until {time}. A doubling or a new class of source wakes you all the same.",
        Act.RESOLVE: "{incident} is resolved.",
        Act.DISMISS: "{incident}: not a crisis, reason: {reason}. It can be taken back for ten minutes.",
        Act.REOPEN: "{incident} is open again.",
        Act.UNDO: "Taken back: {incident} goes on.",
    },
    undo="Undo",
    why="Why is it not a crisis?",
    who="Who takes over?",
    words="In your own words",
    send="Send",
    cancel="Cancel",
)
_WAYS: Final = {
    ("de", Act.DISMISS): "keine krise sarkasmus",
    ("de", Act.HAND_OVER): "an @anna",
    ("en", Act.DISMISS): "dismiss sarcasm",
    ("en", Act.HAND_OVER): "hand over @anna",
}
_SILENT: Final = frozenset({Act.ACKNOWLEDGE, Act.HAND_OVER, Act.RESOLVE, Act.REOPEN})
"""What a button does and the alert then shows; nothing needs to be said."""


class Speaker(Struct, frozen=True, kw_only=True):
    """Speaks to one person in the language and the zone of the house."""

    language: str
    zone: tzinfo
    now: datetime

    @property
    def said(self) -> Said:
        """The language's sentences."""
        return _ENGLISH if self.language == "en" else _GERMAN

    def standing(self, incident: Incident) -> str:
        """Say where an incident stands and who brought it there."""
        said, at = self.said, incident.closed_at or incident.acknowledged_at
        by = incident.closed_by if incident.closed_at else incident.acknowledged_by
        template = {
            State.PENDING: said.pending,
            State.OPEN: said.open_,
            State.ACKNOWLEDGED: said.acknowledged,
            State.RESOLVED: said.ended_by_itself if by == ENGINE else said.resolved,
            State.DISMISSED: said.dismissed,
            State.DISCARDED: said.ended_by_itself,
        }[incident.state]
        return template.format(name=inert(by or "", NAME), incident=incident.id, time=self._time(at))

    def refused(self, incident: Incident, act: Act) -> Answer:
        """Say why an act came too late: usually that somebody was faster."""
        if act is Act.UNDO and incident.state is State.DISMISSED:
            return Answer(text=f"{self.standing(incident)} {self.said.too_late}")
        return Answer(text=self.standing(incident))

    def done(self, incident: Incident, act: Act, *, is_spoken: bool) -> Answer | None:
        """Confirm an act where the alert itself does not show it at once, or where it was spoken."""
        if act in _SILENT and not is_spoken:
            return None
        words = words_of(self.language)
        text = self.said.done[act].format(
            incident=incident.id,
            name=inert(incident.acknowledged_by or "", NAME),
            time=self._time(incident.snooze.until if incident.snooze else None),
            reason=words.reasons.get(incident.label or "", words.reasons["other"]),
        )
        undo = self.said.undo if act is Act.DISMISS else ""
        return Answer(text=text, undo=undo, incident=incident.id, revision=incident.revision)

    def asks(self, incident: Incident, act: Act) -> Answer:
        """Return the form that an act needs, and what to say if it cannot be opened any more."""
        said, words = self.said, words_of(self.language)
        is_dismissal = act is Act.DISMISS
        choices = tuple(Choice(value=name, label=label) for name, label in words.reasons.items())
        question = Question(
            act=act.value,
            incident=incident.id,
            revision=incident.revision,
            title=words.buttons[act],
            label=said.why if is_dismissal else said.who,
            submit=said.send,
            cancel=said.cancel,
            choices=choices if is_dismissal else (),
            words=said.words if is_dismissal else "",
        )
        way = _WAYS["en" if self.language == "en" else "de", act]
        return Answer(text=said.form_gone.format(way=way), question=question)

    def status(self, incident: Incident, figures: str) -> Answer:
        """Say in one line how it stands."""
        return Answer(text=f"{self.standing(incident)} {figures}")

    def plain(self, act: str) -> Answer:
        """Say what needs no incident: help, or that something was not understood, not allowed or failed."""
        said = self.said
        text = {"help": said.help, "unknown": said.unknown, "forbidden": said.forbidden, "failed": said.failed}.get(act)
        return Answer(text=text or f"{said.unclear} {said.help}")

    def _time(self, moment: datetime | None) -> str:
        return Voice(words_of(self.language), self.zone, self.now).moment(moment) if moment else "?"
