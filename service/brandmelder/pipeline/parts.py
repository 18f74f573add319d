"""What the pipeline is made of; wiring.py puts it together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.capture.match import Matcher
from brandmelder.capture.meter import Meter
from brandmelder.detect.kinds.backlog import BacklogRules
from brandmelder.detect.kinds.watching import KindRules
from brandmelder.detect.occasions import Planned
from brandmelder.detect.scan import DetectorRules
from brandmelder.incident.lifecycle import LifecycleRules
from brandmelder.model import ChannelId, Covers, MonitorId, RotaId, SourceClass, SourceId
from brandmelder.notify.stand_in import Fallbacks
from brandmelder.pipeline.duty import Duty
from brandmelder.pipeline.pace import Rhythm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from brandmelder.capture.source import Source
    from brandmelder.classify.classifier import Classifier
    from brandmelder.classify.topics import Topics
    from brandmelder.notify.links import Links
    from brandmelder.notify.notifier import Notifier
    from brandmelder.notify.routing import Route
    from brandmelder.pipeline.calendars import ReadCalendar
    from brandmelder.pipeline.second import SecondOpinion
    from brandmelder.pipeline.weigh import Scales
    from brandmelder.store.database import Database

SETTLE = timedelta(seconds=60)
"""How long after its end a bin waits for honest latecomers."""


class Place(Struct, frozen=True, kw_only=True):
    """What the pipeline knows of a source beside the source itself."""

    source_class: SourceClass
    every: timedelta
    where: str
    """Where it stands in the configuration, for messages: `brandmelder.yaml:12`."""
    title: str
    own_accounts: tuple[str, ...] = ()
    """Names that are ours there, and its only language, for what others bring to it."""
    language: str | None = None
    tells_silence: bool = True
    """Whether it is told that it brings nothing, or far less than usual."""
    abandoned_after: timedelta = timedelta(days=90)
    """An account of ours there without a post for so long is called abandoned."""
    expires_at: datetime | None = None
    """When what lets us in ends, as the configuration says or the token itself does."""
    rhythm: Rhythm | None = None
    """How its interval changes, and its budget; without it the interval stands."""

    @property
    def pace(self) -> Rhythm:
        """How often it wants to be asked."""
        return self.rhythm or Rhythm(every=self.every)

    @property
    def patience(self) -> timedelta:
        """How long its failing holds the evaluation up before time goes on without it."""
        return max(3 * self.every, timedelta(minutes=15))


class KeyWatch(Struct, frozen=True, kw_only=True):
    """Which single mentions are worth an alert."""

    reach: int | None = None
    """Negative mentions by accounts of so many followers."""
    words: Matcher | None = None
    """Queries, each named by its own text."""
    authors: Mapping[str, str] = MappingProxyType({})
    """Pseudonyms, and what staff call their owners."""


class DigestPlan(Struct, frozen=True, kw_only=True):
    """When a look back is given, on how much, to whom."""

    cron: str
    covers: Covers
    channels: tuple[ChannelId, ...]


class Watch(Struct, frozen=True, kw_only=True):
    """A monitor, ready to run."""

    id: MonitorId
    title: str
    sources: tuple[SourceId, ...]
    rules: DetectorRules
    lifecycle: LifecycleRules
    fingerprint: str
    """Of the query and the sources: when it changes, the ledger must be written anew."""
    query: str
    false_alarms: str
    runbook: str = ""
    holding_statement: str = ""
    kinds: KindRules
    """The kinds of spike that are watched, with the whole budget."""
    keys: KeyWatch | None = None
    backlog: BacklogRules | None = None
    planned: tuple[Planned, ...] = ()
    """Known events, as staff wrote them down."""
    marked: tuple[tuple[datetime, datetime], ...] = ()
    """Periods to learn nothing from, of the configuration."""
    muted_by: tuple[MonitorId, ...] = ()
    """While one of these has a running incident, this one's alerts are told within its."""


@dataclass(kw_only=True)
class Parts:
    """Everything that a tick touches."""

    database: Database
    sources: Mapping[SourceId, Source]
    places: Mapping[SourceId, Place]
    watches: Mapping[MonitorId, Watch]
    matcher: Matcher
    classifier: Classifier
    taught: int = 0
    """Which version of what staff taught the classifier uses (pipeline/teach.py)."""
    lessons: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Whoever learns holds it: what was said last is learnt from last."""
    second: SecondOpinion | None = None
    """Whom to ask about unsure mentions inside a spike; nobody in a backtest."""
    topics: Topics
    scales: Scales
    notifiers: Mapping[ChannelId, Notifier]
    routes: Sequence[Route]
    digests: Sequence[DigestPlan] = ()
    brand: str
    short: str
    language: str
    zone: ZoneInfo
    on_call: str | None
    author_key: bytes
    duty: Duty = field(default_factory=Duty)
    calendars: Mapping[RotaId, ReadCalendar] = field(default_factory=dict)
    """How the calendars of rotas are read."""
    fallbacks: Fallbacks = field(default_factory=lambda: Fallbacks(channels={}, names={}))
    meter: Meter = field(default_factory=Meter)
    """What sources ask of the net and may spend."""
    links: Links | None = None
    """How people get from an alert to the page; None where no page is served."""
    settle: timedelta = SETTLE
    is_draft: bool = False
    """Whether all this is undone again (pipeline/canary.py): then nothing of it is measured."""
    on_failure: Callable[[str], None] = field(default=lambda _text: None)
    """Told in one line whenever a source starts or stops failing."""
    stumbling: set[str] = field(default_factory=set)
    """What cannot be seen to at the moment, and was told of (pipeline/apart.py)."""
