"""What a WordPress blog says of its comments: over its API, or where that is closed by its comment feed.

The API was read in the source of WordPress 6.1 (`class-wp-rest-comments-controller.php`): `after` is exclusive and
counts whole seconds, a page may hold fewer comments than it counts (those of protected posts are left out), and the
end is told by `X-WP-TotalPages` alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct, field

from brandmelder.capture.headers import seen_until
from brandmelder.capture.json_api import decoded
from brandmelder.capture.known import print_of
from brandmelder.capture.normalise import strip_html
from brandmelder.errors import AuthRefused, Gone, ShapeChanged, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from brandmelder.capture.source import Answer, Entry, ParsedFeed, Tools
    from brandmelder.capture.walk import Walk
    from brandmelder.model import SourceId

PAGE: Final = 100
"""Comments a page: WordPress's largest."""
PRETTY, PLAIN = "pretty", "plain"
_LOCAL = timedelta(hours=2)  # how far local times run back: daylight saving
_FIELDS = "id,post,parent,author,author_name,date_gmt,content,link"  # 6.1 drops `content.rendered`: it knows no parts
_COMMENT = re.compile(r"#comment-(\d{1,15})$")
_ETAG_CHARACTERS = 512

T = TypeVar("T")


class Text(Struct, frozen=True):
    """HTML, as WordPress shows it."""

    rendered: str = ""


class Told(Struct, frozen=True):
    """A comment as the API tells it (developer.wordpress.org/rest-api/reference/comments)."""

    id: int
    date_gmt: str
    content: Text
    author_name: str = ""
    author: int = 0
    parent: int = 0
    post: int = 0
    link: str = ""


class Post(Struct, frozen=True):
    """What a comment stands under; an error object for a post that may not be read."""

    title: Text = Text()


class Embedded(Struct, frozen=True):
    """What comes along with a comment."""

    up: list[Post] = []


class Placed(Struct, frozen=True):
    """A comment's post, and what it is called."""

    post: int
    embedded: Embedded = field(name="_embedded", default=Embedded())


class Comment(Struct, frozen=True, kw_only=True):
    """A comment as plain text, from the API or from the feed."""

    id: int
    text: str
    published: datetime | None
    author: str
    user: int = 0
    parent: int = 0
    post: int = 0
    link: str = ""
    context: str = ""

    @property
    def mark(self) -> int:
        """What changes with an edit."""
        return print_of(self.text, self.author, str(self.parent))


class Page(Struct, frozen=True):
    """One answer of the API."""

    comments: Sequence[Comment]
    is_last: bool
    total: int | None
    seen_until: datetime

    @property
    def times(self) -> list[datetime]:
        """When its comments were written, in its order."""
        return [one.published for one in self.comments if one.published is not None]


class CommentFeed(Struct, frozen=True):
    """What the comment feed shows; None if it is unchanged."""

    comments: Sequence[Comment] | None
    etag: str
    seen_until: datetime


class WordPressApi:
    """One blog's API. `route` is the address that works: with pretty permalinks or without; empty while unknown."""

    def __init__(self, source_id: SourceId, base: str, tools: Tools, *, headers: Mapping[str, str]) -> None:
        self._id, self._base, self._tools = source_id, base, tools
        self._headers = {"accept": "application/json", **headers}
        self.route = ""

    async def after(self, walk: Walk, now: datetime) -> Page:
        """Return one page of a walk. Raises ShapeChanged if the site does not heed what was asked."""
        order = {"order": "asc", "orderby": "date_gmt", "after": f"{walk.after:%Y-%m-%dT%H:%M:%S}Z"}
        page = await self._page(order | ({"page": str(walk.page)} if walk.page > 1 else {}), now)
        times = page.times
        if times != sorted(times) or (times and times[0] < walk.after - _LOCAL):
            text = "gives other comments than were asked for; does a cache ignore the query of an address?"
            raise ShapeChanged(text).about(self._id)
        return page

    async def by_id(self, idents: Iterable[int], now: datetime) -> Page:
        """Return those of at most a hundred comments that are still to be seen."""
        return await self._page({"include": ",".join(map(str, idents))}, now)

    async def titles(self, posts: Mapping[int, int], now: datetime) -> dict[int, str]:
        """Return what posts are called; each is asked for beside one of its comments (`posts`: post to comment).

        Posts nobody may read have no title.
        """
        asked = {"include": ",".join(map(str, posts.values())), "_embed": "up", "_fields": "post,_links,_embedded"}
        try:
            placed = self._decode(await self._ask(asked, now), list[Placed])
        except (AuthRefused, Gone, ShapeChanged):
            placed = []
        found = {one.post: strip_html(up.title.rendered) for one in placed for up in one.embedded.up[:1]}
        return {post: found.get(post, "") for post in posts}

    async def feed(self, etag: str, now: datetime) -> CommentFeed:
        """Return the ten newest comments of the feed."""
        headers = {"accept": "application/atom+xml"} | ({"if-none-match": etag} if etag else {})
        missing: SourceError | None = None
        for route in self._routes():
            path = "/comments/feed/atom/" if route == PRETTY else "/?feed=comments-atom"
            try:
                answer = await self._tools.fetch(self._base + path, now=now, headers=headers)
                entries = None if answer.status == 304 else (await self._parse(answer)).entries
            except (Gone, ShapeChanged) as error:
                missing = missing or error
                continue
            told = answer.headers.get("etag", "") if entries is not None else etag
            return CommentFeed(
                comments=None if entries is None else [one for one in map(_from_entry, entries) if one is not None],
                etag=told if told.isascii() and told.isprintable() and len(told) <= _ETAG_CHARACTERS else "",
                seen_until=seen_until(answer.headers, now),
            )
        raise missing or ShapeChanged("has no comment feed").about(self._id)

    async def _parse(self, answer: Answer) -> ParsedFeed:
        try:
            feed = await self._tools.parse_feed(answer.body, answer.content_type)
        except SourceError as error:
            error.about(self._id)
            raise
        if not feed.version:
            raise ShapeChanged(f"answered {feed.refusal} instead of its comment feed").about(self._id)
        return feed

    async def _page(self, asked: dict[str, str], now: datetime) -> Page:
        answer = await self._ask(asked | {"_fields": _FIELDS}, now)
        told = self._decode(answer, list[Told])
        pages, total = (_number(answer.headers.get(f"x-wp-total{what}")) for what in ("pages", ""))
        is_last = len(told) < PAGE if pages is None else int(asked.get("page", "1")) >= pages
        seen = seen_until(answer.headers, now)
        return Page(comments=[_comment(one) for one in told], is_last=is_last, total=total, seen_until=seen)

    async def _ask(self, asked: dict[str, str], now: datetime) -> Answer:
        missing: SourceError | None = None
        query = urlencode(asked | {"per_page": str(PAGE)}, safe=",:")
        for route in self._routes():
            path = f"/wp-json/wp/v2/comments?{query}" if route == PRETTY else f"/?rest_route=/wp/v2/comments&{query}"
            try:
                answer = await self._tools.fetch(self._base + path, now=now, headers=self._headers)
                if "json" not in answer.content_type:
                    what = "HTML" if "html" in answer.content_type else "another kind of document"
                    raise ShapeChanged(f"answered {what} instead of JSON; is it in maintenance?").about(self._id)
            except (Gone, ShapeChanged) as error:
                missing = missing or error
                continue
            self.route = route
            return answer
        if missing is not None and self.route:
            raise missing
        text = "shows no WordPress comments by either address of its API; mend its url, or use `type: feed`"
        raise (type(missing) if missing else Gone)(text).about(self._id)

    def _routes(self) -> tuple[str, str]:
        return (PLAIN, PRETTY) if self.route == PLAIN else (PRETTY, PLAIN)

    def _decode(self, answer: Answer, shape: type[T]) -> T:
        try:
            return decoded(answer.body, shape, strict=False)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ShapeChanged(f"answered JSON of another shape ({error}); is it WordPress?").about(self._id) from error


def _comment(told: Told) -> Comment:
    try:
        published = datetime.fromisoformat(told.date_gmt).replace(tzinfo=UTC)
    except ValueError:
        published = None
    return Comment(
        id=told.id,
        text=strip_html(told.content.rendered),
        published=published,
        author=strip_html(told.author_name),
        user=told.author,
        parent=told.parent,
        post=told.post,
        link=told.link,
    )


def _from_entry(entry: Entry) -> Comment | None:
    ident = _COMMENT.search(entry.id) or _COMMENT.search(entry.link)
    if ident is None:
        return None
    parent = _COMMENT.search(entry.parent)
    return Comment(
        id=int(ident[1]),
        text=entry.text,
        published=entry.published,
        author=entry.author,
        parent=int(parent[1]) if parent else 0,
        link=entry.link,
        context=entry.title,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 12 else None
