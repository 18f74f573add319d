"""A request becomes typed values, or a problem that says which part of it says nothing we understand."""

from __future__ import annotations

import re
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, get_type_hints

import msgspec
from starlette.requests import ClientDisconnect

from brandmelder.web.api.operation import MOST_BODY
from brandmelder.web.api.problems import Refused, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from brandmelder.web.api.operation import Operation

_ONE_TAG: Final = r'(W/)?"?[0-9]{1,9}(-[0-9a-f]{8})?"?'
_TAGS: Final = rf"^(\*|{_ONE_TAG}( *, *{_ONE_TAG}){{0,9}})$"
_KEY: Final = "^[!-~]{1,256}$"
_READ: Final = {"if-match": _TAGS, "if-none-match": _TAGS, "idempotency-key": _KEY}
_TAG: Final = '^"?[0-9]{1,9}(-[0-9a-f]{8})?"?$'
HEADERS: Final = {"if-match": _TAG, "if-none-match": _TAG, "idempotency-key": _KEY}
"""What the headers hold that some operations know; lists and weak tags, as HTTP allows them, are read as well.

Some programs take the quotes for JSON and send what stands between them.
"""
_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;\s*charset=\"?utf-8\"?\s*)?", re.IGNORECASE)
_AT: Final = re.compile(r" - at `(?P<where>[^`]+)`$")


async def raw_body(request: Request) -> bytes:
    """Return the body. Raises Refused for one that is too large, before it is read to its end."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and len(told) < 20 and int(told) > MOST_BODY:
        raise _too_large()
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BODY:
                raise _too_large()
    except ClientDisconnect as error:
        raise unreadable("body", "broke off") from error
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
    except msgspec.ValidationError as error:
        # To JSON 60.0 is a whole number as 60 is; some programs write it so.
        return _converted(_loosely(body, error), operation.body, "body")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _said(error, "body") from error


def _loosely(body: bytes, error: msgspec.ValidationError) -> Any:
    """Return whatever a body holds, with whole numbers; one that breaks off behind its error has that error."""
    try:
        return _whole(msgspec.json.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _said(error, "body") from error


def _whole(value: Any) -> Any:
    """Return a value whose whole numbers are whole numbers."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(one) for one in value]
        case dict():
            return {name: _whole(one) for name, one in value.items()}
        case _:
            return value


def _converted(value: Any, wanted: Any, where: str, *, strict: bool = True) -> Any:
    try:
        return msgspec.convert(value, wanted, strict=strict)
    except msgspec.ValidationError as error:
        raise _said(error, where) from error


def read_query(operation: Operation, pairs: list[tuple[str, str]]) -> Any:
    """Return the query as the operation wants it. Raises Refused."""
    known = _fields(operation.query)
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name not in known:
            allowed = ", ".join(sorted(known)) or "none"
            raise unreadable(f"query {name[:60]}", f"is not known here; known are: {allowed}")
        if name in given:
            raise unreadable(f"query {name}", "stands twice; give it once")
        # A number written out is a number, but no moment.
        wanted, is_moment = known[name]
        where = f"query {name}"
        given[name] = _converted(value, wanted, where, strict=is_moment)
        if given[name] is None:  # the word null is a word where words are taken, and nothing anywhere else
            given[name] = _converted(value, wanted, where)
    for one in msgspec.structs.fields(operation.query):
        if one.required and one.name not in given:
            raise unreadable(f"query {one.name}", "is needed here")
    return operation.query(**given)


@lru_cache
def _fields(query: type[msgspec.Struct]) -> dict[str, tuple[Any, bool]]:
    """Return what each parameter holds, and whether it is a moment."""
    hints = get_type_hints(query, include_extras=True)
    return {name: (wanted, "datetime" in repr(wanted)) for name, wanted in hints.items()}


def read_headers(operation: Operation, headers: Mapping[str, str]) -> None:
    """Check the headers that the operation knows. Raises Refused."""
    for name in operation.headers:
        value = headers.get(name)
        if value is not None and not re.fullmatch(_READ[name], value):
            raise unreadable(f"header {name}", f"cannot be read; what it holds fits {HEADERS[name]}")


def read_path(operation: Operation, path: Mapping[str, str]) -> None:
    """Check the parts of the address. Raises Refused."""
    for name, wanted in operation.path_types.items():
        _converted(path[name], wanted, f"path {name}", strict=False)


def _said(error: Exception, part: str) -> Refused:
    """Say what msgspec found, with the place it names."""
    text = str(error) or "cannot be read"
    found = _AT.search(text)
    where = f"{part} {found['where']}" if found else part
    said = text[: found.start()] if found else text
    return unreadable(where, f"{said[:1].lower()}{said[1:400]}")
