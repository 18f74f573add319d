"""What people on call read when they are called, when a silence ends and when duty changes: German and English."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from brandmelder.notify.words import Plural


class CallWords(Struct, frozen=True, kw_only=True):
    """One language. Names in braces are filled with numbers and names of ours only."""

    nobody_yet: str
    nobody_now: str
    nobody: str
    lapsed: str
    reopened: str
    now: str
    still_there: str
    no_sign: str
    confirm: str
    over: str
    over_since: str
    still_burns_head: str
    still_burns: str
    hole: str
    hole_fallback: str
    handover_head: str
    handover: Plural
    handover_first: Plural
    handover_nobody: str
    nobody_on_call: str
    open_label: str
    none_open: str
    silenced_label: str
    silence: str
    everything: str
    of_monitor: str
    of_kind: str
    of_source: str
    of_topic: str
    of_below: str
    since: str
    turn_label: str
    turn: str
    turn_calls: Plural
    blind_label: str
    blind: str
    all_seen: str
    hole_head: str
    hole_soon: str
    stale_head: str
    stale: str
    unknown_head: str
    unknown: str
    anonymous: str
    with_anybody: str


GERMAN: Final = CallWords(
    nobody_yet="seit {time} niemand dran",
    nobody_now="niemand dran",
    nobody="Seit {time} hat niemand übernommen.",
    lapsed="{name} hat sich nicht mehr gemeldet, jetzt ist niemand dran.",
    reopened="Wieder offen, und niemand ist dran.",
    now="Jetzt {figures}.",
    still_there="{name}, noch dran?",
    no_sign="Seit {time} kein Zeichen von {name}, und es brennt noch: {figures}.",
    confirm="Bitte noch einmal übernehmen; ohne Antwort wird in {time} wieder gerufen.",
    over="die Stille ist vorbei",
    over_since="Es brennt noch. Still war es seit {moment}.",
    still_burns_head="{number} Vorfälle brennen noch",
    still_burns="Die Stille ist vorbei; diese Vorfälle brennen noch.",
    hole="Im Bereitschaftsplan {rota} steht jetzt niemand.",
    hole_fallback="Im Bereitschaftsplan {rota} steht jetzt niemand; ersatzweise gerufen: {names}.",
    handover_head="Bereitschaft {rota}: jetzt {names}",
    handover=Plural(
        "{names} übernimmt die Bereitschaft von {before}.", "{names} übernehmen die Bereitschaft von {before}."
    ),
    handover_first=Plural("{names} übernimmt die Bereitschaft.", "{names} übernehmen die Bereitschaft."),
    handover_nobody="niemand",
    nobody_on_call="Jetzt hat niemand Bereitschaft.",
    open_label="Offen",
    none_open="kein offener Vorfall",
    silenced_label="Stumm",
    silence="Nr. {number} bis {moment}, {by}: {reason} ({what})",
    everything="alles",
    of_monitor="Monitor {name}",
    of_kind="Art {name}",
    of_source="Quelle {name}",
    of_topic="Thema {name}",
    of_below="Schwere unter {name}",
    since="seit {moment}",
    turn_label="Seit {moment}",
    turn="{opened} eröffnet, {closed} beendet",
    turn_calls=Plural("einmal gerufen", "{calls} Mal gerufen"),
    blind_label="Quellen",
    blind="{source} fehlt seit {moment}",
    all_seen="alle gelesen",
    hole_head="Bereitschaftsplan {rota}: Lücke ab {since}",
    hole_soon="Von {since} bis {until} steht niemand im Plan.",
    stale_head="Bereitschaftsplan {rota}: Kalender nicht lesbar",
    stale="Der Kalender wurde zuletzt {moment} gelesen; bis er wieder zu lesen ist, gilt diese Fassung. {trouble}.",
    unknown_head="Bereitschaftsplan {rota}: unbekannte Namen",
    unknown="Im Kalender steht {titles}; so heißt niemand unter people.",
    anonymous="Bereitschaft",
    with_anybody="bei {name}",
)

ENGLISH: Final = CallWords(
    nobody_yet="nobody on it for {time}",
    nobody_now="nobody on it",
    nobody="Nobody has acknowledged for {time}.",
    lapsed="{name} gave no further sign; nobody is on it now.",
    reopened="Open again, and nobody is on it.",
    now="Now {figures}.",
    still_there="{name}, still on it?",
    no_sign="No sign of {name} for {time}, and it still burns: {figures}.",
    confirm="Please acknowledge once more; without an answer people are called again in {time}.",
    over="the silence is over",
    over_since="It still burns. It was silent since {moment}.",
    still_burns_head="{number} incidents still burn",
    still_burns="The silence is over; these incidents still burn.",
    hole="Nobody is on call now by the rota {rota}.",
    hole_fallback="Nobody is on call now by the rota {rota}; called instead: {names}.",
    handover_head="On call, {rota}: now {names}",
    handover=Plural("{names} takes over from {before}.", "{names} take over from {before}."),
    handover_first=Plural("{names} is on call now.", "{names} are on call now."),
    handover_nobody="nobody",
    nobody_on_call="Nobody is on call now.",
    open_label="Open",
    none_open="no open incident",
    silenced_label="Silenced",
    silence="no. {number} until {moment}, {by}: {reason} ({what})",
    everything="everything",
    of_monitor="monitor {name}",
    of_kind="kind {name}",
    of_source="source {name}",
    of_topic="topic {name}",
    of_below="severity below {name}",
    since="since {moment}",
    turn_label="Since {moment}",
    turn="{opened} opened, {closed} ended",
    turn_calls=Plural("called once", "called {calls} times"),
    blind_label="Sources",
    blind="{source} missing since {moment}",
    all_seen="all read",
    hole_head="Rota {rota}: a hole from {since}",
    hole_soon="From {since} to {until} nobody is on call.",
    stale_head="Rota {rota}: its calendar cannot be read",
    stale="The calendar was last read {moment}; until it can be read again that copy holds. {trouble}.",
    unknown_head="Rota {rota}: unknown names",
    unknown="The calendar names {titles}; nobody under people is called so.",
    anonymous="On call",
    with_anybody="with {name}",
)


def call_words(language: str) -> CallWords:
    """Return the catalogue of a language; English for one we do not speak."""
    return GERMAN if language.partition("-")[0].lower() == "de" else ENGLISH
