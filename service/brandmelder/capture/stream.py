"""How a stream is followed without loss: one task hears and sorts out, polls take what it kept and commit it.

What is kept waits in order until a poll has brought it to the database, which the next poll's cursor proves: it is the
one that was told last. Any other cursor means that something was not committed or somebody else read meanwhile; then
the stream is read again from there. A connection begins some seconds before the newest event that was heard, so that
the first event it brings shows whether anything lies between: what was forgotten on the other side is a declared gap.
When more waits than may, nothing more is read; the other side then slows down or sends us away (decision 0090).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from msgspec import Struct

from brandmelder.capture.jetstream import PROTOCOL, Deed, Event, address, micros, read
from brandmelder.capture.source import Connect, Hears
from brandmelder.errors import RateLimited, ShapeChanged, SourceError, Transient

if TYPE_CHECKING:
    from brandmelder.model import Cursor, SourceId

log = structlog.get_logger()

MOST: Final = 5_000
"""So much may wait for a poll."""
MANY: Final = 500
"""So many deletions are worth a poll of their own."""
LATELY: Final = 50_000
"""So much of what was kept is known again."""
PER_POLL: Final = 800
OVERLAP: Final = 10_000_000
"""How far a connection to the same server goes back, in microseconds."""
FAR_OVERLAP: Final = 60_000_000
"""How far one to another server does, whose clock is another."""
BREATH: Final = timedelta(seconds=1)
"""Nudges are at least so far apart."""
SILENCE: Final = timedelta(seconds=60)
"""The network is never silent for so long: whoever hears nothing is blind."""
SHORTEST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""So many seconds pass before a stream that ended is opened again; more, the longer nothing comes."""
BLIP: Final = 30.0
"""A connection that is back within so many seconds is nobody's trouble."""
_QUIET: Final = timedelta(seconds=2)
_AT_ONCE: Final = 15.0
_REFUSALS: Final = frozenset({400, 404})


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where we stand in the stream."""

    at: int
    """When the network saw the newest event that was heard, in microseconds since 1970."""
    server: str = ""
    wire: int = 0
    last: int = 0
    """The newest event's number on that server's wire."""
    resume: int = 0
    """The number of one some seconds before it."""


class Missed(Struct, frozen=True):
    """What the other side had forgotten: from and to, in microseconds since 1970."""

    since: int
    until: int


class _Kept(Struct, frozen=True):
    serial: int
    what: Event | Missed
    place: Place
    """Where to go on if this is the last that is taken."""


class Taken(Struct, frozen=True, kw_only=True):
    """What one poll takes, and where it stands after that."""

    events: Sequence[Event | Missed]
    place: Place
    serial: int
    """Grows with all that is kept: it makes each cursor one of its own."""
    is_all: bool


class Stream:
    """Follows the posts of the network on the first server that lets us in. `keep` sorts out what is wanted."""

    def __init__(
        self, source: SourceId, servers: Sequence[str], connect: Connect, keep: Callable[[Sequence[Event]], list[Event]]
    ) -> None:
        self.trouble: SourceError | None = None
        """Why nothing is heard just now."""
        self.is_followed = False
        self._source, self._servers, self._connect, self._keep = source, tuple(servers), connect, keep
        self._place: Place | None = None
        self._begun, self._room = asyncio.Event(), asyncio.Event()
        self._kept: deque[_Kept] = deque()
        self._serial = self._given = self._generation = self._turn = 0
        self._told: tuple[Cursor, int] | None = None
        self._confirmed: Cursor | None = None
        self._marks: deque[tuple[int, int]] = deque(maxlen=2)
        self._seen: OrderedDict[int, None] = OrderedDict()
        """The numbers of what was kept lately: what a connection brings again need not be committed again."""
        self._is_fresh = True
        self._now: datetime | None = None
        self._troubled_since = self._nudged = float("-inf")

    # ------------------------------------------------------------------ polls

    def settle(self, cursor: Cursor | None, place: Place, now: datetime) -> None:
        """Let go of what the cursor proves committed; begin anew at `place` if it is none of ours."""
        self._now = now
        if self._told is not None and cursor == self._told[0]:
            self._confirmed = cursor
            while self._kept and self._kept[0].serial <= self._told[1]:
                self._kept.popleft()
        elif self._place is None or cursor != self._confirmed:
            self._place, self._confirmed, self._told = place, cursor, None
            self._kept.clear()
            self._marks.clear()
            self._seen.clear()
            self._generation += 1
        self._room.set()
        self._begun.set()

    def take(self) -> Taken:
        """Return what has been kept, oldest first; it is given again until a cursor proves it committed."""
        if self._place is None:
            raise RuntimeError("a stream is settled before anything is taken from it")
        some = [self._kept[number] for number in range(min(PER_POLL, len(self._kept)))]
        is_all = len(some) == len(self._kept)
        serial = self._serial if is_all else some[-1].serial
        self._given = max(self._given, serial)
        place = self._place if is_all else some[-1].place
        return Taken(events=[one.what for one in some], place=place, serial=serial, is_all=is_all)

    def tell(self, cursor: Cursor, serial: int) -> None:
        """Remember which cursor stands for what was taken."""
        self._told = (cursor, serial)

    @property
    def is_blind(self) -> bool:
        """Whether nothing has been heard for longer than a connection takes to come back."""
        return self.trouble is not None and asyncio.get_running_loop().time() - self._troubled_since > BLIP

    @property
    def waiting(self) -> int:
        """How much waits to be taken."""
        return len(self._kept)

    async def catch_up(self, now: datetime) -> bool:
        """Where nobody follows: hear what there is, up to now; says whether that was all. Raises a SourceError."""
        try:
            return await self._caught_up(now)
        except SourceError:
            self._turn += 1
            raise

    async def _caught_up(self, now: datetime) -> bool:
        loop = asyncio.get_running_loop()
        until, heard = loop.time() + _AT_ONCE, 0
        async with self._opened(now) as line:
            while len(self._kept) < PER_POLL and loop.time() < until:
                count = await self._hear(line, _QUIET)
                heard += count
                if self._place is not None and self._place.at >= micros(now) - 1_000_000:
                    return True
                if not count:
                    break
        self._check_silence(now, heard)
        return len(self._kept) < PER_POLL and loop.time() < until

    def _check_silence(self, now: datetime, heard: int) -> None:
        if (
            not heard
            and self._place is not None
            and micros(now) - self._place.at > SILENCE // timedelta(microseconds=1)
        ):
            raise Transient("the stream says nothing, and the network is never silent; is the server well?").about(
                self._source
            )

    # ---------------------------------------------------------------- hearing

    async def follow(self, nudge: Callable[[], None]) -> None:
        """Hear until cancelled, from where the first poll says; `nudge` whenever a poll would find something."""
        self.is_followed = True
        if not self._begun.is_set():
            nudge()  # where to begin stands in the cursor, which a poll brings
        try:
            await self._follow_on(nudge)
        finally:
            self.is_followed = False  # whatever ended it: polls hear for themselves then

    async def _follow_on(self, nudge: Callable[[], None]) -> None:
        pause = SHORTEST_PAUSE
        while True:
            await self._begun.wait()
            before = self._serial, self._place
            try:
                await self._follow(nudge)
            except SourceError as error:
                self._note(error)
                pause = SHORTEST_PAUSE if (self._serial, self._place) != before else min(pause * 2, LONGEST_PAUSE)
                if isinstance(error, RateLimited) and self._now is not None:
                    pause = max(pause, (error.until - self._now).total_seconds())
                log.info("stream.ended", source=self._source, error=type(error).__name__)
                await _pause(pause)

    async def _follow(self, nudge: Callable[[], None]) -> None:
        if self._now is None:
            raise RuntimeError("a stream begins where a poll says")
        loop, generation = asyncio.get_running_loop(), self._generation
        async with self._opened(self._now) as line:
            heard = loop.time()
            while self._generation == generation:
                if len(self._kept) >= MOST:
                    nudge()
                    self._room.clear()
                    await self._room.wait()
                    continue
                if await self._hear(line, BREATH):
                    heard, self.trouble = loop.time(), None
                elif loop.time() - heard > SILENCE.total_seconds():
                    raise Transient("the stream is open and says nothing; it is opened again").about(self._source)
                self._nudge(nudge, loop.time())

    def _nudge(self, nudge: Callable[[], None], now: float) -> None:
        waiting = [one for one in self._kept if one.serial > self._given] if now - self._nudged >= 1 else []
        if len(waiting) >= MANY or any(_is_news(one.what) for one in waiting):
            self._nudged = now
            nudge()

    def _note(self, error: SourceError) -> None:
        if self.trouble is None:
            self._troubled_since = asyncio.get_running_loop().time()
        self.trouble = error
        self._turn += 1

    @asynccontextmanager
    async def _opened(self, now: datetime) -> AsyncIterator[_Opened]:
        """Open the stream where we stand: on the second wire if there is one, by the time if a number is too old."""
        server = self._server()
        for wire, is_exact in self._attempts(server):
            cursor = self._cursor(is_exact=is_exact)
            place = address(server, wire, cursor)
            protocol = PROTOCOL if wire == 2 else ""
            async with self._connect(place, now=now, protocol=protocol, takes=_REFUSALS) as line:
                if line.refused is None:
                    self._is_fresh = True
                    yield _Opened(line=line, server=server, wire=wire, is_exact=is_exact)
                    return
                if line.refused.status == 400 and (wire == 1 or not _is_too_old(line.refused.body)):
                    raise ShapeChanged("refuses what is asked of the stream; mend servers").about(self._source)
        raise ShapeChanged("opens no stream at this address; mend servers").about(self._source)

    def _server(self) -> str:
        """Return the server we stand on; after each failure the next."""
        known = self._place.server if self._place is not None else ""
        first = self._servers.index(known) if known in self._servers else 0
        return self._servers[(first + self._turn) % len(self._servers)]

    def _attempts(self, server: str) -> list[tuple[int, bool]]:
        """Return wires to try in turn, and whether by the number where we stand."""
        place = self._place
        if place is None or place.server != server:
            return [(2, False), (1, False)]
        return [(1, True)] if place.wire == 1 else [(2, True), (2, False), (1, False)]

    def _cursor(self, *, is_exact: bool) -> int:
        if self._place is None:
            raise RuntimeError("a stream is settled before it is opened")
        return self._place.resume if is_exact else self._place.at - (FAR_OVERLAP if self._place.server else 0)

    async def _hear(self, opened: _Opened, patience: timedelta) -> int:
        messages = await opened.line.hear(patience)
        try:
            events = read(messages, opened.wire)
        except SourceError as error:
            raise error.about(self._source) from None
        if events:
            self._take_in(events, opened)
        return len(events)

    def _take_in(self, events: Sequence[Event], opened: _Opened) -> None:
        before = self._place
        if before is None:
            return
        self._turn = 0
        kept: list[Event | Missed] = [one for one in self._keep(events) if self._is_new(one, opened)]
        newest, oldest = max(events, key=_number), min(events, key=_number)
        if self._is_fresh:
            self._is_fresh = False
            self._marks.clear()
            self._marks.append((oldest.at, oldest.number))
            kept = [*_missed(before, oldest, opened), *kept]
        if newest.at - self._marks[-1][0] >= OVERLAP:
            self._marks.append((newest.at, newest.number))
        same = before.server == opened.server and before.wire == opened.wire
        self._place = Place(
            at=max(newest.at, before.at),
            server=opened.server,
            wire=opened.wire,
            last=max(newest.number, before.last) if same else newest.number,
            resume=self._marks[0][1],
        )
        for number, what in enumerate(kept, start=1):
            self._serial += 1
            # Whoever stops in the middle of what came together hears all of it again.
            self._kept.append(_Kept(self._serial, what, self._place if number == len(kept) else before))

    def _is_new(self, one: Event, opened: _Opened) -> bool:
        before = self._place
        if before is None or (before.server, before.wire) != (opened.server, opened.wire):
            self._seen.clear()  # another server's numbers mean something else
        is_new = one.number not in self._seen
        self._seen[one.number] = None
        while len(self._seen) > LATELY:
            self._seen.popitem(last=False)
        return is_new


class _Opened(Struct, frozen=True, kw_only=True):
    line: Hears
    server: str
    wire: int
    is_exact: bool


def _missed(place: Place, first: Event, opened: _Opened) -> Iterable[Missed]:
    """Return what lies between where we stood and the first event of a connection, which reaches back behind it."""
    if not place.server:
        return ()
    is_joined = first.number <= place.last if opened.is_exact else first.at <= place.at
    return () if is_joined or first.at <= place.at else (Missed(place.at, first.at),)


def _number(one: Event) -> int:
    return one.number


def _is_news(what: Event | Missed) -> bool:
    return isinstance(what, Missed) or what.deed in {Deed.WRITTEN, Deed.CHANGED}


def _is_too_old(body: bytes) -> bool:
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(body, type=_Error).error == "CursorTooOld"
    return False


class _Error(Struct, frozen=True):
    error: str = ""


async def _pause(seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
