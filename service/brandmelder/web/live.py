"""Tells viewers when what they look at has changed, by server-sent events: one look at the database for all of them."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from brandmelder.errors import BrandmelderError
from brandmelder.model import MonitorId
from brandmelder.store import incidents, notes
from brandmelder.web.reader import is_let_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection
    from starlette.requests import Request

    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

log = structlog.get_logger()

EVERY: Final = 2.0
"""Seconds between two looks, while anybody watches."""
BEAT: Final = 15.0
"""Seconds after which a viewer hears that the line stands, and what time it is."""
MOST: Final = 300
"""So many viewers at once; a room full of screens is far fewer…"""
MOST_OF_ONE: Final = 40
"""…and so many of one of them: nobody's tabs keep others from watching."""
_encode = msgspec.msgpack.Encoder().encode


class Pulse:
    """Looks at the database while somebody watches, and wakes those whose topic has changed."""

    def __init__(self) -> None:
        self.viewers: dict[str, set[asyncio.Event]] = {}
        self.by_reader: Counter[str] = Counter()
        self._stamps: dict[int, tuple[object, ...]] = {}
        self._seen: dict[str, str] = {}
        self._looking: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """How many watch."""
        return sum(len(events) for events in self.viewers.values())

    def watch(self, topic: str, site: Site) -> asyncio.Event:
        """Begin to watch a topic; the event is set at every change."""
        event = asyncio.Event()
        self.viewers.setdefault(topic, set()).add(event)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(site))
        return event

    def leave(self, topic: str, event: asyncio.Event) -> None:
        """Watch no more."""
        events = self.viewers.get(topic, set())
        events.discard(event)
        if not events:
            self.viewers.pop(topic, None)
            self._seen.pop(topic, None)
        if not self.viewers and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def tell(self, topic: str) -> None:
        """Wake whoever watches a topic."""
        for event in self.viewers.get(topic, ()):
            event.set()

    async def _look(self, site: Site) -> None:
        while self.viewers:
            try:
                digests = await site.parts.database.look(self.read, tuple(self.viewers))
            except BrandmelderError as error:  # a full disk, a locked file: the next look is in two seconds
                log.warning("web.not_looked", reason=str(error))
                digests = {}
            changed = [topic for topic, digest in digests.items() if self._seen.get(topic, digest) != digest]
            self._seen |= digests
            if changed:
                site.shared.forget()
            for topic in changed:
                self.tell(topic)
            await pause(EVERY)

    def read(self, connection: Connection, topics: Iterable[str]) -> dict[str, str]:
        """Return what stands under each topic, as a digest; nothing if nobody wrote since the last look."""
        stamp = (
            connection.exec_driver_sql("SELECT total_changes()").scalar(),
            connection.exec_driver_sql("PRAGMA data_version").scalar(),
        )
        before = self._stamps.get(id(connection))  # each connection counts for itself
        wanted = [topic for topic in topics if stamp != before or topic not in self._seen]
        self._stamps[id(connection)] = stamp
        return {topic: digest(connection, topic) for topic in wanted}


async def pause(seconds: float) -> None:
    """Wait for the next look."""
    try:
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
    except TimeoutError:
        return


def digest(connection: Connection, topic: str) -> str:
    """Return a digest of what stands under a topic: an incident, or all that run."""
    _, _, ident = topic.partition(":")
    if ident:
        found = incidents.find_readable(connection, ident)
        parts = [] if found is None else [*found, notes.of_incident(connection, ident)]
    else:
        running = incidents.all_incidents(connection, running_only=True)
        parts = [(one, evidence.answered) for one, evidence in running]
    return hashlib.sha256(_encode(parts)).hexdigest()


async def live(site: Site, request: Request, reader: Reader) -> Response:
    """Hold a line open, on which changes of one topic are told."""
    topic = request.query_params.get("topic", "")[:80]
    if topic not in {"now", "incidents"} and not topic.startswith(("incident:", "monitor:")):
        return PlainTextResponse("There is no such topic.\n", 404)
    whose = reader.csrf  # one for each session; where nobody signs in, for each browser
    if site.pulse.count >= MOST or site.pulse.by_reader[whose] >= MOST_OF_ONE:
        return PlainTextResponse("Too many watch; the page is read anew by hand.\n", 503, headers={"retry-after": "60"})
    headers = {"x-accel-buffering": "no"}
    told = _told(site, topic, reader, partial(is_let_in, site, request))
    return StreamingResponse(told, media_type="text/event-stream", headers=headers)


async def _told(
    site: Site, topic: str, reader: Reader, is_still_let_in: Callable[[], Awaitable[bool]]
) -> AsyncIterator[str]:
    """Tell of changes until the reader leaves, or is let in no more: then the page must not look as if it lived."""
    event, whose, zone = site.pulse.watch(topic, site), reader.csrf, reader.zone
    site.pulse.by_reader[whose] += 1
    kind, _, ident = topic.partition(":")
    if kind == "monitor" and not site.would.is_pending(MonitorId(ident)):
        event.set()  # what it waits for was done before it began to wait
    try:
        yield f"retry: 5000\nevent: beat\ndata: {_clock(site, zone)}\n\n"
        while True:
            try:
                async with asyncio.timeout(BEAT):
                    await event.wait()
            except TimeoutError:
                if not await is_still_let_in():
                    yield "event: over\ndata:\n\n"
                    return
                yield f"event: beat\ndata: {_clock(site, zone)}\n\n"
                continue
            event.clear()
            yield f"event: changed\ndata: {_clock(site, zone)}\n\n"
    finally:
        site.pulse.leave(topic, event)
        site.pulse.by_reader[whose] -= 1
        site.pulse.by_reader += Counter()  # keeps those alone who watch


def _clock(site: Site, zone: ZoneInfo) -> str:
    return f"{site.now().astimezone(zone):%H:%M}"
