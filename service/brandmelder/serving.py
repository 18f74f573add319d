"""One place to listen on: taken before anything is served, served until cancelled, in the loop of the service."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp


MOST_CONNECTIONS: Final = 1000
PATIENCE: Final = 20.0
"""Seconds in which a caller must have asked something."""


class Connection(H11Protocol):
    """One caller. Who only holds the line is let go, and one too many at once: each costs a descriptor."""

    _hangs_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to hear one."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._hangs_up = self.loop.call_later(PATIENCE, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """End with it."""
        if self._hangs_up is not None:
            self._hangs_up.cancel()
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        if self.conn.their_state is h11.IDLE:  # it has asked nothing that is unanswered, or not to its end
            self.transport.close()


class Listening:
    """A place that is listened on from its making; `port` 0 takes one that is free."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """Take the place. Raises OSError if it cannot be had."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=128)
        self.port = int(self._socket.getsockname()[1])
        self._server = _Server(
            uvicorn.Config(
                app, http=Connection, log_config=None, lifespan="off", ws="none", access_log=False, server_header=False
            )
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
