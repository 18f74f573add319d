"""Key mention: one post is enough, since a large account wrote it or a word stands in it that staff have named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Finding, MentionId, Spike, SpikeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW = timedelta(hours=1)
"""So long a key mention keeps its incident burning."""
FORGOTTEN = timedelta(hours=24)
"""One that comes to light so late is no news."""
_MOST = 200


class Hit(Struct, frozen=True, array_like=True):
    """A key mention, and the rule it met: `reach`, `word:…` or `author:…`."""

    mention: int
    at: int
    """Seconds of the epoch at which it came to light."""
    published_at: int
    why: str
    reach: int = 0


def remember(hits: Sequence[Hit], fresh: Sequence[Hit], *, now: datetime) -> tuple[Hit, ...]:
    """Return the hits of the last hour, oldest first; of older ones the newest, so that its name is not lost."""
    since = round((now - WINDOW).timestamp())
    known = {one.mention for one in hits}
    every = (*hits, *(one for one in fresh if one.mention not in known))
    return tuple(one for one in every if one.at > since)[-_MOST:] or every[-1:]


def judge(hits: Sequence[Hit], fresh: Sequence[Hit], *, start: datetime, now: datetime) -> Finding:
    """Say what the key mentions of the last hour are; only a `fresh` one pages. `start` is the bin looked at."""
    recent = [one for one in hits if one.at > round((now - WINDOW).timestamp())]
    widest = max(fresh or recent or hits, key=lambda one: (one.reach, one.mention), default=None)
    begin = now - WINDOW
    if widest is not None:
        begin = min(begin, datetime.fromtimestamp(widest.published_at, UTC))
    spike = Spike(
        kind=SpikeKind.KEY_MENTION,
        since=begin,
        until=now,
        window=WINDOW,
        observed=len(recent),
        usual_low=0,
        usual_high=0,
        expected=0.0,
        score=0.0,
        whole=widest.reach if widest else 0,
        subject=widest.why if widest else "",
        mention=MentionId(widest.mention) if widest else None,
    )
    return Finding(start=start, spike=spike, pages=bool(fresh), is_high=bool(recent))
