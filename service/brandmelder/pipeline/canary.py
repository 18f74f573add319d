"""The canary: once an hour one made-up mention goes the whole way, and nobody ever sees it.

A feed is parsed in the real child, the mention judged by the real judge; then one transaction on the real database
stores it, counts it, opens an incident, promises its alert, renders it and hands it to a channel that only takes the
time, by the code that does so for all others. That transaction is undone at its end: nothing counts, nothing shows, no
number is used up. If the canary does not come through, the sign of life stays away and an operator is told.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace as replaced
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import structlog
from msgspec.structs import replace

from brandmelder import metrics
from brandmelder.capture.match import Matcher
from brandmelder.capture.source import Poll
from brandmelder.detect.kinds.watching import KindRules
from brandmelder.detect.scan import DetectorRules
from brandmelder.errors import BrandmelderError
from brandmelder.incident.lifecycle import LifecycleRules
from brandmelder.model import ChannelId, Cursor, Mention, MonitorId, SourceClass, SourceId, SpikeKind
from brandmelder.notify.notifier import Found, Sent
from brandmelder.notify.own_trouble import own_trouble
from brandmelder.notify.routing import Route
from brandmelder.notify.stand_in import Fallbacks
from brandmelder.options import ChannelOptions, SourceOptions
from brandmelder.pipeline.bulletins import give, written
from brandmelder.pipeline.duty import Duty, Scene
from brandmelder.pipeline.parts import KeyWatch, Place, Watch
from brandmelder.pipeline.weigh import Scales
from brandmelder.store import calls
from brandmelder.store.draft import Draft, Undone, lay_aside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sqlalchemy import Connection

    from brandmelder.capture.source import ParsedFeed
    from brandmelder.model import Form, Verdict
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Outcome
    from brandmelder.pipeline.parts import Parts

    ParseFeed = Callable[[bytes, str], Awaitable[ParsedFeed]]

log = structlog.get_logger()

EVERY = timedelta(hours=1)
LATE = timedelta(hours=2, minutes=10)
"""Without a canary for so long, the chain is not to be trusted."""
WITHIN = timedelta(minutes=10)
"""So far the canary's own clock may run until its alert is at the edge."""
WORD = "Kanarienvogel"
NAME = ".canary"
"""No name of a configuration begins with a dot."""
_SOURCE, _MONITOR, _CHANNEL = SourceId(NAME), MonitorId(NAME), ChannelId(NAME)
_FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>canary</title><link>https://canary.invalid/</link><description/>
<item><guid isPermaLink="false">{ident}</guid><title>{word}</title>
<description>Dieser {word} ist eine Katastrophe, seit Wochen keine Antwort. {ident}</description></item></channel></rss>
"""


class Lost(BrandmelderError):
    """The canary did not come through; says how far it came."""


class _Source:
    """Brings the one mention, from the second poll on."""

    Options: ClassVar[type[SourceOptions]] = SourceOptions
    id = _SOURCE

    def __init__(self, one: Mention) -> None:
        self._one = one

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        brought = () if cursor is None else (replace(self._one, published_at=now, captured_at=now),)
        return Poll(mentions=brought, cursor=Cursor("1"), read_until=now)


class _Judge:
    """Says again what the real judge said outside of the transaction: nothing in it may take its time."""

    name, version, is_quick = "canary", "1", True

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict

    def classify(self, mentions: Sequence[Mention]) -> tuple[Verdict, ...]:
        return tuple(self._verdict for _ in mentions)


class _Edge:
    """Where the way ends: takes an alert, and shows it to nobody."""

    Options: ClassVar[type[ChannelOptions]] = ChannelOptions
    id = _CHANNEL
    can_update, can_find, is_idempotent = True, False, True
    spacing = timedelta(0)

    def __init__(self) -> None:
        self.told: Message | None = None

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        del thread, form
        self.told = self.told or message
        return Sent(key)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        del message, key, form
        return Sent(ref)

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found:
        del key, since, thread
        return Found(())

    async def delete(self, ref: str) -> Outcome:
        return Sent(ref)

    async def check(self) -> Sequence[str]:
        return ()

    async def close(self) -> None:
        """Hold nothing."""


class Canary:
    """Flies every `EVERY`."""

    every = EVERY

    def __init__(self, parts: Parts, parse_feed: ParseFeed, *, began: datetime) -> None:
        self._parts, self._parse = parts, parse_feed
        self._came_at, self._trouble = began, ""
        metrics.CANARY_LAST.set(began.timestamp())  # a rule on its age must not fire at the start

    async def fly(self, now: datetime) -> timedelta | None:
        """Send one through; returns how long it took, None if it did not come through (then somebody is told)."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            one = await self._hatched(now)
            (verdict,) = await asyncio.to_thread(self._parts.classifier.classify, [one])
            await self._through(one, verdict, now)
        except BrandmelderError as error:
            self._say(str(error))
            if self.complaint(now):
                await self._parts.database.run(_tell, self._parts, self._came_at, now)
            return None
        took = timedelta(seconds=loop.time() - began)
        self._came_at, self._trouble = now, ""
        metrics.CANARY_LAST.set(now.timestamp())
        metrics.CANARY_SECONDS.set(took.total_seconds())
        log.info("canary.came", seconds=round(took.total_seconds(), 3))
        return took

    def complaint(self, now: datetime) -> list[str]:
        """Return why the chain is not to be trusted: the canary is late."""
        if now - self._came_at <= LATE:
            return []
        why = f": {self._trouble}" if self._trouble else ""
        return [f"no canary came through since {self._came_at:%H:%M} UTC{why}"]

    def _say(self, trouble: str) -> None:
        log.error("canary.lost", reason=trouble)
        if trouble != self._trouble:
            self._parts.on_failure(f"the canary did not come through: {trouble}")
        self._trouble = trouble

    async def _hatched(self, now: datetime) -> Mention:
        """Have the parser make a mention of a feed. Raises Lost, or what the parser says."""
        ident = f"canary-{int(now.timestamp())}"
        feed = await self._parse(_FEED.format(word=WORD, ident=ident).encode(), "application/rss+xml; charset=utf-8")
        if len(feed.entries) != 1 or ident not in feed.entries[0].text:
            raise Lost("the parser did not return the feed's one entry")
        found = feed.entries[0]
        return Mention(
            source=_SOURCE, external_id=found.id, text=f"{found.title}: {found.text}", published_at=now, captured_at=now
        )

    async def _through(self, one: Mention, verdict: Verdict, now: datetime) -> None:
        def rehearsed(connection: Connection) -> None:
            raise Undone(asyncio.run(_live(_parts(self._parts, connection, one, verdict), now)))

        database = self._parts.database
        try:
            # Its own event loop needs a thread without one: that of the database, or another for one in memory.
            await (database.run(rehearsed) if database.path else asyncio.to_thread(database.run_now, rehearsed))
        except Undone as undone:
            if undone.result is None:
                raise Lost("its alert did not reach the edge of the delivery") from None
            if one.text.partition(":")[0] not in str(undone.result):
                raise Lost("its alert does not tell of it") from None


def _tell(connection: Connection, parts: Parts, since: datetime, now: datetime) -> None:
    """Tell every channel of alerts, once a day, that nobody should rely on them."""
    scene = Scene(connection, parts, now)
    ident = f"own_trouble:{int(since.timestamp())}:{(now - since).days}"
    if calls.is_given(connection, f"{ident}:{parts.language}"):
        return
    channels = dict.fromkeys(channel for route in parts.routes for channel in route.channels)
    give(scene, written(scene, ident, lambda reader: own_trouble(ident, parts.brand, since, reader), channels=channels))


async def _live(parts: Parts, now: datetime) -> Message | None:
    """Live as far as it takes on a clock of its own; returns the alert, None if there was none."""
    from brandmelder.pipeline import Pipeline  # noqa: PLC0415 -- the package imports its parts first

    parts.database.run_now(lay_aside)
    pipeline, (edge,) = Pipeline(parts), parts.notifiers.values()
    await pipeline.start(now)
    moment, end = now, now + WITHIN
    while moment <= end and isinstance(edge, _Edge):
        following = await pipeline.tick(moment)
        if edge.told is not None:
            return edge.told
        moment = max(following, moment + timedelta(seconds=1))
    return None


def _parts(real: Parts, connection: Connection, one: Mention, verdict: Verdict) -> Parts:
    """Return the real parts with a draft for a database, and the canary for the world."""
    draft = Draft(connection)
    places = {_SOURCE: Place(source_class=SourceClass.SOCIAL, every=timedelta(minutes=1), where=NAME, title=WORD)}
    rules = DetectorRules(budget=1 / 30, zone=real.zone.key, region="")
    watch = Watch(
        id=_MONITOR,
        title=WORD,
        sources=(_SOURCE,),
        rules=rules,
        lifecycle=LifecycleRules(monitor=_MONITOR),
        fingerprint=NAME,
        query=WORD,
        false_alarms="",
        kinds=KindRules(volume=rules, kinds=(SpikeKind.NEGATIVE,)),
        keys=KeyWatch(words=Matcher({MonitorId(WORD): WORD})),
    )
    return replaced(
        real,
        database=draft,
        sources={_SOURCE: _Source(one)},
        places=places,
        watches={_MONITOR: watch},
        matcher=Matcher({_MONITOR: WORD}),
        classifier=_Judge(verdict),
        second=None,
        scales=Scales(draft, places),
        notifiers={_CHANNEL: _Edge()},
        routes=(Route(monitors=None, channels=(_CHANNEL,)),),
        digests=(),
        is_draft=True,
        duty=Duty(),
        calendars={},
        fallbacks=Fallbacks(channels={}, names={}),
        on_failure=lambda _text: None,
        stumbling=set(),
    )
