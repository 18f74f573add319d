"""An Instagram account of one's own: comments below its posts, posts that tag it, public hashtags, its followers.

Over the Graph API, as a Facebook page is: below posts whose number of comments changed it is looked, newest comment
first, each post on its own trail. Replies come with the comment that they answer, which may be an
old one: once an hour all comments of three days are read again.
API: https://developers.facebook.com/docs/instagram-platform/instagram-api-with-facebook-login
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field

from brandmelder.capture import hashtags
from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.graph_api import GraphApi, Missing, Paging
from brandmelder.capture.lists import ROOM, Lists, batch_of, join, poll_lists, still_waiting, unread
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.errors import RateLimited, SourceError
from brandmelder.model import Cursor, Gap, Mention, Reading, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLLOWED: Final = 40
"""Below how many posts, the newest, comments are looked for."""
AT_ONCE: Final = 10
REPLY_PAGES: Final = 8
"""How many further pages of replies to one comment are read."""
LOOKED_EVERY: Final = timedelta(hours=1)
"""How often comments are looked for whatever their number says."""
_SWEPT: Final = timedelta(days=3)
READINGS_EVERY: Final = timedelta(hours=1)
_PAGE: Final = "50"
_MEDIA: Final = "id,caption,permalink,timestamp,comments_count,username"
_SAID: Final = "id,text,username,timestamp"
_COMMENT: Final = f"{_SAID},replies{{{_SAID}}}"
_OWN, _TAGS = "media", "tags"
_IS_POST: Final = "post:"
"""Begins the ids of posts: they have other fields than comments, and cannot be asked for like them."""


class InstagramOptions(SourceOptions):
    """A professional Instagram account of yours."""

    account: Annotated[str, Field(pattern=r"^\d{5,30}$")]
    """The account's number in the Graph API; the how-to says where it stands."""
    token: SecretText
    """A token of the page that the account is linked with."""
    app_secret: SecretText | None = None
    """The application's secret, where it demands that each question is proven with it."""
    hashtags: Annotated[tuple[Annotated[str, Field(pattern=r"^#?\w{1,100}$")], ...], Field(max_length=30)] = ()
    """Hashtags whose public posts are read, too, with or without `#`: at most 30 different ones in seven days.

    Needs the right Instagram Public Content Access.
    """
    url: WebAddress = "https://graph.facebook.com/v26.0"
    """Where the API stands, with its version."""


class _Said(Struct, frozen=True):
    id: str
    text: str = ""
    username: str = ""
    timestamp: str = ""


class _Replies(Struct, frozen=True):
    data: list[_Said] = []
    paging: Paging = Paging()


class _Comment(_Said, frozen=True):
    replies: _Replies = _Replies()


class _Comments(Struct, frozen=True):
    data: list[_Comment]
    paging: Paging = Paging()


class _Post(Struct, frozen=True):
    id: str
    caption: str = ""
    permalink: str = ""
    timestamp: str = ""
    comments_count: int = 0
    username: str = ""


class _Posts(Struct, frozen=True):
    data: list[_Post]
    paging: Paging = Paging()


class _Numbers(Struct, frozen=True):
    username: str = ""
    followers_count: int | None = None
    media_count: int | None = None


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds."""

    v: int = 1
    account: str
    first: datetime
    posts: str = ""
    below: str = ""
    counts: dict[str, int] = {}
    """How many comments each followed post had when they were last read, newest post first."""
    looked: datetime | None = None
    """When comments were last looked for below all of them."""
    waiting: list[str] = []
    """The posts whose comments are being read."""
    until: datetime | None = None
    """Up to when the posts were read whose comments are being read."""
    name: str = ""
    """What the account is called: what it writes is ours."""
    measured: datetime | None = None
    tagged: hashtags.Memory = msgspec.field(default_factory=hashtags.Memory)
    """How far the hashtags were read."""


class InstagramSource:
    """Reads the account's posts and those that tag it, then the comments below its own that got new ones."""

    Options: ClassVar[type[SourceOptions]] = InstagramOptions
    recheck_size = 10

    def __init__(self, source_id: SourceId, options: InstagramOptions, tools: Tools) -> None:
        self.id = source_id
        self._options = options
        self._api = GraphApi(source_id, options.url, options.token, options.app_secret, tools)
        self._seen: dict[str, int] = {}
        """The numbers of comments that were told in this poll."""
        self._name = ""
        self._tags = hashtags.Hashtags(source_id, options.account, options.hashtags, self._tagged)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in the posts; at their end below them."""
        memory = self._recall(cursor, now)
        readings = await self._measure(memory, now)
        self._name = memory.name
        polls: list[Poll] = []
        if not memory.waiting:
            self._seen = {}
            posts = await self._lists([_OWN, _TAGS], memory.posts, memory.first, now)
            memory.posts, memory.until = posts.cursor or "", posts.read_until
            self._choose(memory, now)
            polls.append(posts)
        is_stopped = False
        if memory.waiting and sum(len(poll.mentions) for poll in polls) <= ROOM:
            batch, kept = batch_of(memory.waiting, memory.below, AT_ONCE), list(memory.counts)
            below = await self._lists(batch, memory.below, memory.first, now, kept=kept)
            memory.below = below.cursor or ""
            memory.waiting = still_waiting(memory.waiting, batch, memory.below)
            is_stopped = not below.more and bool(unread(memory.below))
            polls.append(below)
        is_whole = not memory.waiting and not any(poll.more for poll in polls)
        if is_whole and sum(len(poll.mentions) for poll in polls) <= ROOM:
            polls += await self._hashtags(memory, now)
        joined = join(polls, cursor=Cursor(msgspec.json.encode(memory).decode()), read_until=None)
        slower = now + self._api.slower if self._api.slower else None
        return replace(
            joined,
            more=(bool(memory.waiting) or joined.more) and not is_stopped,
            read_until=memory.until if is_whole else None,
            readings=readings,
            not_before=joined.not_before or slower,
            expires_at=await self._api.expires(now) if is_whole else None,
        )

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for single comments; posts have another shape and are seen in their list."""
        mentions: list[Mention] = []
        removals: list[Removal] = []
        for ident in external_ids:
            if ident.startswith(_IS_POST):
                continue
            try:
                found = await self._api.get(ident, {"fields": _SAID}, _Said, now)
            except Missing:
                removals.append(Removal(source=self.id, external_id=ident, reason="gone"))
            else:
                mentions += [self._said(found, None, now)] if found.text else []
        return Recheck(mentions=tuple(mentions), removals=tuple(removals))

    def _recall(self, cursor: Cursor | None, now: datetime) -> Memory:
        try:
            memory = msgspec.json.decode(cursor, type=Memory) if cursor else None
        except msgspec.MsgspecError:
            memory = None
        if memory is None or memory.account != self._options.account:
            return Memory(account=self._options.account, first=now.replace(microsecond=0))
        return memory

    async def _lists(
        self, names: Sequence[str], cursor: str, first: datetime, now: datetime, *, kept: Sequence[str] = ()
    ) -> Poll:
        is_posts = names[0] == _OWN
        ask = self._posts if is_posts else self._comments
        bounds = Bounds(
            history=self._options.history, sweep_every=None if is_posts else LOOKED_EVERY, sweep_span=_SWEPT
        )
        lists = Lists(source=self.id, names=names, ask=ask, bounds=bounds, kept=kept, first=first)
        return await poll_lists(lists, Cursor(cursor) if cursor else None, now)

    async def _hashtags(self, memory: Memory, now: datetime) -> list[Poll]:
        """Read on in the hashtags; what keeps them back keeps nothing else back."""
        try:
            found = await self._tags.poll(self._api, memory.tagged, [*self._seen, *memory.counts], now)
        except SourceError as error:
            until = error.until if isinstance(error, RateLimited) else None
            return [Poll(degraded=f"hashtags cannot be read: {error}", not_before=until)]
        return [found] if found is not None else []

    # ------------------------------------------------------------------- pages

    async def _posts(self, name: str, page: str, now: datetime) -> Page:
        asked = {"fields": _MEDIA, "limit": _PAGE} | ({"after": page} if page else {})
        found = await self._api.get(f"{self._options.account}/{name}", asked, _Posts, now)
        if name == _OWN:
            self._seen |= {one.id: one.comments_count for one in found.data}
        return Page(
            mentions=[self._post(one, now, is_ours=name == _OWN) for one in found.data if one.caption],
            ids=[one.id for one in found.data],
            following=found.paging.following,
        )

    async def _comments(self, post: str, page: str, now: datetime) -> Page:
        asked = {"fields": _COMMENT, "limit": _PAGE} | ({"after": page} if page else {})
        try:
            found = await self._api.get(f"{post}/comments", asked, _Comments, now)
        except Missing:
            return Page()
        gaps: list[Gap] = []
        mentions: list[Mention] = []
        for comment in found.data:
            replies, is_all = await self._replies(comment, now)
            mentions += self._thread(comment, replies, post, now)
            gaps += [] if is_all else self._unread(comment, now)
        return Page(mentions=mentions, ids=[one.id for one in found.data], following=found.paging.following, gaps=gaps)

    async def _replies(self, comment: _Comment, now: datetime) -> tuple[list[_Said], bool]:
        """Return the replies to a comment, and whether they are all: some come along, others are asked for."""
        told, after = list(comment.replies.data), comment.replies.paging.following
        for _ in range(REPLY_PAGES):
            if not after:
                break
            asked = {"fields": _SAID, "limit": _PAGE, "after": after}
            try:
                further = await self._api.get(f"{comment.id}/replies", asked, _Replies, now)
            except Missing:  # taken away meanwhile
                return told, True
            told += further.data
            after = further.paging.following
        return told, not after

    def _unread(self, comment: _Comment, now: datetime) -> list[Gap]:
        since, until = moment_of(comment.timestamp) or now, now.replace(microsecond=0)
        reason = f"below one comment stand more than {REPLY_PAGES} pages of replies"
        return [Gap(source=self.id, since=since, until=until, reason=reason)] if since < until else []

    def _thread(self, comment: _Comment, replies: Sequence[_Said], post: str, now: datetime) -> Iterator[Mention]:
        if comment.text:
            yield self._said(comment, f"{_IS_POST}{post}", now)
        yield from (self._said(reply, comment.id, now) for reply in replies if reply.text)

    def _choose(self, memory: Memory, now: datetime) -> None:
        """Follow the newest posts, and read below those whose number of comments is another; once an hour below all."""
        known = [*self._seen, *(post for post in memory.counts if post not in self._seen)][:FOLLOWED]
        before = memory.counts
        memory.counts = {post: self._seen.get(post, before.get(post, 0)) for post in known}
        is_due = memory.looked is None or now - memory.looked >= LOOKED_EVERY
        memory.looked = now.replace(microsecond=0) if is_due else memory.looked
        changed = [post for post in known if is_due or memory.counts[post] != before.get(post)]
        memory.waiting = [post for post in changed if memory.counts[post]]

    async def _measure(self, memory: Memory, now: datetime) -> tuple[Reading, ...]:
        if memory.measured is not None and now - memory.measured < READINGS_EVERY:
            return ()
        asked = {"fields": "username,followers_count,media_count"}
        told = await self._api.get(self._options.account, asked, _Numbers, now)
        at = memory.measured = now.replace(microsecond=0)
        memory.name = told.username
        values = {"followers": told.followers_count, "media": told.media_count}
        account, title = self._options.account, f"@{told.username}" if told.username else self._options.account
        return tuple(
            Reading(source=self.id, account=account, name=name, value=value, at=at, own=True, title=title)
            for name, value in values.items()
            if value is not None
        )

    # ---------------------------------------------------------------- mentions

    def _post(self, one: _Post, now: datetime, *, is_ours: bool) -> Mention:
        told = Told(
            ident=f"{_IS_POST}{one.id}",
            text=one.caption,
            published=moment_of(one.timestamp),
            url=one.permalink,
            author=one.username,
            own=is_ours,
        )
        return mention_of(told, source=self.id, options=self._options, now=now)

    def _tagged(self, one: hashtags.TaggedPost, now: datetime) -> Mention:
        published = moment_of(one.timestamp)
        told = Told(ident=f"{_IS_POST}{one.id}", text=one.caption, published=published, url=one.permalink)
        return mention_of(told, source=self.id, options=self._options, now=now)

    def _said(self, one: _Said, parent: str | None, now: datetime) -> Mention:
        told = Told(
            ident=one.id,
            text=one.text,
            published=moment_of(one.timestamp),
            author=one.username,
            parent=parent,
            own=bool(self._name) and one.username == self._name,
        )
        return mention_of(told, source=self.id, options=self._options, now=now)
