"""A web server that does exactly what a test tells it to, byte by byte, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

from msgspec import Struct


class Request(Struct):
    """What a client sent."""

    target: str
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class Wire:
    """The connection as a script sees it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, text: bytes) -> None:
        self._writer.write(text)
        await self._writer.drain()

    async def drip(self, text: bytes, pause: float) -> None:
        for index in range(len(text)):
            await self.send(text[index : index + 1])
            await asyncio.sleep(pause)

    async def hang(self) -> None:
        await asyncio.Event().wait()


Script = Callable[[Wire, Request], Awaitable[None]]


def reply(status: int = 200, body: bytes = b"", headers: dict[str, str] | None = None, *, length: bool = True) -> bytes:
    """Return a whole answer; `length=False` leaves Content-Length out."""
    lines = [f"HTTP/1.1 {status} Whatever The Server Says", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    if length and not any(line.lower().startswith("content-length:") for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def always(answer: bytes) -> Script:
    async def script(wire: Wire, request: Request) -> None:
        await wire.send(answer)

    return script


class HostileServer:
    """Answers each path by its script; remembers what was asked, and how many were served at once."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.requests: list[Request] = []
        self.at_once = self.most_at_once = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, path: str, script: Script | bytes) -> str:
        """Set what `path` does; returns its address."""
        self.scripts[path] = always(script) if isinstance(script, bytes) else script
        return self.url + path

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                request = await _read(reader)
                self.requests.append(request)
                script = self.scripts.get(request.path, self.scripts.get("*", always(reply(404))))
                await script(Wire(writer), request)
        finally:
            self.at_once -= 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    method, target, _ = head[0].split(" ")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(target=target, headers=headers, method=method, body=body)


@contextlib.asynccontextmanager
async def hostile() -> AsyncIterator[HostileServer]:
    async with HostileServer() as server:
        yield server
