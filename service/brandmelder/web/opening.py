"""Opens the page of a running service: from its configuration and its parts to a server that listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.web.app import app
from brandmelder.web.serve import PageServer
from brandmelder.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from brandmelder.notify.notifier import Exchange
    from brandmelder.pipeline.parts import Parts
    from brandmelder.settings import Settings


def open_page(
    settings: Settings,
    parts: Parts,
    *,
    now: Callable[[], datetime],
    wake: Callable[[], None],
    exchange: Exchange | None = None,
) -> PageServer | None:
    """Take the page's port; None where the configuration asks for no page. Raises BrandmelderError if it is taken."""
    if settings.web is None:
        return None
    site = Site(parts=parts, settings=settings, web=settings.web, now=now, wake=wake, exchange=exchange)
    return PageServer(app(site), settings.web.host, settings.web.port)
