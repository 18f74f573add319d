"""What is worth a word in an alert's thread, and how its end is summed up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Act, Course, SourceClass, SpikeKind, State, Transition
from brandmelder.notify.facts import quoted
from brandmelder.notify.headline import headline, numbers_first
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import figures as figures_of
from brandmelder.notify.kinds import over
from brandmelder.notify.message import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from brandmelder.notify.story import Story

ENGINE = "brandmelder"
_FROM_TO = re.compile(r"(\d+) → (\d+)")
_FALLING = frozenset({Course.SUBSIDING, Course.CALM})


class News(Struct, frozen=True, kw_only=True):
    """One reply in the thread."""

    headline: str
    sentence: tuple[Span, ...]
    broadcast: bool = False


def first_told(timeline: Iterable[Transition], observed: int) -> int | None:
    """Return what was told before the number that stands there now was corrected; None if it grew or never was.

    What a storm has gained since its alert is no correction.
    """
    changes = [_FROM_TO.search(step.note) for step in timeline if step.act is Act.CORRECT]
    before, after = next(((int(one[1]), int(one[2])) for one in reversed(changes) if one is not None), (0, 0))
    return before if before != after == observed else None


def says_nothing(step: Transition) -> bool:
    """Whether figures were corrected to what they were: true of the record, of no use to a reader."""
    change = _FROM_TO.search(step.note)
    return step.act is Act.CORRECT and change is not None and change[1] == change[2]


def news(story: Story) -> News:
    """Return what the change named by the context says to the thread."""
    step = story.context.transition
    if step is None or (step.act in _ENDS and not story.has_ended):
        return _now(story)
    return _TOLD.get(step.act, _simply)(story, step)


def _plain(text: str) -> tuple[Span, ...]:
    return (Span(text=text),)


def _now(story: Story) -> News:
    figures = story.words.now.format(figures=_figures(story))
    return News(headline=numbers_first(story), sentence=_plain(figures))


def _worsened(story: Story, step: Transition) -> News:
    words = story.words
    change = _FROM_TO.search(step.note)
    before, after = (int(change[1]), int(change[2])) if change else (0, story.incident.severity)
    severity = words.severities[after - 1]
    rest = words.severity_now.format(severity=severity)
    figures = " " + words.now.format(figures=_figures(story))
    if not before:
        return News(headline=numbers_first(story, rest=rest), sentence=_plain(figures.strip()), broadcast=True)
    rises = words.severity_rises.format(before=words.severities[before - 1])
    sentence = (Span(text=rises), Span(text=severity, bold=True), Span(text="." + figures))
    return News(headline=numbers_first(story, rest=rest), sentence=sentence, broadcast=True)


def _turned(story: Story, step: Transition) -> News:
    words, voice, incident = story.words, story.voice, story.incident
    figures = _figures(story)
    way = Course(step.note) if step.note in set(Course) else incident.course
    if way not in _FALLING:
        return News(
            headline=numbers_first(story, rest=words.courses[Course.RISING]),
            sentence=_plain(words.rises_again.format(figures=figures)),
        )
    is_over = over(story)
    if is_over is not None:
        now = is_over[0] if way is Course.CALM else figures
        return News(headline=numbers_first(story, rest=words.courses[way]), sentence=_plain(f"{_capital(now)}."))
    said, peak = words.calm if way is Course.CALM else words.calms, voice.number(incident.peak)
    return News(
        headline=numbers_first(story, rest=words.courses[way]),
        sentence=_plain(said.format(figures=figures, peak=voice.in_window(peak, incident.peak_window))),
    )


def _taken(story: Story, step: Transition) -> News:
    words, voice = story.words, story.voice
    figures = _figures(story)
    if step.act is Act.HAND_OVER:
        name = inert(step.note or step.by, 40)
        said = words.hands_over.format(by=inert(step.by, 40), name=name, figures=figures)
    else:
        name = inert(step.by, 40)
        time = voice.duration(step.at - story.incident.opened_at)
        said = (words.has_taken_again if story.context.given_up_at else words.has_taken).format(name=name, time=time)
    return News(headline=numbers_first(story, rest=words.is_with.format(name=name)), sentence=_plain(said))


def _reopened(story: Story, step: Transition) -> News:
    words = story.words
    said = words.now.format(figures=_figures(story))
    if step.by != ENGINE:
        said = f"{words.opens_again.format(by=inert(step.by, 40))} {said}"
    sentence = (Span(text=words.open_again + ".", bold=True), Span(text=" " + said))
    return News(headline=numbers_first(story, words.open_again + ": "), sentence=sentence, broadcast=True)


def _woken(story: Story, step: Transition) -> News:
    words = story.words
    name = words.source_classes.get(step.note.removeprefix("class "), "")
    cause = "class" if name else "doubled" if _FROM_TO.search(step.note) else "over"
    figures = words.still if cause == "over" else words.now.removesuffix(".")
    said = f"{words.woken[cause].format(name=name)} {_capital(figures.format(figures=_figures(story)))}."
    return News(headline=numbers_first(story, words.wakes + ": "), sentence=_plain(said), broadcast=cause != "over")


def _joined(story: Story, step: Transition) -> News:
    """Name the class that joins, its sources with their counts, and the media's level if that is what changes."""
    words, evidence = story.words, story.evidence
    name = words.source_classes.get(step.note, step.note)
    here = {sight.source for sight in evidence.sight if sight.source_class.value == step.note}
    counts = [f"{story.source(one)} {story.voice.number(count)}" for one, count in evidence.sources if one in here]
    said = words.joins.format(name=_capital(name)) + (f": {', '.join(counts)}." if counts else ".")
    if step.note == SourceClass.NEWS.value:
        said += f" {words.skala}: {words.media.format(level=evidence.media)}."
    return News(
        headline=numbers_first(story, rest=words.joins.format(name=name)),
        sentence=_plain(f"{said} {words.now.format(figures=_figures(story))}"),
    )


def _undone(story: Story, step: Transition) -> News:
    words = story.words
    said = f"{words.takes_back.format(by=inert(step.by, 40))} {words.now.format(figures=_figures(story))}"
    return News(headline=numbers_first(story, words.open_again + ": "), sentence=_plain(said))


def _figures(story: Story) -> str:
    return figures_of(story)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _aged(story: Story, step: Transition) -> News:
    words, voice, incident = story.words, story.voice, story.incident
    way = Course(step.note) if step.note in set(Course) else incident.course
    time = voice.duration(story.context.now - incident.onset)
    said = (words.lingers if way in _FALLING else words.ages).format(time=time, figures=_figures(story))
    return News(
        headline=numbers_first(story, rest=words.courses[way]),
        sentence=_plain(said),
        broadcast=incident.state is State.OPEN,
    )


def _corrected(story: Story, step: Transition) -> News:
    change, spike, voice = _FROM_TO.search(step.note), story.incident.spike, story.voice
    if change is None or change[1] == change[2]:
        return _now(story)
    said = story.words.figures_corrected.format(
        before=voice.number(int(change[1])), after=voice.number(int(change[2])), window=voice.duration(spike.window)
    )
    return News(headline=numbers_first(story), sentence=_plain(said))


def _simply(story: Story, _: Transition) -> News:
    return _now(story)


def _ended(story: Story, _: Transition) -> News:
    return News(headline=headline(story), sentence=summary(story))


_ENDS = frozenset({Act.RESOLVE, Act.DISMISS})
_TOLD: dict[Act, Callable[[Story, Transition], News]] = {
    Act.WORSEN: _worsened,
    Act.TURN: _turned,
    Act.HAND_OVER: _taken,
    Act.ACKNOWLEDGE: _taken,
    Act.REOPEN: _reopened,
    Act.WAKE: _woken,
    Act.JOIN: _joined,
    Act.UNDO: _undone,
    Act.AGE: _aged,
    Act.CORRECT: _corrected,
    Act.RESOLVE: _ended,
    Act.DISMISS: _ended,
}


# -------------------------------------------------------------------- the end


def summary(story: Story) -> tuple[Span, ...]:
    """Sum up an incident that has ended: how long, how much, why, how fast we were, how severe."""
    if story.incident.state is State.DISMISSED:
        return _no_crisis(story)
    return (
        Span(text=_lasted(story), bold=True),
        Span(text=f" {_how_much(story)}"),
        *_cause(story),
        Span(text=f" {_how_fast(story)} {_how_severe(story)}"),
        *_how_it_ended(story),
    )


def _lasted(story: Story) -> str:
    incident = story.incident
    ended = incident.closed_at or story.context.now
    said = story.words.ended_after.format(time=story.voice.duration(ended - incident.opened_at))
    return said.removesuffix(".") + "."


def _how_much(story: Story) -> str:
    incident, words, voice = story.incident, story.words, story.voice
    is_over = over(story)
    if is_over is not None:
        return _capital(is_over[0]) + "."
    peak = words.peak.format(figures=voice.in_window(voice.number(incident.peak), incident.peak_window))
    total = voice.number(max(incident.total, story.evidence.negatives))
    said = [f"{peak[:1].upper()}{peak[1:]}, {words.together.format(number=total)}."]
    reach = story.evidence.reach_critics
    if reach:
        said.append(words.big_critics.of(reach).format(number=voice.number(reach)))
    return " ".join(said)


def _cause(story: Story) -> tuple[Span, ...]:
    if not story.evidence.phrases:
        return ()
    return (Span(text=" " + story.words.cause), *quoted(story, story.evidence.phrases[0].text), Span(text="."))


def _how_fast(story: Story) -> str:
    incident, words, voice = story.incident, story.words, story.voice
    taken = story.context.first_acknowledged_at or incident.acknowledged_at
    first = story.evidence.first_answered
    acknowledged = (
        words.not_taken if taken is None else words.taken_after.format(time=voice.duration(taken - incident.opened_at))
    )
    if story.incident.kind is SpikeKind.SILENCE:
        return f"{acknowledged}."
    if first is None:
        answered = words.no_answer
    elif first < incident.opened_at:
        answered = words.answered_before
    else:
        answered = words.first_answer.format(time=voice.duration(first - incident.opened_at))
    return f"{acknowledged}, {answered}."


def _how_severe(story: Story) -> str:
    words, incident = story.words, story.incident
    first, last = words.severities[incident.first_severity - 1], words.severities[incident.severity - 1]
    if first == last:
        return words.severity_same.format(last=last)
    return words.severity_first_last.format(first=first, last=last)


def _how_it_ended(story: Story) -> tuple[Span, ...]:
    incident, words = story.incident, story.words
    if incident.closed_by not in (None, ENGINE):
        return _plain(" " + words.ended_by.format(name=inert(incident.closed_by or "", 40)))
    if incident.calm_since is None:
        return ()
    return (Span(text=" "), *story.timed(words.calm_since, incident.calm_since))


def _no_crisis(story: Story) -> tuple[Span, ...]:
    incident, words = story.incident, story.words
    said = words.no_crisis.format(name=inert(incident.closed_by or ENGINE, 40))
    reason = words.reasons.get(incident.label or "", words.reasons["other"])
    spans = (Span(text=said + ".", bold=True), Span(text=" " + words.reason.format(reason=reason)))
    return (*spans, Span(text=f" {_how_much(story)}"))
