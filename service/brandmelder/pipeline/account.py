"""Reads all that the report of an incident tells, in one look at the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder import __version__
from brandmelder.count.responses import Utterance, coverage
from brandmelder.errors import BrandmelderError
from brandmelder.model import ChannelId, DeliveryKind, Incident, Label, Mention, MentionId, Picture, Quote, Verdict
from brandmelder.pipeline.course import Course, edge_before, picture_of, width_for
from brandmelder.pipeline.render import context_of, read_facts
from brandmelder.report.account import Account, Answers, Spoken, Told
from brandmelder.store import calls, incidents, mentions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts, Watch
    from brandmelder.pipeline.render import Facts

MOST_BARS = 40
_BEFORE = 0.35
"""How much of its length is drawn before an incident."""
_LEAST_BEFORE = timedelta(hours=2)
_MOST_READ = 5000
_SPOKEN = 8
"""So many voices a report lets speak."""
_HEAVY = 0.5

_Judged = tuple[MentionId, Mention, Verdict]


def read_account(connection: Connection, parts: Parts, ident: str, now: datetime) -> Account:
    """Return what a report of an incident is told from. Raises BrandmelderError if there is no such incident."""
    if incidents.find(connection, ident) is None:
        raise BrandmelderError(f"there is no incident {ident}; see: brandmelder incidents list --all")
    facts = read_facts(connection, ident, parts, now)
    incident, watch = facts.incident, parts.watches.get(facts.incident.monitor)
    until = incident.closed_at or now
    judged = [
        one
        for one in mentions.judged_between(connection, incident.monitor, incident.onset, until, limit=_MOST_READ)
        if not one[1].history
    ]
    spoken, left_out = _spoken(facts, judged, parts.language)
    account = Account(
        incident=incident,
        evidence=facts.evidence,
        timeline=facts.timeline,
        context=context_of(parts, facts, now),
        spoken=spoken,
        left_out=left_out,
        answers=_answers(connection, judged, until),
        told=_told(facts, parts),
        calls=_calls(connection, parts, incident, until),
        judge=next((f"{one.classifier} {one.model_version}" for _, _, one in judged), ""),
        written_at=now,
        version=__version__,
    )
    return account if watch is None else _with_course(connection, parts, watch, account, now)


def _with_course(connection: Connection, parts: Parts, watch: Watch, account: Account, now: datetime) -> Account:
    course, incident = Course(connection, parts, watch, now), account.incident
    until = incident.closed_at or now
    peak_at = course.loudest(incident.onset, until, incident.peak_window)
    drawn = _drawn(course, incident, until, now)
    seen = {gap for gap in course.sights.gaps if gap.since < until and gap.until > incident.onset}
    return replace(
        account,
        drawn=drawn,
        peak_at=peak_at,
        peak_usual=None if peak_at is None else course.usual(peak_at, incident.peak_window),
        gaps=tuple(sorted(seen, key=lambda gap: (gap.since, gap.source))),
    )


def _drawn(course: Course, incident: Incident, until: datetime, now: datetime) -> Picture | None:
    """Draw up to the end, with the bar in which it ended once that is over: what was dismissed at once is in it."""
    length = until - incident.onset
    since = incident.onset - max(_LEAST_BEFORE, length * _BEFORE)
    width = width_for(until - since, most=MOST_BARS)
    begin = edge_before(since, width)
    last = edge_before(until, width)
    end = last + width if last < until and last + width <= now else last
    count = max(1, (end - begin) // width)
    return picture_of(course.stretch(begin, begin + count * width, width), kind=incident.kind)


def _spoken(facts: Facts, judged: Sequence[_Judged], language: str) -> tuple[tuple[Spoken, ...], int]:
    """Return the voices of the alert that still stand, then those with the most reach, the reader's language first."""
    quotes = [quote for quote in facts.evidence.quotes if facts.texts.get(quote.mention)]
    voices = [_quoted(quote, facts.texts[quote.mention]) for quote in quotes]
    shown = {quote.mention for quote in quotes}
    texts = {one.text for one in voices}
    negative = sorted(
        (one for one in judged if one[2].label is Label.NEGATIVE and one[2].weight >= _HEAVY and not one[1].own),
        key=lambda one: (-(one[1].reach or 0), one[2].language != language, -one[2].p_negative, one[0]),
    )
    for ident, one, _ in negative:
        if len(voices) >= _SPOKEN:
            break
        if ident not in shown and one.text and one.text not in texts:
            texts.add(one.text)
            voices.append(_voiced(one))
    return tuple(sorted(voices, key=lambda one: one.published_at)), len(facts.evidence.quotes) - len(quotes)


def _quoted(quote: Quote, text: str) -> Spoken:
    return Spoken(
        text=text,
        source=quote.source,
        url=quote.url,
        published_at=quote.published_at,
        reach=quote.reach,
        copies=quote.copies,
    )


def _voiced(one: Mention) -> Spoken:
    return Spoken(text=one.text, source=one.source, url=one.url, published_at=one.published_at, reach=one.reach)


def _answers(connection: Connection, judged: Sequence[_Judged], until: datetime) -> Answers:
    negatives = [one for _, one, verdict in judged if verdict.label is Label.NEGATIVE and not one.own]
    own: list[Mention] = []
    for source in sorted({one.source for one in negatives}):
        own += mentions.responses_to(connection, source, [one.external_id for one in negatives if one.source == source])
    asked = [_utterance(one) for one in negatives]
    by_then = coverage(asked, [_utterance(one) for one in own if one.published_at <= until])
    since = coverage(asked, [_utterance(one) for one in own])
    return Answers(
        asked=by_then.asked,
        answered=by_then.answered,
        answered_since=since.answered,
        first=by_then.first,
        median=by_then.median,
        oldest_unanswered=by_then.oldest_unanswered,
        could_be_seen=bool(own) or bool(mentions.own_sources(connection) & {one.source for one in negatives}),
    )


def _utterance(one: Mention) -> Utterance:
    return Utterance(source=one.source, external_id=one.external_id, at=one.published_at, parent_id=one.parent_id)


def _told(facts: Facts, parts: Parts) -> tuple[Told, ...]:
    """Return when each channel was first known to carry the alert."""
    firsts: dict[str, datetime | None] = {}
    for one in facts.told:
        if one.kind is not DeliveryKind.OPEN:
            continue
        before = firsts.get(one.channel)
        at = one.confirmed_at
        firsts[one.channel] = at if before is None else before if at is None else min(before, at)
    names = parts.fallbacks.names
    ordered = sorted(firsts.items(), key=lambda one: (one[1] is None, one[1].timestamp() if one[1] else 0, one[0]))
    return tuple(Told(channel=names.get(ChannelId(channel), channel), at=at) for channel, at in ordered)


def _calls(connection: Connection, parts: Parts, incident: Incident, until: datetime) -> int | None:
    if not parts.duty.people_in_figures:
        return None
    pages = calls.pages(connection, incident.opened_at, until + timedelta(seconds=1))
    return sum(1 for one in pages if one.key.startswith(f"{incident.id}:"))
