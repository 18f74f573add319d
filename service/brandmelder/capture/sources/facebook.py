"""A Facebook page: posts on it, by visitors too, the comments below them, its fans, and those of a competitor's page.

The page's feed tells how many comments a post has and which is the newest; where one of the two changed, its comments
are read, newest first, each post on its own trail, and once an hour below all that are followed: a number may stay the
same. Comments on foreign pages carry no id: one is made of post, time and text, and marked weak.
API: https://developers.facebook.com/docs/graph-api/reference/page/feed/, .../object/comments/
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.graph_api import GraphApi, Missing, Paging, weak_id
from brandmelder.capture.known import print_of
from brandmelder.capture.lists import ROOM, Lists, batch_of, join, poll_lists, still_waiting, unread
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.errors import AuthRefused, SourceError, Transient
from brandmelder.model import Cursor, Mention, Reading, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLLOWED: Final = 40
"""Below how many of the page's own posts, the newest, comments are looked for, and below as many of its visitors'."""
LOOKED_EVERY: Final = timedelta(hours=1)
"""How often they are looked for whatever the feed says."""
AT_ONCE: Final = 10
READINGS_EVERY: Final = timedelta(hours=1)
_FEED: Final = "feed"
_PAGE: Final = "100"
_PAGES: Final = (_PAGE, "25", "5")
_PERSON: Final = "from{id,name}"
# Without filter(stream) neither the number nor the newest would know of answers to comments.
_NEWEST: Final = "comments.filter(stream).order(reverse_chronological).limit(1).summary(true){id}"
_POST: Final = f"id,message,story,created_time,permalink_url,{_PERSON},{_NEWEST}"
_COMMENT: Final = f"id,message,created_time,permalink_url,{_PERSON},parent{{id}},is_hidden"
_ID: Final = r"^[A-Za-z0-9_.]{1,80}$"


class FacebookOptions(SourceOptions):
    """Posts and comments of a Facebook page, and pages' public numbers."""

    page: Annotated[str, Field(pattern=_ID)]
    """The page's id or name."""
    token: SecretText
    """A page token with `pages_read_engagement` and `pages_read_user_content`."""
    app_secret: SecretText | None = None
    """The application's secret, where it demands that each question is proven with it."""
    compare: Annotated[tuple[Annotated[str, Field(pattern=_ID)], ...], Field(max_length=20)] = ()
    """Further pages whose fans and followers are read every hour, such as a competitor's."""
    url: WebAddress = "https://graph.facebook.com/v26.0"
    """Where the API stands, with its version."""


class _Person(Struct, frozen=True):
    id: str = ""
    name: str = ""


class _Parent(Struct, frozen=True):
    id: str = ""


class _Summary(Struct, frozen=True):
    total_count: int = 0


class _Newest(Struct, frozen=True):
    id: str = ""


class _Below(Struct, frozen=True):
    summary: _Summary = _Summary()
    data: list[_Newest] = []

    @property
    def mark(self) -> int:
        """Return what changes with the comments; 0 where there are none."""
        count = self.summary.total_count
        return print_of(str(count), *(one.id for one in self.data)) if count else 0


class _Item(Struct, frozen=True, rename={"person": "from"}):
    id: str = ""
    message: str = ""
    story: str = ""
    created_time: str = ""
    permalink_url: str = ""
    person: _Person = _Person()
    parent: _Parent = _Parent()
    is_hidden: bool = False
    comments: _Below = _Below()


class _Items(Struct, frozen=True):
    data: list[_Item]
    paging: Paging = Paging()


class _Numbers(Struct, frozen=True):
    fan_count: int | None = None
    followers_count: int | None = None
    name: str = ""


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds."""

    v: int = 1
    page: str
    first: datetime
    feed: str = ""
    below: str = ""
    marks: dict[str, int] = {}
    """What the feed said of the comments of each followed post when they were last read, newest post first."""
    own: list[str] = []
    """Which of the posts are the page's."""
    looked: datetime | None = None
    """When comments were last looked for below all of them."""
    beyond: str = ""
    """What is said of visitors' posts that are not followed any more."""
    waiting: list[str] = []
    """The posts whose comments are being read."""
    until: datetime | None = None
    """Up to when the feed was read whose comments are being read."""
    measured: datetime | None = None
    denied: str = ""
    """Below which post comments could not be read when they were last looked for."""
    unmeasured: str = ""
    """Why some of the numbers were missing when they were last read."""


class FacebookSource:
    """Reads a page's feed, then the comments below the posts that got new ones."""

    Options: ClassVar[type[SourceOptions]] = FacebookOptions
    recheck_size = 10

    def __init__(self, source_id: SourceId, options: FacebookOptions, tools: Tools) -> None:
        self.id = source_id
        self._options = options
        self._api = GraphApi(source_id, options.url, options.token, options.app_secret, tools)
        self._seen: dict[str, _Item] = {}
        """The posts that the feed told in this poll."""
        self._unread = ""

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in the feed; at its end below the posts."""
        memory, polls, self._unread = self._recall(cursor, now), [], ""
        if not memory.waiting:
            self._seen = {}
            bounds = Bounds(history=self._options.history)
            lists = Lists(source=self.id, names=[_FEED], ask=self._posts, bounds=bounds, first=memory.first)
            feed = await poll_lists(lists, Cursor(memory.feed) if memory.feed else None, now)
            memory.feed, memory.until = feed.cursor or "", feed.read_until
            self._choose(memory, now)
            polls.append(feed)
        is_stopped = False
        if memory.waiting and sum(len(poll.mentions) for poll in polls) <= ROOM:
            below = await self._below(memory, now)
            is_stopped = not below.more and bool(unread(memory.below))
            polls.append(below)
        is_whole = not memory.waiting and not any(poll.more for poll in polls)
        readings = await self._measure(memory, now) if is_whole else ()
        joined = join(polls, cursor=Cursor(msgspec.json.encode(memory).decode()), read_until=None)
        slower = now + self._api.slower if self._api.slower else None
        return replace(
            joined,
            more=(bool(memory.waiting) or joined.more) and not is_stopped,
            read_until=memory.until if is_whole else None,
            readings=readings,
            not_before=joined.not_before or slower,
            expires_at=await self._api.expires(now) if is_whole else None,
            degraded=joined.degraded or memory.denied or memory.unmeasured or memory.beyond,
        )

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for single posts and comments; who has only a weak id cannot be asked for."""
        mentions: list[Mention] = []
        removals: list[Removal] = []
        for ident in external_ids:
            if ident.startswith("w"):
                continue
            fields = "id,message,story,created_time,permalink_url,from{id,name}"
            try:
                item = await self._api.get(ident, {"fields": fields}, _Item, now)
            except Missing:
                removals.append(Removal(source=self.id, external_id=ident, reason="gone"))
            except AuthRefused:
                if not self._api.is_denied:
                    raise
            else:
                mentions.append(self._mention(item, now))
        return Recheck(mentions=tuple(mentions), removals=tuple(removals))

    def _recall(self, cursor: Cursor | None, now: datetime) -> Memory:
        try:
            memory = msgspec.json.decode(cursor, type=Memory) if cursor else None
        except msgspec.MsgspecError:
            memory = None
        if memory is None or memory.page != self._options.page:
            return Memory(page=self._options.page, first=now.replace(microsecond=0))
        return memory

    # ------------------------------------------------------------------- pages

    async def _posts(self, _name: str, page: str, now: datetime) -> Page:
        found = await self._some(page, now)
        self._seen |= {item.id: item for item in found.data}
        return Page(
            mentions=[self._mention(item, now) for item in found.data if item.message],
            ids=[item.id for item in found.data],
            following=found.paging.following,
        )

    async def _some(self, page: str, now: datetime) -> _Items:
        """Return a page of the feed; a smaller one where the service finds that too much to tell at once."""
        for size in _PAGES:
            asked = {"fields": _POST, "limit": size} | ({"after": page} if page else {})
            try:
                return await self._api.get(f"{self._options.page}/feed", asked, _Items, now)
            except Transient:
                if not self._api.is_too_much or size == _PAGES[-1]:
                    raise
        raise AssertionError("the last page is returned or raises")

    async def _comments(self, post: str, page: str, now: datetime) -> Page:
        asked = {"fields": _COMMENT, "filter": "stream", "order": "reverse_chronological", "limit": _PAGE}
        asked |= {"after": page} if page else {}
        try:
            found = await self._api.get(f"{post}/comments", asked, _Items, now)
        except Missing:
            return Page()
        except AuthRefused as error:
            if not self._api.is_denied:
                raise
            # Another page's, that tagged ours: reading below it takes a right of its own, and hides nothing of ours.
            self._unread = self._unread or f"comments below post {post} cannot be read: {error}"
            return Page()
        mentions = [self._mention(item, now, post=post) for item in found.data if not item.is_hidden]
        return Page(
            mentions=mentions,
            ids=[self._ident(item, post) for item in found.data],
            following=found.paging.following,
        )

    def _choose(self, memory: Memory, now: datetime) -> None:
        """Follow the newest posts, and read below those whose comments changed; once an hour below all."""
        seen = self._seen
        own = {*memory.own, *(ident for ident, item in seen.items() if self._is_own(item.person, ident))}
        known = [*seen, *(post for post in memory.marks if post not in seen)]
        ours, visitors = [one for one in known if one in own], [one for one in known if one not in own]
        followed, before = {*ours[:FOLLOWED], *visitors[:FOLLOWED]}, memory.marks
        memory.own = ours[:FOLLOWED]
        memory.marks = {
            post: seen[post].comments.mark if post in seen else before[post] for post in known if post in followed
        }
        young = [post for post in visitors[FOLLOWED:] if post in seen and _is_young(seen[post], now)]
        memory.beyond = (
            f"below {len(young)} posts that visitors wrote today no comments are looked for: only below the newest "
            f"{FOLLOWED}"
            if young
            else ""
        )
        is_due = memory.looked is None or now - memory.looked >= LOOKED_EVERY
        memory.looked, memory.denied = (now.replace(microsecond=0), "") if is_due else (memory.looked, memory.denied)
        memory.waiting = [post for post, mark in memory.marks.items() if mark and (is_due or mark != before.get(post))]

    def _is_own(self, person: _Person, post: str) -> bool:
        """Whether the page wrote it: a post's id begins with the page's, whatever name the page is configured by."""
        return bool(person.id) and person.id in {self._options.page, post.partition("_")[0]}

    async def _below(self, memory: Memory, now: datetime) -> Poll:
        batch = batch_of(memory.waiting, memory.below, AT_ONCE)
        lists = Lists(
            source=self.id,
            names=batch,
            ask=self._comments,
            bounds=Bounds(history=self._options.history),
            kept=list(memory.marks),
            first=memory.first,
        )
        found = await poll_lists(lists, Cursor(memory.below) if memory.below else None, now)
        memory.below, memory.denied = found.cursor or "", memory.denied or self._unread
        memory.waiting = still_waiting(memory.waiting, batch, memory.below)
        return found

    async def _measure(self, memory: Memory, now: datetime) -> tuple[Reading, ...]:
        """Read each page's numbers once an hour; what may not be read is noted, and keeps nothing else back."""
        if memory.measured is not None and now - memory.measured < READINGS_EVERY:
            return ()
        at = memory.measured = now.replace(microsecond=0)
        readings: list[Reading] = []
        memory.unmeasured = ""
        for page in (self._options.page, *self._options.compare):
            try:
                told = await self._api.get(page, {"fields": "name,fan_count,followers_count"}, _Numbers, now)
            except SourceError as error:
                memory.unmeasured = memory.unmeasured or f"the numbers of page {page} cannot be read: {error}"
                continue
            values = {"fans": told.fan_count, "followers": told.followers_count}
            own, title = page == self._options.page, told.name or page
            readings += [
                Reading(source=self.id, account=page, name=name, value=value, at=at, own=own, title=title)
                for name, value in values.items()
                if value is not None
            ]
        return tuple(readings)

    # ---------------------------------------------------------------- mentions

    def _ident(self, item: _Item, post: str) -> str:
        return item.id or weak_id(post, item.created_time, item.message)

    def _mention(self, item: _Item, now: datetime, *, post: str | None = None) -> Mention:
        told = Told(
            ident=self._ident(item, post or ""),
            text=item.message or item.story,
            published=moment_of(item.created_time),
            url=item.permalink_url,
            author=item.person.name or item.person.id,
            parent=item.parent.id or post,
            own=self._is_own(item.person, post or item.id),
            flags=() if item.id else ("weak_id",),
        )
        return mention_of(told, source=self.id, options=self._options, now=now)


def _is_young(item: _Item, now: datetime) -> bool:
    published = moment_of(item.created_time)
    return bool(item.comments.mark) and published is not None and now - published < timedelta(days=1)
