"""Opens the page of a running service: from its configuration and its parts to a server that listens."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from brandmelder.errors import BrandmelderError
from brandmelder.settings.web import WebSettings
from brandmelder.web.api.app import mounted
from brandmelder.web.app import app
from brandmelder.web.serve import PageServer
from brandmelder.web.site import Site
from brandmelder.web.warm import keep_warm

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
    pages = app(site, mounts=mounts)
    web = settings.web
    return PageServer(pages, web.host, web.port, proxies=web.proxies, alongside=partial(keep_warm, site))


USUAL_PORT = 8470


def open_to_all(settings: Settings, parts: Parts, now: Callable[[], datetime]) -> PageServer:
    """Open a page on this machine's loopback that asks for no sign-in: for the demo, whose people are invented.

    It takes the usual port, or any that is free.
    """
    web = WebSettings(
        host="127.0.0.1", port=USUAL_PORT, base_url="http://127.0.0.1", sign_in="open", session=timedelta(hours=1)
    )
    pages = app(Site(parts=parts, settings=settings, web=web, now=now))
    try:
        return PageServer(pages, web.host, web.port)
    except BrandmelderError:
        return PageServer(pages, web.host, 0)
