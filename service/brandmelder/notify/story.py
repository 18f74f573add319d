"""What a message is told from: an incident, its evidence, and what the house knows beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Course, Evidence, Incident, SourceId, SourceSight, SourceState, Spike, State, Transition
from brandmelder.notify.inert import inert
from brandmelder.notify.message import Span
from brandmelder.notify.voice import Voice, words_of

if TYPE_CHECKING:
    from brandmelder.notify.words import Words

LATE = timedelta(minutes=20)
"""A source read only up to so long ago is called late."""


_COUNTS = 3
_RISING = frozenset({Course.RISING, Course.CLIMBING})
_FALLING = frozenset({Course.SUBSIDING, Course.CALM})


class Case(Struct, frozen=True, kw_only=True):
    """An earlier incident that looked like this one."""

    id: str
    opened_at: datetime
    duration: timedelta
    community: int
    what: str = ""
    """Its leading phrase: strangers' words."""
    ended: State | None = None
    is_by_itself: bool = False
    """It calmed without a person's act."""
    label: str = ""
    """Why it was dismissed."""


class Beside(Struct, frozen=True, kw_only=True):
    """An incident of another monitor that is told within this alert."""

    id: str
    title: str
    """Of its monitor."""
    spike: Spike


class Context(Struct, frozen=True, kw_only=True):
    """What the house knows beside the incident; all of it our own words but for `cases`."""

    brand: str
    zone: tzinfo
    now: datetime
    language: str = "de"
    title: str = ""
    """Of the monitor."""
    on_call: str | None = None
    source_names: Mapping[SourceId, str] = MappingProxyType({})
    rule: str = ""
    """Sensitivity in words: `höchstens 1 Fehlalarm in 30 Tagen`."""
    query: str = ""
    runbook_url: str = ""
    holding_statement: str = ""
    details_url: str = ""
    transition: Transition | None = None
    """The change that a reply in the thread tells."""
    first_acknowledged_at: datetime | None = None
    given_up_at: datetime | None = None
    """When it was last left without anybody after somebody had been on it: an acknowledgement lapsed, it reopened."""
    first_observed: int | None = None
    """What the opening reported, if it has been corrected since."""
    cases: tuple[Case, ...] = ()
    silenced_since: datetime | None = None
    """Of a word that a silence is over: since when it held."""
    beside: tuple[Beside, ...] = ()


class Story(Struct, frozen=True):
    """One incident, ready to be told."""

    incident: Incident
    evidence: Evidence
    context: Context

    @property
    def words(self) -> Words:
        """The catalogue of the reader's language."""
        return words_of(self.context.language)

    @property
    def voice(self) -> Voice:
        """Who speaks to the reader."""
        return Voice(self.words, self.context.zone, self.context.now)

    @property
    def name(self) -> str:
        """What the alert is about: the brand, with the monitor's title if that says more."""
        brand, title = inert(self.context.brand, 60), inert(self.context.title, 60)
        if not title or title.casefold() == brand.casefold():
            return brand
        return title if brand.casefold() in title.casefold() else f"{brand}, {title}"

    @property
    def untaken_since(self) -> datetime:
        """Since when nobody has been on it, or was before somebody took it."""
        return self.context.given_up_at or self.incident.opened_at

    @property
    def course(self) -> str:
        """Which way it goes, in words that the newest counts do not belie: a course is slower to turn than they are."""
        way, counts = self.incident.course, self.evidence.course
        if len(counts) == _COUNTS:
            first, middle, last = counts
            beyond = max(2.0, max(first, last) / 4)
            if way in _RISING and first > middle > last and first - last >= beyond:
                return self.words.eases
            if way in _FALLING and first < middle < last and last - first >= beyond:
                return self.words.gathers
        return self.words.courses[way]

    @property
    def has_ended(self) -> bool:
        """Whether nobody has to do anything any more."""
        return self.incident.closed_at is not None

    def source(self, ident: SourceId) -> str:
        """Return the name of a source as people know it."""
        return inert(self.context.source_names.get(ident) or ident, 40)

    def timed(self, template: str, at: datetime, **names: str) -> tuple[Span, ...]:
        """Fill a template of ours; its `{moment}` becomes a span that a channel may show in the reader's zone."""
        before, _, after = template.partition("{moment}")
        spans = (
            Span(text=before.format(**names)),
            Span(text=self.voice.moment(at), moment=at),
            Span(text=after.format(**names)),
        )
        return tuple(span for span in spans if span.text)


def is_blind(sight: SourceSight) -> bool:
    """Return whether a source cannot be seen at present, or never was."""
    return (
        sight.blind_since is not None
        or sight.read_until is None
        or sight.state in {SourceState.FAILING, SourceState.PAUSED}
    )


def is_late(sight: SourceSight, now: datetime) -> bool:
    """Return whether a source is seen, but only up to a while ago."""
    return not is_blind(sight) and sight.read_until is not None and now - sight.read_until >= LATE
