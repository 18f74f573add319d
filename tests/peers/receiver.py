"""A web server on 127.0.0.1 that keeps what it was sent and answers as it is told: strict where a test gives it rules.

`lands` says whether a request that is answered badly was carried out; `rules` may refuse with (status, body).
"""

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field


@dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    broken: str = ""
    """`close` or `reset` in place of an answer, `cut` in the middle of one, `silent` for none at all."""
    lands: bool = True


class Receiver:
    """`async with Receiver(rules) as peer`: `peer.url`, `peer.requests`, `peer.plan(Answer(...), ...)`."""

    def __init__(self, rules=None, *, tls=None):
        self._rules = rules or (lambda _: Answer())
        self._tls = tls
        self.requests = []
        self.connections = 0
        self._planned = []

    def plan(self, *answers):
        self._planned += answers

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"
        self._open = set()
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        self.connections += 1
        self._open.add(writer)
        try:
            await self._one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(method, path, headers, body)
        planned = self._planned.pop(0) if self._planned else None
        if planned is None or planned.lands:
            self.requests.append(request)
        answer = planned or self._rules(request)
        if answer.broken == "silent":
            await reader.read()
        elif answer.broken == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        elif answer.broken != "close":
            lines = [f"HTTP/1.1 {answer.status} As Told", f"Content-Length: {len(answer.body)}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items()]
            whole = "\r\n".join([*lines, "", ""]).encode() + answer.body
            writer.write(whole[: len(whole) // 2] if answer.broken == "cut" else whole)
            await writer.drain()
