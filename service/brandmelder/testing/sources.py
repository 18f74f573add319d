"""The conformance suite of sources: what each must survive without losing or inventing a mention.

    class TestShouts(SourceConformance):
        def make_face(self):
            return ShoutFace()

        def make_source(self, tools, url):
            return ShoutSource(SourceId("one"), ShoutOptions(type="shout", url=url), tools)

Run by pytest with pytest-asyncio. A service that has no deletions or edits to be followed says so by `follows_edits`,
`follows_deletions`; one without late releases by `releases_late`; what is not asked over HTTP by `over_http`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest
from aiohttp import web

from brandmelder.capture import feed_parser
from brandmelder.capture.http import HttpClient, Limits
from brandmelder.capture.source import Poll, Rechecks, Source, Tools
from brandmelder.capture.websocket import WebSockets
from brandmelder.errors import AuthRefused, Blocked, RateLimited, ShapeChanged, SourceError, Transient
from brandmelder.model import Cursor, Gap, Mention, SourceId
from brandmelder.testing.faces import Asked, Face, Said
from brandmelder.testing.streams import Streamed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from brandmelder.capture.source import ParsedFeed

START = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LIMITS = Limits(wire=2 << 20, inflated=4 << 20)
"""Patient, so that a busy machine breaks no test, but quickly full."""
HASTY = Limits(deadline=timedelta(seconds=0.6))
_TURNS = 400


class Reader:
    """Polls a source as the pipeline does, and keeps what a store would keep."""

    def __init__(self, face: Face, source: Source, now: Callable[[], datetime]) -> None:
        self.face, self.source, self._now = face, source, now
        self.cursor: Cursor | None = None
        self.stored: dict[str, Mention] = {}
        self.removed: set[str] = set()
        self.gaps: list[Gap] = []
        self.last: Poll | None = None

    async def turn(self, *, is_committed: bool = True) -> Poll:
        """Poll once; a turn that is not committed is a crash."""
        await self.face.show()
        poll = await self.source.poll(self.cursor, self._now())
        assert len(poll.mentions) <= 1000, "a poll brings at most 1,000 mentions"
        assert len(poll.cursor or "") <= 16_384, "a cursor has at most 16 KB"
        if is_committed:
            self.cursor = poll.cursor or self.cursor
            self.stored |= {one.external_id: one for one in poll.mentions}
            self.removed |= {one.external_id for one in poll.removals}
            self.gaps += poll.gaps
            self.last = poll
        return poll

    async def poll(self) -> Poll:
        """Poll until there is no more."""
        for _ in range(_TURNS):
            poll = await self.turn()
            if not poll.more:
                return poll
        raise AssertionError("the walk has no end")

    async def recheck(self) -> None:
        """Ask for every known mention again, if the source can."""
        if not isinstance(self.source, Rechecks):
            return
        known, size = list(self.stored), self.source.recheck_size
        for start in range(0, len(known), size):
            found = await self.source.recheck(known[start : start + size], self._now())
            self.stored |= {one.external_id: one for one in found.mentions}
            self.removed |= {one.external_id for one in found.removals}

    def texts(self) -> set[str]:
        """Return what is known and still stands."""
        return {one.text for key, one in self.stored.items() if key not in self.removed}


class SourceConformance(ABC):
    """Subclass it in a test module, with `make_face` and `make_source`."""

    page: ClassVar[int] = 100
    """How many posts one page of the service holds."""
    follows_edits: ClassVar[bool] = True
    follows_deletions: ClassVar[bool] = True
    releases_late: ClassVar[bool] = True
    """Whether a post that was released an hour late is found within two hours."""
    shows_all: ClassVar[bool] = True
    """Whether the service lets everything be read; else what it no longer shows must lie in a declared gap."""
    over_http: ClassVar[bool] = True
    """Whether it is asked over HTTP; else its face does everything in `show`, and no server can be in trouble."""

    @abstractmethod
    def make_face(self) -> Face:
        """Return the service."""

    @abstractmethod
    def make_source(self, tools: Tools, url: str) -> Source:
        """Return the source that reads the service at `url`."""

    # ------------------------------------------------------------ the machinery

    @asynccontextmanager
    async def reading(self, limits: Limits = LIMITS) -> AsyncIterator[Stage]:
        """Serve a face on loopback, with a source that reads it."""
        stage = Stage(self.make_face())
        client = HttpClient(limits=limits)
        await stage.open()
        try:
            stage.tools = Tools(
                fetch=client.bind(source=SourceId("one"), allow_private=True),
                parse_feed=_parse,
                connect=WebSockets(client).bind(source=SourceId("one"), allow_private=True),
            )
            stage.reader = Reader(stage.face, self.make_source(stage.tools, stage.url), lambda: stage.now)
            yield stage
        finally:
            await client.close()
            await stage.close()

    # ----------------------------------------------------------------- the suite

    async def test_the_first_poll_reads_history_and_marks_it(self) -> None:
        async with self.reading() as stage:
            count = min(12, self.page)
            for number in range(count):
                stage.face.write(stage.now - DAY + number * HOUR, f"Nordfunk {number}")
            await stage.reader.poll()
            assert stage.reader.texts() == {f"Nordfunk {number}" for number in range(count)}
            assert all(one.history for one in stage.reader.stored.values())

    async def test_what_is_written_later_is_news_and_comes_once(self) -> None:
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk alt")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            stage.face.write(stage.now - MINUTE, "Nordfunk neu")
            await stage.reader.poll()
            new = [one for one in stage.reader.stored.values() if one.text == "Nordfunk neu"]
            assert [one.history for one in new] == [False]
            assert new[0].published_at == stage.now - MINUTE
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            assert len(stage.reader.stored) == 2

    async def test_a_burst_larger_than_a_page_is_read_whole_or_declared(self) -> None:
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk alt")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            for number in range(2 * self.page + 7):
                stage.face.write(stage.now - 4 * MINUTE + number % 200 * timedelta(seconds=1), f"Nordfunk {number}")
            await stage.reader.poll()
            self._nothing_is_missing(stage)

    async def test_a_crash_in_the_middle_of_a_walk_loses_nothing(self) -> None:
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk alt")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            for number in range(2 * self.page + 7):
                stage.face.write(stage.now - 4 * MINUTE + number % 200 * timedelta(seconds=1), f"Nordfunk {number}")
            await stage.reader.turn()
            await stage.reader.turn(is_committed=False)
            stage.later(MINUTE)
            stage.face.write(stage.now, "Nordfunk danach")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            self._nothing_is_missing(stage)

    async def test_many_of_one_second_are_read_whole_or_declared(self) -> None:
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk alt")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            for number in range(2 * self.page + 7):
                stage.face.write(stage.now - 4 * MINUTE, f"Nordfunk {number}")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            self._nothing_is_missing(stage)

    async def test_what_is_written_and_deleted_during_a_walk_hides_nothing_else(self) -> None:
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk alt")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            posts = [
                stage.face.write(stage.now - 4 * MINUTE + number % 200 * timedelta(seconds=1), f"Nordfunk {number}")
                for number in range(2 * self.page + 7)
            ]
            await stage.reader.turn()
            stage.face.delete(posts[-1])
            stage.face.delete(posts[self.page])
            stage.later(MINUTE)
            for number in range(3):
                stage.face.write(stage.now - timedelta(seconds=number), f"Nordfunk dazwischen {number}")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            self._nothing_is_missing(stage)

    async def test_deletions_between_two_polls_hide_nothing_else(self) -> None:
        async with self.reading() as stage:
            posts = [stage.face.write(stage.now - HOUR + n * MINUTE, f"Nordfunk {n}") for n in range(20)]
            await stage.reader.poll()
            for post in posts[-8:]:
                stage.face.delete(post)
            stage.later(5 * MINUTE)
            stage.face.write(stage.now - MINUTE, "Nordfunk neu")
            await stage.reader.poll()
            assert "Nordfunk neu" in stage.reader.texts()

    async def test_an_edit_is_followed(self) -> None:
        if not self.follows_edits:
            pytest.skip("this service tells no edits")
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "Nordfunk vorher")
            await stage.reader.poll()
            stage.face.edit(post, "Nordfunk nachher")
            await self._two_hours(stage)
            assert stage.reader.texts() == {"Nordfunk nachher"}

    async def test_a_deletion_is_followed(self) -> None:
        if not self.follows_deletions:
            pytest.skip("this service tells no deletions")
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "Nordfunk weg")
            stage.face.write(stage.now - HOUR, "Nordfunk bleibt")
            await stage.reader.poll()
            stage.face.delete(post)
            await self._two_hours(stage)
            assert stage.face.ident(post) in stage.reader.removed
            assert stage.reader.texts() == {"Nordfunk bleibt"}

    async def test_what_is_released_late_is_found(self) -> None:
        if not self.releases_late:
            pytest.skip("this service releases nothing late")
        async with self.reading() as stage:
            held = stage.face.write(stage.now - 30 * MINUTE, "Nordfunk spät", is_hidden=True)
            for number in range(3):
                stage.face.write(stage.now - 20 * MINUTE + number * MINUTE, f"Nordfunk {number}")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            stage.face.posts[held.number].is_hidden = False
            await self._two_hours(stage)
            assert "Nordfunk spät" in stage.reader.texts()

    async def test_a_time_in_the_future_is_clamped_and_flagged(self) -> None:
        async with self.reading() as stage:
            stage.face.write(stage.now + 3 * DAY, "Nordfunk morgen")
            await stage.reader.poll()
            (one,) = stage.reader.stored.values()
            assert one.published_at <= stage.now
            assert one.flags
            stage.later(5 * MINUTE)
            stage.face.write(stage.now - MINUTE, "Nordfunk heute")
            await stage.reader.poll()
            assert "Nordfunk heute" in stage.reader.texts()

    @pytest.mark.parametrize(
        ("said", "kinds"),
        [
            (Said(status=503), (Transient,)),
            (Said(status=500, body=b"oops"), (Transient,)),
            (Said(status=429, headers={"retry-after": "120"}), (RateLimited,)),
            (Said(status=401), (AuthRefused, ShapeChanged)),
            (Said(headers={"content-type": "text/html"}, body=b"<html>Wartung</html>"), (ShapeChanged,)),
            (Said(headers={"content-type": "application/json"}, body=b'{"was": ['), (ShapeChanged,)),
            (Said(headers={"content-type": "application/json"}, body=b'"nichts"'), (ShapeChanged,)),
            (Said(headers={"content-encoding": "gzip"}, body=b"\x1f\x8b broken"), (SourceError,)),
        ],
        ids=["503", "500", "429", "401", "html", "cut json", "other json", "broken gzip"],
    )
    async def test_trouble_is_told_and_loses_nothing(self, said: Said, kinds: tuple[type[SourceError], ...]) -> None:
        if not self.over_http:
            pytest.skip("this source asks no server")
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk alt")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            stage.face.write(stage.now - MINUTE, "Nordfunk neu")
            stage.instead = said
            with pytest.raises(kinds) as told:
                await stage.reader.turn()
            assert 'source "one"' in str(told.value), "an error names its source"
            stage.instead = None
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            self._nothing_is_missing(stage)

    async def test_a_drip_meets_the_deadline(self) -> None:
        if not self.over_http:
            pytest.skip("this source asks no server")
        async with self.reading(HASTY) as stage:
            stage.drips = True
            with pytest.raises((Blocked, Transient)):
                await stage.reader.turn()

    async def test_a_cursor_that_cannot_be_read_begins_anew(self) -> None:
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk")
            stage.reader.cursor = Cursor("{broken")
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk"}

    async def _two_hours(self, stage: Stage) -> None:
        for _ in range(9):
            stage.later(15 * MINUTE)
            await stage.reader.poll()
        await stage.reader.recheck()

    def _nothing_is_missing(self, stage: Stage) -> None:
        for post in stage.face.newest_first():
            is_declared = any(gap.since <= post.at <= gap.until for gap in stage.reader.gaps)
            assert stage.face.ident(post) in stage.reader.stored or (not self.shows_all and is_declared), post.text


class Stage:
    """A face, served; what goes wrong with it; and its reader."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.now = START
        self.instead: Said | None = None
        """Said in place of every answer."""
        self.drips = False
        self.streamed = Streamed(self.face)
        """What goes wrong with streams."""
        self.reader: Reader
        self.tools: Tools
        self.asked: list[Asked] = []

    def later(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span
        self.streamed.tell()

    async def open(self) -> None:
        """Serve it on a free port of 127.0.0.1."""
        application = web.Application(client_max_size=1 << 20)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = self.face.url = f"http://{host}:{port}"
        self.face.now = lambda: self.now

    async def close(self) -> None:
        """Stop serving."""
        await self.streamed.end()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked.of(request.method, request.raw_path, headers, await request.read())
        self.asked.append(asked)
        if self.drips:
            return await self._drip(request)
        if self.instead is None and headers.get("upgrade", "").lower() == "websocket":
            return await self.streamed.serve(request, asked)
        said = self.instead or self.face.answer(asked)
        named = {"date": f"{self.now:%a, %d %b %Y %H:%M:%S} GMT"} | dict(said.headers)
        return web.Response(status=said.status, headers=named, body=said.body)

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.1)  # noqa: TID251 - a slow peer
        return response


async def _parse(body: bytes, content_type: str) -> ParsedFeed:
    return feed_parser.parse(body, content_type)
