"""How people are called to an incident: nobody took it, are they still on it, the silence is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.model import Act, RotaId, Transition
from brandmelder.notify.call_words import call_words
from brandmelder.notify.headline import numbers_first
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import figures as figures_of
from brandmelder.notify.message import Button, Callee, Message, Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from brandmelder.notify.story import Story

EMOJI = "📣"


class Hole(Struct, frozen=True, kw_only=True):
    """A rota by which nobody is on call, and who was called in their place."""

    rota: RotaId
    instead: tuple[str, ...] = ()


def call(story: Story, step: Transition, *, callees: Sequence[Callee], patience: timedelta) -> Message:
    """Return the word that calls people to an incident; `step` is what it is about: ESCALATE, ASK or SPEAK.

    `patience` is how long whoever is asked has to answer.
    """
    head, sentence = _SAID.get(step.act, _nobody)(story, step, patience)
    incident = story.incident
    return Message(
        language=story.words.language,
        incident=incident.id,
        revision=step.revision,
        emoji=EMOJI,
        headline=numbers_first(story, rest=head),
        sentence=sentence,
        calls=tuple(callees),
        buttons=(Button(act=Act.ACKNOWLEDGE, label=story.words.buttons[Act.ACKNOWLEDGE], primary=True),),
        footer=((Span(text=f"{inert(incident.id, 40)}, "), *story.timed("{moment}", story.context.now)),),
        broadcast=True,
    )


def with_holes(message: Message, holes: Sequence[Hole]) -> Message:
    """Say in a message by which rotas nobody is on call."""
    words = call_words(message.language)
    said = [
        words.hole_fallback.format(rota=hole.rota, names=", ".join(hole.instead))
        if hole.instead
        else words.hole.format(rota=hole.rota)
        for hole in holes
    ]
    return replace(message, honest=(*said, *message.honest)) if said else message


def _nobody(story: Story, step: Transition, _patience: timedelta) -> tuple[str, tuple[Span, ...]]:
    words, voice = call_words(story.words.language), story.voice
    time = voice.duration(step.at - story.untaken_since)
    figures = " " + words.now.format(figures=figures_of(story))
    head, said = words.nobody_yet.format(time=time), words.nobody.format(time=time)
    _, _, lapsed = step.note.partition("lapsed ")
    if lapsed:
        head, said = words.nobody_now, words.lapsed.format(name=inert(lapsed, 40))
    elif step.note.endswith("again"):
        head, said = words.nobody_now, words.reopened
    return head, (Span(text=said, bold=True), Span(text=figures))


def _asked(story: Story, step: Transition, patience: timedelta) -> tuple[str, tuple[Span, ...]]:
    words, voice, incident = call_words(story.words.language), story.voice, story.incident
    name = inert(step.note, 40)
    time = voice.duration(step.at - (incident.acknowledged_at or incident.opened_at))
    figures = figures_of(story)
    return words.still_there.format(name=name), (
        Span(text=words.still_there.format(name=name), bold=True),
        Span(text=" " + words.no_sign.format(name=name, time=time, figures=figures)),
        Span(text=" " + words.confirm.format(time=voice.duration(patience))),
    )


def _over(story: Story, _step: Transition, _patience: timedelta) -> tuple[str, tuple[Span, ...]]:
    words = call_words(story.words.language)
    said = story.timed(words.over_since, story.context.silenced_since or story.incident.opened_at)
    figures = " " + words.now.format(figures=figures_of(story))
    return words.over, (*said, Span(text=figures))


_SAID = {Act.ASK: _asked, Act.SPEAK: _over}
