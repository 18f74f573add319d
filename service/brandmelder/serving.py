"""One place to listen on: taken before anything is served, served until cancelled, in the loop of the service."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

import h11
import uvicorn
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send


MOST_CALLERS: Final = 512
"""So many connections one place holds: each is a descriptor, and without those no alert is sent, either."""
PATIENCE: Final = 30.0
"""Seconds from the first byte of a request, or from the connection, in which it must have arrived whole."""
READS: Final = 120.0
"""Seconds in which somebody must have taken what was written to them."""


class Caller(H11Protocol):
    """One connection: whoever opens many and says nothing, drips, or does not listen, is cut off."""

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    since: float = 0.0
    """When it began to wait for its request."""

    @property
    def is_waiting(self) -> bool:
        """Whether the request has not arrived whole."""
        return self.conn.their_state in {h11.IDLE, h11.SEND_BODY}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it; where there are too many, the one goes that has been waiting longest."""
        super().connection_made(transport)
        self.since = self.loop.time()
        if len(self.connections) > MOST_CALLERS:
            waiting = [one for one in self.connections if isinstance(one, Caller) and one.is_waiting]
            min(waiting, key=lambda one: one.since).transport.abort()
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; the time for a request begins with its first byte and ends with its last."""
        if self._deadline is None and self.is_waiting:
            self.since = self.loop.time()
            self._await_request()
        super().data_received(data)
        if not self.is_waiting:
            self._stop()

    def on_response_complete(self) -> None:
        """Wait for the next request; of that, too, some may have arrived."""
        super().on_response_complete()
        self._stop()
        self.since = self.loop.time()

    def pause_writing(self) -> None:
        """Have somebody take what was written, or be cut off."""
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(READS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it was taken."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(PATIENCE, self.transport.abort)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def one_framing(app: ASGIApp) -> ASGIApp:
    """Refuse a request that says in two ways where it ends (RFC 9112, 6.3): who stands before us may take the other.

    What one of the two takes for its body, the other takes for the next request of somebody else.
    """

    async def framed(scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope.get("headers", ())}
        if {b"content-length", b"transfer-encoding"} <= names:
            refusal = PlainTextResponse("two lengths\n", 400, headers={"connection": "close"})
            return await refusal(scope, receive, send)
        return await app(scope, receive, send)

    return framed


class Listening:
    """A place that is listened on from its making; `port` 0 takes one that is free."""

    def __init__(
        self, app: ASGIApp, host: str, port: int, *, goodbye: int | None = None, believed: Sequence[str] | None = None
    ) -> None:
        """Take the place. Raises OSError if it cannot be had.

        `goodbye` is how many seconds answers under way get at a stop. For whom they ask is believed of the addresses
        `believed`; None believes this machine.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=128)
        self.port = int(self._socket.getsockname()[1])
        self._server = _Server(
            uvicorn.Config(
                one_framing(app),
                http=Caller,
                log_config=None,
                lifespan="off",
                ws="none",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=goodbye,
                forwarded_allow_ips=None if believed is None else list(believed),
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
    """Return the bytes of a body as they came; None if it broke off, or as soon as they are more than `most`."""
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told) > most:
        return None
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                return None
    except ClientDisconnect:  # nobody hears the answer
        return None
    return body
