"""Which parameters WordPress takes for its comments, and the words it refuses others with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

Query = Mapping[str, str]
"""Parameters by name, in the order they came; `name[]=1&name[]=2` arrives as `name: "1,2"`."""


class Refusal(Struct, frozen=True, kw_only=True):
    """A refusal as WordPress words it: status, code, message, and what stands beside the status in `data`."""

    status: int
    code: str
    message: str
    data: dict[str, Any] = {}
    is_allowed: bool = False
    """Whether the reader may ask at all, so that the answer names the methods allowed."""


LISTS = frozenset({"include", "exclude", "post", "parent"})
"""Parameters that hold several numbers."""

_ORDERS = ("date", "date_gmt", "id", "include", "post", "parent", "type")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}(?::\d{2})?)?")
_INTEGER = re.compile(r"[+-]?\d{1,18}")

Fault = tuple[str, str, dict[str, str] | None]
"""Message, code and the data of its details."""


def _integer(name: str, value: str) -> Fault | None:
    if _INTEGER.fullmatch(value):
        return None
    return f"{name} is not of type integer.", "rest_invalid_type", {"param": name}


def _page(name: str, value: str) -> Fault | None:
    fault = _integer(name, value)
    if fault is None and int(value) < 1:
        return f"{name} must be greater than or equal to 1", "rest_out_of_bounds", None
    return fault


def _page_size(name: str, value: str) -> Fault | None:
    fault = _integer(name, value)
    if fault is None and not 1 <= int(value) <= 100:
        return f"{name} must be between 1 (inclusive) and 100 (inclusive)", "rest_out_of_bounds", None
    return fault


def _integers(name: str, value: str) -> Fault | None:
    faults = (_integer(f"{name}[{place}]", each) for place, each in enumerate(listed(value)))
    return next((fault for fault in faults if fault is not None), None)


def _date(_: str, value: str) -> Fault | None:
    if _ISO.fullmatch(value) and moment(value, ZoneInfo("UTC")) is not None:
        return None
    return "Invalid date.", "rest_invalid_date", None


def _one_of(*allowed: str) -> Callable[[str, str], Fault | None]:
    words = " and ".join(allowed) if len(allowed) == 2 else ", ".join(allowed[:-1]) + f", and {allowed[-1]}"

    def check(name: str, value: str) -> Fault | None:
        return None if value in allowed else (f"{name} is not one of {words}.", "rest_not_in_enum", None)

    return check


# WordPress looks at the first group, and at the second only when the first is clean.
_CHECKS: tuple[dict[str, Callable[[str, str], Fault | None]], ...] = (
    {"page": _page, "per_page": _page_size, "context": _one_of("view", "embed", "edit")},
    {
        "after": _date,
        "before": _date,
        "order": _one_of("asc", "desc"),
        "orderby": _one_of(*_ORDERS),
        **dict.fromkeys(LISTS, _integers),
        "offset": _integer,
    },
)


def refusal(query: Query) -> Refusal | None:
    """Return why an anonymous reader does not get an answer to `query`, or None."""
    forbidden = _forbidden(query)
    invalid = _invalid(query)
    return forbidden if invalid is None else replace(invalid, is_allowed=forbidden is None)


def _invalid(query: Query) -> Refusal | None:
    for checks in _CHECKS:
        faults = {name: checks[name](name, value) for name, value in query.items() if name in checks}
        wrong = {name: fault for name, fault in faults.items() if fault is not None}
        if wrong:
            details = {
                name: {"code": code, "message": text, "data": extra} for name, (text, code, extra) in wrong.items()
            }
            params = {name: text for name, (text, _, _) in wrong.items()}
            message = f"Invalid parameter(s): {', '.join(wrong)}"
            data = {"params": params, "details": details}
            return Refusal(status=400, code="rest_invalid_param", message=message, data=data)
    return None


def _forbidden(query: Query) -> Refusal | None:
    if query.get("context") == "edit":
        message = "Sorry, you are not allowed to edit comments."
        return Refusal(status=401, code="rest_forbidden_context", message=message)
    closed = [name for name in ("author", "author_exclude", "author_email") if name in query]
    closed += ["type"] if query.get("type", "comment") != "comment" else []
    closed += ["status"] if query.get("status", "approve") != "approve" else []
    if not closed:
        return None
    message = f"Query parameter not permitted: {', '.join(closed)}"
    return Refusal(status=401, code="rest_forbidden_param", message=message)


def listed(value: str) -> list[str]:
    """Split `1,2 3` as WordPress does."""
    return [each for each in re.split(r"[\s,]+", value) if each]


def numbers(query: Query, name: str) -> list[int]:
    """Return the ids given under `name`; none if it is missing."""
    return [abs(int(each)) for each in listed(query.get(name, ""))]


def moment(value: str, zone: ZoneInfo) -> datetime | None:
    """Read a time as WordPress does: in whole seconds, and without a zone it is the site's own."""
    text = re.sub(r"([+-]\d{2})$", r"\1:00", value.upper().replace(" ", "T"))
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed.replace(microsecond=0, tzinfo=parsed.tzinfo or zone)
