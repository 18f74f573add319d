"""A story becomes a picture: what is written above it, which moments it marks, and the same in one sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from brandmelder.notify.chart import Blind, Chart, Mark
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import told
from brandmelder.notify.story import is_blind

if TYPE_CHECKING:
    from brandmelder.model import Picture
    from brandmelder.notify.story import Story

_TOLD = 3
"""So many of the last bars are told in words."""


def chart_of(story: Story) -> Chart | None:
    """Return the chart of an incident's evidence; None if nothing was kept to draw."""
    picture = story.evidence.picture
    if picture is None or not picture.counts:
        return None
    return Chart(
        voice=story.voice,
        until=picture.until,
        width=picture.width,
        counts=picture.counts,
        usual=picture.usual,
        learning=_learning(story),
        marks=_marks(story, picture),
        blind=_blind(story, picture),
        # The number counts the running minutes, so the bars do; that they still count is seen.
        is_running=story.incident.spike.is_open_bin and picture.until > story.context.now,
        name=story.name,
        title=_title(story),
        note=_note(story, picture),
        alt=_sentence(story, picture),
    )


def _learning(story: Story) -> str:
    history = story.voice.span(story.incident.spike.history, alone=True)
    return story.words.learns.format(time=history)


def _marks(story: Story, picture: Picture) -> tuple[Mark, ...]:
    since, opened = picture.until - len(picture.counts) * picture.width, story.incident.opened_at
    marks = [
        Mark(at=event.at, label=f"{story.voice.clock(event.at)} {inert(event.name, 40)}".rstrip())
        for event in picture.events
    ]
    # The alert of this minute lies a little behind the last finished bar and is drawn at its end.
    if since <= opened <= picture.until + picture.width:
        said = story.words.alarm.format(clock=story.voice.clock(opened))
        marks.append(Mark(at=min(opened, picture.until), label=said, is_alert=True))
    return tuple(marks)


def _blind(story: Story, picture: Picture) -> tuple[Blind, ...]:
    """Return what could not be read; all bear the one label that is written."""
    names = list(dict.fromkeys(story.source(hole.source) for hole in picture.holes))
    if not names:
        return ()
    words = story.words
    label = words.without.format(source=names[0])
    if len(names) > 1:
        label = words.without_many.format(number=story.voice.number(len(names)))
    return tuple(Blind(label=label, since=hole.since, until=hole.until) for hole in picture.holes)


def _title(story: Story) -> tuple[tuple[str, bool], ...]:
    spike, voice, mine = story.incident.spike, story.voice, told(story)
    if mine is not None:
        return ((": ", False), (mine.number, True), (mine.after, False))
    subject = story.words.negative[spike.kind].of(spike.observed)
    window = voice.in_window("", spike.window)
    is_beyond = spike.observed > spike.usual_high
    return (
        (": ", False),
        (f"{voice.observed(spike)} {subject}", is_beyond),
        (f"{window}, {voice.usual(spike)}", False),
    )


def _note(story: Story, picture: Picture) -> str:
    voice, words = story.voice, story.words
    # Evidence is gathered more seldom than figures: bars that are older than the number say so.
    is_current = picture.until >= story.incident.spike.until
    parts = [
        words.per_bar.format(width=voice.duration(picture.width)),
        words.as_of.format(moment=voice.moment(story.context.now if is_current else picture.until)),
    ]
    blind = [sight for sight in story.evidence.sight if is_blind(sight)]
    if len(blind) > 1:
        parts.append(words.without_many.format(number=voice.number(len(blind))))
    elif blind and blind[0].blind_since is not None:
        since = voice.moment(blind[0].blind_since)
        parts.append(words.without_since.format(source=story.source(blind[0].source), moment=since))
    elif blind:
        parts.append(words.without.format(source=story.source(blind[0].source)))
    return ", ".join(parts)


def _sentence(story: Story, picture: Picture) -> str:
    """Return number, usual, course and event in one sentence, for whoever does not see the picture."""
    spike, voice, words = story.incident.spike, story.voice, story.words
    subject = words.subject_short[spike.kind].of(spike.observed)
    minutes = round(spike.window / timedelta(minutes=1))
    window = words.in_minutes.format(number=voice.number(minutes)) if minutes < 120 else voice.duration(spike.window)
    number = f"{voice.observed(spike)} {subject}"
    counts = " → ".join(voice.number(max(0, count)) for count in picture.counts[-_TOLD:])
    course = story.course
    figures = f"{words.in_window.format(number=number, window=window)}, {voice.usual(spike)}"
    mine = told(story)
    parts = [
        f"{story.name}: {figures if mine is None else mine.number + mine.after}",
        f"{course}: {counts} {words.per_bar.format(width=voice.duration(picture.width))}",
        *(f"{voice.clock(event.at)} {inert(event.name, 40)}" for event in picture.events[-_TOLD:]),
    ]
    return "; ".join(parts) + "."
