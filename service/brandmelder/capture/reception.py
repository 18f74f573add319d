"""How what is sent to us arrives: one listener for each place, a path for each source, kept before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from brandmelder.capture.source import Sent
from brandmelder.errors import AuthRefused, BrandmelderError, ShapeChanged, SourceError
from brandmelder.model import SourceId
from brandmelder.serving import Listening, raw_body

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request

Take = Callable[[SourceId, Sent], Awaitable[None]]
"""Keep what was sent; it stands in the database once this returns. Raises AuthRefused, ShapeChanged, StoreError."""

MOST_BODY: Final = 256 * 1024
AT_ONCE: Final = 32
"""So many messages may be under way; more are asked to come again."""
PATIENCE: Final = 10.0
"""Seconds in which a message must have arrived whole."""
_AGAIN: Final = {"retry-after": "5"}


class Place(Struct, frozen=True):
    """An address and a port."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Place:
        """Read `127.0.0.1:8072` or `[::1]:8072`."""
        host, _, port = text.rpartition(":")
        return cls(host.strip("[]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Reception:
    """One place where messages for some sources arrive."""

    def __init__(self, sources: Collection[SourceId], take: Take) -> None:
        self._sources, self._take = frozenset(sources), take
        self._under_way = 0
        self.app = Starlette(routes=[Route("/in/{source}", self._receive, methods=["POST"])])

    async def run(self, place: Place, notice: Callable[[str], None]) -> None:
        """Serve until cancelled; `notice` tells an operator that the place cannot be had."""
        try:
            listening = Listening(self.app, place.host, place.port)
        except OSError as error:
            notice(
                f"nothing arrives for {', '.join(sorted(self._sources))}: {place} cannot be listened on: "
                f"{error.strerror or error}; stop what listens there, or write another listen"
            )
            return
        await listening.run()

    async def _receive(self, request: Request) -> Response:
        source = SourceId(request.path_params["source"])
        if source not in self._sources:
            return PlainTextResponse("there is no such source\n", status_code=404)
        if self._under_way >= AT_ONCE:
            return PlainTextResponse("busy; come again\n", status_code=429, headers=_AGAIN)
        self._under_way += 1
        try:
            async with asyncio.timeout(PATIENCE):
                body = await raw_body(request, MOST_BODY)
            if body is None:
                return PlainTextResponse(f"more than {MOST_BODY} bytes\n", status_code=413)
            headers = {name.lower(): value for name, value in request.headers.items()}
            return await self._answer(source, Sent(headers=headers, body=body))
        except TimeoutError:
            return PlainTextResponse("too slow\n", status_code=408)
        finally:
            self._under_way -= 1

    async def _answer(self, source: SourceId, sent: Sent) -> Response:
        try:
            await self._take(source, sent)
        except AuthRefused:
            return PlainTextResponse("not signed as it should be\n", status_code=401)
        except ShapeChanged as error:
            return PlainTextResponse(f"{error}\n", status_code=422)
        except SourceError as error:
            return PlainTextResponse(f"{error}\n", status_code=503, headers=_AGAIN)
        except BrandmelderError:  # the database: what is wrong there is the operator's to know, not the sender's
            return PlainTextResponse("not now; come again\n", status_code=503, headers=_AGAIN)
        return Response(status_code=204)
