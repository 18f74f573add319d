"""What a report of an incident is told in: German and English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.notify.words import Plural

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.notify.voice import Voice


class IncidentWords(Struct, frozen=True, kw_only=True):
    """One language. Names in braces are filled with numbers, times and our own names only."""

    kicker: str
    provisional: str
    long_day: str
    from_to: str
    from_on: str
    peak: str
    peak_usual: str
    total: str
    total_of: Plural
    lasted: str
    lasts: str
    taken: str
    taken_after: str
    never_taken: str
    first_answer: str
    answered_before: str
    severity: str
    severity_change: str
    severity_same: str
    severity_so_far: str
    community: str
    media: str
    level: str
    caption: str
    caption_band: str
    caption_hatched: str
    taken_mark: str
    answered_mark: str
    about: str
    where: str
    source: str
    negative: str
    share: str
    said: str
    followers: str
    said_left_out: Plural
    answered: str
    answered_since: str
    median: str
    unanswered: str
    all_answered: str
    nobody_could: str
    timeline: str
    at: str
    step: str
    by: str
    note: str
    service: str
    people: str
    told: str
    told_at_once: str
    told_after: str
    told_never: str
    nobody_told: str
    pages: Plural
    had_it: str
    had_it_from: str
    seen: str
    seen_whole: str
    gaps: str
    gap: str
    sight_at_end: str
    counted: str
    kind: str
    figures: str
    expected: str
    judged: str
    judged_as: str
    query: str
    compared: str
    label: str
    lessons: str
    values: str
    values_from: str
    usual: str
    unseen: str
    anonymous: str
    written: str
    rules: dict[str, str]


_GERMAN: Final = IncidentWords(
    kicker="Vorfallbericht {id}",
    provisional="Vorläufig: Der Vorfall läuft noch.",
    long_day="{weekday} {day}. {month} {year}",
    from_to="{day}, {since} bis {until}",
    from_on="{day}, seit {since}",
    peak="negative Erwähnungen in der Spitze",
    peak_usual="in {window}, {usual}",
    total="negativ insgesamt",
    total_of=Plural("von {number} Erwähnung", "von {number} Erwähnungen"),
    lasted="vom Alarm bis zum Ende",
    lasts="seit dem Alarm",
    taken="bis zur Übernahme",
    taken_after="um {moment} durch {name}",
    never_taken="niemand hat übernommen",
    first_answer="bis zur ersten Antwort",
    answered_before="schon vor dem Alarm",
    severity="Schwere",
    severity_change="zuerst {first}, in der Spitze {last}",
    severity_same="{last}, von Anfang bis Ende",
    severity_so_far="{last}, bisher",
    community="Skala, Öffentlichkeit",
    media="Skala, Medien",
    level="{level} {name}",
    caption="Negative Erwähnungen je {width}.",
    caption_band="Heller Grund: das Übliche um diese Zeit; farbig, was darüber liegt.",
    caption_hatched="Schraffiert: nicht gelesen.",
    taken_mark="{clock} übernommen",
    answered_mark="{clock} erste Antwort",
    about="Worum es ging",
    where="Wo es geschah",
    source="Quelle",
    negative="Negativ",
    share="Anteil",
    said="Was gesagt wurde",
    followers="{number} Follower",
    said_left_out=Plural(
        "Eine weitere Stimme ist nicht mehr zu zeigen: gelöscht, oder ihr Text ist abgelaufen.",
        "{number} weitere Stimmen sind nicht mehr zu zeigen: gelöscht, oder ihr Text ist abgelaufen.",
    ),
    answered="Beantwortet",
    answered_since="bis zum Ende {answered} von {asked}, bis heute {later}",
    median="Mittlere Wartezeit",
    unanswered="Am längsten offen",
    all_answered="alles beantwortet",
    nobody_could="Wo es geschah, schrieb noch nie ein eigenes Konto: Antworten sind dort nicht zu sehen.",
    timeline="Zeitleiste",
    at="Zeit",
    step="Was geschah",
    by="Durch",
    note="Anmerkung",
    service="Brandmelder",
    people="Wer dran war",
    told="Benachrichtigt",
    told_at_once="{channel} {moment}, binnen einer Minute",
    told_after="{channel} {moment}, {time} nach dem Alarm",
    told_never="{channel}: nicht bestätigt",
    nobody_told="niemand, es blieb still",
    pages=Plural("{number} Ruf erreichte jemanden", "{number} Rufe erreichten jemanden"),
    had_it="Zuständig",
    had_it_from="{name} ab {moment}",
    seen="Was nicht zu sehen war",
    seen_whole="Alle {number} Quellen wurden gelesen; bekannte Lücken gibt es nicht.",
    gaps="Lücken",
    gap="{source}, {since} bis {until}: {reason}",
    sight_at_end="Stand der Quellen",
    counted="Wie gezählt wurde",
    kind="Art",
    figures="Letzte Messung",
    expected="{figures}; erwartet {expected}",
    judged="Beurteilt",
    judged_as="{mentions} Erwähnungen: {negatives} negativ, {unclear} unklar; {model}",
    query="Suche",
    compared="Vergleich",
    label="Einordnung",
    lessons="Zur Einordnung",
    values="Zahlen zum Bild",
    values_from="Beginn",
    usual="Üblich",
    unseen="nicht gelesen",
    anonymous="Bereitschaft",
    written="Geschrieben {moment} von Brandmelder {version}. Zahlen ohne Gewähr auf Vollständigkeit der Quellen.",
    rules={
        "negative": "negative Erwähnungen weit über dem Üblichen",
        "share": "negativer Anteil weit über dem Üblichen",
        "total": "Erwähnungen weit über dem Üblichen",
        "reach": "Reichweite der Kritik weit über dem Üblichen",
        "new_source": "Kritik, wo sonst keine ist",
        "backlog": "zu viel ohne Antwort",
        "silence": "ungewöhnliche Stille",
        "key_mention": "einzelne Erwähnung, auf die gewartet wird",
    },
)
_ENGLISH: Final = IncidentWords(
    kicker="Incident report {id}",
    provisional="Provisional: the incident is still running.",
    long_day="{weekday} {day} {month} {year}",
    from_to="{day}, {since} to {until}",
    from_on="{day}, since {since}",
    peak="negative mentions at the peak",
    peak_usual="in {window}, {usual}",
    total="negative in all",
    total_of=Plural("of {number} mention", "of {number} mentions"),
    lasted="from the alert to the end",
    lasts="since the alert",
    taken="until acknowledged",
    taken_after="at {moment} by {name}",
    never_taken="nobody acknowledged",
    first_answer="until the first reply",
    answered_before="before the alert",
    severity="Severity",
    severity_change="{first} at first, {last} at the peak",
    severity_same="{last} from beginning to end",
    severity_so_far="{last} so far",
    community="Skala, community",
    media="Skala, media",
    level="{level} {name}",
    caption="Negative mentions per {width}.",
    caption_band="Light ground: the usual at this time; in colour what is beyond it.",
    caption_hatched="Hatched: not read.",
    taken_mark="{clock} acknowledged",
    answered_mark="{clock} first reply",
    about="What it was about",
    where="Where it happened",
    source="Source",
    negative="Negative",
    share="Share",
    said="What was said",
    followers="{number} followers",
    said_left_out=Plural(
        "One more voice cannot be shown any more: deleted, or its text has expired.",
        "{number} more voices cannot be shown any more: deleted, or their texts have expired.",
    ),
    answered="Answered",
    answered_since="by the end {answered} of {asked}, until today {later}",
    median="Median wait",
    unanswered="Open the longest",
    all_answered="everything is answered",
    nobody_could="No account of ours ever wrote where it happened: replies cannot be seen there.",
    timeline="Timeline",
    at="Time",
    step="What happened",
    by="By",
    note="Note",
    service="Brandmelder",
    people="Who was on it",
    told="Told",
    told_at_once="{channel} {moment}, within a minute",
    told_after="{channel} {moment}, {time} after the alert",
    told_never="{channel}: not confirmed",
    nobody_told="nobody, it was kept silent",
    pages=Plural("{number} call reached somebody", "{number} calls reached somebody"),
    had_it="In charge",
    had_it_from="{name} from {moment}",
    seen="What was not seen",
    seen_whole="All {number} sources were read; there are no known gaps.",
    gaps="Gaps",
    gap="{source}, {since} to {until}: {reason}",
    sight_at_end="State of the sources",
    counted="How it was counted",
    kind="Kind",
    figures="Last measured",
    expected="{figures}; expected {expected}",
    judged="Judged",
    judged_as="{mentions} mentions: {negatives} negative, {unclear} unclear; {model}",
    query="Query",
    compared="Compared with",
    label="Verdict on it",
    lessons="For judging it",
    values="Numbers of the picture",
    values_from="Begins",
    usual="Usual",
    unseen="not read",
    anonymous="on-call staff",
    written="Written {moment} by Brandmelder {version}. The numbers hold for the sources that were read.",
    rules={
        "negative": "negative mentions far above the usual",
        "share": "negative share far above the usual",
        "total": "mentions far above the usual",
        "reach": "reach of the criticism far above the usual",
        "new_source": "criticism where there usually is none",
        "backlog": "too much without a reply",
        "silence": "unusual silence",
        "key_mention": "a single mention that is waited for",
    },
)


def incident_words(language: str) -> IncidentWords:
    """Return the catalogue of a language; English for one we do not speak."""
    return _GERMAN if language.partition("-")[0].lower() == "de" else _ENGLISH


def long_day(moment: datetime, voice: Voice) -> str:
    """Say the day with its year, in the reader's zone: `Di 15. Dezember 2026`."""
    local, words = moment.astimezone(voice.zone), voice.words
    return incident_words(words.language).long_day.format(
        weekday=words.weekdays[local.weekday()],
        day=local.day,
        month=words.months[local.month - 1],
        year=local.year,
    )
