"""Messages about sources that answer and are doubted all the same: too silent, a wrong clock, an ending access."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, assert_never

from msgspec import Struct

from brandmelder.model import Doubt, DoubtKind, SourceClass, SourceId
from brandmelder.notify.bulletin import about_sources
from brandmelder.notify.message import Line, Message, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.notify.bulletin import Reader
    from brandmelder.notify.voice import Voice

MOST = 12
"""So many doubts are named."""
Nouns = Mapping[SourceId, SourceClass]
"""What each source is, for how its mentions are called."""


class DoubtWords(Struct, frozen=True, kw_only=True):
    """One language. Names in braces are filled with numbers, moments and names of ours."""

    heads: Mapping[DoubtKind, str]
    our_clock_head: str
    says: Mapping[DoubtKind, str]
    """What it means, and what to do: one sentence for each kind that is told."""
    our_clock: str
    silent: str
    rates: tuple[str, str, str]
    """Usual in an hour, a day, a week."""
    few: str
    fast: str
    slow: str
    ours_slow: str
    ours_fast: str
    ahead: str
    expiring: str
    expired: str
    over_head: str
    over: Mapping[DoubtKind, str]
    normal: str
    renewed_until: str
    mentions: Mapping[SourceClass, tuple[str, str]]
    """One, and several."""
    hours: tuple[str, str]
    and_more: str


GERMAN: Final = DoubtWords(
    heads={
        DoubtKind.SILENT: "Ungewohnt still: {names}",
        DoubtKind.FEW: "Ungewohnt wenig: {names}",
        DoubtKind.CLOCK: "Falsche Uhrzeit: {names}",
        DoubtKind.AHEAD: "Falsche Uhrzeit: {names}",
        DoubtKind.EXPIRING: "Zugang endet bald: {names}",
    },
    our_clock_head="Unsere Uhr geht falsch",
    says={
        DoubtKind.SILENT: "Die Quelle antwortet, bringt aber nichts. Vielleicht ist es nur ruhig; vielleicht sehen wir "
        "nicht mehr, was dort steht. Bitte einmal dort nachsehen.",
        DoubtKind.FEW: "Die Quelle antwortet, bringt aber weit weniger als sonst. Vielleicht sehen wir nur noch einen "
        "Teil. Bitte einmal dort nachsehen.",
        DoubtKind.CLOCK: "Was dort geschrieben wird, kann zur falschen Zeit zählen oder verspätet gemeldet werden. Wer "
        "die Quelle betreibt, sollte ihre Uhr stellen.",
        DoubtKind.AHEAD: "Was in der Zukunft liegt, zählt zu der Zeit, zu der wir es sahen. Wer die Quelle betreibt, "
        "sollte ihre Uhr stellen.",
        DoubtKind.EXPIRING: "Danach sehen wir dort nichts mehr. Bitte den Zugang vorher erneuern.",
    },
    our_clock="Alle Server, die eine Uhrzeit nennen, sind sich einig: unsere Maschine geht falsch. Bitte den "
    "Zeitabgleich (NTP) einrichten.",
    silent="schweigt seit {time}; üblich {rate}",
    rates=("sind {number} {noun} die Stunde", "sind {number} {noun} am Tag", "sind {number} {noun} die Woche"),
    few="nur {count} {noun} in {hours}; üblich sind {usual}",
    fast="die Uhr des Servers geht {time} vor",
    slow="die Uhr des Servers geht {time} nach, oder die Antworten sind so alt",
    ours_slow="nach seiner Uhr geht unsere {time} nach",
    ours_fast="nach seiner Uhr geht unsere {time} vor",
    ahead="{count} {noun} der letzten Stunden sind in die Zukunft datiert",
    expiring="Bitte handeln. Der Zugang endet in {time}, am {moment}",
    expired="der Zugang endete am {moment}",
    over_head="Wieder wie gewohnt: {names}",
    over={
        DoubtKind.SILENT: "war still von {since} bis {until}",
        DoubtKind.FEW: "bringt seit {until} wieder etwa so viel wie sonst",
        DoubtKind.CLOCK: "die Uhr stimmt seit {until} wieder",
        DoubtKind.AHEAD: "die Uhrzeiten stimmen seit {until} wieder",
        DoubtKind.EXPIRING: "der Zugang ist erneuert",
    },
    normal="bringt seit {days} Tagen so wenig; das gilt jetzt als üblich",
    renewed_until="der Zugang ist erneuert und gilt bis {moment}",
    mentions={
        SourceClass.OWN: ("Kommentar", "Kommentare"),
        SourceClass.SOCIAL: ("Beitrag", "Beiträge"),
        SourceClass.FORUM: ("Beitrag", "Beiträge"),
        SourceClass.NEWS: ("Artikel", "Artikel"),
        SourceClass.MAIL: ("Mail", "Mails"),
        SourceClass.REVIEW: ("Bewertung", "Bewertungen"),
    },
    hours=("{number} Stunde", "{number} Stunden"),
    and_more="und {number} weitere",
)

ENGLISH: Final = DoubtWords(
    heads={
        DoubtKind.SILENT: "Unusually quiet: {names}",
        DoubtKind.FEW: "Unusually few: {names}",
        DoubtKind.CLOCK: "Wrong time: {names}",
        DoubtKind.AHEAD: "Wrong time: {names}",
        DoubtKind.EXPIRING: "Access ends soon: {names}",
    },
    our_clock_head="Our clock is wrong",
    says={
        DoubtKind.SILENT: "The source answers and brings nothing. Perhaps all is calm; perhaps we no longer see what "
        "is written there. Please look there once.",
        DoubtKind.FEW: "The source answers and brings far fewer than usual. Perhaps we see only a part of it. Please "
        "look there once.",
        DoubtKind.CLOCK: "What is written there may count at the wrong time, or be told late. Whoever runs the source "
        "should set its clock.",
        DoubtKind.AHEAD: "What lies in the future counts at the time we saw it. Whoever runs the source should set its "
        "clock.",
        DoubtKind.EXPIRING: "After that nothing is seen there. Please renew the access before.",
    },
    our_clock="All servers that tell their time agree: it is our machine that is wrong. Please set up NTP.",
    silent="silent for {time}; usual {rate}",
    rates=("are {number} {noun} an hour", "are {number} {noun} a day", "are {number} {noun} a week"),
    few="only {count} {noun} in {hours}; usual are {usual}",
    fast="its server's clock is {time} fast",
    slow="its server's clock is {time} slow, or its answers are so old",
    ours_slow="by its clock, ours is {time} slow",
    ours_fast="by its clock, ours is {time} fast",
    ahead="{count} {noun} of the last hours are dated in the future",
    expiring="Please act. The access ends in {time}, on {moment}",
    expired="the access ended on {moment}",
    over_head="As usual again: {names}",
    over={
        DoubtKind.SILENT: "was silent from {since} to {until}",
        DoubtKind.FEW: "brings about as many as usual again since {until}",
        DoubtKind.CLOCK: "its clock is right again since {until}",
        DoubtKind.AHEAD: "its times are right again since {until}",
        DoubtKind.EXPIRING: "the access is renewed",
    },
    normal="has brought so few for {days} days; that counts as usual now",
    renewed_until="the access is renewed and lasts until {moment}",
    mentions={
        SourceClass.OWN: ("comment", "comments"),
        SourceClass.SOCIAL: ("post", "posts"),
        SourceClass.FORUM: ("post", "posts"),
        SourceClass.NEWS: ("article", "articles"),
        SourceClass.MAIL: ("mail", "mails"),
        SourceClass.REVIEW: ("review", "reviews"),
    },
    hours=("{number} hour", "{number} hours"),
    and_more="and {number} more",
)


def doubt_words(language: str) -> DoubtWords:
    """Return the words of a language; English for one that is not spoken."""
    return GERMAN if language == "de" else ENGLISH


def doubt_notice(ident: str, doubts: Sequence[Doubt], nouns: Nouns, reader: Reader) -> Message:
    """Return the one message that says what is doubted, and what that means."""
    words = doubt_words(reader.language)
    is_ours = any(one.is_ours for one in doubts)
    kinds = dict.fromkeys(one.kind for one in doubts)
    means = [words.our_clock if is_ours and kind is DoubtKind.CLOCK else words.says[kind] for kind in kinds]
    head = words.heads[doubts[0].kind].format(names=_names(doubts, reader))
    return about_sources(
        ident,
        reader,
        head=("🟠", words.our_clock_head if is_ours else head),
        sentence=(Span(text=means[0], bold=True), *(Span(text=f" {one}") for one in means[1:])),
        lines=[_line(one, said(one, nouns, reader.language, reader.voice), reader) for one in doubts[:MOST]],
    )


def sure_notice(ident: str, doubts: Sequence[Doubt], nouns: Nouns, reader: Reader) -> Message:
    """Return the one message that says which doubts are over."""
    words = doubt_words(reader.language)
    del nouns
    lines = [_line(one, _over(one, words, reader.voice), reader) for one in doubts[:MOST]]
    head = words.over_head.format(names=_names(doubts, reader))
    return about_sources(ident, reader, head=("🟢", head), sentence=(), lines=lines)


def said(one: Doubt, nouns: Nouns, language: str, voice: Voice) -> str:
    """Say a doubt in a line: `schweigt seit 3 Std.; üblich sind 12 Kommentare die Stunde`."""
    words = doubt_words(language)
    noun = words.mentions[nouns.get(one.source, SourceClass.SOCIAL)]
    match one.kind:
        case DoubtKind.SILENT:
            rate = _rate(one.usual, noun, words, voice)
            return words.silent.format(time=voice.duration(voice.now - one.since), rate=rate)
        case DoubtKind.FEW:
            hours = words.hours[one.hours != 1].format(number=one.hours)
            count, usual = voice.number(one.count), voice.number(one.usual)
            return words.few.format(count=count, noun=noun[round(one.count) != 1], hours=hours, usual=usual)
        case DoubtKind.CLOCK:
            far = voice.duration(timedelta(seconds=abs(one.offset)), alone=True)
            fast, slow = (words.ours_slow, words.ours_fast) if one.is_ours else (words.fast, words.slow)
            return (fast if one.offset > 0 else slow).format(time=far)
        case DoubtKind.AHEAD:
            return words.ahead.format(count=voice.number(one.count), noun=noun[1])
        case DoubtKind.EXPIRING:
            return expiry_said(one, language, voice)
    assert_never(one.kind)


def expiry_said(one: Doubt, language: str, voice: Voice) -> str:
    """Say when what lets us in ends."""
    words, ends = doubt_words(language), one.expires_at or voice.now
    if ends <= voice.now:
        return words.expired.format(moment=voice.moment(ends))
    return words.expiring.format(time=voice.duration(ends - voice.now), moment=voice.moment(ends))


def _rate(an_hour: float, noun: tuple[str, str], words: DoubtWords, voice: Voice) -> str:
    """Say a rate by the first of hour, day and week in which it is one at least."""
    spans = ((1, words.rates[0]), (24, words.rates[1]), (168, words.rates[2]))
    hours, template = next((span for span in spans if round(an_hour * span[0]) >= 1), spans[-1])
    number = max(1, round(an_hour * hours))
    said_so = template.format(number=voice.number(number), noun=noun[number != 1])
    return said_so.replace("sind 1 ", "ist 1 ").replace("are 1 ", "is 1 ") if number == 1 else said_so


def _over(one: Doubt, words: DoubtWords, voice: Voice) -> str:
    ended = one.ended_at or voice.now
    if one.kind is DoubtKind.EXPIRING and one.expires_at is not None:
        return words.renewed_until.format(moment=voice.day(one.expires_at))
    if one.kind is DoubtKind.FEW and not one.hours:
        return words.normal.format(days=(ended - one.since).days)
    return words.over[one.kind].format(since=voice.moment(one.since), until=voice.moment(ended))


def _names(doubts: Sequence[Doubt], reader: Reader) -> str:
    sources = list(dict.fromkeys(one.source for one in doubts))
    shown = [reader.source(one) for one in sources[:3]]
    if len(sources) > len(shown):
        shown.append(doubt_words(reader.language).and_more.format(number=len(sources) - len(shown)))
    return ", ".join(shown)


def _line(one: Doubt, text: str, reader: Reader) -> Line:
    return Line(label=reader.source(one.source), spans=(Span(text=text),))
