"""What waits to be told and what no channel took: tried again or put away here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from msgspec import Struct
from starlette.responses import RedirectResponse, Response

from brandmelder.errors import Conflict
from brandmelder.model import DeliveryKind, DeliveryState
from brandmelder.notify import delivery as life
from brandmelder.notify.inert import inert
from brandmelder.pipeline import staff
from brandmelder.store import deliveries
from brandmelder.web.catalogue import sentence
from brandmelder.web.pages.remarks import actor
from brandmelder.web.reader import form_of, only
from brandmelder.web.render import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection
    from starlette.requests import Request

    from brandmelder.model import Delivery
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

log = structlog.get_logger()

MOST: Final = 300
_STATES: Final = {
    DeliveryState.DEAD: sentence("Not delivered"),
    DeliveryState.UNCLEAR: sentence("Unclear, is looked for"),
    DeliveryState.DUE: sentence("Waiting"),
    DeliveryState.SENDING: sentence("Under way"),
}
_KINDS: Final = {
    DeliveryKind.OPEN: sentence("Alert"),
    DeliveryKind.UPDATE: sentence("News in the alert"),
    DeliveryKind.THREAD: sentence("Reply in its thread"),
    DeliveryKind.RESOLVE: sentence("End of the alert"),
    DeliveryKind.ESCALATE: sentence("Call"),
    DeliveryKind.NOTICE: sentence("Notice"),
    DeliveryKind.TEST: sentence("Trial"),
}
_OF_NO_INCIDENT: Final = frozenset({DeliveryKind.NOTICE, DeliveryKind.TEST})


class Line(Struct, frozen=True, kw_only=True):
    """One delivery as it is shown."""

    key: str
    state: str
    is_dead: bool
    may_go: bool
    kind: str
    incident: str
    """Whose it is; empty if it is about no single one."""
    channel: str
    tried: str
    error: str


async def waiting(site: Site, request: Request, reader: Reader) -> Response:
    """Show what waits to be told and what no channel took."""
    found = await site.parts.database.look(_read)
    came = request.query_params.get("came", "")
    said = {"retry": reader.say("It is tried again."), "discard": reader.say("It is put away."),
            "late": reader.say("Somebody was faster; this is how it stands.")}.get(came, "")  # fmt: skip
    return page(
        site, reader, "deliveries.html", lines=[_line(site, reader, one) for one in found], said=said,
        summed=_summed(found, reader),
    )  # fmt: skip


def _read(connection: Connection) -> list[Delivery]:
    found = [one for state in _STATES for one in deliveries.in_state(connection, state)]
    order = list(_STATES)
    return sorted(found, key=lambda one: (order.index(one.state), one.created_at))[:MOST]


def _line(site: Site, reader: Reader, one: Delivery) -> Line:
    voice = reader.voice
    tried = reader.say("since {moment}", moment=voice.moment(one.created_at))
    if one.attempts and one.attempt_at is not None:
        tried = reader.say_many(
            "{number} attempt, {moment}", "{number} attempts, last {moment}", one.attempts,
            moment=voice.moment(one.attempt_at),
        )  # fmt: skip
    return Line(
        key=one.key,
        state=reader.say(_STATES[one.state]),
        is_dead=one.state is DeliveryState.DEAD,
        may_go=one.state in {DeliveryState.DEAD, DeliveryState.DUE, DeliveryState.UNCLEAR},
        kind=reader.say(_KINDS[one.kind]),
        incident="" if one.kind in _OF_NO_INCIDENT else one.incident,
        channel=inert(site.parts.fallbacks.names.get(one.channel, one.channel), 60),
        tried=tried,
        error=inert(one.last_error or "", 200),
    )


def _summed(found: Sequence[Delivery], reader: Reader) -> tuple[str, str]:
    """Say how many no channel took (bold), and how many are on their way."""
    dead = sum(one.state is DeliveryState.DEAD for one in found)
    rest = len(found) - dead
    bold = reader.say_many("{number} not delivered.", "{number} not delivered.", dead) if dead else ""
    return bold, reader.say_many("{number} on its way.", "{number} on their way.", rest) if rest else ""


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
