"""Several lists of one place (tags, pages, forums), each read backwards on a trail of its own, in one cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.capture.backward import ANCHORS, Bounds, Page, Trail, turn_page
from brandmelder.capture.source import Poll
from brandmelder.errors import RateLimited, SourceError
from brandmelder.model import Cursor, Extent, SourceId

PAGES: Final = 8
"""How many pages one poll reads at most."""
_MENTIONS: Final = 800
"""When no further page is asked for in the same poll."""

Ask = Callable[[str, str, datetime], Awaitable[Page]]
"""Return one page of a list: its name, where to go on (empty at the head), now."""


class Trails(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds; changed while a poll goes on."""

    v: int = 1
    lists: dict[str, Trail] = {}
    left: tuple[str, ...] = ()
    """The lists that the running round has not come to the end of."""


class Lists(Struct, frozen=True, kw_only=True):
    """What is read: which lists, how, and how far."""

    source: SourceId
    names: Sequence[str]
    ask: Ask
    bounds: Bounds


async def poll_lists(lists: Lists, cursor: Cursor | None, now: datetime) -> Poll:
    """Read on in each list until all have been read to what is known; a page that fails keeps what was read before."""
    names, bounds = lists.names, lists.bounds
    trails = _recall(cursor, names, now)
    bounds = replace(bounds, anchors=max(4, min(bounds.anchors, ANCHORS // len(names))))
    polls: list[Poll] = []
    stopped: SourceError | None = None
    while trails.left and len(polls) < PAGES and sum(len(poll.mentions) for poll in polls) < _MENTIONS:
        name = trails.left[0]
        trail = trails.lists[name]
        try:
            page = await lists.ask(name, trail.page, now)
        except SourceError as error:
            if not polls:
                raise
            stopped = error
            break
        poll = turn_page(trail, page, source=lists.source, now=now, bounds=bounds)
        trails.lists[name] = msgspec.json.decode(poll.cursor or "", type=Trail)
        polls.append(poll)
        if not poll.more:
            trails.left = trails.left[1:]
    return _together(trails, polls, stopped)


def _recall(cursor: Cursor | None, names: Sequence[str], now: datetime) -> Trails:
    try:
        trails = msgspec.json.decode(cursor, type=Trails) if cursor else Trails()
    except msgspec.MsgspecError:
        trails = Trails()
    first = now.replace(microsecond=0)
    trails.lists = {name: trails.lists.get(name) or Trail(place=name, first=first) for name in names}
    trails.left = tuple(name for name in trails.left if name in trails.lists) or tuple(names)
    return trails


def _together(trails: Trails, polls: Sequence[Poll], stopped: SourceError | None) -> Poll:
    is_whole = not trails.left
    walked = [trail.walked for trail in trails.lists.values() if trail.walked is not None]
    mentions = {one.external_id: one for poll in polls for one in poll.mentions}
    gaps = [poll.gap for poll in polls if poll.gap is not None]
    expected = [poll.extent.expected for poll in polls if poll.extent is not None]
    known = [count for count in expected if count is not None]
    return Poll(
        mentions=tuple(mentions.values()),
        readings=tuple(one for poll in polls for one in poll.readings),
        removals=tuple(one for poll in polls for one in poll.removals),
        cursor=Cursor(msgspec.json.encode(trails).decode()),
        read_until=min(walked) if is_whole and len(walked) == len(trails.lists) else None,
        gap=max(gaps, key=lambda gap: gap.until - gap.since, default=None),
        extent=Extent(read=len(mentions), expected=sum(known) if known else None),
        more=not is_whole and stopped is None,
        not_before=stopped.until if isinstance(stopped, RateLimited) else None,
        degraded=str(stopped or next((gap.reason for gap in gaps), "")),
    )
