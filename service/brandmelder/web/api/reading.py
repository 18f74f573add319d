"""A request becomes typed values, or a problem that says which part of it says nothing we understand."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from brandmelder.web.api.operation import MOST_BODY
from brandmelder.web.api.problems import Refused, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from brandmelder.web.api.operation import Operation

_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;\s*charset=\"?utf-8\"?\s*)?", re.IGNORECASE)
_AT: Final = re.compile(r" - at `(?P<where>[^`]+)`$")


async def raw_body(request: Request) -> bytes:
    """Return the body. Raises Refused for one that is too large, before it is read to its end."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and len(told) < 20 and int(told) > MOST_BODY:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise _too_large()
    return bytes(body)


def _too_large() -> Refused:
    text = f"the body holds more than {MOST_BODY} bytes; send it in several requests"
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", text, where="body")


def read_body(operation: Operation, body: bytes, content_type: str) -> Any:
    """Return the body as the operation wants it. Raises Refused."""
    if operation.body is None:
        return None
    if not _JSON.fullmatch(content_type.strip()):
        text = f"is {content_type[:60]!r}; send application/json in UTF-8"
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "no-json", text, where="header content-type")
    try:
        return msgspec.json.decode(body, type=operation.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _said(error, "body") from error


def read_query(operation: Operation, pairs: list[tuple[str, str]]) -> Any:
    """Return the query as the operation wants it. Raises Refused."""
    known = set(operation.query.__struct_fields__)
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            allowed = ", ".join(sorted(known)) or "none"
            raise unreadable(f"query {name[:60]}", f"is not known here; known are: {allowed}")
        if name in given:
            raise unreadable(f"query {name}", "stands twice; give it once")
        given[name] = value
    try:
        return msgspec.convert(given, operation.query, strict=False)
    except msgspec.ValidationError as error:
        raise _said(error, "query") from error


def read_path(operation: Operation, path: Mapping[str, str]) -> None:
    """Check the parts of the address. Raises Refused."""
    for name, wanted in operation.path_types.items():
        try:
            msgspec.convert(path[name], wanted, strict=False)
        except msgspec.ValidationError as error:
            raise _said(error, f"path {name}") from error


def _said(error: Exception, part: str) -> Refused:
    """Say what msgspec found, with the place it names."""
    text = str(error) or "cannot be read"
    found = _AT.search(text)
    where = f"{part} {found['where']}" if found else part
    said = text[: found.start()] if found else text
    return unreadable(where, f"{said[:1].lower()}{said[1:400]}")
