"""Comments below the videos of a channel or chosen videos, and new videos by search, over the YouTube Data API.

A new reply does not lift its thread, and a comment released from review keeps its old date: a sweep of three days once
a day finds both. A question costs one unit of ten thousand a day.
API: https://developers.google.com/youtube/v3/docs/commentThreads/list, .../comments/list, .../channels/list
"""

from __future__ import annotations

import html
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self
from urllib.parse import urlencode

from msgspec import Struct
from pydantic import Field, model_validator

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.json_api import read_json
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.capture.translate import Untranslatable, for_youtube, wanted
from brandmelder.errors import AuthRefused, RateLimited, ShapeChanged
from brandmelder.model import Cursor, Mention, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

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


class _Replies(Struct, frozen=True):
    comments: list[_Comment] = []


class _Item(Struct, frozen=True):
    id: str
    snippet: _Thread
    replies: _Replies = _Replies()


class _Threads(Struct, frozen=True):
    items: list[_Item]
    nextPageToken: str = ""  # noqa: N815


class _Comments(Struct, frozen=True):
    items: list[_Comment]


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


class YouTubeSource:
    """Reads comment threads with the replies that come along."""

    Options: ClassVar[type[SourceOptions]] = YouTubeOptions
    recheck_size = 50

    def __init__(self, source_id: SourceId, options: YouTubeOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._base = options.url.rstrip("/")
        names = [f"videoId={video}" for video in options.videos]
        names += [f"allThreadsRelatedToChannelId={options.channel}"] if options.channel else []
        bounds = Bounds(history=options.history, sweep_every=timedelta(days=1), sweep_span=timedelta(days=3))
        if options.search:
            names, bounds = [f"{_SEARCH}={options.search}"], Bounds(history=min(options.history, _SEARCHED_BACK))
        self._lists = Lists(source=source_id, names=names, ask=self._ask, bounds=bounds)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on below the channel or the videos."""
        return await poll_lists(self._lists, cursor, now)

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

    async def _get(self, path: str, asked: dict[str, str], now: datetime) -> Answer:
        query = urlencode(asked | {"key": self._options.api_key.reveal()}, safe=",")
        answer = await self._tools.fetch(f"{self._base}/{path}?{query}", now=now, takes=_TOLD)
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
