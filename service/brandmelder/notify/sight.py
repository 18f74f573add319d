"""Messages about sight: which sources cannot be seen and since when, which are seen again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.model import SourceId
from brandmelder.notify.bulletin import about_sources
from brandmelder.notify.inert import inert
from brandmelder.notify.message import Line, Message, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.notify.bulletin import Reader

MOST = 12
"""So many sources are named."""


class Unseen(Struct, frozen=True, kw_only=True):
    """One source that cannot be seen."""

    source: SourceId
    since: datetime
    """When it was last seen."""
    fault: str = ""
    """What kind of fault it is: a key of `faults`."""
    detail: str = ""
    """The same for whoever mends it, in English, with what to do."""
    needs_hand: bool = False
    """Whether it will not come back by itself."""


class SeenAgain(Struct, frozen=True, kw_only=True):
    """One source that can be seen again."""

    source: SourceId
    since: datetime
    until: datetime
    has_gap: bool = False
    """Whether something of that time is known to be missing for good."""


class SightWords(Struct, frozen=True, kw_only=True):
    """One language. Names in braces are filled with numbers, moments and names of ours, or with `inert` text."""

    blind_head: str
    blind: str
    hand: str
    line: str
    hand_line: str
    again_head: str
    again: str
    again_line: str
    again_gap_line: str
    more: str
    faults: Mapping[str, str]


GERMAN: Final = SightWords(
    blind_head="Blind seit {moment}: {names}",
    blind="Was dort geschrieben wird, sehen wir zurzeit nicht. Stille heißt jetzt nicht, dass es ruhig ist.",
    hand="Was mit „Bitte handeln“ beginnt, kommt nicht von selbst wieder.",
    line="seit {moment}; {reason}",
    hand_line="Bitte handeln. Seit {moment}: {reason}",
    again_head="Wieder zu sehen: {names}",
    again="Was inzwischen geschrieben wurde, zählt zu der Zeit, zu der es geschrieben wurde.",
    again_line="fehlte {since} bis {until}",
    again_gap_line="fehlte {since} bis {until}; nicht alles davon war noch zu lesen",
    more="und {number} weitere",
    faults={
        "Transient": "antwortet nicht",
        "RateLimited": "lässt uns warten",
        "AuthRefused": "verweigert den Zugang",
        "Gone": "ist unter dieser Adresse nicht mehr da",
        "Blocked": "verstößt gegen unsere Sicherheitsregeln",
        "ShapeChanged": "antwortet anders als vereinbart",
        "late": "die Abfrage kommt nicht zu Ende",
        "spent": "das Budget ist aufgebraucht",
        "": "ein Fehler im Programm",
    },
)

ENGLISH: Final = SightWords(
    blind_head="Blind since {moment}: {names}",
    blind="What is written there is not seen at present. Silence does not mean that all is calm.",
    hand="What begins with “Please act” will not come back by itself.",
    line="since {moment}; {reason}",
    hand_line="Please act. Since {moment}: {reason}",
    again_head="Seen again: {names}",
    again="What was written in the meantime counts at the time it was written.",
    again_line="was missing from {since} to {until}",
    again_gap_line="was missing from {since} to {until}; not all of it could still be read",
    more="and {number} more",
    faults={
        "Transient": "does not answer",
        "RateLimited": "makes us wait",
        "AuthRefused": "refuses us",
        "Gone": "is no longer at this address",
        "Blocked": "breaks our safety rules",
        "ShapeChanged": "does not answer as agreed",
        "late": "its poll does not come to an end",
        "spent": "its budget is spent",
        "": "a fault in the program",
    },
)


def sight_words(language: str) -> SightWords:
    """Return the words of a language; English for one that is not spoken."""
    return GERMAN if language == "de" else ENGLISH


def blind_notice(ident: str, unseen: Sequence[Unseen], reader: Reader) -> Message:
    """Return the one message that says what cannot be seen, longest missing first."""
    words, voice = sight_words(reader.language), reader.voice
    rows = sorted(unseen, key=lambda one: one.since)
    lines = [_line(reader.source(one.source), _trouble(one, reader)) for one in rows[:MOST]]
    sentence = [Span(text=words.blind, bold=True)]
    if any(one.needs_hand for one in rows):
        sentence.append(Span(text=f" {words.hand}"))
    head = words.blind_head.format(moment=voice.moment(rows[0].since), names=_names(rows, reader))
    return about_sources(ident, reader, head=("🟠", head), sentence=tuple(sentence), lines=lines)


def _trouble(one: Unseen, reader: Reader) -> str:
    words = sight_words(reader.language)
    fault = words.faults.get(one.fault, words.faults[""])
    template = words.hand_line if one.needs_hand else words.line
    said = template.format(moment=reader.voice.moment(one.since), reason=fault)
    return f"{said} ({inert(one.detail, 200)})" if one.detail else said


def seen_notice(ident: str, seen: Sequence[SeenAgain], reader: Reader) -> Message:
    """Return the one message that says what can be seen again."""
    words, voice = sight_words(reader.language), reader.voice
    lines = [
        _line(
            reader.source(one.source),
            (words.again_gap_line if one.has_gap else words.again_line).format(
                since=voice.moment(one.since), until=voice.moment(one.until)
            ),
        )
        for one in seen[:MOST]
    ]
    head = words.again_head.format(names=_names(seen, reader))
    return about_sources(ident, reader, head=("🟢", head), sentence=(Span(text=words.again),), lines=lines)


def _names(rows: Sequence[Unseen | SeenAgain], reader: Reader) -> str:
    shown = [reader.source(one.source) for one in rows[:3]]
    if len(rows) > len(shown):
        shown.append(sight_words(reader.language).more.format(number=len(rows) - len(shown)))
    return ", ".join(shown)


def _line(label: str, text: str) -> Line:
    return Line(label=label, spans=(Span(text=text),))
