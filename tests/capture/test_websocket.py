"""The WebSocket client against another maker's server: what it lets in, what it bears, and when it leaves."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import WSMsgType, web

from brandmelder.capture.http import HttpClient, Limits
from brandmelder.capture.websocket import Pulse, WebSockets
from brandmelder.errors import AuthRefused, Blocked, ShapeChanged, SourceError, Transient
from brandmelder.model import SourceId

NOW = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
PATIENCE = timedelta(seconds=10)


@asynccontextmanager
async def serving(answer, *, pulse=Pulse(), allow_private=True, **more):  # noqa: B008 - frozen
    """Serve on loopback; yields how to connect, and where."""
    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = HttpClient(**more)
    try:
        connect = WebSockets(client, pulse).bind(source=SourceId("one"), allow_private=allow_private)
        yield connect, f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await client.close()
        await runner.cleanup()


def saying(*messages, closes=True):
    async def answer(request):
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        for message in messages:
            await socket.send_str(message)
        if closes:
            await socket.close(code=1001)
        else:
            async for _ in socket:
                pass
        return socket

    return answer


async def heard(line, count):
    found = []
    while len(found) < count:
        found += await line.hear(PATIENCE)
    return found


async def test_what_is_said_comes_whole_and_in_order_and_an_end_is_told():
    messages = [f"{number} Störung" for number in range(500)]
    async with serving(saying(*messages)) as (connect, url), connect(url, now=NOW) as line:
        assert await heard(line, 500) == [one.encode() for one in messages]
        with pytest.raises(Transient, match=r'source "one": ended the stream \(code 1001\)'):
            await line.hear(PATIENCE)


async def test_a_message_in_pieces_is_put_together():
    async def answer(request):
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        for flags, part in ((0x01, b"Nord"), (0x00, b"fu"), (0x80, b"nk")):
            request.transport.write(bytes([flags, len(part)]) + part)
        async for _ in socket:
            pass
        return socket

    async with serving(answer) as (connect, url), connect(url, now=NOW) as line:
        assert await heard(line, 1) == [b"Nordfunk"]


async def test_an_address_of_the_house_is_only_reached_where_that_is_allowed():
    async with serving(saying("x"), allow_private=False) as (connect, url):
        with pytest.raises(Blocked, match=r'source "one".*not public'):
            async with connect(url, now=NOW):
                pass


async def test_a_name_that_also_leads_into_the_house_is_refused_before_a_connection():
    async def resolve(_host, _port):
        return ["93.184.216.34", "169.254.169.254"]

    async with serving(saying("x"), resolve=resolve) as (connect, _):
        with pytest.raises(Blocked, match="never asked"):
            async with connect("http://stream.example/", now=NOW):
                pass


async def test_a_message_that_is_too_large_is_refused():
    pulse = Pulse(message=1_000)
    async with serving(saying("x" * 999, "y" * 1_001), pulse=pulse) as (connect, url), connect(url, now=NOW) as line:
        assert await heard(line, 1) == [b"x" * 999]
        with pytest.raises(Blocked, match="more than 1000 bytes"):
            await line.hear(PATIENCE)


async def test_who_is_silent_is_asked_and_then_left():
    asked = []

    async def answer(request):
        socket = web.WebSocketResponse(compress=False, autoping=False)
        await socket.prepare(request)
        asked.extend([message.type async for message in socket])
        return socket

    pulse = Pulse(quiet=timedelta(milliseconds=30), dead=timedelta(milliseconds=150))
    async with serving(answer, pulse=pulse) as (connect, url), connect(url, now=NOW) as line:
        with pytest.raises(Transient, match=r"has been silent for 0\.15 s"):
            await line.hear(PATIENCE)
    assert asked == [WSMsgType.PING]


async def test_who_only_answers_when_asked_is_not_left():
    pulse = Pulse(quiet=timedelta(milliseconds=20), dead=timedelta(milliseconds=200))
    async with serving(saying(closes=False), pulse=pulse) as (connect, url), connect(url, now=NOW) as line:
        assert await line.hear(timedelta(milliseconds=500)) == []


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, AuthRefused, "answered 401"),
        (503, Transient, "answered 503"),
        (302, Blocked, "redirects a stream"),
        (200, ShapeChanged, "opened no stream"),
    ],
)
async def test_who_does_not_let_us_in_is_understood(status, kind, said):
    async def answer(_request):
        return web.Response(status=status, headers={"location": "http://127.0.0.1/"})

    async with serving(answer) as (connect, url):
        with pytest.raises(kind, match=said):
            async with connect(url, now=NOW):
                pass


async def test_a_refusal_that_was_asked_for_is_read():
    async def answer(_request):
        return web.json_response({"error": "CursorTooOld"}, status=400)

    async with serving(answer) as (connect, url), connect(url, now=NOW, takes=frozenset({400})) as line:
        assert (line.refused.status, line.refused.body) == (400, b'{"error": "CursorTooOld"}')


async def test_a_server_that_speaks_something_else_is_left():
    async def serve(_reader, writer):
        writer.write(b"220 mail.example ESMTP\r\n" * 50)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = HttpClient()
    connect = WebSockets(client).bind(source=SourceId("one"), allow_private=True)
    try:
        with pytest.raises(SourceError, match='source "one"'):
            async with connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", now=NOW):
                pass
    finally:
        await client.close()
        server.close()
        await server.wait_closed()


async def test_a_handshake_that_drips_meets_the_deadline():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b"H")
                await asyncio.sleep(0.05)
        finally:
            writer.close()

    tasks = []

    async def kept(reader, writer):
        tasks.append(asyncio.current_task())
        await serve(reader, writer)

    server = await asyncio.start_server(kept, "127.0.0.1", 0)
    client = HttpClient(limits=Limits(deadline=timedelta(seconds=0.3)))
    connect = WebSockets(client).bind(source=SourceId("one"), allow_private=True)
    try:
        with pytest.raises(Blocked, match=r"opened no stream within 0.3 s"):
            async with connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", now=NOW):
                pass
    finally:
        await client.close()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
