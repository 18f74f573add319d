"""The numbers of accounts in words: a jump as a notice, and where they stand in the look back on a day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.notify.inert import inert
from brandmelder.notify.message import Line, Message, Span
from brandmelder.notify.words import Plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.notify.bulletin import Reader
    from brandmelder.notify.voice import Voice

_MONTHS_FROM: Final = 60
"""Days from which on silence is said in months."""
SILENT: Final = "days_silent"
_MOST: Final = 12


class _Words(Struct, frozen=True, kw_only=True):
    metrics: dict[str, str]
    gains: str
    loses: str
    moves: str
    usual: str
    abandoned: str
    compared: str
    months: Plural


_GERMAN: Final = _Words(
    metrics={
        "followers": "Follower", "fans": "Fans", "posts": "Beiträge", "media": "Beiträge", "rating": "Sterne",
        "ratings": "Bewertungen", "reviews": "Bewertungen",
    },
    gains="{title} gewinnt {change} {metric} in 24 Std.",
    loses="{title} verliert {change} {metric} in 24 Std.",
    moves="{before} → {after}",
    usual="an einem Tag üblich {low} bis {high}",
    abandoned="verwaist: seit {time} kein Beitrag",
    compared="{title} (Vergleich)",
    months=Plural("{number} Monat", "{number} Monaten"),
)  # fmt: skip
_ENGLISH: Final = _Words(
    metrics={
        "followers": "followers", "fans": "fans", "posts": "posts", "media": "posts", "rating": "stars",
        "ratings": "ratings", "reviews": "reviews",
    },
    gains="{title} gains {change} {metric} in 24 h",
    loses="{title} loses {change} {metric} in 24 h",
    moves="{before} → {after}",
    usual="usual in a day {low} to {high}",
    abandoned="abandoned: no post for {time}",
    compared="{title} (to compare)",
    months=Plural("{number} month", "{number} months"),
)  # fmt: skip


class Leap(Struct, frozen=True, kw_only=True):
    """A number of an account that jumped."""

    title: str
    place: str
    """The source, as people know it."""
    metric: str
    before: float
    after: float
    usual: tuple[float, float]


class AccountDay(Struct, frozen=True, kw_only=True):
    """An account in the time that is looked back on."""

    title: str
    place: str
    own: bool
    numbers: tuple[tuple[str, float, float | None], ...]
    """Metric, value, and by how much it changed; None where that is not known."""
    silent: int | None = None
    """Days since its last post."""
    abandoned_after: timedelta = timedelta(days=90)
    """An account of ours without a post for so long is called abandoned."""
    jumped: tuple[str, ...] = ()
    """The metrics that jumped."""

    @property
    def is_abandoned(self) -> bool:
        """Whether ours has fallen silent."""
        return self.own and self.silent is not None and timedelta(days=self.silent) >= self.abandoned_after


def leap_notice(ident: str, leap: Leap, reader: Reader) -> Message:
    """Return the notice of a jump; `ident` is its own id, in the place of an incident's."""
    words, voice = _words(reader.language), reader.voice
    change = leap.after - leap.before
    said = (words.gains if change > 0 else words.loses).format(
        title=inert(leap.title, 40), change=_number(voice, abs(change)), metric=_metric(words, leap.metric)
    )
    low, high = (_signed(voice, one) for one in leap.usual)
    moves = words.moves.format(before=_number(voice, leap.before), after=_number(voice, leap.after))
    return Message(
        language=reader.language,
        incident=ident,
        revision=0,
        emoji="📈" if change > 0 else "📉",
        headline=f"{inert(reader.brand, 26)}: {said}"[:150],
        sentence=(
            Span(text=f"{inert(leap.place, 40)}: {moves}", bold=True),
            Span(text=f", {words.usual.format(low=low, high=high)}."),
        ),
        footer=((Span(text=voice.moment(reader.now), moment=reader.now),),),
    )


def account_lines(accounts: Sequence[AccountDay], voice: Voice) -> tuple[Line, ...]:
    """Return a line for each account, ours first, those that jumped or are abandoned before the others."""
    words = _words(voice.words.language)
    order = sorted(accounts, key=lambda one: (not one.own, not (one.jumped or one.is_abandoned), one.title))
    return tuple(_line(one, words, voice) for one in order[:_MOST])


def _line(one: AccountDay, words: _Words, voice: Voice) -> Line:
    parts = []
    for metric, value, change in one.numbers:
        moved = f" ({_signed(voice, change)})" if change else ""
        mark = " ❗" if metric in one.jumped else ""
        parts.append(f"{_number(voice, value)} {_metric(words, metric)}{moved}{mark}")
    if one.is_abandoned:
        days = one.silent or 0
        said = voice.span(timedelta(days=days))
        if days >= _MONTHS_FROM:
            said = words.months.of(days // 30).format(number=voice.number(days // 30))
        parts.append(words.abandoned.format(time=said))
    title = inert(one.title, 40)
    label = title if one.own else words.compared.format(title=title)
    return Line(label=label, spans=(Span(text=f"{inert(one.place, 40)}: {', '.join(parts)}"),))


def _metric(words: _Words, name: str) -> str:
    return words.metrics.get(name, inert(name, 30))


def _number(voice: Voice, value: float) -> str:
    if float(value).is_integer():
        return voice.number(int(value))
    said = f"{value:.2f}".rstrip("0").rstrip(".")
    return said.replace(".", ",") if voice.words.language == "de" else said


def _signed(voice: Voice, change: float) -> str:
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{_number(voice, abs(round(change, 2)))}"


def _words(language: str) -> _Words:
    return _GERMAN if language.partition("-")[0].lower() == "de" else _ENGLISH
