"""Posts and comments of chosen subreddits, and posts anywhere by search, over Reddit's API, newest first.

Search covers posts only, so the comments of chosen subreddits are read whole and matched here. Listings end near a
thousand; a full one without a known mention is a declared gap. Items approved late appear at their old place: an hourly
sweep finds them. Deleted content must go: everything of seven days is asked for again, a hundred at once.
API: https://www.reddit.com/dev/api, https://github.com/reddit-archive/reddit/wiki/OAuth2
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self
from urllib.parse import urlencode

from msgspec import Struct
from pydantic import Field

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.credentials import Grant, Token
from brandmelder.capture.json_api import read_json
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.capture.mentions import Told, mention_of
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.capture.translate import Untranslatable, for_reddit, wanted
from brandmelder.errors import AuthRefused
from brandmelder.model import Cursor, Mention, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.capture.tree import Everything, Node

_PAGE: Final = 100
_LONGEST: Final = 512
_SEARCH: Final = "search"
_LISTED: Final = 1_000
_FURTHER: Final = 4
"""Below how many of a page's last things the next one is asked for, should the very last be taken away."""
_SERVICE: Final = "Reddit"
_TAKEN: Final = frozenset({"[deleted]", "[removed]"})


class RedditOptions(SourceOptions):
    """Posts and comments of subreddits, posts anywhere by search. Reddit grants keys on request, some by contract."""

    subreddits: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(r/)?[A-Za-z0-9_]{2,21}$")], ...], Field(max_length=4)
    ] = ()
    """Which ones are read whole, with or without `r/`."""
    search: Annotated[str, Field(max_length=512)] = ""
    """What posts are searched for anywhere, in Reddit's syntax (AND, OR, NOT, brackets, quotes).

    Left out, and without subreddits, it is made of the monitors' queries.
    """
    client_id: SecretText
    """The application's id."""
    client_secret: SecretText
    """The application's secret."""
    user_agent: Annotated[str, Field(min_length=10)]
    """As Reddit demands it: `server:brandmelder:1.0 (by /u/yourname)`."""
    url: WebAddress = "https://oauth.reddit.com"
    """Where the API stands."""
    login_url: WebAddress = "https://www.reddit.com/api/v1/access_token"
    """Where tokens are given."""

    def asking(self, trees: Sequence[Node | Everything]) -> Self:
        """Search for what the monitors want, unless a search or subreddits are written."""
        if self.search or self.subreddits:
            return self
        try:
            search = for_reddit(wanted(trees))
        except Untranslatable as error:
            raise ValueError(f"{error}; write subreddits, or search in Reddit's own syntax") from error
        if len(search) > _LONGEST:
            raise ValueError(f"the queries make {len(search)} characters and Reddit takes {_LONGEST}; write search")
        return self.model_copy(update={"search": search})


class _Thing(Struct, frozen=True):
    name: str
    body: str = ""
    title: str = ""
    selftext: str = ""
    link_title: str = ""
    author: str = ""
    permalink: str = ""
    created_utc: float = 0
    parent_id: str | None = None
    removed_by_category: str | None = None


class _Child(Struct, frozen=True):
    data: _Thing


class _Data(Struct, frozen=True):
    children: list[_Child]
    after: str | None = None


class _Listing(Struct, frozen=True):
    data: _Data


class RedditSource:
    """Reads new posts and new comments of each subreddit, and the newest posts of a search."""

    Options: ClassVar[type[SourceOptions]] = RedditOptions
    recheck_size = 100

    def __init__(self, source_id: SourceId, options: RedditOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._base = options.url.rstrip("/")
        self._token = Token(source_id, tools, _SERVICE)
        pair = f"{options.client_id.reveal()}:{options.client_secret.reveal()}".encode()
        self._grant = Grant(
            url=options.login_url,
            form=urlencode({"grant_type": "client_credentials"}),
            headers={
                "authorization": "Basic " + base64.b64encode(pair).decode("ascii"),
                "user-agent": options.user_agent,
            },
        )
        names = [name.removeprefix("r/") for name in options.subreddits]
        bounds = Bounds(history=options.history, window=_LISTED, sweep_every=timedelta(hours=1))
        lists = [f"r/{name}/{kind}" for name in names for kind in ("new", "comments")]
        lists += [_SEARCH] if options.search else []
        self._lists = Lists(source=source_id, names=lists, ask=self._ask, bounds=bounds)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in every subreddit."""
        return await poll_lists(self._lists, cursor, now)

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for a hundred things by name; what is deleted keeps its place and loses its text."""
        found = await self._get("api/info?" + urlencode({"id": ",".join(external_ids), "raw_json": "1"}), now)
        things = {child.data.name: child.data for child in found.data.children}
        taken = [ident for ident in external_ids if ident not in things or _is_taken(things[ident])]
        return Recheck(
            mentions=tuple(self._mention(one, now) for one in things.values() if not _is_taken(one)),
            removals=tuple(Removal(source=self.id, external_id=ident, reason="deleted") for ident in taken),
        )

    async def _ask(self, path: str, page: str, now: datetime) -> Page:
        asked = {"limit": str(_PAGE), "raw_json": "1"}
        if path == _SEARCH:
            asked |= {"q": self._options.search, "sort": "new", "t": "all", "type": "link"}
        data = _Data(children=[])
        for after in page.split():  # below what was taken away Reddit lists nothing: then below what stood before it
            data = (await self._get(f"{path}?{urlencode(asked | {'after': after})}", now)).data
            if data.children:
                break
        if not page:
            data = (await self._get(f"{path}?{urlencode(asked)}", now)).data
        things = [child.data for child in data.children]
        names = [one.name for one in things]
        return Page(
            mentions=[self._mention(one, now) for one in things if not _is_taken(one)],
            ids=names,
            following=" ".join(dict.fromkeys([data.after, *names[: -_FURTHER - 1 : -1]])) if data.after else "",
        )

    async def _get(self, path: str, now: datetime) -> _Listing:
        token = await self._token.get(self._grant, now)
        headers = {"authorization": f"Bearer {token}", "user-agent": self._options.user_agent}
        try:
            answer = await self._tools.fetch(f"{self._base}/{path}", now=now, headers=headers)
        except AuthRefused:
            self._token.forget()
            raise
        return read_json(answer, _Listing, source=self.id, service=_SERVICE)

    def _mention(self, one: _Thing, now: datetime) -> Mention:
        told = Told(
            ident=one.name,
            text=one.body or "\n".join(filter(None, (one.title, one.selftext))),
            context=one.link_title,
            published=datetime.fromtimestamp(one.created_utc, UTC) if 0 < one.created_utc < 7_000_000_000 else None,
            url=f"https://www.reddit.com{one.permalink}",
            author=one.author,
            parent=one.parent_id,
        )
        return mention_of(told, source=self.id, options=self._options, now=now)


def _is_taken(one: _Thing) -> bool:
    return one.body in _TAKEN or one.selftext in _TAKEN or one.removed_by_category is not None
