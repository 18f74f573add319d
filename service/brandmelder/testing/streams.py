"""How a test serves a stream over WebSocket, and what goes wrong with it on purpose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, web

from brandmelder.testing.faces import Said

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brandmelder.testing.faces import Asked, Face


class Streamed:
    """The streams of one face. They end only when they are cut or everything is over."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self.cut_after: int | None = None
        """After so many messages of a connection it breaks, without a goodbye."""
        self.is_silent = False
        """Connections stay open and say nothing."""
        self.spoil: Callable[[Sequence[bytes]], Sequence[bytes]] = lambda said: said
        """What is said in place of what should be: doubled, in another order."""
        self.opened = 0
        self.said = 0
        """So many messages have gone out, over all connections."""
        self.first = asyncio.Event()
        """Set once a stream has been opened."""
        self._moved = asyncio.Event()
        self._open: set[web.WebSocketResponse] = set()

    def tell(self) -> None:
        """Have open streams say what is new."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def serve(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """Say what there is, then what follows, until the other side has enough."""
        first = self._face.stream(asked)
        if isinstance(first, Said):
            return web.Response(status=first.status, headers=dict(first.headers), body=first.body)
        offered = request.headers.get("sec-websocket-protocol", "")
        socket = web.WebSocketResponse(protocols=[offered] if offered else [], compress=False, autoping=True)
        await socket.prepare(request)
        self.opened += 1
        self.first.set()
        self._open.add(socket)
        saying = asyncio.create_task(self._say(socket, request, asked))
        try:
            async for _ in socket:  # whoever is heard says nothing, but a ping or a goodbye is answered
                pass
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
            self._open.discard(socket)
        return socket

    async def _say(self, socket: web.WebSocketResponse, request: web.Request, asked: Asked) -> None:
        already = 0
        while True:
            moved = self._moved
            told = self._face.stream(asked)
            messages = [] if isinstance(told, Said) or self.is_silent else self.spoil(told)
            for message in messages[already:]:
                if self.cut_after is not None and already >= self.cut_after:
                    if request.transport is not None:
                        request.transport.abort()
                    return
                await socket.send_str(message.decode())
                already += 1
                self.said += 1
            await moved.wait()

    async def end(self) -> None:
        """Say goodbye to all."""
        for socket in tuple(self._open):
            await socket.close(code=WSCloseCode.GOING_AWAY)
