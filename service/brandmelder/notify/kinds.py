"""How an incident is told that is no plain number: share, reach, newcomer, backlog, silence, key mention."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Evidence, SpikeKind
from brandmelder.notify.inert import inert
from brandmelder.notify.kind_words import kind_words
from brandmelder.notify.story import Context, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brandmelder.model import Incident, SourceId, Spike
    from brandmelder.notify.kind_words import KindWords
    from brandmelder.notify.voice import Voice

RULES = frozenset({SpikeKind.BACKLOG, SpikeKind.KEY_MENTION})
"""Kinds that follow a rule which people set, not chance."""
_MILLION, _THOUSAND = 1_000_000, 10_000


class Told(Struct, frozen=True):
    """`number` stands where a phone shows it at night, `after` goes on; `said` is the whole sentence."""

    number: str
    after: str
    said: str


def told(story: Story) -> Told | None:
    """Return how the newest figures are told; None for kinds that are plain numbers of mentions."""
    teller = _TELLERS.get(story.incident.kind)
    return None if teller is None else teller(story, kind_words(story.context.language))


def is_plain(story: Story) -> bool:
    """Whether an incident's number is one of mentions in a window."""
    return story.incident.kind not in _TELLERS


def figures(story: Story) -> str:
    """Return the newest figures in one run of text, whatever the kind."""
    mine = told(story)
    return story.voice.figures(story.incident.spike) if mine is None else mine.number + mine.after


def figures_in(incident: Incident, voice: Voice, sources: Mapping[SourceId, str] | None = None) -> str:
    """Return the newest figures of an incident that stands in a list, whatever its kind."""
    return figures(_listed(incident, voice, sources))


def peak_in(incident: Incident, voice: Voice, sources: Mapping[SourceId, str] | None = None) -> str:
    """Return what a list tells of an incident: its peak; of kinds whose number is none of mentions how it stands."""
    if is_plain(_listed(incident, voice, sources)):
        return voice.words.peak.format(figures=voice.in_window(voice.number(incident.peak), incident.peak_window))
    if incident.closed_at is None:
        return figures_in(incident, voice, sources)
    return kind_words(voice.words.language).ended[incident.kind.value]


def _listed(incident: Incident, voice: Voice, sources: Mapping[SourceId, str] | None) -> Story:
    language, names = voice.words.language, sources or {}
    context = Context(brand="", zone=voice.zone, now=voice.now, language=language, source_names=names)
    return Story(incident, Evidence(), context)


def over(story: Story) -> tuple[str, str] | None:
    """Return what the end of an incident says for its number, and behind it; None for plain numbers of mentions."""
    words = kind_words(story.context.language)
    what = words.ended.get(story.incident.kind.value)
    if what is None:
        return None
    ended = story.incident.closed_at or story.context.now
    return what, words.ended_after.format(time=story.voice.duration(ended - story.incident.opened_at))


def rule(story: Story) -> str:
    """Return what stands in the place of the false-alarm budget; empty where that is the rule."""
    return kind_words(story.context.language).rule if story.incident.kind in RULES else ""


def event(story: Story) -> str:
    """Return which known event is accounted for: `TV-Spot 19:58 eingerechnet.`; empty if none is."""
    spike = story.incident.spike
    if not spike.event or spike.event_at is None:
        return ""
    words = kind_words(story.context.language)
    return words.event.format(name=inert(spike.event, 40), clock=story.voice.clock(spike.event_at)) + "."


# ------------------------------------------------------------------ one by one


def _share(story: Story, words: KindWords) -> Told:
    spike, voice = story.incident.spike, story.voice
    part, whole = voice.number(spike.observed), voice.number(spike.whole)
    percent, usual = _percent(story, spike.observed, spike.whole), _percents(story, spike)
    return Told(
        words.share.format(percent=percent),
        words.share_after.format(window=voice.duration(spike.window), part=part, whole=whole, range=usual),
        words.share_said.format(part=part, whole=whole, when=_when(story), percent=percent, range=usual),
    )


def _percent(story: Story, part: float, whole: int) -> str:
    return story.words.percent.format(number=round(100 * part / max(1, whole)))


def _percents(story: Story, spike: Spike) -> str:
    low, high = (round(100 * count / max(1, spike.whole)) for count in (spike.usual_low, spike.usual_high))
    return story.words.percent.format(number=story.voice.range(low, high))


def _reach(story: Story, words: KindWords) -> Told:
    spike, voice = story.incident.spike, story.voice
    reach, usual = _rough(story, spike.observed, words), _rough(story, spike.usual_high, words)
    count = _negatives(story, spike.whole, words)
    return Told(
        words.reach.format(reach=reach),
        words.reach_after.format(window=voice.duration(spike.window), count=count, usual=usual),
        words.reach_said.format(count=count, when=_when(story), reach=reach, usual=usual),
    )


def _rough(story: Story, number: int, words: KindWords) -> str:
    """Say a large number: `1,2 Mio.`, `480.000`, `3.900`."""
    if number >= _MILLION:
        return words.million.format(number=f"{number / _MILLION:.1f}".replace(".", words.decimal))
    step = 1000 if number >= _THOUSAND else 100
    return story.voice.number(round(number / step) * step if number >= step else number)


def _negatives(story: Story, count: int, words: KindWords) -> str:
    return words.negatives.of(count).format(number=story.voice.number(count))


def _newcomer(story: Story, words: KindWords) -> Told:
    spike = story.incident.spike
    sort, _, name = spike.subject.partition(":")
    is_topic = sort == "topic"
    shown = story.words.topics.get(name, inert(name, 40)) if is_topic else _source(story, name)
    count = _negatives(story, spike.observed, words)
    said = words.joined_topic if is_topic else words.joined_source
    return Told(
        (words.joined_theme if is_topic else words.joined).format(name=shown),
        words.joined_after.format(count=count),
        said.format(count=count, name=shown),
    )


def _source(story: Story, name: str) -> str:
    known = {str(ident): shown for ident, shown in story.context.source_names.items()}
    return inert(known.get(name) or name, 40)


def _backlog(story: Story, words: KindWords) -> Told:
    spike, voice = story.incident.spike, story.voice
    time = voice.duration(story.context.now - spike.since)
    count = _negatives(story, spike.observed, words)
    return Told(
        words.unanswered.format(count=voice.number(spike.observed)),
        words.unanswered_after.format(time=time),
        words.unanswered_said.format(time=time, count=count, whole=voice.number(spike.whole)),
    )


def _silence(story: Story, words: KindWords) -> Told:
    spike, voice = story.incident.spike, story.voice
    time, usual = voice.duration(spike.window), voice.range(spike.usual_low, spike.usual_high)
    after = words.silent_after.format(range=usual)
    why = "" if spike.is_partial else words.silent_why
    _, _, name = spike.subject.partition(":")
    if not name:
        return Told(words.silent.format(time=time), after, words.silent_said.format(time=time, range=usual) + why)
    shown = _source(story, name)
    said = words.silent_source_said.format(name=shown, time=time, range=usual) + why
    return Told(words.silent_source.format(name=shown, time=time), after, said)


def _key(story: Story, words: KindWords) -> Told:
    spike = story.incident.spike
    sort, _, word = spike.subject.partition(":")
    reach = _rough(story, spike.whole, words)
    word = inert(word, 60)
    number, said = {
        "word": (words.key_word, words.key_word_said),
        "author": (words.key_author, words.key_author_said),
    }.get(sort, (words.key_reach, words.key_reach_said))
    count = story.voice.number(spike.observed)
    after = words.key_count.format(count=count) if spike.observed > 1 else words.key_after if sort == "reach" else ""
    return Told(number.format(reach=reach, word=word), after, said.format(reach=reach, word=word))


def _when(story: Story) -> str:
    spike, words, voice = story.incident.spike, story.words, story.voice
    if story.incident.is_delayed:
        since, until = voice.between(spike.since, spike.until)
        return words.between.format(since=since, until=until)
    if spike.window == timedelta(hours=1):
        return words.last_hour
    return words.last_window.format(window=voice.duration(spike.window))


_TELLERS: dict[SpikeKind, Callable[[Story, KindWords], Told]] = {
    SpikeKind.SHARE: _share,
    SpikeKind.REACH: _reach,
    SpikeKind.NEW_SOURCE: _newcomer,
    SpikeKind.BACKLOG: _backlog,
    SpikeKind.SILENCE: _silence,
    SpikeKind.KEY_MENTION: _key,
}
