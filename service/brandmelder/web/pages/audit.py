"""Who did what, newest first, in words; whether the chain is whole is told at the top."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.model import Act
from brandmelder.notify.inert import inert
from brandmelder.store import audit
from brandmelder.web.catalogue import sentence
from brandmelder.web.render import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.store.audit import Entry
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

MOST: Final = 300
ACTS: Final = {
    "audit.export": sentence("Audit exported"),
    "audit.forget": sentence("Audit: oldest rows deleted"),
    "configuration.load": sentence("Configuration read"),
    "database.restore": sentence("Backup restored"),
    "delivery.change": sentence("Delivery changed"),
    "duty.override": sentence("Stand-in on call"),
    "duty.withdraw": sentence("Stand-in withdrawn"),
    "export.table": sentence("Table exported"),
    "label.set": sentence("Verdict corrected"),
    "label.take_back": sentence("Correction taken back"),
    "marked.add": sentence("Period marked as not normal"),
    "marked.remove": sentence("Mark taken away"),
    "member.add": sentence("Account made"),
    "member.factor": sentence("Second factor set up"),
    "member.no_factor": sentence("Second factor removed"),
    "member.password": sentence("Password changed"),
    "member.remove": sentence("Account removed"),
    "member.role": sentence("Role changed"),
    "member.sign_out": sentence("Signed out everywhere"),
    "note.add": sentence("Note"),
    "page.sign_in": sentence("Sign-in"),
    "privacy.erase": sentence("Person erased"),
    "privacy.export": sentence("Person's data exported"),
    "privacy.key": sentence("Key of the pseudonyms replaced"),
    "rest.read": sentence("Rest times read"),
    "silence.add": sentence("Silence begun"),
    "silence.end": sentence("Silence ended"),
    "token.add": sentence("Token for the API made"),
    "token.revoke": sentence("Token for the API revoked"),
    "webhook.add": sentence("Webhook made"),
    "webhook.remove": sentence("Webhook removed"),
    "webhook.rotate": sentence("Webhook's secret renewed"),
    f"incident.{Act.ACKNOWLEDGE}": sentence("Incident acknowledged"),
    f"incident.{Act.HAND_OVER}": sentence("Incident handed over"),
    f"incident.{Act.SNOOZE}": sentence("Incident muted"),
    f"incident.{Act.RESOLVE}": sentence("Incident resolved"),
    f"incident.{Act.DISMISS}": sentence("Not a crisis"),
    f"incident.{Act.UNDO}": sentence("“Not a crisis” taken back"),
    f"incident.{Act.REOPEN}": sentence("Incident reopened"),
}
"""What an act is called; one that is not here is shown by its own name."""
KEYS: Final = {
    "after": sentence("after"),
    "before": sentence("before"),
    "count": sentence("number"),
    "ended": sentence("sessions ended"),
    "label": sentence("verdict"),
    "login": sentence("signed in as"),
    "other": sentence("to"),
    "person": sentence("person"),
    "reason": sentence("reason"),
    "role": sentence("role"),
    "since": sentence("from"),
    "until": sentence("until"),
    "via": sentence("by way of"),
    "what": sentence("what"),
}


class Line(Struct, frozen=True, kw_only=True):
    """One row of the audit."""

    number: str
    at: str
    actor: str
    act: str
    code: str
    subject: str
    details: tuple[tuple[str, str], ...]


async def who_did_what(site: Site, _request: Request, reader: Reader) -> Response:
    """Show the audit, newest first; whether its chain is whole is told at the top."""
    found = await site.parts.database.look(audit.newest, MOST)
    held = await site.chain.found(site.parts.database, site.now)
    lines = [_line(one, reader) for one in found]
    return page(
        site,
        reader,
        "audit.html",
        lines=lines,
        whole=held.whole if held is not None else None,
        checked=reader.voice.clock(held.at) if held is not None else "",
    )


def _line(one: Entry, reader: Reader) -> Line:
    return Line(
        number=reader.voice.number(one.number),
        at=reader.voice.moment(one.at),
        actor=inert(one.actor, 60),
        act=reader.say(ACTS[one.act]) if one.act in ACTS else inert(one.act, 60),
        code=inert(one.act, 60),
        subject=inert(one.subject, 80),
        details=details_of(one.detail, reader),
    )


def details_of(detail: str, reader: Reader) -> tuple[tuple[str, str], ...]:
    """Return what a row says more, as names and values; moments in the reader's zone."""
    try:
        said = json.loads(detail) if detail else {}
    except ValueError:
        said = {"": detail}
    if not isinstance(said, dict):
        said = {"": said}
    return tuple(
        (reader.say(KEYS[name]) if name in KEYS else inert(str(name), 40), _value(value, reader))
        for name, value in said.items()
    )


def _value(value: object, reader: Reader) -> str:
    if isinstance(value, list):
        return inert(", ".join(str(one) for one in value), 300)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) > len("2026-12-15") else None
    except ValueError:
        moment = None
    return reader.voice.moment(moment) if moment is not None and moment.tzinfo else inert(str(value), 300)
