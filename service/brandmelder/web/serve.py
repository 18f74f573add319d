"""Serves the page until it is stopped, in the loop of whoever runs the service."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from brandmelder.errors import BrandmelderError
from brandmelder.serving import Listening

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from starlette.types import ASGIApp

GOODBYE = 2
"""Seconds that answers under way get at a stop; a viewer's live line is cut."""


class PageServer:
    """Listens from its making on; answers while `run` runs."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        proxies: Sequence[str] = (),
        alongside: Callable[[], Coroutine[None, None, None]] | None = None,
    ) -> None:
        """Take the port; `alongside` runs while it is served, until it is cancelled.

        For whom they ask is believed of this machine and of `proxies`.

        Raises BrandmelderError if the port cannot be had; port 0 takes any that is free.
        """
        self._alongside = alongside
        try:
            # A web server with TLS stands on this machine, if one does: it says for whom it asks.
            self._place = Listening(app, host, port, goodbye=GOODBYE, believed=("127.0.0.1", "::1", *proxies))
        except OSError as error:
            raise BrandmelderError(
                f"web: {host}:{port} cannot be listened on: {error.strerror or error}; "
                "stop what listens there, or write another port under web.listen"
            ) from error
        self.port = self._place.port

    async def beside(self, work: Awaitable[None]) -> None:
        """Serve until some work has ended."""
        serving = asyncio.ensure_future(self.run())
        try:
            await work
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    async def run(self) -> None:
        """Serve until cancelled."""
        serving = asyncio.ensure_future(self._place.run())
        beside = [] if self._alongside is None else [asyncio.ensure_future(self._alongside())]
        try:
            await asyncio.shield(serving)
        finally:
            for one in beside:
                one.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving
