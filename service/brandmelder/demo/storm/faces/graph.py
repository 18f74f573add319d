"""What Facebook's and Instagram's faces share: lists by opaque cursors, a limit's usage in per cent, faults by code.

https://developers.facebook.com/docs/graph-api/results, .../overview/rate-limiting, .../guides/error-handling
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from brandmelder.demo.storm.wire import Said, said

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.demo.storm.wire import Question, Wall

TOKEN: Final = "token"  # noqa: S105 - of a server that plays
HOURLY: Final = 600
"""How many calls an hour are a hundred per cent."""
_VERSION: Final = re.compile(r"v\d+\.\d+")
Row = tuple[tuple[int, int], Mapping[str, Any]]
"""Where an entry stands (time, number), and what it says."""


def metered(answer: Said, wall: Wall, business: str, limit: int) -> Said:
    """Add what has been used of the hour's limit, as Graph does to every answer."""
    share = min(100, calls(wall) * 100 // limit)
    usage = {"call_count": share, "total_cputime": share // 2, "total_time": share // 3}
    regain = 60 - wall.now.minute if share >= 100 else 0
    by_case = {business: [{"type": "pages", **usage, "estimated_time_to_regain_access": regain}]}
    headers = {
        "x-app-usage": json.dumps({"call_count": share // 4, "total_cputime": 0, "total_time": 0}),
        "x-business-use-case-usage": json.dumps(by_case),
        "facebook-api-version": "v26.0",
    }
    return replace(answer, headers={**answer.headers, **headers})


def charge(wall: Wall) -> None:
    """Write down a call in its hour; Graph costs nothing."""
    wall.bill.charge(_hour(wall.now), 1, 0.0)


def calls(wall: Wall) -> int:
    """Return how many calls this hour has seen."""
    return wall.bill.units[_hour(wall.now)]


def _hour(now: datetime) -> str:
    return f"calls {now:%Y-%m-%d %H}h"


def fault(code: int, message: str, *, status: int = 400, subcode: int = 0) -> Said:
    """Refuse."""
    told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Astorm"}
    return said({"error": told | ({"error_subcode": subcode} if subcode else {})}, status)


def missing(ident: str) -> Said:
    """Refuse to show what is not there."""
    return fault(100, f"Unsupported get request. Object with ID '{ident}' does not exist", subcode=33)


def listed(rows: Sequence[Row], asked: Question, url: str, *, most: int) -> Said:
    """Return a page of rows, which stand newest first; its cursors name entries, so that a deletion shifts nothing."""
    size = int(asked.query.get("limit", "25"))
    if size > most:
        return fault(100, f"(#100) limit may be at most {most}")
    try:
        place = _read(asked.query["after"]) if asked.query.get("after") else None
    except ValueError:
        return fault(100, "(#100) The parameter after is no cursor")
    rest = [row for row in rows if place is None or row[0] < place]
    page = rest[:size]
    told: dict[str, Any] = {"data": [said_by for _, said_by in page]}
    if page:
        after = _cursor(page[-1][0])
        told["paging"] = {"cursors": {"before": _cursor(page[0][0]), "after": after}}
        if len(page) < len(rest):
            told["paging"]["next"] = f"{url}{asked.path}?access_token={TOKEN}&limit={size}&after={after}"
    return said(told)


def steps(asked: Question) -> list[str]:
    """Return what is asked for, step by step, without the version that the path begins with."""
    found = asked.path.strip("/").split("/")
    return found[1:] if _VERSION.fullmatch(found[0]) else found


def fields(asked: Question) -> dict[str, str]:
    """Return the fields that are asked for, each with what is asked of it, as in `comments.limit(0){id}`."""
    found: dict[str, str] = {}
    depth, name = 0, ""
    for letter in asked.query.get("fields", "") + ",":
        depth += (letter in "({") - (letter in ")}")
        if letter == "," and not depth:
            cut = min((at for at in (name.find("."), name.find("{")) if at >= 0), default=len(name))
            found[name[:cut]] = name[cut:]
            name = ""
        else:
            name += letter
    return found


def chosen(told: Mapping[str, Any], asked: Question) -> dict[str, Any]:
    """Return only what was asked for, and the id, which always comes."""
    wanted = fields(asked)
    return {name: value for name, value in told.items() if name in wanted or name == "id"}


def stamp(at: datetime) -> str:
    """Return a time as Graph writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}+0000"


def _cursor(place: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode()


def _read(cursor: str) -> tuple[int, int]:
    try:
        moment, _, number = base64.urlsafe_b64decode(cursor).decode().partition(".")
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(cursor) from error
    return int(moment), int(number)
