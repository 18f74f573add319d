"""Posts under tags, and by search, as one Mastodon-compatible server knows them (Mastodon, GoToSocial and others).

Both Mastodon and GoToSocial derive the id of a remote post from its time, so a post that federates late appears below
the newest: an hourly sweep of a day finds it. A server shows only what it knows; name several, each as its own source.
Search is the server's (Elasticsearch): it wants a token and finds only who agreed to be found, and own conversations.
Where it streams, it says that there is something to be polled; only polls read (decision 0063).
API: https://docs.joinmastodon.org/methods/timelines/#tag, https://docs.joinmastodon.org/methods/statuses/#get,
https://docs.joinmastodon.org/methods/search/#v2, https://docs.joinmastodon.org/methods/streaming/#websocket
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self
from urllib.parse import quote, urlencode

import msgspec
import structlog
from msgspec import Struct
from pydantic import Field, model_validator

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.json_api import read_json
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.normalise import strip_html
from brandmelder.capture.source import Poll, Recheck, Tools, connect_of
from brandmelder.capture.translate import Untranslatable, for_phrases, wanted
from brandmelder.errors import SourceError
from brandmelder.model import Cursor, Mention, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brandmelder.capture.source import Answer, Hears
    from brandmelder.capture.tree import Everything, Node

log = structlog.get_logger()

MOST_TAGS: Final = 8
MOST_SEARCHES: Final = 5
_PAGE: Final = 40
_QUERY: Final = "?"
"""Begins the names of searches among those of tags: no tag holds it."""
_STOPPED: Final = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
        "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this",
        "to", "was", "will", "with",
    }
)  # fmt: skip
_SHOWN: Final = frozenset({"public", "unlisted"})
_GONE: Final = frozenset({404, 410})
_SERVICE: Final = "a Mastodon server"
_WRITTEN: Final = frozenset({"update", "status.update"})
SELDOM: Final = timedelta(seconds=10)
"""Nudges are at least so far apart: a server grants one question a second, over all tags."""
AGAIN: Final = timedelta(minutes=1)
"""When a stream that ended is opened again."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TAG: Final = r"^#?[^\s#/]{1,100}$"


class MastodonOptions(SourceOptions):
    """Posts under tags, and posts by search, as one server knows them."""

    url: WebAddress
    """The server, as in https://mastodon.social."""
    tags: Annotated[tuple[Annotated[str, Field(pattern=_TAG)], ...], Field(max_length=8)] = ()
    """The tags, with or without `#`. Left out, as `searches`, they are made of the monitors' queries."""
    searches: Annotated[tuple[Annotated[str, Field(min_length=2, max_length=100)], ...], Field(max_length=5)] = ()
    """What to search for, where the server has a search: words, or a phrase in quotes. Needs `token`."""
    token: SecretText | None = None
    """An access token with the rights `read:statuses` and `read:search`, for a search or a server of members only."""
    streaming: WebAddress | None = None
    """Where the server streams, often its own address, as in https://streaming.mastodon.social: then a tag is polled as
    soon as something is written. Most servers want a token for that; it needs the package's extra `stream`.
    """

    @model_validator(mode="after")
    def _may_search(self) -> Self:
        if self.searches and self.token is None:
            raise ValueError("a server's search wants to know who asks; add token, or write tags alone")
        return self

    def asking(self, trees: Sequence[Node | Everything]) -> Self:
        """Read the tags and search for the words that the monitors want, unless some are written."""
        if self.tags or self.searches:
            return self
        try:
            found = for_phrases(wanted(trees))
        except Untranslatable as error:
            raise ValueError(f"{error}; write tags or searches") from error
        tags = tuple(dict.fromkeys(text[1:] for text in found if text.startswith("#")))
        words = tuple(dict.fromkeys(_searched(text) for text in found if not text.startswith("#")))
        if words and self.token is None:
            raise ValueError("the queries ask for words, which tags do not hold; add token for a search, or write tags")
        if len(tags) > MOST_TAGS or len(words) > MOST_SEARCHES:
            made, most = f"{len(tags)} tags and {len(words)} searches", f"{MOST_TAGS} and {MOST_SEARCHES}"
            raise ValueError(f"the queries make {made}, and {most} are asked at most; write tags or searches")
        if stopped := next((one for one in words if not _is_indexed(one)), None):
            raise ValueError(f"{stopped} is nothing that a server's search knows; write tags or searches")
        return self.model_copy(update={"tags": tags, "searches": words})


def _searched(text: str) -> str:
    bare = text.lstrip("@")
    return bare if bare.isalnum() else f'"{bare}"'


def _is_indexed(text: str) -> bool:
    """Whether the search can find a text: it leaves out English words that stand everywhere (Elasticsearch's list)."""
    return any(word not in _STOPPED for word in re.findall(r"\w+", text.lower()))


class _Account(Struct, frozen=True):
    acct: str = ""
    followers_count: int | None = None


class _Status(Struct, frozen=True):
    id: str
    created_at: str = ""
    content: str = ""
    visibility: str = "public"
    url: str | None = None
    uri: str = ""
    language: str | None = None
    in_reply_to_id: str | None = None
    spoiler_text: str = ""
    account: _Account = _Account()


class _Found(Struct, frozen=True):
    statuses: list[_Status] = []


class _Said(Struct, frozen=True):
    event: str = ""


class MastodonSource:
    """Reads tag timelines and searches of one server, each on its own trail."""

    Options: ClassVar[type[SourceOptions]] = MastodonOptions
    recheck_size = 10

    def __init__(self, source_id: SourceId, options: MastodonOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._base = options.url.rstrip("/")
        token = options.token
        self._headers = {"authorization": f"Bearer {token.reveal()}"} if token else {}
        self._polled, self._now = asyncio.Event(), EPOCH
        if options.streaming is not None:
            connect_of(tools, source_id)
        self._lists = Lists(
            source=source_id,
            names=[
                *(tag.lstrip("#").lower() for tag in options.tags),  # not folded: a tag with ß is another one
                *(f"{_QUERY}{text}" for text in options.searches),
            ],
            ask=self._ask,
            bounds=Bounds(history=options.history, sweep_every=timedelta(hours=1)),
        )

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in every tag."""
        self._now = now
        self._polled.set()
        return await poll_lists(self._lists, cursor, now)

    async def listen(self, nudge: Callable[[], None]) -> None:
        """Hear when something is written under the tags. What goes wrong here, the next poll tells."""
        place = self._options.streaming
        if place is None:
            return
        await self._polled.wait()
        async with asyncio.TaskGroup() as tags:
            for tag in (name for name in self._lists.names if not name.startswith(_QUERY)):
                asked = urlencode({"stream": "hashtag", "tag": tag})
                url = f"{place.rstrip('/')}/api/v1/streaming?{asked}"
                tags.create_task(self._hear(url, nudge))

    async def _hear(self, url: str, nudge: Callable[[], None]) -> None:
        token = self._options.token.reveal() if self._options.token is not None else ""
        connect = connect_of(self._tools, self.id)
        while True:
            try:
                async with connect(url, now=self._now, protocol=token) as line:
                    await _pass_on(line, nudge)
            except SourceError as error:
                log.info("mastodon.stream_ended", source=self.id, error=type(error).__name__)
            nudge()  # what was written while nothing was heard
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN.total_seconds()):
                    await asyncio.Event().wait()

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for single posts: 404 means deleted, or shown to strangers no more."""
        mentions: list[Mention] = []
        removals: list[Removal] = []
        for ident in external_ids:
            url = f"{self._base}/api/v1/statuses/{quote(ident, safe='')}"
            answer = await self._tools.fetch(url, now=now, headers=self._headers, takes=_GONE)
            if answer.status in _GONE:
                removals.append(Removal(source=self.id, external_id=ident, reason="deleted or hidden"))
                continue
            status = read_json(answer, _Status, source=self.id, service=_SERVICE)
            mentions += self._mentions([status], now)
        return Recheck(mentions=tuple(mentions), removals=tuple(removals))

    async def _ask(self, name: str, page: str, now: datetime) -> Page:
        asked = {"limit": str(_PAGE)} | ({"max_id": page} if page else {})
        if name.startswith(_QUERY):
            asked |= {"q": name.removeprefix(_QUERY), "type": "statuses"}
            answer = await self._get(f"/api/v2/search?{urlencode(asked)}", now)
            found = read_json(answer, _Found, source=self.id, service=_SERVICE).statuses
        else:
            answer = await self._get(f"/api/v1/timelines/tag/{quote(name, safe='')}?{urlencode(asked)}", now)
            found = read_json(answer, list[_Status], source=self.id, service=_SERVICE)
        return Page(
            mentions=self._mentions(found, now),
            ids=[one.id for one in found],
            following=found[-1].id if found else "",
        )

    async def _get(self, path: str, now: datetime) -> Answer:
        return await self._tools.fetch(f"{self._base}{path}", now=now, headers=self._headers)

    def _mentions(self, found: Sequence[_Status], now: datetime) -> list[Mention]:
        return [
            mention_of(
                Told(
                    ident=one.id,
                    text="\n".join(filter(None, (one.spoiler_text, strip_html(one.content)))),
                    published=moment_of(one.created_at),
                    url=one.url or one.uri,
                    author=one.account.acct,
                    parent=one.in_reply_to_id,
                    reach=one.account.followers_count,
                    language=one.language,
                ),
                source=self.id,
                options=self._options,
                now=now,
            )
            for one in found
            if one.visibility in _SHOWN
        ]


async def _pass_on(line: Hears, nudge: Callable[[], None]) -> None:
    """Nudge when something is written, but seldom enough for a storm. Raises a SourceError when the stream ends."""
    loop = asyncio.get_running_loop()
    is_due, last = False, loop.time() - SELDOM.total_seconds()
    while True:
        heard = await line.hear(SELDOM)
        is_due = is_due or any(_is_written(message) for message in heard)
        if is_due and loop.time() - last >= SELDOM.total_seconds():
            is_due, last = False, loop.time()
            nudge()


def _is_written(message: bytes) -> bool:
    try:
        return msgspec.json.decode(message, type=_Said).event in _WRITTEN
    except msgspec.MsgspecError:
        return False
