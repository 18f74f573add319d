"""Where somebody lands who names no page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site


async def start(_site: Site, _request: Request, _reader: Reader) -> Response:
    """Lead to what burns now."""
    return RedirectResponse("/incidents", 303)
