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
from brandmelder.errors import RateLimited, SourceError, Transient
from brandmelder.model import Cursor, Extent, SourceId

PAGES: Final = 8
"""How many pages one poll reads at most."""
MUTE: Final = 3
"""So many lists that do not answer end a poll: it is the service, and each of them costs a deadline."""
REFUSED: Final = 10
"""So many lists that cannot be read, and none that can, end it, too: a revoked token need not ask for them all."""
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
    failed: tuple[str, ...] = ()
    """Those that could not be read in the last poll."""


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
    """Read on in each list until all have been read to what is known; a page that fails keeps what was read before.

    A list that fails is told and passed over for this round, its trail kept, and the others are read. Raises what was
    said where none could be, and goes no further where a service asks to wait or several in a row do not answer.
    """
    trails = _recall(cursor, lists, now)
    bounds = lists.bounds
    bounds = replace(bounds, anchors=max(4, min(bounds.anchors, ANCHORS // max(1, len(trails.lists)))))
    polls: list[Poll] = []
    found, failures = dict(trails.lists), _Failures()
    while trails.left and len(polls) < PAGES and sum(len(poll.mentions) for poll in polls) < _MENTIONS:
        name = trails.left[0]
        trail = trails.lists[name]
        try:
            page = await lists.ask(name, trail.page, now)
        except SourceError as error:
            # Places are forgotten by their services, some within hours: whoever insisted would never read on.
            if name not in failures.lost and trail == found[name] and is_lost(error, trail):
                failures.lost[name], trails.lists[name] = error, anew(trail)
                continue
            failures.note(name, error)
            if failures.are_enough(error, has_read=bool(polls)):
                break
            trails.left = trails.left[1:]
            continue
        poll = turn_page(trail, page, source=lists.source, now=now, bounds=bounds)
        trails.lists[name] = msgspec.json.decode(poll.cursor or "", type=Trail)
        polls.append(poll)
        if not poll.more:
            trails.left = trails.left[1:]
    if not polls and failures.first is not None:
        raise failures.first
    return _together(trails, polls, failures)


class _Failures:
    """What failed in one poll, list by list."""

    def __init__(self) -> None:
        self.lost: dict[str, SourceError] = {}
        """Lists whose walk has begun anew, once a poll, so that nobody is asked in circles; and what was said there."""
        self.found: dict[str, SourceError] = {}
        self.stopped: SourceError | None = None
        """What ended the poll before its time."""

    def note(self, name: str, error: SourceError) -> None:
        self.found[name] = error

    def are_enough(self, error: SourceError, *, has_read: bool) -> bool:
        """Whether nobody else is asked in this poll; then the list that was asked is asked first in the next."""
        mute = sum(isinstance(one, Transient) for one in self.found.values())
        if isinstance(error, RateLimited) or mute >= MUTE or (len(self.found) >= REFUSED and not has_read):
            self.stopped = error
        return self.stopped is not None

    @property
    def first(self) -> SourceError | None:
        """What a poll that read nothing raises: what will pass by itself before what will not."""
        said = sorted(self.found.values(), key=_lasts)
        return self.stopped or next(iter(said), None)

    @property
    def lasting(self) -> frozenset[str]:
        """The lists that a person must look after; time goes on without them."""
        return frozenset(name for name, error in self.found.items() if _lasts(error))

    def told(self) -> str:
        """Return them in a line for a person."""
        names = list(self.found)
        if not names:
            return str(next(iter(self.lost.values()), ""))
        more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        return f"{names[0]!r}{more} cannot be read, the others are: {self.found[names[0]]}"


def _lasts(error: SourceError) -> bool:
    return not isinstance(error, RateLimited | Transient)


def _recall(cursor: Cursor | None, lists: Lists, now: datetime) -> Trails:
    try:
        trails = msgspec.json.decode(cursor, type=Trails) if cursor else Trails()
    except msgspec.MsgspecError:
        trails = Trails()
    first, known = lists.first or now.replace(microsecond=0), trails.lists
    trails.lists = {name: known[name] for name in lists.kept if name in known}
    trails.lists |= {name: known.get(name) or Trail(place=name, first=first) for name in lists.names}
    # What failed is asked last, behind what may be read on; when nothing else is left, a new round begins.
    sound = [name for name in lists.names if name not in trails.failed]
    trails.left = tuple(name for name in trails.left if name in lists.names and name not in trails.failed)
    trails.left = trails.left or (*sound, *(name for name in lists.names if name in trails.failed))
    return trails


def _together(trails: Trails, polls: Sequence[Poll], failures: _Failures) -> Poll:
    lasting = failures.lasting
    trails.failed = tuple(name for name in failures.found if name not in trails.left)
    is_whole = not trails.left and lasting.issuperset(trails.failed)
    walked = [trail.walked for name, trail in trails.lists.items() if name not in lasting]
    known = [moment for moment in walked if moment is not None]
    joined = join(
        polls,
        cursor=Cursor(msgspec.json.encode(trails).decode()),
        read_until=min(known) if is_whole and known and len(known) == len(walked) else None,
    )
    stopped = failures.stopped
    return replace(
        joined,
        more=bool(trails.left) and stopped is None,
        not_before=stopped.until if isinstance(stopped, RateLimited) else None,
        degraded=failures.told() or joined.degraded,
    )


def unread(cursor: str) -> tuple[str, ...]:
    """Return the lists that the round of this cursor has not come to the end of; what failed is not waited for."""
    try:
        return msgspec.json.decode(cursor, type=Trails).left if cursor else ()
    except msgspec.MsgspecError:
        return ()


def batch_of(waiting: Sequence[str], cursor: str, size: int) -> list[str]:
    """Return which of the lists that wait are read now: those of the round that has begun, else the next `size`."""
    begun = set(unread(cursor))
    return [name for name in waiting if name in begun] or list(waiting[:size])


def still_waiting(waiting: Sequence[str], batch: Sequence[str], cursor: str) -> list[str]:
    """Return which lists wait after a batch was read: where a poll was stopped, its list and those after it do."""
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
