"""One place to listen on: taken before anything is served, served until cancelled, in the loop of the service."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp


class Listening:
    """A place that is listened on from its making; `port` 0 takes one that is free."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """Take the place. Raises OSError if it cannot be had."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=128)
        self.port = int(self._socket.getsockname()[1])
        self._server = _Server(
            uvicorn.Config(app, log_config=None, lifespan="off", ws="none", access_log=False, server_header=False)
        )

    async def run(self) -> None:
        """Serve until cancelled."""
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        finally:
            self._server.should_exit = True
            await serving
            self._socket.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the service."""
        yield


async def raw_body(request: Request, most: int) -> bytes | None:
    """Return the bytes of a body as they came; None as soon as they are more than `most`."""
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told) > most:
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return body
