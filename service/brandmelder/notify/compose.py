"""An incident becomes a message: what, how much, how usual, then why, where, who, and what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from brandmelder.model import Act, DeliveryKind, Evidence, Incident, MentionId, Quote, State
from brandmelder.notify.excerpt import excerpt, safe_url
from brandmelder.notify.facts import coverage, honest, lines
from brandmelder.notify.headline import headline
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import told
from brandmelder.notify.message import Button, Callee, Message, QuoteText, Span
from brandmelder.notify.news import ENGINE, news, summary
from brandmelder.notify.picture import chart_of
from brandmelder.notify.story import Beside, Case, Context, Story
from brandmelder.notify.voice import rule_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Beside", "Case", "Context", "compose", "plain_text", "rule_words"]

EMOJI = {
    State.PENDING: "🔴",
    State.OPEN: "🔴",
    State.ACKNOWLEDGED: "🟡",
    State.RESOLVED: "🟢",
    State.DISMISSED: "⚪",
    State.DISCARDED: "⚪",
}
_TEST_EMOJI = "🔵"
_LEVELS = "▁▂▃▄▅▆▇█"
_UNSEEN = "·"
_BUTTONS: dict[State, tuple[str, ...]] = {
    State.PENDING: ("details",),
    State.OPEN: (Act.ACKNOWLEDGE, "snooze", Act.DISMISS, "details"),
    State.ACKNOWLEDGED: (Act.RESOLVE, Act.HAND_OVER, "snooze", "details"),
    State.RESOLVED: (Act.REOPEN, "details"),
    State.DISMISSED: (Act.REOPEN, "details"),
    State.DISCARDED: ("details",),
}


def compose(
    incident: Incident,
    evidence: Evidence,
    *,
    kind: DeliveryKind,
    context: Context,
    quotes: Mapping[MentionId, str],
) -> Message:
    """Tell an incident as it stands; in the thread, tell the change that `context.transition` names.

    `quotes` holds the raw texts of the mentions that the evidence quotes; what is missing is left out. Whatever
    strangers wrote ends up in foreign spans and quotes, inert, and nowhere else.
    """
    story = Story(incident, evidence, context)
    if kind is DeliveryKind.THREAD:
        return _reply(story)
    is_test = kind is DeliveryKind.TEST
    return Message(
        language=story.words.language,
        incident=incident.id,
        revision=incident.revision,
        emoji=_TEST_EMOJI if is_test else EMOJI[incident.state],
        headline=headline(story, is_test=is_test),
        sentence=_sentence(story, is_test=is_test),
        spark=sparkline(evidence.spark),
        chart=chart_of(story),
        lines=lines(story),
        honest=honest(story),
        quotes=_quotes(story, quotes),
        buttons=() if is_test else _buttons(story),
        footer=_footer(story),
    )


def _reply(story: Story) -> Message:
    incident = story.incident
    told = news(story)
    return Message(
        language=story.words.language,
        incident=incident.id,
        revision=incident.revision if story.context.transition is None else story.context.transition.revision,
        emoji=EMOJI[incident.state],
        headline=told.headline,
        sentence=told.sentence,
        chart=chart_of(story) if told.broadcast and not story.has_ended else None,
        footer=((Span(text=f"{incident.id}, "), *story.timed("{moment}", story.context.now)),),
        broadcast=told.broadcast,
        calls=_called(story),
    )


def _called(story: Story) -> tuple[Callee, ...]:
    """Return whom a hand-over calls: whoever takes over, but never the person who acted."""
    step, taker = story.context.transition, story.incident.acknowledged_person
    if step is None or step.act is not Act.HAND_OVER or not taker or taker == step.person:
        return ()
    return (Callee(name=inert(step.note, 40), slack=taker),)


# ----------------------------------------------------------------- the sentence


def _sentence(story: Story, *, is_test: bool) -> tuple[Span, ...]:
    if is_test:
        return (Span(text=story.words.test_sentence, bold=True),)
    match story.incident.state:
        case State.RESOLVED | State.DISMISSED:
            return summary(story)
        case State.ACKNOWLEDGED:
            return (*_how_much(story), *_who_is_on_it(story))
        case _:
            return (*_how_much(story), *_how_rare(story))


def _how_much(story: Story) -> tuple[Span, ...]:
    spike, words, voice = story.incident.spike, story.words, story.voice
    mine = told(story)
    if mine is not None:
        return (Span(text=mine.said, bold=True),)
    subject = words.subject_short[spike.kind].of(spike.observed)
    counted = f"{voice.observed(spike)} {subject} {_when(story)}"
    bold = Span(text=counted[:1].upper() + counted[1:], bold=True)
    if spike.usual_high <= 0:
        usual = words.sentence_usual_none
    elif spike.usual_high == spike.usual_low == 1:
        usual = words.sentence_usual_one
    else:
        usual = words.sentence_usual.format(range=voice.range(spike.usual_low, spike.usual_high))
    return bold, Span(text=f"; {usual.removesuffix('.')}{_included(story)}")


def _included(story: Story) -> str:
    """Say which known events the usual has been raised for, so that nobody reckons them in a second time."""
    picture, spike = story.evidence.picture, story.incident.spike
    events = () if picture is None else picture.events
    names = [
        inert(event.name, 40)
        for event in events
        if event.name and event.at < spike.until and event.until is not None and event.until > spike.since
    ]
    return story.words.event_included.format(events=story.voice.listed(names)) if names else "."


def _when(story: Story) -> str:
    spike, words, voice = story.incident.spike, story.words, story.voice
    if story.incident.is_delayed:
        since, until = voice.between(spike.since, spike.until)
        return words.between.format(since=since, until=until)
    if spike.window == timedelta(hours=1):
        return words.last_hour
    return words.last_window.format(window=voice.duration(spike.window))


def _how_rare(story: Story) -> tuple[Span, ...]:
    spike, words = story.incident.spike, story.words
    if spike.rarity is None or spike.rarity < timedelta(days=2):
        return ()
    if spike.rarity > timedelta(days=365):
        return (Span(text=" " + words.rarer_than_a_year),)
    was_seen = not spike.history or spike.rarity <= spike.history
    said = words.rarity if was_seen else words.rarity_by_chance
    return (Span(text=" " + said.format(time=story.voice.span(spike.rarity))),)


def _who_is_on_it(story: Story) -> tuple[Span, ...]:
    incident = story.incident
    if incident.acknowledged_by is None or incident.acknowledged_at is None:
        return ()
    name = inert(incident.acknowledged_by, 40)
    return (Span(text=" "), *story.timed(story.words.is_on_it, incident.acknowledged_at, name=name))


# ------------------------------------------------------ picture, quotes, buttons


def sparkline(counts: Sequence[int]) -> str:
    """Draw counts from zero, linear; the scale is at least 5, so that two posts never look like a storm.

    What could not be seen (below zero) is a dot, never a zero; nothing is drawn if there is nothing to see.
    """
    if not any(count > 0 for count in counts):
        return ""
    top = max(5, *counts)
    steps = len(_LEVELS) - 1
    return "".join(_UNSEEN if count < 0 else _LEVELS[-(-count * steps // top)] for count in counts)


def _quotes(story: Story, texts: Mapping[MentionId, str]) -> tuple[QuoteText, ...]:
    return tuple(
        QuoteText(text=excerpt(texts[quote.mention]), label=_label(story, quote), url=safe_url(quote.url))
        for quote in story.evidence.quotes
        if excerpt(texts.get(quote.mention, ""))
    )


def _label(story: Story, quote: Quote) -> str:
    label = f"{story.source(quote.source)}, {story.voice.moment(quote.published_at)}"
    if not quote.copies:
        return label
    number = story.voice.number(quote.copies)
    return f"{label}, {story.words.more_copies.of(quote.copies).format(number=number)}"


def _buttons(story: Story) -> tuple[Button, ...]:
    url = safe_url(story.context.details_url)
    return tuple(
        Button(
            act=str(act),
            label=story.words.buttons[act],
            primary=act == Act.ACKNOWLEDGE,
            url=url if act == "details" else "",
        )
        for act in _BUTTONS[story.incident.state]
    )


# ------------------------------------------------------------------- footer


def _footer(story: Story) -> tuple[tuple[Span, ...], ...]:
    incident, words = story.incident, story.words
    facts = f"{_owner(story)}, {words.states[incident.state]}, {inert(incident.id, 40)}, "
    quiet = (*story.timed(words.snoozed, incident.snooze.until), Span(text=", ")) if incident.snooze else ()
    first = (Span(text=facts), *quiet, *story.timed("{moment}", story.context.now))
    second = () if story.has_ended else coverage(story)
    return (first, second) if second else (first,)


def _owner(story: Story) -> str:
    incident, words = story.incident, story.words
    if incident.acknowledged_by is not None:
        return words.owner.format(name=inert(incident.acknowledged_by, 40))
    if story.context.on_call and not story.has_ended:
        return words.on_call.format(name=inert(story.context.on_call, 40))
    if story.has_ended and incident.closed_by not in (None, ENGINE):
        return words.owner.format(name=inert(incident.closed_by or "", 40))  # who decides about it has it
    if story.has_ended:
        return words.nobody_at_the_end if story.context.first_acknowledged_at else words.nobody_acknowledged
    return words.nobody


# ---------------------------------------------------------------- text only


def plain_text(message: Message) -> str:
    """Return the message as text alone; its first line is the lock-screen line, and all that an SMS holds."""
    parts = [message.lock_screen]
    if message.sentence:
        parts.append(_text(message.sentence))
    if message.spark:
        parts.append(message.spark)
    width = max((len(line.label) for line in message.lines), default=0)
    parts += [f"{line.label:<{width}}  {_text(line.spans)}" for line in message.lines]
    parts += [f"! {limit}" for limit in message.honest]
    for quote in message.quotes:
        parts.append(f"> {quote.text}")
        parts.append(f"  {quote.label}" + (f"  {quote.url}" if quote.url else ""))
    parts += [f"{button.label}: {button.url}" for button in message.buttons if button.url]
    parts += [_text(spans) for spans in message.footer]
    return "\n".join(parts)


def _text(spans: Sequence[Span]) -> str:
    return "".join(span.text for span in spans)
