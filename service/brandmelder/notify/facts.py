"""The labelled facts of an alert, what limits them, and how far the sources were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.model import Course, SourceState, SpikeKind, State
from brandmelder.notify.excerpt import excerpt, safe_url
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import event, figures_in, rule
from brandmelder.notify.message import Line, Span
from brandmelder.notify.story import Case, Story, is_blind, is_late
from brandmelder.notify.voice import FEWEST_FOR_PERCENT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brandmelder.model import SourceSight

_PHRASES = 4
_SOURCES = 5
_BESIDE = 4
_FEW_BACKGROUND = 100
_LONG = 120
"""Minutes after which the course says how long it has lasted."""


def lines(story: Story) -> tuple[Line, ...]:
    """Return the facts in the order of the alert; a fact that is not known is left out."""
    words = story.words
    facts: tuple[tuple[str, Callable[[Story], tuple[Span, ...]]], ...] = (
        (words.new, _new),
        (words.about_topics, _topics),
        (words.sources, _sources),
        (words.beside, _beside),
        (words.who, _who),
        (words.course, _course),
        (words.answers, _answers),
        (words.similar, _similar),
        (words.skala, _skala),
        (words.rule, _rule),
        (words.runbook, _runbook),
        (words.statement, _statement),
    )
    if story.incident.kind is SpikeKind.SILENCE:
        facts = facts[-3:]
    told = ((label, fact(story)) for label, fact in facts)
    return tuple(Line(label=label, spans=spans) for label, spans in told if spans)


def _own(text: str) -> tuple[Span, ...]:
    return (Span(text=text),) if text else ()


def quoted(story: Story, phrase: str) -> tuple[Span, ...]:
    """Return strangers' words between our quotation marks."""
    opening, closing = story.words.quote
    return (Span(text=opening), Span(text=excerpt(phrase, 60), foreign=True), Span(text=closing))


# ------------------------------------------------------------------ one by one


def _new(story: Story) -> tuple[Span, ...]:
    evidence = story.evidence
    if not evidence.phrases:
        is_little = evidence.compared is not None and evidence.compared < _FEW_BACKGROUND and evidence.negatives
        number = story.voice.number(evidence.compared or 0)
        return _own(story.words.too_little_background.format(number=number)) if is_little else ()
    spans: list[Span] = []
    for phrase in evidence.phrases[:_PHRASES]:
        if not excerpt(phrase.text):
            continue
        comma = ", " if spans else ""
        opening, text, closing = quoted(story, phrase.text)
        spans += [
            Span(text=comma + opening.text),
            text,
            Span(text=f"{closing.text} {story.voice.number(phrase.count)}×"),
        ]
    return tuple(spans)


def _topics(story: Story) -> tuple[Span, ...]:
    """Name topics in the reader's words; one of the configuration keeps the name it has there."""
    names, voice = story.words.topics, story.voice
    return _own(
        ", ".join(
            f"{names.get(topic, inert(topic, 40))} {voice.number(count)}" for topic, count in story.evidence.topics
        )
    )


def _sources(story: Story) -> tuple[Span, ...]:
    voice, words = story.voice, story.words
    shown = story.evidence.sources[:_SOURCES]
    rest = sum(count for _, count in story.evidence.sources[_SOURCES:])
    parts = [f"{story.source(source)} {voice.number(count)}" for source, count in shown]
    if rest:
        parts.append(words.further.format(number=voice.number(rest)))
    if not parts:
        return ()
    spans = list(_own(", ".join(parts)))
    for sight in story.evidence.sight:
        if is_blind(sight) and not story.has_ended:
            spans += [Span(text=". "), *_missing(story, sight)]
    return (*spans, Span(text=".")) if len(spans) > 1 else tuple(spans)


def _beside(story: Story) -> tuple[Span, ...]:
    """Name the other monitors that the same fire set off, or that it mutes: they have no alert of their own."""
    others = [
        (one.title, replace(story.incident, kind=one.spike.kind, spike=one.spike)) for one in story.context.beside
    ]
    names = story.context.source_names
    told = [f"{inert(title, 40)} {figures_in(one, story.voice, names)}" for title, one in others[:_BESIDE]]
    rest = len(story.context.beside) - _BESIDE
    if rest > 0:
        told.append(story.words.more_beside.of(rest).format(number=story.voice.number(rest)))
    return _own("; ".join(told))


def _who(story: Story) -> tuple[Span, ...]:
    evidence, voice, words = story.evidence, story.voice, story.words
    if not evidence.critics:
        return ()
    parts = [words.accounts.of(evidence.critics).format(number=voice.number(evidence.critics))]
    if evidence.reach_critics:
        parts.append(words.big_reach.format(number=voice.number(evidence.reach_critics)))
    if evidence.copies_share > 0:
        said = words.copies if evidence.negatives >= FEWEST_FOR_PERCENT else words.copies_of_few
        parts.append(said.format(share=voice.share(evidence.copies_share, evidence.negatives)))
    elif evidence.negatives > 1:
        parts.append(words.no_copies)
    if evidence.insult_share >= 0.05:
        parts.append(words.insults.format(share=voice.share(evidence.insult_share, evidence.negatives)))
    if evidence.defenders:
        parts.append(words.defend.of(evidence.defenders).format(number=voice.number(evidence.defenders)))
    return _own(", ".join(parts))


def _course(story: Story) -> tuple[Span, ...]:
    incident, words, voice = story.incident, story.words, story.voice
    if not story.evidence.course or story.has_ended:
        return ()
    course = story.course
    lasted = story.context.now - incident.onset
    if incident.course is Course.HIGH and lasted.total_seconds() >= 60 * _LONG:
        course = words.since_hours.format(course=course, hours=voice.duration(lasted))
    counts = " → ".join(voice.number(count) for count in story.evidence.course)
    return _own(words.per_slot.format(course=course, counts=counts))


def _answers(story: Story) -> tuple[Span, ...]:
    evidence, voice, words = story.evidence, story.voice, story.words
    if not evidence.negatives:
        return ()
    asked, answered = voice.number(evidence.negatives), voice.number(evidence.answered)
    parts = [words.answered.format(answered=answered, asked=asked)]
    if evidence.oldest_unanswered is not None and not story.has_ended:
        parts.append(words.oldest.format(time=voice.duration(story.context.now - evidence.oldest_unanswered)))
    return _own(", ".join(parts))


def _similar(story: Story) -> tuple[Span, ...]:
    known = {case.id: case for case in story.context.cases}
    cases = [known[ident] for ident in story.evidence.similar if ident in known]
    spans: list[Span] = []
    for case in cases:
        spans += [*_own(", " if spans else ""), *_case(story, case)]
    return tuple(spans)


def _case(story: Story, case: Case) -> tuple[Span, ...]:
    what = excerpt(case.what, 60)
    kind = Span(text=what, foreign=True) if what else Span(text=story.voice.month(case.opened_at))
    skala = story.words.case_skala.format(level=case.community)
    facts = [story.voice.duration(case.duration, alone=True), skala, *_ending(story, case)]
    return Span(text=f"{inert(case.id, 40)} ("), kind, Span(text=f", {', '.join(facts)})")


def _ending(story: Story, case: Case) -> tuple[str, ...]:
    """Say how an earlier case ended, so that nobody has to look it up at night."""
    words = story.words
    if case.ended is State.DISMISSED:
        reason = words.reasons.get(case.label, words.reasons["other"])
        return (words.case_ends["dismissed"].format(reason=reason),)
    if case.ended is not State.RESOLVED:
        return ()
    return (words.case_ends["by_itself" if case.is_by_itself else "resolved"],)


def _skala(story: Story) -> tuple[Span, ...]:
    """Say both levels, each with the inputs that decided it: a level never stands alone."""
    evidence, words = story.evidence, story.words
    if not evidence.critics:
        return ()
    name = f"{evidence.community} {words.skala_names[evidence.community]}"
    said = name + _inputs(story, evidence.community_inputs)
    media = words.media.format(level=evidence.media) + _inputs(story, evidence.media_inputs)
    return _own(f"{said}, {media}")


def _inputs(story: Story, inputs: Sequence[tuple[str, float]]) -> str:
    evidence, words, voice = story.evidence, story.words, story.voice
    told = []
    for name, value in inputs:
        whole = evidence.mentions if name == "critics_share" else evidence.negatives
        if value and name in words.skala_inputs:
            said = words.skala_inputs[name].of(round(value))
            told.append(said.format(number=voice.number(value), share=voice.share(min(1.0, value), whole)))
    return f" ({', '.join(told)})" if told else ""


def _rule(story: Story) -> tuple[Span, ...]:
    spike, context, words, voice = story.incident.spike, story.context, story.words, story.voice
    if not context.rule or story.has_ended:
        return ()
    parts = [rule(story) or inert(context.rule, 120)]
    if spike.history:
        parts.append(words.compared_with.format(time=voice.span(spike.history)))
    if spike.expected >= 1 and spike.observed >= 2 * spike.expected:
        parts.append(words.factor.format(factor=voice.number(spike.observed / spike.expected)))
    if context.query:
        parts.append(words.query.format(query=inert(context.query, 120)))
    return _own(", ".join(parts))


def _runbook(story: Story) -> tuple[Span, ...]:
    return () if story.has_ended else _own(safe_url(story.context.runbook_url))


def _statement(story: Story) -> tuple[Span, ...]:
    return () if story.has_ended else _own(inert(story.context.holding_statement, 600))


# ------------------------------------------------------- what limits the finding


def honest(story: Story) -> tuple[str, ...]:
    """Return what limits the finding, one sentence each, the most important first."""
    if story.has_ended:
        return (*_about_authors(story), *_about_tone(story))
    return (
        *filter(None, [event(story)]),
        *_about_time(story),
        *_about_the_number(story),
        *_about_sources(story),
        *_about_authors(story),
        *_about_tone(story),
    )


def _about_time(story: Story) -> list[str]:
    spike, words, voice = story.incident.spike, story.words, story.voice
    told = []
    if story.incident.is_delayed:
        since, until = voice.between(spike.since, spike.until)
        told.append(words.delayed.format(since=since, until=until))
    if spike.learning or 0 < spike.history.days < 28:
        told.append(words.learning.format(time=voice.span(spike.history, alone=True)))
    return told


def _about_the_number(story: Story) -> list[str]:
    spike, words, voice = story.incident.spike, story.words, story.voice
    first = story.context.first_observed
    told = []
    if first is not None and first != spike.observed and not story.incident.is_provisional:
        told.append(words.corrected.format(number=voice.number(first)))
    if spike.is_open_bin:
        told.append(words.floor.format(number=voice.number(spike.observed), why=words.floor_running))
    if spike.is_estimate:
        told.append(words.estimated)
    return told


def _about_sources(story: Story) -> list[str]:
    words, voice, sight = story.words, story.voice, story.evidence.sight
    blind = ["".join(span.text for span in _missing(story, one)) for one in sight if is_blind(one)]
    number = voice.number(story.incident.spike.observed)
    told = []
    if blind:
        told.append(words.floor.format(number=number, why=voice.listed(blind)))
    elif story.incident.spike.is_partial:
        told.append(words.floor.format(number=number, why=words.floor_was_blind))
    late = [one for one in sight if is_late(one, story.context.now)]
    if late:
        time = voice.duration(max(story.context.now - one.read_until for one in late if one.read_until is not None))
        many = words.several_late.format(number=voice.number(len(late)), time=time)
        told.append(many if len(late) > 1 else words.late.format(source=story.source(late[0].source), time=time))
    if len(story.evidence.sources) == 1 and len(sight) > 1:
        told.append(words.one_source.format(source=story.source(story.evidence.sources[0][0])))
    return told


def _about_authors(story: Story) -> list[str]:
    evidence, words, voice = story.evidence, story.words, story.voice
    campaign = story.incident.spike.campaign
    told = []
    if campaign is not None:
        number, posts = voice.number(campaign.accounts), voice.number(campaign.posts)
        told.append(words.campaign_wrote.of(campaign.accounts).format(number=number, posts=posts))
    elif evidence.top_share >= 0.5 and evidence.negatives >= 6:
        share = voice.share(evidence.top_share, evidence.negatives)
        number = voice.number(evidence.top_authors)
        told.append(words.few_wrote.of(evidence.top_authors).format(number=number, share=share))
    if evidence.copies_share >= 0.3:
        told.append(words.are_copies.format(share=voice.share(evidence.copies_share, evidence.negatives)))
    return told


def _about_tone(story: Story) -> list[str]:
    evidence = story.evidence
    if evidence.unclear_share < 0.25 or not evidence.mentions:
        return []
    return [story.words.unclear.format(share=story.voice.share(evidence.unclear_share, evidence.mentions))]


# ------------------------------------------------------------------- coverage


def coverage(story: Story) -> tuple[Span, ...]:
    """Say how far the sources were read, and which are missing, late or read in part."""
    words, sight, now = story.words, story.evidence.sight, story.context.now
    if not sight:
        return ()
    seen = [one for one in sight if not is_blind(one)]
    prompt = [one for one in seen if not is_late(one, now)] or seen
    spans = list(_read(story, sight, prompt))
    for one in seen:
        if one not in prompt and one.read_until is not None:
            spans += [Span(text=", "), *story.timed(words.read_until, one.read_until, source=story.source(one.source))]
        if one.state is SourceState.DEGRADED:
            spans.append(Span(text=", " + words.partly_read.format(source=story.source(one.source))))
    for one in sight:
        if is_blind(one):
            spans += [Span(text=", "), *_missing(story, one)]
    return tuple(spans)


def _read(story: Story, sight: Sequence[SourceSight], prompt: Sequence[SourceSight]) -> tuple[Span, ...]:
    words = story.words
    until = min((one.read_until for one in prompt if one.read_until is not None), default=None)
    number = story.voice.number(len(sight))
    if until is None:
        return _own(words.none_read.of(len(sight)).format(number=number))
    until = min(until, story.context.now)  # a replay knows how long nothing more will come
    if len(sight) == 1:
        return story.timed(words.one_read, until, source=story.source(sight[0].source))
    if len(prompt) == len(sight):
        return story.timed(words.both_read if len(sight) == 2 else words.all_read, until, number=number)
    return story.timed(words.some_read, until, read=story.voice.number(len(prompt)), number=number)


def _missing(story: Story, sight: SourceSight) -> tuple[Span, ...]:
    name = story.source(sight.source)
    if sight.blind_since is None:
        return _own(story.words.missing.format(source=name))
    return story.timed(story.words.missing_since, sight.blind_since, source=name)
