"""Who did what when: the transitions of an incident as a table, the notes in the reader's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from brandmelder.model import Act, Course, Transition
from brandmelder.notify.details import acts_of
from brandmelder.notify.inert import inert
from brandmelder.notify.news import ENGINE, says_nothing
from brandmelder.report.document import Grid, Spans, said
from brandmelder.report.incident_words import incident_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.notify.story import Story
    from brandmelder.notify.voice import Voice

_SILENT = frozenset({Act.SUSPECT, Act.OPEN, Act.ACKNOWLEDGE, Act.ESCALATE})
"""Acts whose note by the service is for machines."""
_FROM_TO = re.compile(r"(\d+) → (\d+)")


def timeline(steps: Sequence[Transition], story: Story, voice: Voice) -> Grid:
    """Return all changes, oldest first."""
    words, acts = incident_words(story.words.language), acts_of(story.words.language)
    return Grid(
        head=(words.at, words.step, words.by, words.note),
        rows=tuple(
            (
                said(voice.moment(step.at)),
                said(acts[step.act], bold=step.by != ENGINE),
                said(words.service if step.by == ENGINE else inert(step.by, 40)),
                _note(step, story),
            )
            for step in steps
            if not says_nothing(step)
        ),
    )


def _note(step: Transition, story: Story) -> Spans:
    """Return a note in the reader's words; what nobody wrote for people to read is left out."""
    words, note = story.words, step.note
    change = _FROM_TO.search(note)
    if step.act in _SILENT and (step.by == ENGINE or note == "as before"):
        return ()
    match step.act:
        case Act.WORSEN if change:
            names = [words.severities[min(max(int(one), 1), 5) - 1] for one in change.groups()]
            text = " → ".join(names)
        case Act.TURN | Act.AGE if note in set(Course):
            text = words.courses[Course(note)]
        case Act.JOIN:
            text = words.source_classes.get(note, inert(note, 60))
        case Act.DISMISS:
            reason, _, more = note.partition(":")
            told = words.reasons.get(reason.strip(), words.reasons["other"])
            text = ": ".join(part for part in (told, inert(more, 200)) if part)
        case Act.WAKE:
            text = _woken(note, story)
        case _:
            text = inert(note, 200)
    return said(text)


def _woken(note: str, story: Story) -> str:
    words = story.words
    name = words.source_classes.get(note.removeprefix("class "), "")
    cause = "class" if name else "doubled" if _FROM_TO.search(note) else "over"
    return words.woken[cause].format(name=name)
