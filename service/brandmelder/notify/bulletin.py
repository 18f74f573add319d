"""Messages that are about no single incident: what still burns, a change of duty, a rota with a hole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Incident, Matcher, Silence, SourceId, State
from brandmelder.notify.call_words import call_words
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import figures_in
from brandmelder.notify.message import Callee, Line, Message, Span
from brandmelder.notify.voice import Voice, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.model import Turn

AND = " & "
"""Between the names of those who are on call together."""
MOST = 12
"""So many incidents or silences are listed, the worst first."""


class Reader(Struct, frozen=True, kw_only=True):
    """For whom a bulletin is written."""

    brand: str
    language: str
    zone: tzinfo
    now: datetime
    titles: Mapping[str, str] = MappingProxyType({})
    """Of the monitors."""
    sources: Mapping[SourceId, str] = MappingProxyType({})
    """Names of the sources."""

    def source(self, ident: SourceId) -> str:
        """Return what they call a source."""
        return inert(self.sources.get(ident, ident), 40)

    @property
    def voice(self) -> Voice:
        """Who speaks to them."""
        return Voice(words_of(self.language), self.zone, self.now)


class Happened(Struct, frozen=True, kw_only=True):
    """What happened in a turn."""

    since: datetime
    opened: int = 0
    closed: int = 0
    calls: int | None = None
    """How often whoever goes was called; None where no figures of people are kept."""


class Standing(Struct, frozen=True, kw_only=True):
    """How things stand when duty changes."""

    running: tuple[Incident, ...] = ()
    silences: tuple[Silence, ...] = ()
    blind: tuple[tuple[SourceId, datetime], ...] = ()
    """Sources that cannot be seen, and since when."""


def about_sources(
    ident: str, reader: Reader, *, head: tuple[str, str], sentence: tuple[Span, ...], lines: Sequence[Line]
) -> Message:
    """Return what is told of sources: blind, doubted, well again; `head` is a sign and the words behind the brand."""
    return Message(
        language=reader.language,
        incident=ident,
        revision=0,
        emoji=head[0],
        headline=f"{inert(reader.brand, 30)}: {head[1]}"[:150],
        sentence=sentence,
        lines=tuple(lines),
        footer=((Span(text=reader.voice.moment(reader.now), moment=reader.now),),),
    )


def still_burning(ident: str, incidents: Sequence[Incident], reader: Reader, callees: Sequence[Callee]) -> Message:
    """Return the one message at the end of a silence or of quiet hours."""
    words = call_words(reader.language)
    number = reader.voice.number(len(incidents))
    return Message(
        language=reader.language,
        incident=ident,
        revision=0,
        emoji="🔴",
        headline=f"{_cut(reader.brand)}: {words.still_burns_head.format(number=number)}",
        sentence=(Span(text=words.still_burns, bold=True),),
        lines=_listed(incidents, reader),
        calls=tuple(callees),
        footer=_footer(reader),
    )


def handover_note(
    ident: str, turn: tuple[str, str, str], happened: Happened, stands: Standing, reader: Reader
) -> Message:
    """Return the note at a change of duty; `turn` is the rota's name, who comes and who goes (may be empty)."""
    rota, names, before = turn
    words, voice = call_words(reader.language), reader.voice
    now_on = names or words.handover_nobody
    comers = 1 + names.count(AND)
    said = (words.handover if before else words.handover_first).of(comers).format(names=names, before=before)
    lines = list(_listed(stands.running, reader)) or [_line(words.open_label, words.none_open)]
    lines += [_line(words.silenced_label, _silence(one, reader)) for one in stands.silences[:MOST]]
    counted = words.turn.format(opened=happened.opened, closed=happened.closed)
    if happened.calls is not None:
        counted += ", " + words.turn_calls.of(happened.calls).format(calls=happened.calls)
    lines.append(_line(words.turn_label.format(moment=voice.moment(happened.since)), counted))
    blind = [
        words.blind.format(source=inert(reader.sources.get(source, source), 40), moment=voice.moment(since))
        for source, since in stands.blind[:MOST]
    ]
    lines.append(_line(words.blind_label, ", ".join(blind) or words.all_seen))
    return Message(
        language=reader.language,
        incident=ident,
        revision=0,
        emoji="🔁",
        headline=words.handover_head.format(rota=rota, names=now_on)[:150],
        sentence=(Span(text=said if names else words.nobody_on_call, bold=True),),
        lines=tuple(lines),
        footer=_footer(reader),
    )


class Trouble(Struct, frozen=True):
    """What is wrong with a rota: in a few words, and in a sentence."""

    head: str
    sentence: str


def rota_alarm(ident: str, trouble: Trouble, reader: Reader) -> Message:
    """Return what is wrong with a rota: `hole`, `stale` or `unknown`."""
    return Message(
        language=reader.language,
        incident=ident,
        revision=0,
        emoji="🟠",
        headline=trouble.head[:150],
        sentence=(Span(text=trouble.sentence),),
        footer=_footer(reader),
    )


def hole(rota: str, turn: Turn, reader: Reader) -> Trouble:
    """Say that nobody is on call in a stretch of a plan."""
    voice, words = reader.voice, call_words(reader.language)
    since, until = voice.moment(turn.since), voice.moment(turn.until)
    return Trouble(words.hole_head.format(rota=rota, since=since), words.hole_soon.format(since=since, until=until))


def stale(rota: str, good_at: datetime | None, trouble: str, reader: Reader) -> Trouble:
    """Say that a calendar could not be read for long."""
    words = call_words(reader.language)
    moment = reader.voice.moment(good_at) if good_at else "–"
    said = words.stale.format(moment=moment, trouble=inert(trouble, 160).rstrip("."))
    return Trouble(words.stale_head.format(rota=rota), said)


def unknown(rota: str, titles: Sequence[str], reader: Reader) -> Trouble:
    """Say that a calendar names somebody we do not know."""
    words = call_words(reader.language)
    opening, closing = reader.voice.words.quote
    said = ", ".join(f"{opening}{inert(title, 40)}{closing}" for title in titles[:4])
    return Trouble(words.unknown_head.format(rota=rota), words.unknown.format(titles=said))


def _listed(incidents: Sequence[Incident], reader: Reader) -> tuple[Line, ...]:
    worst = sorted(incidents, key=lambda one: (-one.severity, one.opened_at))[:MOST]
    return tuple(_line(one.id, _row(one, reader)) for one in worst)


def _row(incident: Incident, reader: Reader) -> str:
    words, voice = call_words(reader.language), reader.voice
    title = inert(reader.titles.get(incident.monitor, incident.monitor), 40)
    severity = voice.words.severities[incident.severity - 1]
    who = words.nobody_now
    if incident.state is State.ACKNOWLEDGED:
        who = words.with_anybody.format(name=inert(incident.acknowledged_by or "", 40))
    since = voice.moment(incident.opened_at)
    figures = figures_in(incident, voice, reader.sources)
    return f"{title}, {figures}, {severity}, {who}, {words.since.format(moment=since)}"


def _silence(one: Silence, reader: Reader) -> str:
    return call_words(reader.language).silence.format(
        number=one.id,
        moment=reader.voice.moment(one.ends),
        by=inert(one.by, 40),
        reason=inert(one.reason, 80),
        what=matcher_words(one.matcher, reader.language),
    )


def matcher_words(matcher: Matcher, language: str) -> str:
    """Say what a matcher means."""
    words = call_words(language)
    parts = [
        *(words.of_monitor.format(name=one) for one in sorted(matcher.monitors)),
        *(words.of_kind.format(name=one.value) for one in sorted(matcher.kinds)),
        *(words.of_source.format(name=one) for one in sorted(matcher.sources)),
        *([words.of_topic.format(name=inert(matcher.topic, 40))] if matcher.topic else []),
        *([words.of_below.format(name=matcher.below)] if matcher.below is not None else []),
    ]
    return ", ".join(parts) or words.everything


def _line(label: str, text: str) -> Line:
    return Line(label=label, spans=(Span(text=text),))


def _footer(reader: Reader) -> tuple[tuple[Span, ...], ...]:
    return ((Span(text=reader.voice.moment(reader.now), moment=reader.now),),)


def _cut(brand: str) -> str:
    return inert(brand, 30)
