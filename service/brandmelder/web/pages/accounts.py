"""The numbers of our accounts beside those of others, each with its line over eight weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from brandmelder.notify.inert import inert
from brandmelder.store import readings
from brandmelder.web.catalogue import sentence
from brandmelder.web.render import page

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.store.readings import Account
    from brandmelder.web.lines import Lines
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site

_METRICS: Final = {
    "followers": sentence("Followers"),
    "fans": sentence("Fans"),
    "posts": sentence("Posts"),
    "rating": sentence("Rating"),
    "reviews": sentence("Reviews"),
    "days_silent": sentence("Days silent"),
}


async def accounts(site: Site, _request: Request, reader: Reader) -> Response:
    """Show the numbers of our accounts beside those of others."""
    found = await site.parts.database.look(_read, site.lines, reader)
    return page(site, reader, "accounts.html", accounts=found)


def _read(connection: Connection, lines: Lines, reader: Reader) -> list[dict[str, Any]]:
    return [
        {
            "title": account.title,
            "source": account.source,
            "own": account.own,
            "numbers": [_number(connection, lines, account, metric, reader) for metric in account.latest],
        }
        for account in readings.accounts(connection)
    ]


def _number(connection: Connection, lines: Lines, account: Account, metric: str, reader: Reader) -> dict[str, Any]:
    value = account.latest[metric].value
    first, drawn = lines.of(connection, account, metric, now=reader.now)
    change = value - first
    return {
        "name": reader.say(_METRICS[metric]) if metric in _METRICS else inert(metric, 40),
        "value": _value(value, reader),
        "change": f"{'+' if change > 0 else '–'}{_value(abs(change), reader)}" if change else "",
        "line": drawn,
    }


def _value(value: float, reader: Reader) -> str:
    if value == round(value):
        return reader.voice.number(value)
    text = f"{value:.1f}"
    return text.replace(".", ",") if reader.language == "de" else text
