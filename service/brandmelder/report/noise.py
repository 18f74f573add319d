"""What makes too much noise: monitors that cry wolf, alerts that nobody took, and what to do about each."""

from __future__ import annotations

import enum
from collections import Counter
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.incident.people import reason_of
from brandmelder.model import Act, Incident, State, Transition
from brandmelder.notify.inert import inert
from brandmelder.report.document import Block, Document, Facts, Figure, Figures, Grid, Prose, Section, Spans, said
from brandmelder.report.incident_words import incident_words, long_day
from brandmelder.report.noise_words import NoiseWords, noise_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from brandmelder.notify.voice import Voice

LEAST = 3
"""Of fewer alerts nothing is concluded."""
_LOUD = 2.0
"""So many times its budget a monitor may cry wolf before it is called loud."""


class Advice(enum.StrEnum):
    """What would help a monitor."""

    CALENDAR = "calendar"
    QUERY = "query"
    LABELS = "labels"
    BUDGET = "budget"
    ROUTING = "routing"
    NOTHING = "nothing"
    UNKNOWN = "unknown"
    """Too few alerts to say."""


class Alarm(Struct, frozen=True, kw_only=True):
    """One incident that people were told of, with its timeline."""

    incident: Incident
    timeline: tuple[Transition, ...]

    @property
    def is_false(self) -> bool:
        """Whether a person called it no crisis."""
        return self.incident.state is State.DISMISSED

    @property
    def reason(self) -> str:
        """Why it was dismissed."""
        dismissed = [step for step in self.timeline if step.act is Act.DISMISS]
        return reason_of(dismissed[-1].note) if dismissed else self.incident.label or "other"

    @property
    def taken_after(self) -> timedelta | None:
        """How long it took until somebody took it or decided about it; None if nobody ever did."""
        decided = {Act.ACKNOWLEDGE, Act.DISMISS}
        first = next((step.at for step in self.timeline if step.act in decided), None)
        if first is None and self.incident.acknowledged_at is not None:
            first = self.incident.acknowledged_at
        return None if first is None else max(timedelta(0), first - self.incident.opened_at)


class Heard(Struct, frozen=True, kw_only=True):
    """One monitor in the time that is looked back on."""

    title: str
    budget: float
    """False alarms that it may cost, per day."""
    alarms: tuple[Alarm, ...] = ()

    @property
    def false(self) -> int:
        """Alerts that people called no crisis."""
        return sum(one.is_false for one in self.alarms)

    @property
    def untaken(self) -> int:
        """Alerts that ended, or still burn, without anybody."""
        return sum(one.taken_after is None for one in self.alarms)

    def allowed(self, span: timedelta) -> float:
        """Return how many false alarms the budget allows in a span."""
        return self.budget * (span / timedelta(days=1))


def advice(heard: Heard, span: timedelta) -> tuple[Advice, ...]:
    """Return what would help, the most helpful first."""
    if not heard.alarms:
        return (Advice.NOTHING,)
    if len(heard.alarms) < LEAST:
        return (Advice.UNKNOWN,)
    reasons = Counter(one.reason for one in heard.alarms if one.is_false)
    found = [
        wanted
        for wanted, causes in (
            (Advice.CALENDAR, ("own_campaign",)),
            (Advice.QUERY, ("wrong_brand", "sports_result")),
            (Advice.LABELS, ("sarcasm",)),
        )
        if sum(reasons[cause] for cause in causes) * 3 >= heard.false > 0
    ]
    if heard.false >= LEAST and heard.false > _LOUD * heard.allowed(span):
        found.append(Advice.BUDGET)
    if heard.untaken * 2 >= len(heard.alarms):
        found.append(Advice.ROUTING)
    return tuple(found) or (Advice.NOTHING,)


class Noise(Struct, frozen=True, kw_only=True):
    """All that a noise report tells."""

    brand: str
    since: datetime
    until: datetime
    heard: tuple[Heard, ...]

    @property
    def span(self) -> timedelta:
        """How long it looks back."""
        return self.until - self.since


def noise_report(noise: Noise, voice: Voice, *, version: str) -> Document:
    """Return the noise report; the loudest monitor first. No person is named, and nobody's speed is told."""
    words = noise_words(voice.words.language)
    heard = sorted(noise.heard, key=lambda one: (-one.false, -one.untaken, -len(one.alarms), one.title))
    since, until = (long_day(at, voice) for at in (noise.since, noise.until - timedelta(seconds=1)))
    return Document(
        language=voice.words.language,
        kicker=words.kicker,
        title=inert(noise.brand, 60),
        under=words.under.format(since=since, until=until, time=voice.span(noise.span, alone=True)),
        lead=tuple(_lead(heard, voice, words)),
        sections=(
            Section(title=words.monitors, blocks=(_table(heard, noise.span, voice, words),)),
            Section(title=words.advice, blocks=(_advised(heard, noise.span, words),)),
            *(Section(title=words.reasons, blocks=(block,)) for block in _reasons(heard, voice, words)),
            *(Section(title=words.untaken_list, blocks=(block,)) for block in _untaken(heard, voice, words)),
        ),
        footer=words.footer.format(moment=voice.moment(voice.now), version=version),
    )


def _lead(heard: Sequence[Heard], voice: Voice, words: NoiseWords) -> Iterator[Block]:
    alarms = [one for each in heard for one in each.alarms]
    if not alarms:
        yield Prose(said(words.silent))
        return
    false = sum(one.is_false for one in alarms)
    untaken = sum(one.taken_after is None for one in alarms)
    waits = [one.taken_after for one in alarms if one.taken_after is not None]
    figures = [
        Figure(number=voice.number(len(alarms)), label=words.alarms.of(len(alarms))),
        Figure(
            number=voice.number(false),
            label=words.false.of(false),
            beside=voice.share(false / len(alarms), len(alarms)),
        ),
        Figure(number=voice.number(untaken), label=words.untaken, is_loud=untaken > 0),
    ]
    if waits:
        half = timedelta(seconds=median(wait.total_seconds() for wait in waits))
        figures.append(Figure(number=voice.duration(half, alone=True), label=words.median))
    yield Figures(tuple(figures))


def _table(heard: Sequence[Heard], span: timedelta, voice: Voice, words: NoiseWords) -> Grid:
    return Grid(
        head=(words.monitor, words.alarms_head, words.false_head, words.allowed, words.untaken_head, words.by_itself),
        rows=tuple(_row(one, span, voice) for one in heard),
        numeric=frozenset(range(1, 6)),
    )


def _row(one: Heard, span: timedelta, voice: Voice) -> tuple[Spans, ...]:
    allowed = one.allowed(span)
    is_loud = one.false >= LEAST and one.false > _LOUD * allowed
    by_itself = sum(alarm.incident.state is State.RESOLVED and alarm.taken_after is None for alarm in one.alarms)
    return (
        said(inert(one.title, 60)),
        said(voice.number(len(one.alarms))),
        said(voice.number(one.false), bold=is_loud),
        said(_about(allowed, voice)),
        said(voice.number(one.untaken), bold=one.untaken > 0),
        said(voice.number(by_itself)),
    )


def _about(allowed: float, voice: Voice) -> str:
    """Say a budget: whole from three on, else with one decimal."""
    if allowed >= 3:
        return voice.number(allowed)
    text = f"{allowed:.1f}"
    return text.replace(".", ",") if voice.words.language == "de" else text


def _advised(heard: Sequence[Heard], span: timedelta, words: NoiseWords) -> Facts:
    return Facts(
        tuple(
            (inert(one.title, 60), said(" ".join(words.advices[what.value] for what in advice(one, span))))
            for one in heard
        )
    )


def _reasons(heard: Sequence[Heard], voice: Voice, words: NoiseWords) -> Iterator[Grid]:
    false = Counter(alarm.reason for one in heard for alarm in one.alarms if alarm.is_false)
    whole = sum(false.values())
    if whole:
        names, shared = voice.words.reasons, incident_words(voice.words.language)
        yield Grid(
            head=(words.reason, words.false_head, shared.share),
            rows=tuple(
                (
                    said(names.get(reason, names["other"])),
                    said(voice.number(count)),
                    said(voice.share(count / whole, whole)),
                )
                for reason, count in false.most_common()
            ),
            numeric=frozenset({1, 2}),
        )


def _untaken(heard: Sequence[Heard], voice: Voice, words: NoiseWords) -> Iterator[Grid]:
    alarms = sorted(
        ((one.title, alarm.incident) for one in heard for alarm in one.alarms if alarm.taken_after is None),
        key=lambda pair: (-pair[1].severity, pair[1].opened_at),
    )
    if alarms:
        yield Grid(
            head=(words.incident, words.monitor, words.opened, incident_words(voice.words.language).severity),
            rows=tuple(_told(alarms, voice)),
        )


def _told(alarms: Iterable[tuple[str, Incident]], voice: Voice) -> Iterator[tuple[Spans, ...]]:
    for title, incident in alarms:
        yield (
            said(inert(incident.id, 40)),
            said(inert(title, 60)),
            said(voice.moment(incident.opened_at)),
            said(voice.words.severities[incident.severity - 1]),
        )
