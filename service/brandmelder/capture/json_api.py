"""How an answer in JSON is read: typed at the edge, unknown fields ignored, anything else a clear refusal.

Services cut texts in the middle of an emoji, and name nobody where an account is gone: that is mended, for one post
must not hide all others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from brandmelder.errors import ShapeChanged

if TYPE_CHECKING:
    from brandmelder.capture.source import Answer
    from brandmelder.model import SourceId

T = TypeVar("T")

_ESCAPED: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""One escape in JSON: two halves that belong together, a half without the other, or any other."""


def read_json(answer: Answer, shape: type[T], *, source: SourceId, service: str) -> T:
    """Return the answer's body as `shape`.

    Raises ShapeChanged for HTML, plain text (some services tell errors so, with status 200) and JSON of another shape.
    """
    if "json" not in answer.content_type:
        named = answer.content_type.partition(";")[0] or "an unnamed document"
        what = "HTML" if "html" in named else named
        raise ShapeChanged(f"answered {what} instead of JSON; is this {service}?").about(source)
    try:
        return decoded(answer.body, shape, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ShapeChanged(f"answered JSON of another shape ({error}); is this {service}?").about(source) from error


def decoded(body: bytes, shape: type[T], *, strict: bool = True) -> T:
    """Return JSON as `shape`; half a character (RFC 8259, 8.2) becomes U+FFFD, null is as good as nothing.

    Raises msgspec's errors, UnicodeDecodeError and RecursionError for what cannot be read even so.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(body, type=shape, strict=strict)
    except msgspec.ValidationError as error:
        return _without_null(body, shape, error, strict=strict)
    except (msgspec.DecodeError, UnicodeDecodeError):
        whole = mended(body)
    try:
        return msgspec.json.decode(whole, type=shape, strict=strict)
    except msgspec.ValidationError as error:
        return _without_null(whole, shape, error, strict=strict)


def mended(body: bytes) -> bytes:
    """Return JSON in which each half of a character is U+FFFD."""
    return _ESCAPED.sub(_whole, body.decode("utf-8", "replace").encode())


def _without_null(body: bytes, shape: type[T], error: msgspec.ValidationError, *, strict: bool) -> T:
    """Read on without what is null: an account that is gone has no name. Raises `error` if that was not it."""
    try:
        return msgspec.convert(_pruned(msgspec.json.decode(body)), shape, strict=strict)
    except msgspec.MsgspecError:
        raise error from None


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(one) for name, one in value.items() if one is not None}
    return [_pruned(one) for one in value if one is not None] if isinstance(value, list) else value


def _whole(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape["half"] is None else rb"\ufffd"
