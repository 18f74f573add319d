"""The one careful WebSocket client: for what speaks by itself, under the same rules as what is asked (http.py).

The protocol is websockets' own (imported with the first connection, decision 0090), without its sockets: every byte
goes through the guarded network of egress.py, so that names are resolved once and only checked addresses are reached.
No compression is offered, so nothing inflates; a message has a largest size; who is silent is asked, then left.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import httpcore
from msgspec import Struct

from brandmelder import metrics
from brandmelder.capture.egress import Guard, host_of, port_of, reach_of
from brandmelder.capture.http import explain, parse_url
from brandmelder.capture.source import Answer
from brandmelder.capture.status import REDIRECTS, refusal
from brandmelder.errors import Blocked, ShapeChanged, SourceError, Transient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import httpx
    from websockets.client import ClientProtocol

    from brandmelder.capture.egress import Reach
    from brandmelder.capture.http import HttpClient
    from brandmelder.capture.source import Connect
    from brandmelder.model import SourceId

_PIECE: Final = 1 << 16
"""How much is read at once."""
_LETTING_GO: Final = 2.0
"""How many seconds a goodbye may take."""


class Pulse(Struct, frozen=True, kw_only=True):
    """How large a message may be, in bytes, and how long a silence."""

    message: int = 2 << 20
    quiet: timedelta = timedelta(seconds=20)
    """After a silence so long the other side is asked whether it is there."""
    dead: timedelta = timedelta(seconds=45)
    """After one so long it is left."""


class WebSockets:
    """Lends every source a `Connect` of its own; resolver, certificates, time limits and meter are the client's."""

    def __init__(self, http: HttpClient, pulse: Pulse = Pulse()) -> None:  # noqa: B008 - frozen
        self._http, self._pulse = http, pulse

    def bind(self, *, source: SourceId, allow_private: bool) -> Connect:
        """Return the `Connect` of one source; its errors name the source and say what to do."""

        @asynccontextmanager
        async def connect(
            url: str, *, now: datetime, protocol: str = "", takes: frozenset[int] = frozenset()
        ) -> AsyncIterator[Line]:
            line = None
            try:
                target = parse_url(url)
                line = await self._open(target, reach_of(target, allow_private=allow_private), source, protocol)
                line.accept(now, takes)
            except SourceError as error:
                if isinstance(error, Blocked):
                    metrics.EGRESS_BLOCKED.labels(error.why).inc()
                if line is not None:
                    await line.close()
                raise error.about(source) from None
            try:
                yield line
            finally:
                await line.close()

        return connect

    async def _open(self, url: httpx.URL, reach: Reach, source: SourceId, protocol: str) -> Line:
        reach.check(url)
        self._http.meter.count(source)
        limits, host = self._http.limits, host_of(url)
        stream: httpcore.AsyncNetworkStream | None = None
        try:
            async with asyncio.timeout(limits.deadline.total_seconds()):
                connect = limits.connect.total_seconds()
                stream = await Guard(reach, self._http.resolve).connect_tcp(host, port_of(url), connect)
                if url.scheme == "https":
                    stream = await stream.start_tls(self._http.trust, host, connect)
                line = Line(stream, _begun(url, self._http.user_agent, protocol, self._pulse), source, self._pulse)
                await line.shake_hands(str(url))
                return line
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            await _leave(stream)
            raise explain(error, host, limits) from error
        except TimeoutError:
            await _leave(stream)
            text = f"{host} opened no stream within {limits.deadline.total_seconds():g} s; is the server slow?"
            raise Blocked(text, "deadline") from None
        except BaseException:
            await _leave(stream)
            raise


def _begun(url: httpx.URL, user_agent: str, protocol: str, pulse: Pulse) -> ClientProtocol:
    from websockets.client import ClientProtocol  # noqa: PLC0415 - an extra
    from websockets.typing import Subprotocol  # noqa: PLC0415
    from websockets.uri import parse_uri  # noqa: PLC0415

    address = str(url.copy_with(scheme="wss" if url.scheme == "https" else "ws"))
    offered = [Subprotocol(protocol)] if protocol else None
    spoken = ClientProtocol(parse_uri(address), subprotocols=offered, max_size=pulse.message)
    request = spoken.connect()
    request.headers["User-Agent"] = user_agent
    spoken.send_request(request)
    return spoken


async def _leave(stream: httpcore.AsyncNetworkStream | None) -> None:
    if stream is not None:
        with suppress(Exception):  # it is left in any case
            async with asyncio.timeout(_LETTING_GO):
                await stream.aclose()


class Line:
    """One connection: what the other side says, message by message."""

    def __init__(
        self, stream: httpcore.AsyncNetworkStream, spoken: ClientProtocol, source: SourceId, pulse: Pulse
    ) -> None:
        self._stream, self._spoken, self._source, self._pulse = stream, spoken, source, pulse
        self._heard = asyncio.get_running_loop().time()
        self._asked = False
        self._parts: list[bytes] = []
        self._whole: list[bytes] = []
        self._answer = Answer(url="", status=0, headers={}, body=b"")
        self.refused: Answer | None = None

    async def shake_hands(self, url: str) -> None:
        """Ask to be let in. Raises httpcore's errors, Transient, ShapeChanged."""
        from websockets.http11 import Response  # noqa: PLC0415 - an extra

        await self._send()
        while True:
            await self._read(None)
            events = self._spoken.events_received()
            if events and isinstance(events[0], Response):
                said = events[0]
                headers = {name.lower(): value for name, value in said.headers.raw_items()}
                self._answer = Answer(url=url, status=said.status_code, headers=headers, body=bytes(said.body or b""))
                self._take(events[1:])
                return
            if self._spoken.handshake_exc is not None:
                raise ShapeChanged("does not speak WebSocket as it should; mend its url")

    def accept(self, now: datetime, takes: frozenset[int]) -> None:
        """Look at how we were received; raises what a refusal means, but for the statuses in `takes`."""
        if self._spoken.handshake_exc is None:
            return
        status = self._answer.status
        if status in takes:
            self.refused = self._answer
            return
        if status in REDIRECTS:
            raise Blocked("redirects a stream; mend its url", "redirects")
        meant = refusal(status, self._answer.headers, now) if status != 101 else None
        raise meant or ShapeChanged(f"answered {status} and opened no stream; mend its url")

    async def hear(self, patience: timedelta) -> list[bytes]:
        """Return what was said, at once if there is something; nothing after `patience`. Raises a SourceError."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience.total_seconds()
        try:
            while not self._whole:
                self._look()
                left = until - loop.time()
                if left <= 0:
                    return []
                await self._feel(loop.time())
                await self._read(min(left, self._pulse.quiet.total_seconds()))
                self._take(self._spoken.events_received())
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise Transient("the stream broke; it is opened again").about(self._source) from error
        except SourceError as error:
            raise error.about(self._source) from None
        self._heard, self._asked = loop.time(), False
        found, self._whole = self._whole, []
        return found

    async def close(self) -> None:
        """Say goodbye and leave."""
        with suppress(Exception):  # it is left in any case
            async with asyncio.timeout(_LETTING_GO):
                if self.refused is None and self._spoken.state.name == "OPEN":
                    self._spoken.send_close()
                    await self._send()
        await _leave(self._stream)

    def _take(self, events: Sequence[object]) -> None:
        """Put messages together from frames."""
        from websockets.frames import DATA_OPCODES, Frame  # noqa: PLC0415 - an extra

        for one in events:
            if isinstance(one, Frame) and one.opcode in DATA_OPCODES:
                self._parts.append(bytes(one.data))
                if one.fin:
                    self._whole.append(b"".join(self._parts))
                    self._parts = []
            elif isinstance(one, Frame):  # a pong: somebody is there
                self._heard, self._asked = asyncio.get_running_loop().time(), False

    def _look(self) -> None:
        """Raise what ended the connection, if it has ended."""
        from websockets.exceptions import PayloadTooBig  # noqa: PLC0415 - an extra

        if isinstance(self._spoken.parser_exc, PayloadTooBig):
            raise Blocked(f"sends a message of more than {self._pulse.message} bytes", "size")
        if self._spoken.parser_exc is not None and not isinstance(self._spoken.parser_exc, EOFError):
            raise Transient("breaks the rules of WebSocket; the stream is opened again")
        if self._spoken.state.name != "OPEN":
            code = self._spoken.close_rcvd.code if self._spoken.close_rcvd is not None else "none"
            raise Transient(f"ended the stream (code {code}); it is opened again")

    async def _feel(self, now: float) -> None:
        """Ask whether somebody is there after a silence; leave after a long one."""
        silence = now - self._heard
        if silence >= self._pulse.dead.total_seconds():
            text = f"the stream has been silent for {self._pulse.dead.total_seconds():g} s; it is opened again"
            raise Transient(text)
        if silence >= self._pulse.quiet.total_seconds() and not self._asked:
            self._asked = True
            self._spoken.send_ping(b"")
            await self._send()

    async def _read(self, patience: float | None) -> None:
        try:
            piece = await self._stream.read(_PIECE, patience)
        except httpcore.ReadTimeout:
            return
        if piece:
            self._spoken.receive_data(piece)
        else:
            self._spoken.receive_eof()
        await self._send()

    async def _send(self) -> None:
        for piece in self._spoken.data_to_send():
            if piece:
                await self._stream.write(piece, self._pulse.quiet.total_seconds())
