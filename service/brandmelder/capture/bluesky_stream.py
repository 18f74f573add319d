"""Bluesky's stream as polls see it: what was sorted out becomes mentions, with who wrote them; gaps are searched for.

Deletions and edits come in the stream. When an account goes, its posts go that were met since the start; those met
before are found by the recheck, which asks for the posts of seven days.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.capture.bluesky_api import FEW, Profile, of_event, of_post
from brandmelder.capture.bluesky_gaps import MOST, Fill, fill_on, missing
from brandmelder.capture.jetstream import Deed, Event, micros, moment
from brandmelder.capture.lists import join
from brandmelder.capture.match import Matcher
from brandmelder.capture.normalise import clean_text
from brandmelder.capture.source import Poll
from brandmelder.capture.stream import OVERLAP, Missed, Place, Stream, Taken
from brandmelder.errors import SourceError
from brandmelder.model import Cursor, Gap, Mention, Removal, SourceId

if TYPE_CHECKING:
    from collections.abc import Callable

    from brandmelder.capture.bluesky_api import Bluesky
    from brandmelder.capture.source import Connect
    from brandmelder.options import SourceOptions

KNOWN: Final = 20_000
"""So many authors are remembered, with the posts of theirs that were met."""
BEHIND: Final = timedelta(minutes=5)
"""Who is further behind the present catches up, and says so."""
PATIENCE: Final = timedelta(minutes=5)
"""When somebody who does not say who wrote is asked again."""
_SECOND: Final = timedelta(seconds=1)
_POSTED: Final = frozenset({Deed.WRITTEN, Deed.CHANGED})
_AUTHORS: Final = frozenset({Deed.LEFT, Deed.RENAMED})


class Memory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the cursor holds."""

    v: int = 1
    first: datetime
    """The first contact: what was written before is history."""
    place: Place
    serial: int = 0
    """So that no two cursors are alike."""
    fills: tuple[Fill, ...] = ()


class Wishes(Struct, frozen=True, kw_only=True):
    """What is followed, where, and what is searched for besides; without searches nothing is."""

    servers: Sequence[str]
    matcher: Matcher
    searches: Sequence[str]


class Followed:
    """The stream, for one source."""

    def __init__(
        self, source: SourceId, options: SourceOptions, wishes: Wishes, bluesky: Bluesky, connect: Connect
    ) -> None:
        self._source, self._options, self._wishes, self._bluesky = source, options, wishes, bluesky
        self._stream = Stream(source, wishes.servers, connect, self._keep)
        self._authors: OrderedDict[str, Profile] = OrderedDict()
        self._written: OrderedDict[str, dict[str, None]] = OrderedDict()
        self._unmet, self._asks_again = "", datetime.min.replace(tzinfo=UTC)

    @property
    def waiting(self) -> int:
        """How much was kept and waits for a poll."""
        return self._stream.waiting

    async def listen(self, nudge: Callable[[], None]) -> None:
        """Hear until cancelled; what goes wrong, the next poll tells."""
        await self._stream.follow(nudge)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Take what was heard; where nobody listens, hear what there is up to now. Raises a SourceError."""
        memory = self._recall(cursor, now)
        self._stream.settle(cursor, memory.place, now)
        is_up_to_date, trouble = await self._heard(now)
        taken = self._stream.take()
        memory, gaps = self._with_missed(replace(memory, place=taken.place, serial=taken.serial), taken)
        memory, searched = await self._fill(memory, now)
        events = [one for one in taken.events if isinstance(one, Event)]
        unmet = await self._meet(events, now)
        poll = join([self._told(events, memory, now), searched], cursor=_cursor(memory), read_until=_read_until(memory))
        self._stream.tell(poll.cursor or Cursor(""), taken.serial)
        return replace(
            poll,
            gaps=(*gaps, *poll.gaps),
            more=searched.more or not (taken.is_all and is_up_to_date),
            degraded=trouble or searched.degraded or unmet or _behind(memory, now),
        )

    async def _heard(self, now: datetime) -> tuple[bool, str]:
        """Say whether all there is was heard, and what hindered it; raises that if nothing waits to be taken."""
        stream = self._stream
        if stream.is_followed:
            trouble = stream.trouble if stream.is_blind else None
            if trouble is not None and not stream.waiting:
                raise trouble.with_traceback(None)
            return True, str(trouble or "")
        try:
            return await stream.catch_up(now), ""
        except SourceError as error:
            if not stream.waiting:
                raise
            return True, str(error)

    # ------------------------------------------------------------- sorting out

    def _keep(self, events: Sequence[Event]) -> list[Event]:
        """Return what matters: posts that are asked for, deletions, and what becomes of authors we met."""
        posts = [one for one in events if one.deed in _POSTED]
        found = self._wishes.matcher.monitors([clean_text(one.record.text) for one in posts])
        wanted = {id(one) for one, monitors in zip(posts, found, strict=True) if monitors}
        return [one for one in events if self._concerns(one, is_wanted=id(one) in wanted)]

    def _concerns(self, one: Event, *, is_wanted: bool) -> bool:
        if is_wanted:
            self._written.setdefault(one.did, {})[one.uri] = None
        return is_wanted or one.deed is Deed.DELETED or (one.deed in _AUTHORS and one.did in self._written)

    def _told(self, events: Sequence[Event], memory: Memory, now: datetime) -> Poll:
        """Return what happened as mentions and removals; what was taken away in the end is only taken away."""
        mentions: dict[str, Mention] = {}
        gone: dict[str, str] = {}
        for one in events:
            if one.deed in _POSTED:
                author = self._authors.get(one.did) or Profile(did=one.did)
                found = of_event(one, author, source=self._source, options=self._options, now=now)
                mentions[one.uri] = _dated(found, memory.first)
                gone.pop(one.uri, None)
            elif one.deed is Deed.DELETED:
                gone[one.uri] = "deleted"
            elif one.deed is Deed.LEFT:
                gone |= dict.fromkeys(self._written.get(one.did, ()), "the account is gone")
            else:
                self._authors.pop(one.did, None)
        return Poll(
            mentions=tuple(one for uri, one in mentions.items() if uri not in gone),
            removals=tuple(Removal(source=self._source, external_id=uri, reason=why) for uri, why in gone.items()),
        )

    async def _meet(self, events: Sequence[Event], now: datetime) -> str:
        """Ask who wrote, for the stream tells numbers only; says what hindered it."""
        new = list(dict.fromkeys(one.did for one in events if one.deed in _POSTED and one.did not in self._authors))
        if new and now >= self._asks_again:
            self._unmet = await self._ask_who(new, now)
        for known in (self._authors, self._written):
            while len(known) > KNOWN:
                known.popitem(last=False)
        return self._unmet if new else ""

    async def _ask_who(self, dids: Sequence[str], now: datetime) -> str:
        try:
            for start in range(0, len(dids), FEW):
                for one in await self._bluesky.profiles(dids[start : start + FEW], now):
                    self._authors[one.did] = one
        except SourceError as error:
            self._asks_again = now + PATIENCE  # posts must not wait for it, poll after poll
            return f"who wrote is not known yet: {error}"
        return ""

    # -------------------------------------------------------------------- gaps

    def _with_missed(self, memory: Memory, taken: Taken) -> tuple[Memory, list[Gap]]:
        """Have searched for what the stream had forgotten, where that can be; declare the rest."""
        found = [one for one in taken.events if isinstance(one, Missed)]
        fills = [Fill(since=moment(one.since), until=moment(one.until) + _SECOND) for one in found]
        if self._wishes.searches and len(memory.fills) + len(fills) <= MOST:
            return replace(memory, fills=(*memory.fills, *fills)), []
        gaps = [missing(self._source, one, "the stream had forgotten it") for one in fills]
        return memory, [gap for gap in gaps if gap is not None]

    async def _fill(self, memory: Memory, now: datetime) -> tuple[Memory, Poll]:
        """Ask for one page of the oldest stretch that is missing."""
        if not (memory.fills and self._wishes.searches):
            return replace(memory, fills=()), Poll()
        found = await fill_on(memory.fills[0], self._wishes.searches, self._bluesky, self._source, now)
        fills = (*(() if found.left is None else (found.left,)), *memory.fills[1:])
        mentions = [of_post(one, source=self._source, options=self._options, now=now) for one in found.posts]
        return replace(memory, fills=fills), Poll(
            mentions=tuple(_dated(one, memory.first) for one in mentions),
            gaps=() if found.gap is None else (found.gap,),
            more=bool(fills) and not found.trouble,
            degraded=found.trouble,
        )

    def _recall(self, cursor: Cursor | None, now: datetime) -> Memory:
        with suppress(msgspec.MsgspecError):
            if cursor:
                return msgspec.json.decode(cursor, type=Memory)
        first = now.replace(microsecond=0)
        history = Fill(since=first - self._options.history, until=first, is_history=True)
        fills = (history,) if self._wishes.searches else ()
        return Memory(first=first, place=Place(at=micros(first) - OVERLAP), fills=fills)


def _cursor(memory: Memory) -> Cursor:
    return Cursor(msgspec.json.encode(memory).decode())


def _read_until(memory: Memory) -> datetime | None:
    """Return up to when everything was read: the stream, and what is still searched for."""
    if not memory.place.server:
        return None
    return min([moment(memory.place.at), *(fill.since for fill in memory.fills if not fill.is_history)])


def _behind(memory: Memory, now: datetime) -> str:
    at = moment(memory.place.at)
    return f"catches up, and is at {at:%Y-%m-%d %H:%M} UTC" if now - at > BEHIND else ""


def _dated(one: Mention, first: datetime) -> Mention:
    return replace(one, history=True) if one.published_at < first and not one.history else one
