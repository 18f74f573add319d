"""What a mention is about: the judge's own topics, those of the configuration, and what an incident says of the tone.

The judge brings word lists in German and English with it. A configuration adds words to them or topics of its own, for
the brand or for one monitor: `word`, `stem*`, `some words`. All are looked for in one scan (Aho and Corasick 1975).
Defence and threats are heeded on the way (attitude.py).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ahocorasick_rs import AhoCorasick, MatchKind
from msgspec.structs import replace

from brandmelder.classify.attitude import heeded
from brandmelder.classify.topic_words import folded, pattern
from brandmelder.model import Label

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from brandmelder.model import MonitorId, Verdict

    Words = Mapping[str, Sequence[str]]

INCIDENTS: Final = frozenset({"outage", "delay", "privacy", "safety"})
"""Topics that are bad news for the brand, however soberly they are told."""
WORSE: Final = 1.5
"""What an incident adds to log(P / (1 - P)) of negative, where the brand wants it: decision 0034."""


class Topics:
    """Names the topics of mentions. `by_monitor` are topics that only mentions of that monitor have."""

    def __init__(
        self, words: Words, by_monitor: Mapping[MonitorId, Words] | None = None, *, incidents_are_negative: bool = False
    ) -> None:
        self._incidents_are_negative = incidents_are_negative
        asked: dict[str, list[tuple[str, MonitorId | None]]] = {}
        scopes: list[tuple[MonitorId | None, Words]] = [(None, words), *(by_monitor or {}).items()]
        for monitor, listed in scopes:
            for topic, entries in listed.items():
                for entry in entries:
                    asked.setdefault(pattern(entry), []).append((topic, monitor))
        self._asked = tuple(asked.values())
        self._scan = AhoCorasick(list(asked), matchkind=MatchKind.Standard) if asked else None

    def read(
        self, verdicts: Sequence[Verdict], texts: Sequence[str], monitors: Sequence[Collection[MonitorId]]
    ) -> list[Verdict]:
        """Return the verdicts with all topics of each text, and with the tone that its incidents give it."""
        return [
            self._read(verdict, text, concerned)
            for verdict, text, concerned in zip(verdicts, texts, monitors, strict=True)
        ]

    def _read(self, verdict: Verdict, text: str, concerned: Collection[MonitorId]) -> Verdict:
        words = folded(text)
        verdict = heeded(verdict, words)
        if self._scan is not None:
            found = (
                self._asked[number] for number, _, _ in self._scan.find_matches_as_indexes(words, overlapping=True)
            )
            named = [topic for one in found for topic, monitor in one if monitor is None or monitor in concerned]
            if named:
                verdict = replace(verdict, topics=tuple(dict.fromkeys((*verdict.topics, *named))))
        if self._incidents_are_negative and not INCIDENTS.isdisjoint(verdict.topics):
            return worsened(verdict)
        return verdict


def worsened(verdict: Verdict) -> Verdict:
    """Return the verdict with the log-odds of negative raised by WORSE; praise ("läuft wieder") stays praise."""
    if verdict.label is Label.POSITIVE:
        return verdict
    before = min(max(verdict.p_negative, 1e-6), 1 - 1e-6)
    after = round(1 / (1 + math.exp(-(math.log(before / (1 - before)) + WORSE))), 6)
    neutral = round(verdict.p_neutral * (1 - after) / (1 - before), 6)
    return replace(
        verdict,
        p_negative=after,
        p_neutral=min(neutral, round(1 - after, 6)),
        p_positive=round(max(0.0, 1 - after - neutral), 6),
        label=Label.NEGATIVE if after >= 0.5 else verdict.label,
    )
