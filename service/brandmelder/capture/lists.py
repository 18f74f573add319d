"""Several lists of one place (tags, pages, forums), each read backwards on a trail of its own, in one cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.capture.backward import ANCHORS, Bounds, Page, Trail, anew, is_lost, turn_page
from brandmelder.capture.source import Poll
from brandmelder.errors import RateLimited, SourceError
from brandmelder.model import Cursor, Extent, SourceId

PAGES: Final = 8
"""How many pages one poll reads at most."""
_MENTIONS: Final = 800
"""When no further page is asked for in the same poll."""
ROOM: Final = 100
"""With more mentions than that, a poll has no room for those of a second reading: a poll brings a thousand at most."""

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
    kept: Sequence[str] = ()
    """Further lists that are not read now and whose trails are kept."""
    first: datetime | None = None
    """The first contact that a new list's trail counts from; now, if none is named."""


async def poll_lists(lists: Lists, cursor: Cursor | None, now: datetime) -> Poll:
    """Read on in each list until all have been read to what is known; a page that fails keeps what was read before."""
    trails = _recall(cursor, lists, now)
    bounds = lists.bounds
    bounds = replace(bounds, anchors=max(4, min(bounds.anchors, ANCHORS // max(1, len(trails.lists)))))
    polls: list[Poll] = []
    stopped: SourceError | None = None
    lost: SourceError | None = None
    """What was said where a walk stood: it has begun anew, once a poll, so that nobody is asked in circles."""
    while trails.left and len(polls) < PAGES and sum(len(poll.mentions) for poll in polls) < _MENTIONS:
        name = trails.left[0]
        trail = trails.lists[name]
        try:
            page = await lists.ask(name, trail.page, now)
        except SourceError as error:
            # Places are forgotten by their services, some within hours: whoever insisted would never read on.
            if not polls and is_lost(error, trail):
                lost, trails.lists[name] = error, anew(trail)
                continue
            if not polls:
                raise
            stopped = error
            break
        poll = turn_page(trail, page, source=lists.source, now=now, bounds=bounds)
        trails.lists[name] = msgspec.json.decode(poll.cursor or "", type=Trail)
        polls.append(poll)
        if not poll.more:
            trails.left = trails.left[1:]
    return _together(trails, polls, stopped or lost)


def _recall(cursor: Cursor | None, lists: Lists, now: datetime) -> Trails:
    try:
        trails = msgspec.json.decode(cursor, type=Trails) if cursor else Trails()
    except msgspec.MsgspecError:
        trails = Trails()
    first, known = lists.first or now.replace(microsecond=0), trails.lists
    trails.lists = {name: known[name] for name in lists.kept if name in known}
    trails.lists |= {name: known.get(name) or Trail(place=name, first=first) for name in lists.names}
    trails.left = tuple(name for name in trails.left if name in lists.names) or tuple(lists.names)
    return trails


def _together(trails: Trails, polls: Sequence[Poll], stopped: SourceError | None) -> Poll:
    is_whole = not trails.left
    walked = [trail.walked for trail in trails.lists.values()]
    known = [moment for moment in walked if moment is not None]
    joined = join(
        polls,
        cursor=Cursor(msgspec.json.encode(trails).decode()),
        read_until=min(known) if is_whole and known and len(known) == len(walked) else None,
    )
    return replace(
        joined,
        more=not is_whole and stopped is None,
        not_before=stopped.until if isinstance(stopped, RateLimited) else None,
        degraded=str(stopped or joined.degraded),
    )


def unread(cursor: str) -> tuple[str, ...]:
    """Return the lists that the round of this cursor has not come to the end of, be it for a page that failed."""
    try:
        return msgspec.json.decode(cursor, type=Trails).left if cursor else ()
    except msgspec.MsgspecError:
        return ()


def batch_of(waiting: Sequence[str], cursor: str, size: int) -> list[str]:
    """Return which of the lists that wait are read now: those of the round that has begun, else the next `size`."""
    begun = set(unread(cursor))
    return [name for name in waiting if name in begun] or list(waiting[:size])


def still_waiting(waiting: Sequence[str], batch: Sequence[str], cursor: str) -> list[str]:
    """Return which lists wait after a batch was read: a page that failed leaves its list and those after it unread."""
    done = set(batch).difference(unread(cursor))
    return [name for name in waiting if name not in done]


def join(polls: Sequence[Poll], *, cursor: Cursor, read_until: datetime | None) -> Poll:
    """Return several answers of one source as one."""
    mentions = {one.external_id: one for poll in polls for one in poll.mentions}
    expected = [poll.extent.expected for poll in polls if poll.extent and poll.extent.expected is not None]
    return Poll(
        mentions=tuple(mentions.values()),
        readings=tuple(one for poll in polls for one in poll.readings),
        removals=tuple(one for poll in polls for one in poll.removals),
        cursor=cursor,
        read_until=read_until,
        gaps=tuple(dict.fromkeys(gap for poll in polls for gap in poll.gaps)),
        extent=Extent(read=len(mentions), expected=sum(expected) if expected else None),
        more=any(poll.more for poll in polls),
        not_before=max((poll.not_before for poll in polls if poll.not_before is not None), default=None),
        degraded=next((poll.degraded for poll in polls if poll.degraded), ""),
    )
