"""How the storm plays streams: inside the process for a trial, over WebSocket for a server, with what goes wrong."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from aiohttp import web
from msgspec.structs import replace

from brandmelder.capture.source import Answer
from brandmelder.capture.status import refusal
from brandmelder.demo.storm.faults import Fault
from brandmelder.demo.storm.wire import Question, Said
from brandmelder.errors import ShapeChanged, SourceError, Transient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime, timedelta

    from brandmelder.capture.source import Connect
    from brandmelder.demo.storm.faults import Weather
    from brandmelder.demo.storm.wire import Wall
    from brandmelder.model import SourceId

_PIECE: Final = 200
"""So many messages are heard at once."""
_TICK: Final = 0.1
"""Every so many seconds a server looks whether there is more to say."""
_BROKEN: Final = frozenset({Fault.CUT, Fault.HALF})
_DAMAGED: Final = frozenset({Fault.TWICE, Fault.SHUFFLED, Fault.DRIP, *_BROKEN})
"""What lets a connection be made."""


@runtime_checkable
class Streams(Protocol):
    """A face that speaks by itself."""

    def stream(self, asked: Question, wall: Wall) -> Said | Sequence[bytes]:
        """Return all that a connection asked for so has been told up to now, or the answer in place of one."""
        ...


def spoilt(messages: Sequence[bytes], fault: Fault | None) -> tuple[Sequence[bytes], bool]:
    """Return what is left of what is said, and whether the connection breaks behind it."""
    if fault is Fault.DRIP:  # open, and silent
        return (), False
    if fault is Fault.TWICE:
        return [one for message in messages for one in (message, message)], False
    if fault is Fault.SHUFFLED:  # neighbours within a few microseconds of the log change places
        pairs = [messages[at : at + 2] for at in range(0, len(messages), 2)]
        return [one for pair in pairs for one in reversed(pair)], False
    if fault in _BROKEN:
        return messages[: len(messages) // 2], True
    return messages, False


def unmade(weather: Weather | None, fault: Fault | None) -> Said | None:
    """Return what is answered in place of a connection; None if one is made."""
    if fault is None or fault in _DAMAGED or weather is None:
        return None
    return weather.spoil(Said(), fault)


async def streaming(
    request: web.Request, told: Callable[[], Said | Sequence[bytes]], fault: Fault | None, instead: Said | None
) -> web.StreamResponse:
    """Say over WebSocket what there is, then what follows as the storm goes on, until the other side has enough."""
    first = instead or told()
    if isinstance(first, Said):
        return web.Response(status=first.status, headers=dict(first.headers), body=first.body)
    offered = request.headers.get("sec-websocket-protocol", "")
    socket = web.WebSocketResponse(protocols=[offered] if offered else [], compress=False)
    await socket.prepare(request)
    saying = asyncio.create_task(_say(socket, request, told, fault))
    try:
        async for _ in socket:  # pings are answered, a goodbye ends it
            pass
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
    return socket


async def _say(
    socket: web.WebSocketResponse,
    request: web.Request,
    told: Callable[[], Said | Sequence[bytes]],
    fault: Fault | None,
) -> None:
    already = 0
    while True:
        whole = told()
        messages, breaks = spoilt(() if isinstance(whole, Said) else whole, fault)
        for message in messages[already:]:
            await socket.send_str(message.decode())
        already = max(already, len(messages))
        if breaks and request.transport is not None:
            request.transport.abort()
            return
        await asyncio.sleep(_TICK)  # noqa: TID251 - a server that goes on by itself


def connecting(
    ident: SourceId, face: Streams, weather: Weather, wall: Callable[[datetime], Wall], prefix: str
) -> Connect:
    """Return the `Connect` of a source in a trial: what the one client would make of what is said."""

    @asynccontextmanager
    async def connect(
        url: str, *, now: datetime, protocol: str = "", takes: frozenset[int] = frozenset()
    ) -> AsyncIterator[Played]:
        del protocol
        fault = weather.fault(now)
        asked = Question.of("GET", url, {})
        told = face.stream(replace(asked, path=asked.path.removeprefix(prefix)), wall(now))
        told = unmade(weather, fault) or told
        if not isinstance(told, Said):
            messages, breaks = spoilt(told, fault)
            yield Played(messages, ident, breaks=breaks)
            return
        if told.status not in takes:
            error: SourceError | None = refusal(told.status, told.headers, now)
            raise (error or ShapeChanged(f"answered {told.status} and opened no stream")).about(ident)
        line = Played((), ident, breaks=False)
        line.refused = Answer(url=url, status=told.status, headers=told.headers, body=told.body)
        yield line

    return connect


class Played:
    """A connection that is played: it says what there is, then nothing, or it breaks."""

    def __init__(self, messages: Sequence[bytes], ident: SourceId, *, breaks: bool) -> None:
        self.refused: Answer | None = None
        self._left, self._ident, self._breaks = list(messages), ident, breaks

    async def hear(self, patience: timedelta) -> Sequence[bytes]:
        """Return the next that is said. Raises Transient where the connection breaks."""
        del patience  # no time passes here
        some, self._left = self._left[:_PIECE], self._left[_PIECE:]
        if not some and self._breaks:
            raise Transient("the stream broke; it is opened again").about(self._ident)
        return some
