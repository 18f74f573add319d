"""Posts of a NodeBB forum (version 3 and 4), over its public JSON, newest first.

A deleted post answers a stranger with 200 and a placeholder for its text: that is a removal, not a text.
API: https://docs.nodebb.org/api/read/
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar
from urllib.parse import quote

from msgspec import Struct

from brandmelder.capture.backward import Bounds, Page, counted
from brandmelder.capture.json_api import read_json
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.capture.mentions import Told, mention_of
from brandmelder.capture.normalise import strip_html
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.model import Cursor, Mention, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.capture.source import Answer

T = TypeVar("T")

_GONE: Final = frozenset({403, 404, 410})
_SERVICE: Final = "a NodeBB forum"
_DELETED: Final = "[[topic:post-is-deleted]]"
_TERM: Final = "alltime"
_LATEST: Final = 7_000_000_000_000
"""Milliseconds; the year 2191."""


class NodeBbOptions(SourceOptions):
    """All posts of a NodeBB forum."""

    url: WebAddress
    """The forum's front page."""
    token: SecretText | None = None
    """An API token, where the forum is closed to strangers."""


class _User(Struct, frozen=True):
    username: str = ""


class _Topic(Struct, frozen=True):
    title: str = ""


class _Post(Struct, frozen=True):
    pid: int | str
    timestamp: float = 0
    content: str = ""
    tid: int | str = 0
    toPid: int | str | None = None  # noqa: N815 - the service's name
    deleted: int = 0
    user: _User = _User()
    topic: _Topic = _Topic()


class _One(Struct, frozen=True):
    response: _Post


class NodeBbSource:
    """Reads a forum's recent posts, page by page."""

    Options: ClassVar[type[SourceOptions]] = NodeBbOptions
    recheck_size = 10

    def __init__(self, source_id: SourceId, options: NodeBbOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._base = options.url.rstrip("/")
        self._headers = {"authorization": f"Bearer {options.token.reveal()}"} if options.token else {}
        bounds = Bounds(history=options.history, sweep_every=timedelta(hours=1))
        self._lists = Lists(source=source_id, names=["posts"], ask=self._ask, bounds=bounds)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on."""
        return await poll_lists(self._lists, cursor, now)

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for single posts."""
        mentions: list[Mention] = []
        removals: list[Removal] = []
        for ident in external_ids:
            url = f"{self._base}/api/v3/posts/{quote(ident, safe='')}"
            answer = await self._tools.fetch(url, now=now, headers=self._headers, takes=_GONE)
            post = None if answer.status in _GONE else self._read(answer, _One).response
            if post is None or _is_gone(post):
                removals.append(Removal(source=self.id, external_id=ident, reason="deleted"))
            else:
                mentions.append(self._mention(post, now))
        return Recheck(mentions=tuple(mentions), removals=tuple(removals))

    async def _ask(self, _name: str, page: str, now: datetime) -> Page:
        number = counted(page, 1)
        url = f"{self._base}/api/recent/posts/{_TERM}?page={number}"
        posts = self._read(await self._tools.fetch(url, now=now, headers=self._headers), list[_Post])
        return Page(
            mentions=[self._mention(post, now) for post in posts if not _is_gone(post)],
            ids=[str(post.pid) for post in posts],
            following=str(number + 1) if posts else "",
            removals=[
                Removal(source=self.id, external_id=str(post.pid), reason="deleted") for post in posts if _is_gone(post)
            ],
        )

    def _read(self, answer: Answer, shape: type[T]) -> T:
        return read_json(answer, shape, source=self.id, service=_SERVICE)

    def _mention(self, post: _Post, now: datetime) -> Mention:
        told = Told(
            ident=str(post.pid),
            text=strip_html(post.content),
            context=strip_html(post.topic.title),
            published=datetime.fromtimestamp(post.timestamp / 1000, UTC) if 0 < post.timestamp < _LATEST else None,
            url=f"{self._base}/post/{post.pid}",
            author=post.user.username,
            parent=str(post.toPid) if post.toPid else None,
        )
        return mention_of(told, source=self.id, options=self._options, now=now)


def _is_gone(post: _Post) -> bool:
    return bool(post.deleted) or post.content.strip() == _DELETED
