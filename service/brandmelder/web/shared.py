"""One drawing for all who look at the same at once: when an incident changes, a hundred fetch its page (decision 0103).

It is drawn for nobody in particular; whose page it is, is put into it afterwards.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from markupsafe import escape
from msgspec import Struct
from starlette.responses import Response

from brandmelder.notify.inert import inert

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from starlette.requests import Request

    from brandmelder.web.reader import Reader

CROWD: Final = 3
"""So many have to watch before drawings are shared: a few are each drawn their own, which is never a moment old."""
HOLDS: Final = timedelta(seconds=2)
"""So long a drawing is handed out, unless something is known to have changed; as often the database is looked at."""
MOST: Final = 200
SHOWN: Final = 40
"""Characters of a name that the frame shows."""


class Drawn(Struct, frozen=True):
    """A drawing that is under way or done."""

    at: datetime
    work: asyncio.Task[Response]


class Shared:
    """Hands out drawings while they hold."""

    def __init__(self) -> None:
        self._drawn: dict[Hashable, Drawn] = {}
        # Nobody who writes a post can know these, so that none of them is taken for a reader's.
        self._csrf, self._name = (secrets.token_hex(12) for _ in range(2))

    def forget(self) -> None:
        """Have everything drawn anew: somebody did something, or something changed."""
        self._drawn.clear()

    async def answer(
        self, request: Request, reader: Reader, draw: Callable[[Request, Reader], Awaitable[Response]]
    ) -> Response:
        """Return a page for a reader, drawn with those of others who see the same."""
        key = (
            request.url.path, request.url.query, reader.language, reader.theme, reader.role, bool(reader.name),
            reader.zone.key, reader.is_abroad, reader.has_factor,
        )  # fmt: skip
        known = self._drawn.get(key)
        if known is None or reader.now - known.at >= HOLDS:
            if len(self._drawn) >= MOST:
                self._drawn.clear()
            nobody = replace(
                reader, csrf=self._csrf, shown=self._name, name="somebody" if reader.name else "", visitor="",
                is_new=False,
            )  # fmt: skip
            work = asyncio.ensure_future(draw(request, nobody))
            known = self._drawn[key] = Drawn(reader.now, work)
        try:
            drawn = await asyncio.shield(known.work)
        except Exception:
            self._drawn.pop(key, None)  # whoever comes next tries again
            raise
        return self._handed(drawn, reader)

    def _handed(self, drawn: Response, reader: Reader) -> Response:
        name = str(escape(inert(reader.shown, SHOWN)))
        body = bytes(drawn.body).replace(self._csrf.encode(), reader.csrf.encode())
        headers = {"content-language": reader.language}
        return Response(
            body.replace(self._name.encode(), name.encode()), drawn.status_code, headers, media_type="text/html"
        )
