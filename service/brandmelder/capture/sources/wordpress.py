"""The comments of a WordPress blog: forward by date over its REST API, swept for edits, late approvals and deletions.

WordPress names no moment of an edit, an approval or a deletion, and answers without validators. So the newest ten
minutes are read again at every poll, three days every hour, and every known comment of seven days is asked for by its
id once an hour. Its `after` compares local times: of the hour that daylight saving repeats, the sweep finds what the
walk cannot see. Where the REST API is closed, the comment feed with its ten entries stands in.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import model_validator

from brandmelder.capture.known import KEPT, pack, unpack
from brandmelder.capture.normalise import canonical_url, settle_time, to_utc_seconds
from brandmelder.capture.source import Poll, Tools
from brandmelder.capture.walk import SECOND, Walk, advance
from brandmelder.capture.wordpress_api import PAGE, Comment, WordPressApi
from brandmelder.errors import AuthRefused, RateLimited, SourceError
from brandmelder.model import Cursor, Extent, Gap, Mention, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PAGES: Final = 8
"""Pages a poll: at most 800 mentions."""
LAST_PAGE: Final = 100
"""How far pages are counted within one second; more than 10,000 comments in it are a fault, and a gap."""
OVERLAP: Final = timedelta(minutes=10)
SWEEP_EVERY: Final = timedelta(hours=1)
SWEEP_SPAN: Final = timedelta(days=3)
RECHECK_SPAN: Final = timedelta(days=7)
CLOSED_FOR: Final = timedelta(hours=1)
"""How long a closed API is left alone before it is tried again."""
TITLES: Final = 10_000
"""How many posts' titles are remembered; they are asked for again."""
_FEED_WINDOW = 10
_CLOSED = (
    "its API is closed: the comment feed is read instead, which shows the last ten; "
    "give user and password (an application password) to read all"
)


class WordPressOptions(SourceOptions):
    """A blog's comments, read through WordPress's own API; without it through the comment feed, which shows ten."""

    url: WebAddress
    """The blog's front page."""
    user: str = ""
    """Who reads, where the API is closed to strangers."""
    password: SecretText | None = None
    """That user's application password."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password belong together; write both or none")
        if self.password and not self.allow_private and not self.url.lower().startswith("https:"):
            raise ValueError("a password is sent over https only; mend url")
        return self


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds; changed while a poll goes on, kept when it is committed."""

    v: int = 1
    place: str
    first: datetime
    """The first contact: what was published before it is history, whenever it is read."""
    walk: Walk
    is_walking: bool = False
    """The walk has further pages."""
    walked: datetime | None = None
    """Our time when the last walk ended, and `seen` up to when it saw."""
    seen: datetime | None = None
    newest: datetime | None = None
    sweep: Walk | None = None
    swept: datetime | None = None
    known: str = ""
    unseen: str = ""
    """Of the known those the running sweep has not met yet."""
    route: str = ""
    closed: datetime | None = None
    etag: str = ""


class Turn:
    """One poll as it goes: what it may still ask, and what it has found."""

    def __init__(self, memory: Memory, now: datetime) -> None:
        self.memory, self.now = memory, now
        self.pages = 0
        self.known, self.unseen = unpack(memory.known), unpack(memory.unseen)
        self.mentions: dict[int, Mention] = {}
        self.removals: list[Removal] = []
        self.gaps: list[Gap] = []
        self.read: set[int] = set()
        self.expected: int | None = None
        self.seen_until = now
        self.stopped: SourceError | None = None
        self.note = ""

    def fresh(self, comments: Iterable[Comment]) -> list[Comment]:
        """Return what is new, or differs from what we know."""
        return [one for one in comments if self.unseen.get(one.id, self.known.get(one.id)) != one.mark]

    def keep(self, comments: Iterable[Comment], mentions: Iterable[Mention]) -> None:
        """Remember a page and what came of it."""
        for one in comments:
            self.unseen.pop(one.id, None)
            self.known[one.id] = one.mark
        self.mentions |= {int(one.external_id): one for one in mentions}
        self.pages += 1

    def poll(self) -> Poll:
        """Return what came of it all."""
        memory = self.memory
        oldest = min(sorted([*self.known, *self.unseen])[-KEPT:], default=0)  # ids grow with time
        memory.known = pack({key: mark for key, mark in self.known.items() if key >= oldest})
        memory.unseen = pack({key: mark for key, mark in self.unseen.items() if key >= oldest})
        is_whole = not memory.is_walking and self.expected is not None
        return Poll(
            mentions=tuple(self.mentions.values()),
            removals=tuple(self.removals),
            cursor=Cursor(msgspec.json.encode(memory).decode()),
            read_until=memory.walk.after if memory.is_walking else self.seen_until,
            gaps=tuple(self.gaps),
            extent=Extent(read=len(self.read), expected=self.expected if is_whole else None, is_exact=is_whole),
            more=self.stopped is None and bool(memory.is_walking or memory.sweep or memory.unseen),
            not_before=self.stopped.until if isinstance(self.stopped, RateLimited) else None,
            degraded=str(self.stopped or self.note),
        )


class WordPressSource:
    """Polls one blog. A poll that is broken off keeps the pages it has read."""

    Options: ClassVar[type[SourceOptions]] = WordPressOptions

    def __init__(self, source_id: SourceId, options: WordPressOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._base = options.url.partition("?")[0].partition("#")[0].rstrip("/")
        self._api = WordPressApi(source_id, self._base, tools, headers=_credentials(options))
        self._titles: dict[int, str] = {}

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on from `cursor`; without one the history, page by page, marked as such."""
        memory = self._recall(cursor)
        if memory is None:
            start = Walk(to_utc_seconds(now - self._options.history))
            memory = Memory(place=self._base, first=now.replace(microsecond=0), walk=start)
        self._api.route = memory.route
        if memory.closed is not None and timedelta(0) <= now - memory.closed < CLOSED_FOR:
            return await self._read_feed(Turn(memory, now), None)
        turn = Turn(memory, now)
        try:
            await self._walk(turn)
            await self._sweep(turn)
        except SourceError as error:
            if turn.pages:
                turn.stopped = error
            elif isinstance(error, AuthRefused) and self._options.password is None:
                memory.closed = now
                return await self._read_feed(turn, error)
            else:
                raise
        memory.closed = None
        return self._close(turn)

    def _close(self, turn: Turn) -> Poll:
        turn.memory.route = self._api.route
        return turn.poll()

    def _recall(self, cursor: Cursor | None) -> Memory | None:
        try:
            memory = msgspec.json.decode(cursor, type=Memory) if cursor else None
        except msgspec.MsgspecError:
            return None
        return memory if memory and memory.place == self._base else None

    # ---------------------------------------------------- the walk, the sweep

    async def _walk(self, turn: Turn) -> None:
        """Read forward until nothing is left or the turn's pages are spent."""
        memory, starts = turn.memory, not turn.memory.is_walking
        if memory.walked == turn.now and memory.seen is not None:  # a poll that goes on with its sweep
            turn.seen_until = memory.seen
            return
        while turn.pages < PAGES:
            page = await self._api.after(memory.walk, turn.now)
            await self._take(turn, page.comments)
            turn.read |= {one.id for one in page.comments}
            turn.seen_until = page.seen_until
            if starts and turn.expected is None:
                turn.expected = page.total
            past = [time for time in page.times if time <= turn.now]  # what claims the future must not lead us there
            memory.newest = max([*past, *([memory.newest] if memory.newest else [])], default=None)
            following = advance(memory.walk, page.times, is_last=page.is_last, now=turn.now)
            memory.is_walking = following is not None
            if following is None:
                break
            memory.walk = self._not_endless(turn, following)
        if not memory.is_walking:  # the next walk begins a little before the newest comment, never at "now"
            bound = memory.newest - OVERLAP - SECOND if memory.newest else memory.walk.after
            memory.walk, memory.swept = Walk(to_utc_seconds(bound)), memory.swept or turn.now
            memory.walked, memory.seen = turn.now, turn.seen_until

    async def _sweep(self, turn: Turn) -> None:
        """Read the last days again, then ask by id for what did not turn up there."""
        memory = turn.memory
        if memory.is_walking:
            return
        is_idle = memory.sweep is None and not turn.unseen
        if is_idle and (memory.swept is None or not timedelta(0) <= turn.now - memory.swept < SWEEP_EVERY):
            memory.sweep, memory.swept = Walk(to_utc_seconds(turn.now - SWEEP_SPAN)), turn.now
            turn.known, turn.unseen = {}, turn.known
        while turn.pages < PAGES and memory.sweep is not None:
            page = await self._api.after(memory.sweep, turn.now)
            await self._take(turn, page.comments)
            following = advance(memory.sweep, page.times, is_last=page.is_last, now=turn.now)
            memory.sweep = following and self._not_endless(turn, following)
        while turn.pages < PAGES and memory.sweep is None and turn.unseen:
            await self._recheck(turn)

    async def _recheck(self, turn: Turn) -> None:
        """Ask for a hundred comments by their ids: who does not come back is gone or hidden."""
        asked = dict(list(turn.unseen.items())[:PAGE])
        page = await self._api.by_id(asked, turn.now)
        found = {one.id: one for one in page.comments}
        if page.total is None or not found.keys() <= asked.keys():
            turn.note = "deleted comments cannot be told: the site does not answer by id"
            turn.unseen = {key: mark for key, mark in turn.unseen.items() if key not in asked}
            return
        await self._take(turn, page.comments)
        old = min(turn.now - RECHECK_SPAN, turn.memory.walk.after)
        for one in page.comments:
            if one.published is None or one.published <= old:
                del turn.known[one.id]
        for ident in asked.keys() - found.keys():
            del turn.unseen[ident]
            turn.removals.append(Removal(source=self.id, external_id=str(ident), reason="gone or hidden"))

    async def _take(self, turn: Turn, comments: Sequence[Comment]) -> None:
        fresh = turn.fresh(comments)
        if len(self._titles) > TITLES:
            self._titles.clear()
        if unmet := {one.post: one.id for one in fresh if one.post and one.post not in self._titles}:
            self._titles |= await self._api.titles(unmet, turn.now)
        turn.keep(comments, [self._mention(one, turn) for one in fresh])

    def _not_endless(self, turn: Turn, walk: Walk) -> Walk:
        if walk.page <= LAST_PAGE:
            return walk
        second = walk.after + SECOND
        reason = f"more than {PAGE * LAST_PAGE} comments bear the time {second:%Y-%m-%d %H:%M:%S} UTC"
        turn.gaps.append(Gap(source=self.id, since=second, until=second + SECOND, reason=reason))
        return Walk(second)

    def _mention(self, one: Comment, turn: Turn) -> Mention:
        published, flags = settle_time(one.published, turn.now)
        return Mention(
            source=self.id,
            external_id=str(one.id),
            text=one.text,
            context=one.context or self._titles.get(one.post, ""),
            url=canonical_url(one.link),
            author=one.author,
            language=self._options.language,
            parent_id=str(one.parent) if one.parent else None,
            own=self._options.owns(one.author) or (one.user > 0 and str(one.user) in self._options.own_accounts),
            published_at=published,
            captured_at=to_utc_seconds(turn.now),
            history=published < turn.memory.first,
            flags=flags,
        )

    async def _read_feed(self, turn: Turn, refused: AuthRefused | None) -> Poll:
        """Read the comment feed instead of the closed API: ten entries, so a storm is seen in part only."""
        try:
            feed = await self._api.feed(turn.memory.etag, turn.now)
        except SourceError as error:
            raise refused or error from error
        turn.memory.etag, turn.seen_until = feed.etag, feed.seen_until
        if feed.comments is not None:
            turn.gaps += self._gaps(turn, feed.comments)
            turn.read |= {one.id for one in feed.comments}
            turn.keep(feed.comments, [self._mention(one, turn) for one in turn.fresh(feed.comments)])
        turn.note = _CLOSED
        return replace(self._close(turn), more=False, read_until=turn.seen_until)

    def _gaps(self, turn: Turn, comments: Sequence[Comment]) -> list[Gap]:
        times = [one.published for one in comments if one.published is not None]
        if not turn.known or not times or any(one.id in turn.known for one in comments) or len(comments) < _FEED_WINDOW:
            return []
        since, until = turn.memory.newest or turn.memory.first, min(times)
        reason = "the comment feed shows the last ten only: what came before them was missed"
        return [Gap(source=self.id, since=since, until=until, reason=reason)] if since < until else []


def _credentials(options: WordPressOptions) -> dict[str, str]:
    if options.password is None:
        return {}
    pair = f"{options.user}:{options.password.reveal()}".encode()
    return {"authorization": "Basic " + base64.b64encode(pair).decode("ascii")}
