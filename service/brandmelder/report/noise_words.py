"""What a noise report is told in: German and English."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from brandmelder.notify.words import Plural


class NoiseWords(Struct, frozen=True, kw_only=True):
    """One language."""

    kicker: str
    under: str
    silent: str
    alarms: Plural
    false: Plural
    untaken: str
    median: str
    monitors: str
    monitor: str
    alarms_head: str
    false_head: str
    allowed: str
    untaken_head: str
    by_itself: str
    advice: str
    reasons: str
    reason: str
    untaken_list: str
    incident: str
    opened: str
    footer: str
    advices: dict[str, str]
    """By the values of `noise.Advice`."""


_GERMAN: Final = NoiseWords(
    kicker="Lärmbericht",
    under="{since} bis {until}, {time}",
    silent="Kein Alarm in dieser Zeit.",
    alarms=Plural("Alarm", "Alarme"),
    false=Plural("war keine Krise", "waren keine Krise"),
    untaken="übernahm niemand",
    median="bis zur Übernahme (Median)",
    monitors="Monitore",
    monitor="Monitor",
    alarms_head="Alarme",
    false_head="Keine Krise",
    allowed="Erlaubt",
    untaken_head="Von niemandem",
    by_itself="Klang ab",
    advice="Vorschläge",
    reasons="Warum es keine Krise war",
    reason="Grund",
    untaken_list="Alarme, die niemand übernahm",
    incident="Vorfall",
    opened="Eröffnet",
    footer="Geschrieben {moment} von Brandmelder {version}. Gezählt wird je Monitor, nie je Person.",
    advices={
        "calendar": "Eigene Kampagnen vorher in den `calendar` eintragen.",
        "query": "Die Suche enger fassen: `exclusions` ergänzen, mit `brandmelder preview` prüfen.",
        "labels": "Das Urteil anlernen: mit `brandmelder label` Erwähnungen einordnen.",
        "budget": "Weniger empfindlich einstellen: `false_alarms` halbieren, mit `brandmelder backtest` prüfen.",
        "routing": "Prüfen, wer gerufen wird: Kanal, `escalation` und Bereitschaftsplan.",
        "nothing": "Nichts zu tun.",
        "unknown": "Zu wenige Alarme für einen Schluss.",
    },
)
_ENGLISH: Final = NoiseWords(
    kicker="Noise report",
    under="{since} to {until}, {time}",
    silent="No alert in this time.",
    alarms=Plural("alert", "alerts"),
    false=Plural("was not a crisis", "were not a crisis"),
    untaken="acknowledged by nobody",
    median="until acknowledged (median)",
    monitors="Monitors",
    monitor="Monitor",
    alarms_head="Alerts",
    false_head="Not a crisis",
    allowed="Allowed",
    untaken_head="By nobody",
    by_itself="Subsided",
    advice="Suggestions",
    reasons="Why it was not a crisis",
    reason="Reason",
    untaken_list="Alerts that nobody acknowledged",
    incident="Incident",
    opened="Opened",
    footer="Written {moment} by Brandmelder {version}. Counted per monitor, never per person.",
    advices={
        "calendar": "Enter campaigns of your own in the `calendar` beforehand.",
        "query": "Narrow the query: add `exclusions`, try it with `brandmelder preview`.",
        "labels": "Teach the judge: label mentions with `brandmelder label`.",
        "budget": "Make it less sensitive: halve `false_alarms`, try it with `brandmelder backtest`.",
        "routing": "Check who is called: channel, `escalation` and rota.",
        "nothing": "Nothing to do.",
        "unknown": "Too few alerts to conclude anything.",
    },
)


def noise_words(language: str) -> NoiseWords:
    """Return the catalogue of a language; English for one we do not speak."""
    return _GERMAN if language.partition("-")[0].lower() == "de" else _ENGLISH
