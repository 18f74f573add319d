"""Posts of a Discourse forum, over its public JSON, newest first.

Ids only grow, so the last id is a safe anchor for what was public at once; posts made public later lie below it, hence
a daily sweep of three days. Edits show in the sweep and by asking again; a deleted post answers 404.
API: https://docs.discourse.org/#tag/Posts
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Self
from urllib.parse import quote, urlencode

from msgspec import Struct
from pydantic import model_validator

from brandmelder.capture.backward import Bounds, Page, counted
from brandmelder.capture.json_api import read_json
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.normalise import strip_html
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.model import Cursor, Mention, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_GONE: Final = frozenset({403, 404, 410})
_SERVICE: Final = "a Discourse forum"
_ALL: Final = "posts"
_WINDOW: Final = 50
_HOLES: Final = 10
"""So many empty pages in a row are the end of the list."""


class DiscourseOptions(SourceOptions):
    """All posts of a Discourse forum."""

    url: WebAddress
    """The forum's front page."""
    user: str = ""
    """Who reads, where the forum is closed to strangers."""
    api_key: SecretText | None = None
    """That user's API key."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.user) != bool(self.api_key):
            raise ValueError("user and api_key belong together; write both or none")
        return self


class _Post(Struct, frozen=True):
    id: int
    created_at: str = ""
    username: str = ""
    cooked: str = ""
    topic_id: int = 0
    topic_slug: str = ""
    topic_title: str = ""
    post_number: int = 1
    reply_to_post_number: int | None = None
    hidden: bool = False
    deleted_at: str | None = None


class _Latest(Struct, frozen=True):
    latest_posts: list[_Post]


class DiscourseSource:
    """Reads a forum's latest posts."""

    Options: ClassVar[type[SourceOptions]] = DiscourseOptions
    recheck_size = 10

    def __init__(self, source_id: SourceId, options: DiscourseOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._base = options.url.rstrip("/")
        key = options.api_key
        self._headers = {"api-key": key.reveal(), "api-username": options.user} if key else {}
        bounds = Bounds(history=options.history, sweep_every=timedelta(days=1), sweep_span=timedelta(days=3))
        self._lists = Lists(source=source_id, names=[_ALL], ask=self._ask, bounds=bounds)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on."""
        return await poll_lists(self._lists, cursor, now)

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for single posts."""
        mentions: list[Mention] = []
        removals: list[Removal] = []
        for ident in external_ids:
            url = f"{self._base}/posts/{quote(ident, safe='')}.json"
            answer = await self._tools.fetch(url, now=now, headers=self._headers, takes=_GONE)
            post = None if answer.status in _GONE else read_json(answer, _Post, source=self.id, service=_SERVICE)
            if post is None or not _is_shown(post):
                removals.append(Removal(source=self.id, external_id=ident, reason="deleted or hidden"))
            else:
                mentions.append(self._mention(post, now))
        return Recheck(mentions=tuple(mentions), removals=tuple(removals))

    async def _ask(self, _name: str, page: str, now: datetime) -> Page:
        below, _, empty = page.partition(":")
        query = f"?{urlencode({'before': below})}" if below else ""
        answer = await self._tools.fetch(f"{self._base}/posts.json{query}", now=now, headers=self._headers)
        found = read_json(answer, _Latest, source=self.id, service=_SERVICE).latest_posts
        lowest, asked = min((post.id for post in found), default=0), counted(below, 0)
        is_hole = not found or 0 < asked <= lowest
        return Page(
            mentions=[self._mention(post, now) for post in found if _is_shown(post)],
            ids=[str(post.id) for post in found],
            following=_below_a_hole(asked, counted(empty, 0)) if is_hole else str(lowest) if lowest > 1 else "",
        )

    def _mention(self, post: _Post, now: datetime) -> Mention:
        parent = f"{post.topic_id}/{post.reply_to_post_number}" if post.reply_to_post_number else None
        told = Told(
            ident=str(post.id),
            text=strip_html(post.cooked),
            context=post.topic_title,
            published=moment_of(post.created_at),
            url=f"{self._base}/t/{post.topic_slug or '-'}/{post.topic_id}/{post.post_number}",
            author=post.username,
            parent=parent,
        )
        return mention_of(told, source=self.id, options=self._options, now=now)


def _below_a_hole(asked: int, empty: int) -> str:
    """Return where to go on below a page that brought nothing; empty after so many that it must be the list's end.

    Older forums look at fifty numbers at a time, that of the question among them, and none of them need be public.
    """
    further = asked - _WINDOW
    return f"{further}:{empty + 1}" if further > 1 and empty + 1 < _HOLES else ""


def _is_shown(post: _Post) -> bool:
    return not post.hidden and post.deleted_at is None
