"""The first line: brand and number within forty characters, for a phone that lies face up in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.model import State
from brandmelder.notify.kinds import over, told

if TYPE_CHECKING:
    from brandmelder.notify.story import Story

LOCK_SCREEN = 40
"""Brand and number stand in the first so many characters."""
LONGEST = 150
_SHORTEST_NAME = 4


def headline(story: Story, *, is_test: bool = False) -> str:
    """Return the first line of the alert as the incident stands."""
    words, incident = story.words, story.incident
    if is_test:
        return numbers_first(story, words.test + ": ")
    match incident.state:
        case State.RESOLVED:
            return _ended(story)
        case State.DISMISSED:
            return numbers_first(story, words.dismissed + ": ")
        case State.ACKNOWLEDGED:
            return numbers_first(story, words.acknowledged + ": ")
        case _:
            return _opening(story)


def numbers_first(story: Story, state: str = "", rest: str | None = None) -> str:
    """Return `Übernommen: Nordfunk – 98 in 60 min, üblich 4–12`; `rest` stands in the place of the usual."""
    spike, voice, mine = story.incident.spike, story.voice, told(story)
    if mine is not None:
        return fit(story, state, mine.number, mine.after if rest is None else f", {rest}")
    number = voice.observed(spike)
    after = voice.in_window(number, spike.window).removeprefix(number)
    return fit(story, state, number, f"{after}, {voice.usual(spike) if rest is None else rest}")


def fit(story: Story, before: str, number: str, after: str) -> str:
    """Return `before name – number after`, the name cut so that the number stands within LOCK_SCREEN."""
    room = max(_SHORTEST_NAME, LOCK_SCREEN - len(before) - len(" – ") - len(number))
    return f"{before}{_cut(story.name, room)} – {number}{after}"[:LONGEST]


def _opening(story: Story) -> str:
    """Return the subject before the number where the name leaves room for it, else behind."""
    spike, words, voice = story.incident.spike, story.words, story.voice
    mine = told(story)
    if mine is not None:
        return fit(story, "", mine.number, mine.after)
    subject = words.subject[spike.kind] if spike.campaign is None else words.campaign
    number = f"{subject}: {voice.observed(spike)}"
    after = voice.in_window("", spike.window)
    if len(story.name) + len(" – ") + len(number) <= LOCK_SCREEN:
        return fit(story, "", number, f"{after}, {voice.usual(spike)}")
    subject = words.subject_short[spike.kind].of(spike.observed) if spike.campaign is None else f"({words.campaign})"
    return fit(story, "", voice.observed(spike), f" {subject}{after}, {voice.usual(spike)}")


def _ended(story: Story) -> str:
    incident, words, voice = story.incident, story.words, story.voice
    is_over = over(story)
    if is_over is not None:
        return fit(story, words.ended + ": ", "", "".join(is_over))
    peak = words.peak.format(figures=voice.number(incident.peak))
    total = words.together.format(number=voice.number(max(incident.total, story.evidence.negatives)))
    return fit(story, words.ended + ": ", peak, f"{voice.in_window('', incident.peak_window)}, {total}")


def _cut(name: str, room: int) -> str:
    return name if len(name) <= room else name[: room - 1].rstrip(" ,") + "…"
