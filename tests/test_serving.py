"""A place that is listened on keeps its descriptors for those who ask: the dumb, the slow and the deaf are cut off."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse

from brandmelder import serving
from brandmelder.serving import Listening, raw_body

ASK = b"GET /%s HTTP/1.1\r\nhost: a\r\n\r\n"
SOON = 0.25


async def tale(request):
    """Go on without end, as a live line does, or faster than anybody reads."""
    while True:
        yield b"x" * (10 if request.url.query else 100_000)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.02)


class Place:
    """An application behind a real socket: it echoes, tells a tale without end, and knows who left it."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.listening = Listening(self, "127.0.0.1", 0)
        self._called = []

    async def __call__(self, scope, receive, send):
        request = Request(scope, receive)
        try:
            if request.method == "POST":
                await raw_body(request, 1000)
            answer = StreamingResponse(tale(request)) if request.url.path == "/tale" else PlainTextResponse("heard")
            await answer(scope, receive, send)
        finally:
            self.left.set()

    async def call(self, first=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listening.port)
        writer.write(first)
        self._called.append(writer)
        return reader, writer

    async def hang_up(self):
        for one in self._called:
            one.close()
            with contextlib.suppress(OSError):
                await one.wait_closed()


@pytest.fixture
async def place():
    found = Place()
    serving_ = asyncio.create_task(found.listening.run())
    yield found
    await found.hang_up()
    serving_.cancel()
    await asyncio.gather(serving_, return_exceptions=True)


async def is_cut(reader, writer, drip=b""):
    """Drip for a while; say whether the other side ended it."""
    for _ in range(150):
        try:
            writer.write(drip)
            async with asyncio.timeout(0.02):
                if await reader.read(100_000) == b"":
                    return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"", b""),
        (b"", b"G"),
        (b"GET / HTTP/1.1\r\nhost: a\r\n", b"x: y\r\n"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n", b"y"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\ny\r\n"),
        (ASK % b"", b"G"),
    ],
    ids=["silent", "method", "headers", "body", "chunks", "second request"],
)
async def test_whoever_does_not_finish_a_request_is_cut_off(place, monkeypatch, first, drip):
    monkeypatch.setattr(serving, "PATIENCE", SOON)
    assert await is_cut(*await place.call(first), drip)


async def test_a_line_that_stays_open_is_none_of_those(place, monkeypatch):
    monkeypatch.setattr(serving, "PATIENCE", SOON / 5)
    reader, writer = await place.call(ASK % b"tale?slow")
    assert not await is_cut(reader, writer)


async def test_whoever_does_not_listen_is_cut_off(place, monkeypatch):
    monkeypatch.setattr(serving, "READS", SOON)
    await place.call(ASK % b"tale")
    async with asyncio.timeout(20):
        await place.left.wait()


async def test_where_too_many_wait_the_oldest_goes_and_who_asks_is_heard(place, monkeypatch):
    monkeypatch.setattr(serving, "MOST_CALLERS", 4)
    dumb = [await place.call() for _ in range(4)]
    tale = await place.call(ASK % b"tale?slow")
    assert (await tale[0].readline()).startswith(b"HTTP/1.1 200")
    reader, _ = await place.call(ASK % b"")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert await is_cut(*dumb[0])
    assert await is_cut(*dumb[1])
    assert not await is_cut(*tale)


async def test_the_same_line_serves_several_requests(place):
    reader, writer = await place.call()
    for _ in range(3):
        writer.write(ASK % b"")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(5) == b"heard"


HEAD = b"POST / HTTP/1.1\r\nhost: a\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        HEAD + b"content-length: +5\r\n\r\nabcde",
        HEAD + b"content-length : 5\r\n\r\nabcde",
        HEAD + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        HEAD + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nabcdeXX0\r\n\r\n",
        HEAD + b"host: b\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_no_second_request_hides_in_one_whose_end_is_not_certain(place, sent):
    reader, _ = await place.call(sent + ASK % b"hidden")
    async with asyncio.timeout(20):
        whole = await reader.read()
    assert whole.startswith(b"HTTP/1.1 400")
    assert whole.count(b"HTTP/1.1 ") == 1
