"""An incident in the sentences of its page: how much, is it real, what about, who is on it, what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.model import Act, Course, SourceState, State
from brandmelder.notify.excerpt import excerpt
from brandmelder.notify.facts import honest
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import event, told
from brandmelder.notify.story import is_blind, is_late
from brandmelder.web.catalogue import sentence

if TYPE_CHECKING:
    from brandmelder.model import SourceSight
    from brandmelder.notify.story import Case, Story
    from brandmelder.web.reader import Reader
    from brandmelder.web.sheet import Sheet

STATES: Final = {
    State.PENDING: ("pending", sentence("To be confirmed")),
    State.OPEN: ("open", sentence("Open")),
    State.ACKNOWLEDGED: ("acknowledged", sentence("Acknowledged")),
    State.RESOLVED: ("ended", sentence("Ended")),
    State.DISMISSED: ("ended", sentence("Not a crisis")),
    State.DISCARDED: ("ended", sentence("Discarded")),
}
"""Icon and word for the handling of an incident."""
COURSES: Final = {
    Course.RISING: ("rising", sentence("Rising")),
    Course.CLIMBING: ("climbing", sentence("Climbing slowly")),
    Course.HIGH: ("high", sentence("Still high")),
    Course.SUBSIDING: ("subsiding", sentence("Subsiding")),
    Course.CALM: ("calm", sentence("Calm")),
}
_FIGURE: Final = 5
"""So many characters fit as the one large figure."""
_PHRASES: Final = 4
NAME: Final = 40
ENGINE: Final = "brandmelder"


class Figure(Struct, frozen=True, kw_only=True):
    """The one number, and the lines beside it that make it a sentence."""

    number: str
    is_beyond: bool
    lines: tuple[str, ...]
    """What was counted, what is usual, how rare it is."""
    is_long: bool = False


class Missing(Struct, frozen=True, kw_only=True):
    """What was not seen: `bold` is the fact, `text` what follows from it."""

    bold: str
    text: str


# ------------------------------------------------------------------ how much


def figure(story: Story, reader: Reader) -> Figure:
    """Return the number of an incident with the lines beside it."""
    spike, voice, words = story.incident.spike, story.voice, story.words
    mine = told(story)
    if mine is not None:
        is_short = len(mine.number) <= _FIGURE
        rest = mine.after.lstrip(",; ")
        told_of = tuple(line for line in ("" if is_short else mine.number, rest) if line)
        number = mine.number if is_short else voice.number(spike.observed)
        return Figure(number=number, is_beyond=True, lines=told_of, is_long=not is_short)
    subject = words.subject_short[spike.kind].of(spike.observed)
    usual = voice.usual(spike)
    events = _included(story)
    if events:
        usual = reader.say("{usual}, {events} included", usual=usual, events=events)
    lines = [voice.in_window(subject, spike.window), usual]
    rare = _rare(story, reader)
    number = voice.number(spike.observed)
    if spike.is_estimate:
        lines[0] = reader.say("estimated, {counted}", counted=lines[0])
    return Figure(
        number=number,
        is_beyond=spike.observed > spike.usual_high,
        lines=(*lines, rare) if rare else tuple(lines),
        is_long=len(number) > _FIGURE,
    )


def _included(story: Story) -> str:
    picture, spike = story.evidence.picture, story.incident.spike
    events = () if picture is None else picture.events
    names = [
        inert(event.name, NAME)
        for event in events
        if event.name and event.at < spike.until and event.until is not None and event.until > spike.since
    ]
    return story.voice.listed(names)


def _rare(story: Story, reader: Reader) -> str:
    spike = story.incident.spike
    if story.has_ended or spike.rarity is None or spike.rarity < timedelta(days=2):
        return ""
    if spike.rarity > timedelta(days=365):
        return reader.say("less than once a year")
    return reader.say("once in {time}", time=story.voice.span(spike.rarity))


def age(story: Story, reader: Reader) -> str:
    """Say since when it stands as it does, and who brought it there."""
    incident, voice = story.incident, story.voice
    by = inert(incident.closed_by or incident.acknowledged_by or "", NAME)
    match incident.state:
        case State.ACKNOWLEDGED if incident.acknowledged_at:
            return reader.say("by {name}, {moment}", name=by, moment=voice.moment(incident.acknowledged_at))
        case State.RESOLVED | State.DISMISSED | State.DISCARDED if incident.closed_at:
            moment = voice.moment(incident.closed_at)
            time = voice.duration(incident.closed_at - incident.opened_at)
            if incident.closed_by in {None, ENGINE}:
                return reader.say("{moment}, after {time}", moment=moment, time=time)
            return reader.say("by {name}, {moment}, after {time}", name=by, moment=moment, time=time)
        case _:
            return reader.say("for {time}", time=voice.duration(reader.now - incident.opened_at))


def severity(story: Story, reader: Reader) -> str:
    """Say how severe it is and how it moves."""
    incident, words = story.incident, story.words
    name = words.severities[incident.severity - 1]
    if story.has_ended:
        first = words.severities[incident.first_severity - 1]
        if first == name:
            return reader.say("Severity {name}", name=name)
        return reader.say("Severity first {first}, at the peak {name}", first=first, name=name)
    return reader.say("Severity {name}, {course}", name=name, course=story.course)


# ------------------------------------------------------- real, about, who, replies


def real(story: Story, reader: Reader) -> tuple[str, ...]:
    """Say whether it is real: how many accounts, where, how much of it is copied, and signs of coordination."""
    evidence, voice, words = story.evidence, story.voice, story.words
    if not evidence.critics:
        return ()
    parts = [words.accounts.of(evidence.critics).format(number=voice.number(evidence.critics))]
    places = len([one for one, count in evidence.sources if count])
    if places:
        parts.append(reader.say_many("{number} source", "{number} sources", places))
    if evidence.copies_share > 0:
        said = words.copies if evidence.negatives >= 20 else words.copies_of_few
        parts.append(said.format(share=voice.share(evidence.copies_share, evidence.negatives)))
    else:
        parts.append(words.no_copies)
    lines = [", ".join(parts) + "."]
    signs = [line for line in honest(story) if line in _about_authors(story)]
    lines += signs or [reader.say("No signs of coordination.")]
    more = []
    if evidence.defenders:
        more.append(words.defend.of(evidence.defenders).format(number=voice.number(evidence.defenders)))
    if evidence.reach_critics:
        more.append(words.big_reach.format(number=voice.number(evidence.reach_critics)))
    if more:
        text = ", ".join(more)
        lines.append(text[:1].upper() + text[1:] + ".")
    return tuple(lines)


def _about_authors(story: Story) -> tuple[str, ...]:
    evidence, voice, words = story.evidence, story.voice, story.words
    told_of = []
    if story.incident.spike.campaign is not None:
        campaign = story.incident.spike.campaign
        number, posts = voice.number(campaign.accounts), voice.number(campaign.posts)
        told_of.append(words.campaign_wrote.of(campaign.accounts).format(number=number, posts=posts))
    share = voice.share(evidence.top_share, evidence.negatives)
    told_of.append(
        words.few_wrote.of(evidence.top_authors).format(number=voice.number(evidence.top_authors), share=share)
    )
    return tuple(told_of)


def about(story: Story) -> tuple[tuple[str, str], ...]:
    """Return what it is about: new phrases in quotes, else topics, each with its number. Phrases are strangers'."""
    evidence, voice, words = story.evidence, story.voice, story.words
    opening, closing = words.quote
    phrases = [
        (f"{opening}{excerpt(one.text, 60)}{closing}", voice.number(one.count))
        for one in evidence.phrases[:_PHRASES]
        if excerpt(one.text)
    ]
    if phrases:
        return tuple(phrases)
    return tuple(
        (words.topics.get(topic, inert(topic, NAME)), voice.number(count))
        for topic, count in evidence.topics[:_PHRASES]
    )


def who(sheet: Sheet, reader: Reader, people: dict[str, str]) -> tuple[str, str, str]:
    """Say who is on it (bold), who knows, and what happens next if nobody does anything."""
    incident, voice = sheet.story.incident, sheet.story.voice
    known = [
        reader.say("{name} knows since {moment}", name=inert(people.get(ident, ident), NAME), moment=voice.moment(at))
        for ident, at in sorted(sheet.confirmed.items(), key=lambda item: item[1])
    ]
    if incident.acknowledged_by and incident.acknowledged_at:
        name = inert(incident.acknowledged_by, NAME)
        taken = reader.say("since {moment}", moment=voice.moment(incident.acknowledged_at))
        return name, f"{taken}.", follows(sheet, reader)
    if sheet.story.has_ended:
        return reader.say("Nobody acknowledged."), "", ""
    text = f"{voice.listed(known)}." if known else ""
    if not known and sheet.story.context.on_call:
        text = reader.say("On call: {name}.", name=inert(sheet.story.context.on_call, NAME))
    return reader.say("Nobody yet."), text, follows(sheet, reader)


def follows(sheet: Sheet, reader: Reader) -> str:
    """Say who is called next and when, or what becomes of an acknowledgement; empty if nothing will happen."""
    found = sheet.next
    if found is None:
        return ""
    moment = reader.voice.moment(found.at)
    match found.act:
        case Act.ESCALATE:
            said = _called(found.names, moment, reader, is_now=found.at <= reader.now)
        case Act.ASK:
            said = reader.say("Without a sign until {moment} it is asked who is still on it.", moment=moment)
        case Act.LAPSE:
            said = reader.say("Asked; without an answer until {moment} nobody is on it.", moment=moment)
        case _:
            said = reader.say("Silenced until {moment}: until then nobody is called.", moment=moment)
    return said


def _called(names: tuple[str, ...], moment: str, reader: Reader, *, is_now: bool) -> str:
    if not names:
        return reader.say("At {moment} the next step calls nobody: nobody is on call.", moment=moment)
    listed = reader.voice.listed([inert(name, NAME) for name in names])
    if is_now:
        return reader.say("Now called: {names}.", names=listed)
    return reader.say("Called next, at {moment}: {names}.", moment=moment, names=listed)


def replies(story: Story, reader: Reader) -> tuple[str, str]:
    """Say how many were answered; and since when the oldest waits."""
    evidence, voice = story.evidence, story.voice
    if not evidence.negatives:
        return "", ""
    answered, asked = voice.number(evidence.answered), voice.number(evidence.negatives)
    text = reader.say("{answered} of {asked}", answered=answered, asked=asked)
    if evidence.first_answered is not None:
        wait = evidence.first_answered - story.incident.opened_at
        if wait > timedelta(0):
            text = reader.say("{text}, first after {time}", text=text, time=voice.duration(wait))
    oldest = evidence.oldest_unanswered
    if oldest is None or story.has_ended:
        return text, ""
    return text, reader.say("oldest open for {time}", time=voice.duration(reader.now - oldest))


def missing(story: Story, reader: Reader) -> tuple[Missing, ...]:
    """Say what was not seen, and how far the others were read."""
    if story.has_ended:
        return ()
    sight, number = story.evidence.sight, story.voice.number(story.incident.spike.observed)
    blind = [one for one in sight if is_blind(one)]
    late = [one for one in sight if is_late(one, reader.now)]
    found = [
        Missing(
            bold=_is_missing(story, one, reader),
            text=reader.say("{number} is the least it can be.", number=number) if place == 0 else "",
        )
        for place, one in enumerate(blind)
    ]
    found += [
        Missing(
            bold=reader.say(
                "{source} is late, read until {moment}.",
                source=story.source(one.source),
                moment=story.voice.moment(one.read_until),
            ),
            text="",
        )
        for one in late
        if one.read_until is not None
    ]
    found += [
        Missing(bold=reader.say("{source} is read in part.", source=story.source(one.source)), text="")
        for one in sight
        if one.state is SourceState.DEGRADED and one not in blind
    ]
    return tuple(found)


def _is_missing(story: Story, one: SourceSight, reader: Reader) -> str:
    name = story.source(one.source)
    if one.blind_since is None:
        return reader.say("{source} is missing.", source=name)
    return reader.say("{source} missing since {moment}.", source=name, moment=story.voice.moment(one.blind_since))


def read_until(story: Story, reader: Reader) -> str:
    """Say how far the sources that can be seen were read."""
    seen = [one.read_until for one in story.evidence.sight if not is_blind(one) and one.read_until is not None]
    if not seen:
        return ""
    until = min(*seen, reader.now)
    is_all = len(seen) == len(story.evidence.sight)
    moment = story.voice.moment(until)
    if is_all:
        return reader.say_many("The source is read until {moment}.", "All {number} sources are read until {moment}.",
                               len(seen), moment=moment)  # fmt: skip
    return reader.say_many("The other source is read until {moment}.", "The other {number} sources are read until "
                           "{moment}.", len(seen), moment=moment)  # fmt: skip


def skala(story: Story, reader: Reader) -> tuple[tuple[str, int], ...]:
    """Return both columns of the Skala: what they are called, and their level."""
    if not story.evidence.critics:
        return ()
    return ((reader.say("Community"), story.evidence.community), (reader.say("Media"), story.evidence.media))


def skala_inputs(story: Story) -> str:
    """Say what decided the levels."""
    evidence, words, voice = story.evidence, story.words, story.voice
    parts = []
    for name, value in (*evidence.community_inputs, *evidence.media_inputs):
        whole = evidence.mentions if name == "critics_share" else evidence.negatives
        if value and name in words.skala_inputs:
            said = words.skala_inputs[name].of(round(value))
            parts.append(said.format(number=voice.number(value), share=voice.share(min(1.0, value), whole)))
    return ", ".join(parts)


# ---------------------------------------------------------------------- posts


def limits(story: Story) -> tuple[str, ...]:
    """Return what else limits the finding: what `missing` and `real` do not say."""
    now = story.context.now
    names = [story.source(one.source) for one in story.evidence.sight if is_blind(one) or is_late(one, now)]
    elsewhere = {*_about_authors(story), event(story)}
    return tuple(line for line in honest(story) if line not in elsewhere and not any(name in line for name in names))


def case_facts(story: Story, case: Case) -> str:
    """Say of an earlier case how long it lasted, how high it stood, and how it ended."""
    words = story.words
    facts = [story.voice.duration(case.duration, alone=True), words.case_skala.format(level=case.community)]
    if case.ended is State.DISMISSED:
        reason = words.reasons.get(case.label, words.reasons["other"])
        facts.append(words.case_ends["dismissed"].format(reason=reason))
    elif case.ended is State.RESOLVED:
        facts.append(words.case_ends["by_itself" if case.is_by_itself else "resolved"])
    return ", ".join(facts)
