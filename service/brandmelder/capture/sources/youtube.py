"""Comments below the videos of a channel or chosen videos, and new videos by search, over the YouTube Data API.

A thread brings along five replies at most: the others are asked for where their number or those five changed. A new
reply does not lift its thread, and a comment released from review keeps its old date: a sweep of three days once an
hour finds both. A question costs one unit of ten thousand a day.
API: https://developers.google.com/youtube/v3/docs/commentThreads/list, .../comments/list, .../channels/list
"""

from __future__ import annotations

import html
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field, model_validator

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.json_api import read_json
from brandmelder.capture.known import key_of, last, pack, print_of, unpack
from brandmelder.capture.lists import ROOM, Lists, join, poll_lists
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.capture.translate import Untranslatable, for_youtube, wanted
from brandmelder.errors import AuthRefused, Blocked, RateLimited, ShapeChanged, SourceError, Transient
from brandmelder.model import Cursor, Extent, Mention, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.capture.source import Answer
    from brandmelder.capture.tree import Everything, Node

SEARCHED_EVERY: Final = timedelta(minutes=15)
_LONGEST: Final = 400
_SEARCH: Final = "q"
_SEARCHED_BACK: Final = timedelta(days=7)
"""Pages of a search are dear: its first visit reads no more."""
_PAGE: Final = 100
_FOUND: Final = 50
_IS_VIDEO: Final = "video:"
_SERVICE: Final = "the YouTube Data API"
_TOLD: Final = frozenset({400, 403})
_GONE: Final = frozenset({404})
SWEEP_EVERY: Final = timedelta(hours=1)
KEPT: Final = 500
"""Of how many long threads it is remembered what their replies were like."""
PAGES: Final = 8
"""How many pages of replies one poll reads at most."""
_SPENT: Final = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_HURRIED: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})


class YouTubeOptions(SourceOptions):
    """Comments below the videos of one channel, below chosen videos, or videos that a search finds."""

    api_key: SecretText
    """A key of a Google Cloud project with the YouTube Data API switched on."""
    channel: Annotated[str | None, Field(pattern=r"^UC[A-Za-z0-9_-]{22}$")] = None
    """The channel's id, as in UC…; comments below all its videos."""
    videos: Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{11}$")], ...], Field(max_length=8)] = ()
    """Ids of single videos."""
    search: Annotated[str, Field(max_length=400)] = ""
    """What new videos are searched for, in YouTube's syntax: words, "phrases", `|` for or, `-` for not.

    Left out, and without channel and videos, it is made of the monitors' queries.
    """
    url: WebAddress = "https://www.googleapis.com/youtube/v3"
    """Where the API stands."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = [self.channel, self.videos, self.search]
        if sum(map(bool, places)) > 1:
            raise ValueError("needs one of channel, videos and search; write a source for each")
        if not any(places[:2]) and self.every < SEARCHED_EVERY:
            raise ValueError("a search is one of a hundred a day; write every: 15m or more")
        return self

    def asking(self, trees: Sequence[Node | Everything]) -> Self:
        """Search for the videos that the monitors want, unless a place or a search is written."""
        if self.channel or self.videos or self.search:
            return self
        try:
            search = for_youtube(wanted(trees))
        except Untranslatable as error:
            raise ValueError(f"{error}; write channel, videos, or search in YouTube's own syntax") from error
        if len(search) > _LONGEST:
            raise ValueError(
                f"the queries make {len(search)} characters and {_LONGEST} are asked at most; write search"
            )
        return self.model_copy(update={"search": search})


class _ChannelId(Struct, frozen=True):
    value: str = ""


class _Snippet(Struct, frozen=True):
    videoId: str = ""  # noqa: N815 - the service's names, here and below
    textOriginal: str = ""  # noqa: N815
    textDisplay: str = ""  # noqa: N815
    authorDisplayName: str = ""  # noqa: N815
    authorChannelId: _ChannelId = _ChannelId()  # noqa: N815
    publishedAt: str = ""  # noqa: N815
    parentId: str | None = None  # noqa: N815


class _Comment(Struct, frozen=True):
    id: str
    snippet: _Snippet


class _Thread(Struct, frozen=True):
    topLevelComment: _Comment  # noqa: N815
    videoId: str = ""  # noqa: N815
    totalReplyCount: int = 0  # noqa: N815


class _Replies(Struct, frozen=True):
    comments: list[_Comment] = []


class _Item(Struct, frozen=True):
    id: str
    snippet: _Thread
    replies: _Replies = _Replies()

    @property
    def mark(self) -> int:
        """Return what changes with its replies, where they have to be asked for; else 0."""
        count, shown = self.snippet.totalReplyCount, self.replies.comments
        return print_of(str(count), *sorted(one.id for one in shown)) if count > len(shown) else 0


class _Threads(Struct, frozen=True):
    items: list[_Item]
    nextPageToken: str = ""  # noqa: N815


class _Comments(Struct, frozen=True):
    items: list[_Comment]
    nextPageToken: str = ""  # noqa: N815


class _VideoId(Struct, frozen=True):
    videoId: str = ""  # noqa: N815


class _About(Struct, frozen=True):
    title: str = ""
    description: str = ""
    channelTitle: str = ""  # noqa: N815
    publishedAt: str = ""  # noqa: N815


class _Video(Struct, frozen=True):
    id: _VideoId
    snippet: _About


class _Videos(Struct, frozen=True):
    items: list[_Video]
    nextPageToken: str = ""  # noqa: N815


class _Reason(Struct, frozen=True):
    reason: str = ""


class _Fault(Struct, frozen=True):
    message: str = ""
    errors: list[_Reason] = []


class _Refused(Struct, frozen=True):
    error: _Fault


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds."""

    v: int = 1
    first: datetime
    lists: str = ""
    marks: str = ""
    """What the replies of long threads were like when they were asked for, packed."""
    waiting: list[tuple[str, str]] = []
    """The threads whose replies are being read, with their videos."""
    page: str = ""
    """Where it goes on below the first of them."""
    until: datetime | None = None
    """Up to when the threads were read whose replies are being read."""


class YouTubeSource:
    """Reads comment threads, then the replies that did not come along."""

    Options: ClassVar[type[SourceOptions]] = YouTubeOptions
    recheck_size = 50

    def __init__(self, source_id: SourceId, options: YouTubeOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._base = options.url.rstrip("/")
        names = [f"videoId={video}" for video in options.videos]
        names += [f"allThreadsRelatedToChannelId={options.channel}"] if options.channel else []
        bounds = Bounds(history=options.history, sweep_every=SWEEP_EVERY, sweep_span=timedelta(days=3))
        if options.search:
            names, bounds = [f"{_SEARCH}={options.search}"], Bounds(history=min(options.history, _SEARCHED_BACK))
        self._lists = Lists(source=source_id, names=names, ask=self._ask, bounds=bounds)
        self._seen: dict[str, _Item] = {}
        """The threads that were told in this poll."""

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on below the channel or the videos; then the replies of long threads."""
        memory, polls = self._recall(cursor, now), []
        if not memory.waiting:
            self._seen = {}
            threads = await poll_lists(self._lists, Cursor(memory.lists) if memory.lists else None, now)
            memory.lists, memory.until = threads.cursor or "", threads.read_until
            self._choose(memory)
            polls.append(threads)
        stopped: SourceError | None = None
        if memory.waiting and sum(len(poll.mentions) for poll in polls) <= ROOM:
            replies, stopped = await self._replies(memory, is_alone=not polls, now=now)
            polls.append(replies)
        joined = join(polls, cursor=Cursor(msgspec.json.encode(memory).decode()), read_until=None)
        return replace(
            joined,
            more=(bool(memory.waiting) or joined.more) and stopped is None,
            read_until=None if memory.waiting else memory.until,
            not_before=stopped.until if isinstance(stopped, RateLimited) else joined.not_before,
            degraded=str(stopped or joined.degraded),
        )

    def _recall(self, cursor: Cursor | None, now: datetime) -> Memory:
        try:
            memory = msgspec.json.decode(cursor, type=Memory) if cursor else None
        except msgspec.MsgspecError:
            memory = None
        return memory or Memory(first=now.replace(microsecond=0))

    def _choose(self, memory: Memory) -> None:
        """Ask for the replies of long threads where they are not as they were."""
        marks = unpack(memory.marks)
        for ident, item in self._seen.items():
            key, mark = key_of(ident), item.mark
            if mark and marks.get(key) != mark:
                memory.waiting.append((ident, item.snippet.videoId or item.snippet.topLevelComment.snippet.videoId))
            if mark:
                marks.pop(key, None)
                marks[key] = mark  # the last seen are the last forgotten
        memory.marks = pack(last(marks, KEPT))

    async def _replies(self, memory: Memory, *, is_alone: bool, now: datetime) -> tuple[Poll, SourceError | None]:
        """Read some pages of replies; a page that fails is asked for again, and keeps what was read before."""
        found: list[Mention] = []
        for number in range(PAGES):
            if not memory.waiting:
                break
            thread, video = memory.waiting[0]
            try:
                page = await self._page(thread, memory.page, now)
            except SourceError as error:
                if memory.page and not number and not isinstance(error, RateLimited | Transient | Blocked):
                    memory.page = ""  # places are forgotten: from this thread's beginning, then
                    continue
                if is_alone and not found:
                    raise
                return self._told(found, memory), error
            found += [self._mention(one, video, now) for one in page.items]
            memory.page = page.nextPageToken
            memory.waiting = memory.waiting if page.nextPageToken else memory.waiting[1:]
        return self._told(found, memory), None

    def _told(self, found: Sequence[Mention], memory: Memory) -> Poll:
        dated = (replace(one, history=True) if one.published_at < memory.first else one for one in found)
        return Poll(mentions=tuple(dated), extent=Extent(read=len(found)))

    async def _page(self, thread: str, page: str, now: datetime) -> _Comments:
        asked = {"part": "snippet", "parentId": thread, "textFormat": "plainText", "maxResults": str(_PAGE)}
        answer = await self._get("comments", asked | ({"pageToken": page} if page else {}), now, takes=_GONE)
        if answer.status in _GONE:  # it was taken away, and its replies with it
            return _Comments(items=[])
        return read_json(answer, _Comments, source=self.id, service=_SERVICE)

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for fifty comments by their ids; videos are seen in their search."""
        comments = [ident for ident in external_ids if not ident.startswith(_IS_VIDEO)]
        if not comments:
            return Recheck()
        asked = {"part": "snippet", "id": ",".join(comments), "textFormat": "plainText", "maxResults": str(_PAGE)}
        found = read_json(await self._get("comments", asked, now), _Comments, source=self.id, service=_SERVICE)
        there = {one.id for one in found.items}
        return Recheck(
            mentions=tuple(self._mention(one, one.snippet.videoId, now) for one in found.items),
            removals=tuple(
                Removal(source=self.id, external_id=ident, reason="gone") for ident in comments if ident not in there
            ),
        )

    async def _ask(self, name: str, page: str, now: datetime) -> Page:
        key, _, value = name.partition("=")
        if key == _SEARCH:
            return await self._search(value, page, now)
        asked = {"part": "snippet,replies", key: value, "order": "time", "textFormat": "plainText"}
        asked |= {"maxResults": str(_PAGE)} | ({"pageToken": page} if page else {})
        found = read_json(await self._get("commentThreads", asked, now), _Threads, source=self.id, service=_SERVICE)
        self._seen |= {item.id: item for item in found.items}
        return Page(
            mentions=[self._mention(one, video, now) for item in found.items for one, video in _comments(item)],
            ids=[item.id for item in found.items],
            following=found.nextPageToken,
        )

    async def _search(self, query: str, page: str, now: datetime) -> Page:
        asked = {"part": "snippet", "type": "video", "order": "date", "q": query, "maxResults": str(_FOUND)}
        asked |= {"pageToken": page} if page else {}
        found = read_json(await self._get("search", asked, now), _Videos, source=self.id, service=_SERVICE)
        return Page(
            mentions=[self._video(one, now) for one in found.items if one.id.videoId],
            ids=[one.id.videoId for one in found.items],
            following=found.nextPageToken,
        )

    def _video(self, one: _Video, now: datetime) -> Mention:
        told = one.snippet
        return mention_of(
            Told(
                ident=f"{_IS_VIDEO}{one.id.videoId}",
                text=html.unescape("\n".join(filter(None, (told.title, told.description)))),
                published=moment_of(told.publishedAt),
                url=f"https://www.youtube.com/watch?v={one.id.videoId}",
                author=html.unescape(told.channelTitle),
            ),
            source=self.id,
            options=self._options,
            now=now,
        )

    async def _get(
        self, path: str, asked: dict[str, str], now: datetime, *, takes: frozenset[int] = frozenset()
    ) -> Answer:
        query = urlencode(asked | {"key": self._options.api_key.reveal()}, safe=",")
        answer = await self._tools.fetch(f"{self._base}/{path}?{query}", now=now, takes=_TOLD | takes)
        if answer.status in _TOLD:
            raise self._refusal(read_json(answer, _Refused, source=self.id, service=_SERVICE).error, now).about(self.id)
        return answer

    @staticmethod
    def _refusal(fault: _Fault, now: datetime) -> AuthRefused | RateLimited | ShapeChanged:
        reason = next((one.reason for one in fault.errors), "")
        if reason in _SPENT:
            until = now.replace(hour=8, minute=5, second=0, microsecond=0) + timedelta(days=now.hour >= 8)
            return RateLimited(f"the day's quota is spent; it is asked again at {until:%H:%M} UTC", until)
        if reason in _HURRIED:
            return RateLimited("is asked too often; it is asked again in five minutes", now + timedelta(minutes=5))
        if reason == "commentsDisabled":
            return ShapeChanged("has comments switched off; remove this video or channel")
        return AuthRefused(f"refuses the key ({reason or 'no reason given'}); mend it in the Google Cloud console")

    def _mention(self, one: _Comment, video: str, now: datetime) -> Mention:
        told = one.snippet
        place = {"v": told.videoId or video, "lc": one.id}
        return mention_of(
            Told(
                ident=one.id,
                text=told.textOriginal or told.textDisplay,
                published=moment_of(told.publishedAt),
                url=f"https://www.youtube.com/watch?{urlencode({key: value for key, value in place.items() if value})}",
                author=told.authorDisplayName,
                parent=told.parentId,
                own=bool(self._options.channel) and told.authorChannelId.value == self._options.channel,
            ),
            source=self.id,
            options=self._options,
            now=now,
        )


def _comments(item: _Item) -> Iterator[tuple[_Comment, str]]:
    video = item.snippet.videoId or item.snippet.topLevelComment.snippet.videoId
    yield item.snippet.topLevelComment, video
    yield from ((reply, video) for reply in item.replies.comments)
