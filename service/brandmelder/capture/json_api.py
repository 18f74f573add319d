"""How an answer in JSON is read: typed at the edge, unknown fields ignored, anything else a clear refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from brandmelder.errors import ShapeChanged

if TYPE_CHECKING:
    from brandmelder.capture.source import Answer
    from brandmelder.model import SourceId

T = TypeVar("T")


def read_json(answer: Answer, shape: type[T], *, source: SourceId, service: str) -> T:
    """Return the answer's body as `shape`.

    Raises ShapeChanged for HTML, plain text (some services tell errors so, with status 200) and JSON of another shape.
    """
    if "json" not in answer.content_type:
        named = answer.content_type.partition(";")[0] or "an unnamed document"
        what = "HTML" if "html" in named else named
        raise ShapeChanged(f"answered {what} instead of JSON; is this {service}?").about(source)
    try:
        return msgspec.json.decode(answer.body.removeprefix(b"\xef\xbb\xbf"), type=shape, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ShapeChanged(f"answered JSON of another shape ({error}); is this {service}?").about(source) from error
