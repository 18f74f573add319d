"""What each kind of spike beside plain volume is called, in German and English."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from brandmelder.notify.words import Plural


class KindWords(Struct, frozen=True, kw_only=True):
    """One language. Names in braces are filled with numbers and our own names only."""

    decimal: str
    million: str
    share: str
    share_after: str
    share_said: str
    reach: str
    reach_after: str
    reach_said: str
    joined: str
    joined_theme: str
    joined_after: str
    joined_source: str
    joined_topic: str
    unanswered: str
    unanswered_after: str
    unanswered_said: str
    silent: str
    silent_source: str
    silent_after: str
    silent_said: str
    silent_source_said: str
    silent_why: str
    key_reach: str
    key_word: str
    key_author: str
    key_after: str
    key_count: str
    key_reach_said: str
    key_word_said: str
    key_author_said: str
    negatives: Plural
    rule: str
    ended: dict[str, str]
    ended_after: str
    over: str
    event: str


GERMAN_KINDS: Final = KindWords(
    decimal=",",
    million="{number} Mio.",
    share="{percent} negativ",
    share_after=" in {window} ({part} von {whole}), üblich {range}",
    share_said="{part} von {whole} Erwähnungen {when} sind negativ, das sind {percent}; sonst sind es {range}.",
    reach="Reichweite {reach}",
    reach_after=" in {window} ({count}), üblich bis {usual}",
    reach_said="{count} {when} mit zusammen {reach} Reichweite; um diese Zeit sind es sonst höchstens {usual}.",
    joined="neu: {name}",
    joined_theme="neues Thema {name}",
    joined_after=", {count} in 24 Std., sonst keine",
    joined_source="{count} in {name} in den letzten 24 Std.; dort gibt es sonst keine.",
    joined_topic="{count} zum Thema {name} in den letzten 24 Std.; das Thema kam sonst nicht vor.",
    unanswered="{count} unbeantwortet",
    unanswered_after=", älteste seit {time}",
    unanswered_said="Seit {time} hat niemand geantwortet: {count} warten länger als vereinbart, {whole} insgesamt.",
    silent="Stille seit {time}",
    silent_source="{name} still seit {time}",
    silent_after=", üblich {range} Erwähnungen",
    silent_said="Keine Erwähnung seit {time}; in dieser Zeit sind es sonst {range}.",
    silent_source_said="Keine Erwähnung in {name} seit {time}; in dieser Zeit sind es sonst {range}.",
    silent_why=" Gelesen wurde: Entweder schreibt niemand, oder die Suche findet nichts mehr.",
    key_reach="Konto mit {reach} Followern",
    key_word="Schlüsselwort „{word}“",
    key_author="Beitrag von {word}",
    key_after=": eine negative Erwähnung",
    key_count=", {count} in 60 min",
    key_reach_said="Ein Konto mit {reach} Followern hat sich negativ geäußert.",
    key_word_said="Eine Erwähnung enthält „{word}“.",
    key_author_said="{word} hat geschrieben.",
    negatives=Plural("{number} negative Erwähnung", "{number} negative Erwähnungen"),
    rule="festgelegte Regel, unabhängig von der Zahl der Erwähnungen",
    ended={
        "share": "Negativanteil wieder üblich",
        "reach": "Reichweite wieder üblich",
        "new_source": "nichts Neues mehr",
        "backlog": "Rückstand aufgelöst",
        "silence": "Stille vorbei",
        "key_mention": "keine weitere Schlüsselerwähnung",
    },
    ended_after=", {time} nach dem Alarm",
    over="{what}.",
    event="{name} {clock} eingerechnet",
)
ENGLISH_KINDS: Final = KindWords(
    decimal=".",
    million="{number}m",
    share="{percent} negative",
    share_after=" in {window} ({part} of {whole}), usual {range}",
    share_said="{part} of {whole} mentions {when} are negative, that is {percent}; normally {range}.",
    reach="Reach {reach}",
    reach_after=" in {window} ({count}), usual up to {usual}",
    reach_said="{count} {when} with a reach of {reach} together; at this time of day {usual} at most are usual.",
    joined="new: {name}",
    joined_theme="new topic {name}",
    joined_after=", {count} in 24 h, normally none",
    joined_source="{count} in {name} in the last 24 h; normally there are none.",
    joined_topic="{count} on the topic {name} in the last 24 h; normally nobody raises it.",
    unanswered="{count} unanswered",
    unanswered_after=", oldest for {time}",
    unanswered_said="Nobody has answered for {time}: {count} wait longer than agreed, {whole} in all.",
    silent="Silence for {time}",
    silent_source="{name} silent for {time}",
    silent_after=", usual {range} mentions",
    silent_said="No mention for {time}; {range} are usual in that time.",
    silent_source_said="No mention in {name} for {time}; {range} are usual in that time.",
    silent_why=" It was read: either nobody writes, or the query finds nothing any more.",
    key_reach="Account with {reach} followers",
    key_word="Key word “{word}”",
    key_author="Post by {word}",
    key_after=": a negative mention",
    key_count=", {count} in 60 min",
    key_reach_said="An account with {reach} followers has spoken negatively.",
    key_word_said="A mention contains “{word}”.",
    key_author_said="{word} has written.",
    negatives=Plural("{number} negative mention", "{number} negative mentions"),
    rule="a rule that was set, whatever the number of mentions",
    ended={
        "share": "negative share is usual again",
        "reach": "reach is usual again",
        "new_source": "nothing new any more",
        "backlog": "backlog is answered",
        "silence": "silence is over",
        "key_mention": "no further key mention",
    },
    ended_after=", {time} after the alert",
    over="{what}.",
    event="{name} {clock} accounted for",
)


def kind_words(language: str) -> KindWords:
    """Return the words of a language; English for one we do not speak."""
    return GERMAN_KINDS if language.partition("-")[0].lower() == "de" else ENGLISH_KINDS
