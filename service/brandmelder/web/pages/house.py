"""What concerns the service itself: deliveries, the configuration as it was read, who did what."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from brandmelder.errors import Conflict
from brandmelder.model import DeliveryState
from brandmelder.notify import delivery as life
from brandmelder.notify.inert import inert
from brandmelder.options import Secret, format_duration
from brandmelder.pipeline import staff
from brandmelder.store import audit, deliveries
from brandmelder.web.catalogue import sentence
from brandmelder.web.pages.remarks import actor
from brandmelder.web.reader import form_of, only
from brandmelder.web.render import page

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request

    from brandmelder.model import Delivery
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

log = structlog.get_logger()

MOST: Final = 300
_STATES: Final = {
    DeliveryState.DEAD: sentence("No channel took it"),
    DeliveryState.UNCLEAR: sentence("Unclear, is looked for"),
    DeliveryState.DUE: sentence("Waiting"),
    DeliveryState.SENDING: sentence("Under way"),
}


# ---------------------------------------------------------------- deliveries


async def waiting(site: Site, request: Request, reader: Reader) -> Response:
    """Show what waits to be told and what no channel took."""
    found = await site.parts.database.look(_read_deliveries)
    names = site.parts.fallbacks.names
    lines = [
        {
            "key": one.key,
            "incident": one.incident,
            "state": reader.say(_STATES[one.state]),
            "is_dead": one.state is DeliveryState.DEAD,
            "may_go": one.state in {DeliveryState.DEAD, DeliveryState.DUE, DeliveryState.UNCLEAR},
            "channel": inert(names.get(one.channel, one.channel), 60),
            "since": reader.voice.moment(one.attempt_at or one.created_at),
            "attempts": reader.voice.number(one.attempts),
            "error": inert(one.last_error or "", 200),
        }
        for one in found
    ]
    came = request.query_params.get("came", "")
    said = {"retry": reader.say("It is tried again."), "discard": reader.say("It is put away."),
            "late": reader.say("Somebody was faster; this is how it stands.")}.get(came, "")  # fmt: skip
    return page(site, reader, "deliveries.html", lines=lines, said=said)


def _read_deliveries(connection: Connection) -> list[Delivery]:
    found = [one for state in _STATES for one in deliveries.in_state(connection, state)]
    order = list(_STATES)
    return sorted(found, key=lambda one: (order.index(one.state), one.created_at))[:MOST]


async def change(site: Site, request: Request, reader: Reader) -> Response:
    """Try a dead delivery again, or put one away."""
    fields = await form_of(request, reader)
    key, wish = only(fields, "key", 300), only(fields, "wish", 10)
    if wish not in {"retry", "discard"}:
        return page(site, reader, "error.html", status=400, code=400, path=request.url.path)
    came = await site.parts.database.run(_change, key, wish, reader)
    log.info("web.delivery", key=key, wish=wish, came=came)
    site.wake()
    return RedirectResponse(f"/deliveries?came={came}", 303)


def _change(connection: Connection, key: str, wish: str, reader: Reader) -> str:
    one = deliveries.find(connection, key)
    if one is None or (wish == "retry" and one.state is not DeliveryState.DEAD):
        return "late"
    try:
        after = life.retry(one, reader.now) if wish == "retry" else life.discard(one, reader.shown)
        staff.change_delivery(connection, after, actor(reader), reader.now, before=one.state)
    except (ValueError, Conflict):
        return "late"
    return wish


# ------------------------------------------------------- configuration, audit


async def configuration(site: Site, _request: Request, reader: Reader) -> Response:
    """Show the configuration as it was read; secrets stay where they are."""
    lines = list(_flat(site.settings, ""))
    return page(
        site, reader, "settings.html", lines=lines, file=str(site.settings.path), warnings=site.settings.warnings
    )


def _flat(value: Any, path: str) -> Any:
    """Yield every key with its value in words."""
    if isinstance(value, BaseModel):
        hidden = {"lines", "warnings", "path"} if not path else set()
        items = [(name, getattr(value, name)) for name in type(value).model_fields if name not in hidden]
    elif isinstance(value, dict):
        items = [(str(name), inner) for name, inner in value.items()]
    elif isinstance(value, msgspec.Struct):
        items = [(name, getattr(value, name)) for name in value.__struct_fields__]
    elif isinstance(value, (tuple, list)) and any(isinstance(one, (BaseModel, msgspec.Struct, dict)) for one in value):
        items = [(str(place), inner) for place, inner in enumerate(value)]
    else:
        yield path, _said(value)
        return
    for name, inner in items:
        yield from _flat(inner, f"{path}.{name}" if path else name)


def _said(value: Any) -> str:
    match value:
        case Secret() | None:
            said = "–" if value is None else "…"
        case bool():
            said = str(value).lower()
        case timedelta():
            said = format_duration(value)
        case datetime():
            said = value.isoformat(" ", "minutes")
        case tuple() | list() | frozenset() | set():
            said = ", ".join(_said(one) for one in value) or "–"
        case _:
            said = inert(str(value.value if isinstance(value, Enum) else value), 300)
    return said


async def who_did_what(site: Site, _request: Request, reader: Reader) -> Response:
    """Show the audit, newest first; whether its chain is whole is told at the top."""
    found = await site.parts.database.look(audit.newest, MOST)
    held = await site.chain.found(site.parts.database, site.now)
    lines = [
        {
            "number": one.number,
            "at": reader.voice.moment(one.at),
            "actor": inert(one.actor, 60),
            "act": inert(one.act, 60),
            "subject": inert(one.subject, 80),
            "detail": inert(one.detail, 300),
        }
        for one in found
    ]
    return page(
        site,
        reader,
        "audit.html",
        lines=lines,
        whole=held.whole if held is not None else None,
        checked=reader.voice.clock(held.at) if held is not None else "",
    )
