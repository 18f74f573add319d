"""What a digest is told in: German and English."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from brandmelder.notify.words import Plural


class DigestWords(Struct, frozen=True, kw_only=True):
    """One language."""

    day: str
    week: str
    incidents: Plural
    no_incidents: str
    calm: str
    calm_many: str
    mentions: Plural
    negative: Plural
    unanswered: str
    share: str
    usual_share: str
    no_usual: str
    loudest_label: str
    loudest: str
    blind_label: str
    still_blind: str
    severity: str
    running: str
    lasted: str
    more: Plural


_GERMAN: Final = DigestWords(
    day="{date}",
    week="Woche bis {date}",
    incidents=Plural("{number} Vorfall", "{number} Vorfälle"),
    no_incidents="keine Vorfälle",
    calm="ruhig: {mentions}, {negative}, {usual}",
    calm_many="ruhig: {number} Monitore im Üblichen",
    mentions=Plural("{number} Erwähnung", "{number} Erwähnungen"),
    negative=Plural("{number} negative", "{number} negative"),
    unanswered="{number} ohne Antwort",
    share="{share} negativ",
    usual_share="sonst {share}",
    no_usual="noch kein Vergleich",
    loudest_label="Am lautesten",
    loudest="{title}, {moment}: {number} negative in einer Stunde",
    blind_label="Nicht gelesen",
    still_blind="{source} seit {moment}",
    severity="Schwere {severity}",
    running="läuft noch",
    lasted="nach {time} {state}",
    more=Plural("{number} weiterer Vorfall", "{number} weitere Vorfälle"),
)
_ENGLISH: Final = DigestWords(
    day="{date}",
    week="week to {date}",
    incidents=Plural("{number} incident", "{number} incidents"),
    no_incidents="no incidents",
    calm="calm: {mentions}, {negative}, {usual}",
    calm_many="calm: {number} monitors within the usual",
    mentions=Plural("{number} mention", "{number} mentions"),
    negative=Plural("{number} negative", "{number} negative"),
    unanswered="{number} unanswered",
    share="{share} negative",
    usual_share="usually {share}",
    no_usual="nothing to compare with yet",
    loudest_label="Loudest",
    loudest="{title}, {moment}: {number} negative in one hour",
    blind_label="Not read",
    still_blind="{source} since {moment}",
    severity="severity {severity}",
    running="still running",
    lasted="{state} after {time}",
    more=Plural("{number} more incident", "{number} more incidents"),
)


def digest_words(language: str) -> DigestWords:
    """Return the catalogue of a language; English for one we do not speak."""
    return _GERMAN if language.partition("-")[0].lower() == "de" else _ENGLISH
