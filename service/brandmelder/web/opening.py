"""Opens the page of a running service: from its configuration and its parts to a server that listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.web.api.app import mounted
from brandmelder.web.app import app
from brandmelder.web.serve import PageServer
from brandmelder.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from brandmelder.notify.notifier import Exchange
    from brandmelder.pipeline.parts import Parts
    from brandmelder.settings import Settings
    from brandmelder.web.api.operation import Door


def open_page(  # noqa: PLR0913 - what a running service lends its page, each by its name
    settings: Settings,
    parts: Parts,
    *,
    now: Callable[[], datetime],
    wake: Callable[[], None],
    exchange: Exchange | None = None,
    door: Door | None = None,
) -> PageServer | None:
    """Take the page's port; None where the configuration asks for no page. Raises BrandmelderError if it is taken.

    With a `door` the API stands beside the pages.
    """
    if settings.web is None:
        return None
    site = Site(parts=parts, settings=settings, web=settings.web, now=now, wake=wake, exchange=exchange)
    mounts = () if door is None else (mounted(door, rates=site.rates),)
    return PageServer(app(site, mounts=mounts), settings.web.host, settings.web.port)
