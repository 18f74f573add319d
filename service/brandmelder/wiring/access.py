"""When what lets us into a source ends, as far as the configuration shows: by a day written there, or by the token."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from brandmelder.capture.credentials import end_of
from brandmelder.options import Secret

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from brandmelder.options import SourceOptions


def access_ends(options: SourceOptions, zone: ZoneInfo) -> datetime | None:
    """Return the earliest end that is known; None where none is. A day ends when it begins: that is the safe side."""
    secrets = (value for name in type(options).model_fields if isinstance(value := getattr(options, name), Secret))
    ends = [end for one in secrets if (end := end_of(one.reveal())) is not None]
    if options.token_expires is not None:
        ends.append(datetime.combine(options.token_expires, time(), zone))
    return min(ends, default=None)
