"""A day or a week in one message: what happened, how loud it was against the usual, what waits. Calm is one line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Covers, Incident, SourceId, State
from brandmelder.notify.accounts import AccountDay, account_lines
from brandmelder.notify.digest_words import DigestWords, digest_words
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import peak_in
from brandmelder.notify.message import Line, Message, Span
from brandmelder.notify.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 8
"""So many incidents are told one by one, the worst first."""
_LONGEST = 150
_FEWEST = 20
"""Of fewer mentions no share is said."""
_LEAST_EARLIER = 5
"""Of fewer earlier times nothing is called usual."""


class Watched(Struct, frozen=True, kw_only=True):
    """One monitor in the time that is looked back on."""

    title: str
    total: int
    negative: int
    usual: tuple[int, int] | None = None
    """Of the negatives of earlier times of the same length; None while there are too few."""
    usual_share: float | None = None

    @property
    def is_calm(self) -> bool:
        """Whether it stayed within the usual, as far as that is known."""
        return self.usual is None or self.negative <= self.usual[1]


class Loudest(Struct, frozen=True, kw_only=True):
    """The loudest hour."""

    title: str
    at: datetime
    negative: int


class Period(Struct, frozen=True, kw_only=True):
    """All that a digest tells."""

    covers: Covers
    since: datetime
    until: datetime
    incidents: tuple[Incident, ...] = ()
    """That opened, ran or ended in it."""
    watched: tuple[Watched, ...] = ()
    loudest: Loudest | None = None
    blind: tuple[tuple[str, datetime], ...] = ()
    """Sources that cannot be read now, and since when."""
    asked: int = 0
    """Negative mentions where our accounts could answer."""
    answered: int = 0
    oldest_unanswered: datetime | None = None
    sources: Mapping[SourceId, str] = MappingProxyType({})
    """Names of the sources."""
    accounts: tuple[AccountDay, ...] = ()
    """Ours and those they are compared with."""

    @property
    def is_calm(self) -> bool:
        """Whether there is nothing that a person should look at."""
        return not self.incidents and not self.blind and all(one.is_calm for one in self.watched)


def digest(ident: str, period: Period, *, brand: str, voice: Voice) -> Message:
    """Return a digest; `ident` is its own id, in the place of an incident's."""
    teller = _Teller(period, voice, digest_words(voice.words.language))
    headline = teller.calm() if period.is_calm else teller.counted()
    return Message(
        language=voice.words.language,
        incident=ident,
        revision=0,
        emoji="⚪" if period.is_calm else "📋",
        headline=f"{inert(brand, 26)}, {headline}"[:_LONGEST],
        lines=(*(() if period.is_calm else teller.lines()), *account_lines(period.accounts, voice)),
    )


class _Teller(Struct, frozen=True):
    period: Period
    voice: Voice
    words: DigestWords

    @property
    def when(self) -> str:
        """The day in whose middle it looks back, or the last day of the week."""
        since, until = self.period.since, self.period.until
        if self.period.covers is Covers.DAY:
            return self.words.day.format(date=self.voice.day(until - (until - since) / 2))
        return self.words.week.format(date=self.voice.day(until - timedelta(minutes=1)))

    def calm(self) -> str:
        watched = self.period.watched
        if len(watched) == 1:
            only = watched[0]
            said = self.words.calm.format(
                mentions=self._mentions(only.total), negative=self._negative(only.negative), usual=self._usual(only)
            )
        else:
            said = self.words.calm_many.format(number=self.voice.number(len(watched)))
        waiting = self.period.asked - self.period.answered
        rest = f", {self.words.unanswered.format(number=self.voice.number(waiting))}" if waiting else ""
        return f"{self.when} {said}{rest}"

    def counted(self) -> str:
        count = len(self.period.incidents)
        told = self.words.incidents.of(count).format(number=self.voice.number(count))
        parts = [told if count else self.words.no_incidents]
        if len(self.period.watched) == 1:
            parts += [self._negative(self.period.watched[0].negative), self._usual(self.period.watched[0])]
        elif self.period.loudest is not None:
            parts.append(f"{self.words.loudest_label.lower()} {inert(self.period.loudest.title, 40)}")
        return f"{self.when}: {', '.join(parts)}"

    def lines(self) -> tuple[Line, ...]:
        rows = [*self._incidents(), *(_line(inert(one.title, 40), self._watched(one)) for one in self.period.watched)]
        loudest = self.period.loudest
        if loudest is not None:
            moment, number = self.voice.moment(loudest.at), self.voice.number(loudest.negative)
            said = self.words.loudest.format(title=inert(loudest.title, 40), moment=moment, number=number)
            rows.append(_line(self.words.loudest_label, said))
        if self.period.asked:
            rows.append(_line(self.voice.words.answers, self._answers()))
        if self.period.blind:
            blind = (
                self.words.still_blind.format(source=inert(source, 40), moment=self.voice.moment(since))
                for source, since in self.period.blind
            )
            rows.append(_line(self.words.blind_label, ", ".join(blind)))
        return tuple(rows)

    def _incidents(self) -> list[Line]:
        worst = sorted(self.period.incidents, key=lambda one: (-one.severity, -one.peak, one.opened_at))
        rows = [_line(inert(one.id, 40), self._incident(one)) for one in worst[:_MOST]]
        rest = len(worst) - _MOST
        if rest > 0:
            rows.append(_line("…", self.words.more.of(rest).format(number=self.voice.number(rest))))
        return rows

    def _incident(self, one: Incident) -> str:
        voice = self.voice
        peak = peak_in(one, voice, self.period.sources)
        severity = self.words.severity.format(severity=voice.words.severities[one.severity - 1])
        ending = self.words.running
        if one.closed_at is not None:
            state = voice.words.states[one.state.value]
            ending = self.words.lasted.format(time=voice.duration(one.closed_at - one.opened_at), state=state)
        elif one.state is State.ACKNOWLEDGED:
            ending = f"{ending}, {voice.words.owner.format(name=inert(one.acknowledged_by or '', 40))}"
        return f"{voice.moment(one.opened_at)}, {peak}, {severity}, {ending}"

    def _watched(self, one: Watched) -> str:
        parts = [self._mentions(one.total), self._negative(one.negative), self._usual(one)]
        if one.total >= _FEWEST:
            share = self.words.share.format(share=self.voice.share(min(1.0, one.negative / one.total), one.total))
            usual = one.usual_share
            told = (
                "" if usual is None else f", {self.words.usual_share.format(share=self.voice.share(usual, one.total))}"
            )
            parts.append(share + told)
        return ", ".join(parts)

    def _usual(self, one: Watched) -> str:
        return self.words.no_usual if one.usual is None else self.voice.usual_range(*one.usual)

    def _mentions(self, count: int) -> str:
        return self.words.mentions.of(count).format(number=self.voice.number(count))

    def _negative(self, count: int) -> str:
        return self.words.negative.of(count).format(number=self.voice.number(count))

    def _answers(self) -> str:
        period, voice = self.period, self.voice
        said = voice.words.answered.format(answered=voice.number(period.answered), asked=voice.number(period.asked))
        if period.oldest_unanswered is None:
            return said
        return f"{said}, {voice.words.oldest.format(time=voice.duration(period.until - period.oldest_unanswered))}"


def _line(label: str, text: str) -> Line:
    return Line(label=label, spans=(Span(text=text),))


def usual_of(earlier: Sequence[int]) -> tuple[int, int] | None:
    """Return the range of the middle four fifths of earlier counts; None of fewer than five."""
    if len(earlier) < _LEAST_EARLIER:
        return None
    ordered = sorted(earlier)
    cut = len(ordered) // 10
    return ordered[cut], ordered[-1 - cut]
