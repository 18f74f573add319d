"""Where a list goes on: opaque to whoever keeps it, a moment and an id to us."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

import msgspec

from brandmelder.web.api.problems import Refused, unreadable


def cursor(at: datetime, ident: str | int) -> str:
    """Return the place behind one item."""
    packed = msgspec.json.encode([int(at.timestamp()), ident])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def place_of(text: str | None) -> tuple[datetime, str | int] | None:
    """Return the place that a cursor names. Raises Refused for one that we did not give."""
    if text is None:
        return None
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        seconds, ident = msgspec.json.decode(packed, type=tuple[int, str | int])
        return datetime.fromtimestamp(seconds, UTC), ident
    except (ValueError, OverflowError, OSError, binascii.Error, msgspec.MsgspecError) as error:
        raise _foreign() from error


def _foreign() -> Refused:
    return unreadable("query after", "is no place of ours; pass on `next` of the page before as it came")
