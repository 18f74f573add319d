"""What people do to an incident on its page: the same path as a click in chat, and the loser is told who was first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import structlog
from starlette.responses import RedirectResponse, Response

from brandmelder.errors import Conflict
from brandmelder.incident.people import LONGEST_SNOOZE, SNOOZE
from brandmelder.incident.transitions import PEOPLES_ACTS, REASONS, Illegal
from brandmelder.model import Act
from brandmelder.notify.inert import inert
from brandmelder.notify.links import path_of
from brandmelder.pipeline.act import Unknown, Wish, fulfil
from brandmelder.web.reader import form_of, only
from brandmelder.web.render import page

if TYPE_CHECKING:
    from starlette.requests import Request

    from brandmelder.model import Incident
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

log = structlog.get_logger()

RETRIES: Final = 3


async def act(site: Site, request: Request, reader: Reader) -> Response:
    """Do what a form asks for, then show the incident as it stands."""
    fields = await form_of(request, reader)
    ident, asked = request.path_params["ident"], only(fields, "act")
    if asked not in PEOPLES_ACTS:
        return page(site, reader, "error.html", status=400, code=400, path=request.url.path)
    outcome = await do(site, _wish(ident, Act(asked), fields, reader), reader)
    if isinstance(outcome, Unknown):
        return page(site, reader, "error.html", status=404, code=404, path=request.url.path)
    came = "refused" if isinstance(outcome, Illegal) else "done"
    log.info("web.act", incident=ident, act=asked, came=came)
    site.wake()
    return RedirectResponse(f"{path_of(ident)}?{urlencode({'came': came, 'act': asked})}", 303)


async def do(site: Site, wish: Wish, reader: Reader) -> Incident | Illegal | Unknown:
    """Do it by compare-and-set; whoever was slower decides anew on what stands. Raises Conflict if that goes on."""
    for attempt in range(RETRIES):
        try:
            return await site.parts.database.run(fulfil, site.parts, wish, reader.now)
        except Conflict:
            if attempt == RETRIES - 1:
                raise
    raise AssertionError("unreachable")


def _wish(ident: str, asked: Act, fields: dict[str, list[str]], reader: Reader) -> Wish:
    revision, minutes = only(fields, "revision", 9), only(fields, "minutes", 5)
    note = ""
    if asked is Act.DISMISS:
        reason, words = only(fields, "reason"), inert(only(fields, "words"), 200)
        reason = reason if reason in REASONS else "other"
        note = f"{reason}: {words}" if words else reason
    elif asked is Act.HAND_OVER:
        note = inert(only(fields, "to"), 40)
    span = min(timedelta(minutes=int(minutes)), LONGEST_SNOOZE) if minutes.isdecimal() else SNOOZE
    return Wish(
        incident=ident,
        act=asked,
        by=reader.shown,
        note=note,
        person=f"web:{reader.name}" if reader.name else "",
        span=span,
        revision=int(revision) if revision.isdecimal() else 0,
    )
