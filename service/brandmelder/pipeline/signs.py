"""What a good poll shows beside its mentions: what came in which hour, whose clock is wrong, when our access ends."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.store import intake
from brandmelder.store.intake import Intake, hour_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.capture.source import Poll
    from brandmelder.model import Mention, SourceId
    from brandmelder.store.sources import SourceRow

SKEWED = timedelta(minutes=5)
"""So far a server's clock may be from ours: from there on what it brings may count in the wrong bin."""
AGREES = timedelta(minutes=3)
"""A clock that was wrong is right again from here on."""


def with_signs(after: SourceRow, poll: Poll, offset: timedelta | None, now: datetime) -> SourceRow:
    """Return what is remembered of a source, with what its poll showed of its clock and of our access to it."""
    since = after.skewed_since
    if offset is not None and abs(offset) > SKEWED:
        since = since or now
    elif offset is None or abs(offset) <= AGREES:
        since = None
    return replace(
        after,
        clock_offset=offset,
        skewed_since=since,
        expires_at=poll.expires_at or after.expires_at,
    )


def write_intake(connection: Connection, source: SourceId, found: Sequence[Mention], new: int, now: datetime) -> None:
    """Keep in which hour how many new mentions came: a first contact's history when it was written, all else now."""
    history = [one.published_at for one in found if one.history]
    live = len(found) - len(history)
    came: list[Intake] = []
    if history and new == len(found):  # known ones among them would count twice: then the page teaches nothing
        hours, written = Counter(hour_of(at) for at in history), sorted(history)
        first = {hour_of(at): at for at in reversed(written)}
        last = {hour_of(at): at for at in written}
        came += [
            Intake(hour=hour, mentions=many, polls=1, first_at=first[hour], last_at=last[hour])
            for hour, many in hours.items()
        ]
    fresh = min(new, live) if not history or new == len(found) else 0
    ahead = sum("future_dated" in one.flags for one in found) if fresh else 0
    at = now if fresh else None
    came.append(Intake(hour=hour_of(now), mentions=fresh, ahead=min(ahead, fresh), polls=1, first_at=at, last_at=at))
    intake.add(connection, source, came)
