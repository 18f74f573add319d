"""What people say of an incident's posts and of the incident: a verdict corrected, a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from starlette.responses import RedirectResponse, Response

from brandmelder.model import Label, MentionId, Origin, StaffLabel
from brandmelder.notify.inert import visible
from brandmelder.notify.links import path_of
from brandmelder.pipeline import staff
from brandmelder.store import audit, incidents, mentions, notes
from brandmelder.web.reader import form_of, only
from brandmelder.web.render import page

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request

    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

log = structlog.get_logger()

MOST_LABELS: Final = 400
MOST_NOTE: Final = 2000


async def label(site: Site, request: Request, reader: Reader) -> Response:
    """Keep what somebody says of the chosen posts; the judge learns from it."""
    fields = await form_of(request, reader)
    ident, said = request.path_params["ident"], only(fields, "label")
    chosen = [
        one for one in fields.get("mention", [])[:MOST_LABELS] if one.isascii() and one.isdecimal() and len(one) < 19
    ]
    if said not in set(Label):
        return page(site, reader, "error.html", status=400, code=400, path=request.url.path)
    if await site.parts.database.look(incidents.find, ident) is None:
        return page(site, reader, "error.html", status=404, code=404, path=request.url.path)
    if chosen:
        wanted = [MentionId(int(one)) for one in chosen]
        known = await site.parts.database.look(mentions.texts_of, wanted)
        given = [_given(one, Label(said), reader) for one in known]
        if given:
            await staff.label_beside(site.parts, given, actor(reader), reader.now)
        log.info("web.labelled", incident=ident, label=said, count=len(given))
    return RedirectResponse(f"{path_of(ident)}#posts", 303)


def _given(mention: MentionId, said: Label, reader: Reader) -> StaffLabel:
    return StaffLabel(label=said, at=reader.now, mention=mention, origin=Origin.ALERT, by=reader.shown)


async def note(site: Site, request: Request, reader: Reader) -> Response:
    """Keep a note."""
    fields = await form_of(request, reader)
    ident, text = request.path_params["ident"], " ".join(visible(only(fields, "text", MOST_NOTE)).split())
    if not await site.parts.database.run(_note, reader, ident, text):
        return page(site, reader, "error.html", status=404, code=404, path=request.url.path)
    return RedirectResponse(f"{path_of(ident)}#notes", 303)


def _note(connection: Connection, reader: Reader, ident: str, text: str) -> bool:
    if incidents.find(connection, ident) is None:
        return False
    if text:
        notes.add(connection, notes.Note(incident=ident, at=reader.now, by=reader.shown, text=text))
        audit.record(connection, "note.add", by=reader.shown, subject=ident, now=reader.now, **actor(reader).said())
    return True


def actor(reader: Reader) -> staff.Actor:
    """Return who acts, as the audit keeps it."""
    return staff.Actor(name=reader.shown, login=reader.name, via="page")
