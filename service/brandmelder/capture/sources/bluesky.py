"""Posts on Bluesky: searched for through an account's own server, or followed in the stream of all posts (Jetstream).

The search is meant for people, so it is asked seldom; anonymous questions are refused. The stream brings every post
within seconds, with edits and deletions; what the monitors ask for is sorted out here. It remembers a day and a half:
what was missed, and the history, are searched for where there is an account.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.bluesky_api import FEW, HOME, PUBLIC, Account, Bluesky, of_post
from brandmelder.capture.bluesky_stream import Followed, Wishes
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.capture.match import Matcher
from brandmelder.capture.query import Query, parse
from brandmelder.capture.source import Poll, Recheck, Tools, connect_of
from brandmelder.capture.translate import Untranslatable, by_text, for_phrases, wanted
from brandmelder.capture.tree import Everything, Node, anchors_of, demands
from brandmelder.errors import QueryError
from brandmelder.model import Cursor, MonitorId, Removal, SourceId
from brandmelder.options import Duration, SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime


MOST_SEARCHES: Final = 5
_SELDOM: Final = timedelta(minutes=2)
_LOOKS: Final = timedelta(seconds=10)
_SERVERS: Final = ("https://jetstream.us-west.bsky.network", "https://jetstream.us-east.bsky.network")


class BlueskyOptions(SourceOptions):
    """Posts on Bluesky, searched for or followed in the stream of all posts."""

    through: Literal["search", "jetstream"] = "search"
    """`search` asks an account's server every ten minutes. `jetstream` hears every post within seconds, without an
    account, and sorts out here; it takes some 3 GB a day, and the package's extra `stream`.
    """
    handle: Annotated[str, Field(pattern=r"^@?[A-Za-z0-9.-]+\.[A-Za-z]+$")] | None = None
    """The account that asks, as in `nordfunk.bsky.social`. With `jetstream` it may be left out: then there is no
    history at first, and what is missed in a longer outage stays a gap.
    """
    app_password: SecretText | None = None
    """An app password of that account."""
    searches: Annotated[tuple[Annotated[str, Field(min_length=2, max_length=300)], ...], Field(max_length=5)] = ()
    """What to search for, each a search of its own; words in one are all needed, "phrases" and #tags work.

    Left out, they are made of the monitors' queries.
    """
    every: Duration = timedelta(minutes=10)
    """How often it is polled, as in `10m`; two minutes at the least. With `jetstream`, how often one looks whether all
    is well, 1m if left out: posts are taken when they come.
    """
    url: WebAddress | None = None
    """The account's own server, https://bsky.social if left out. Without an account, who tells profiles and known
    posts: https://public.api.bsky.app.
    """
    servers: Annotated[tuple[WebAddress, ...], Field(min_length=1, max_length=5)] = _SERVERS
    """Where the stream is heard; the next takes over when one fails."""
    _trees: tuple[Node | Everything, ...] = PrivateAttr(())

    @model_validator(mode="before")
    @classmethod
    def _often(cls, values: Any) -> Any:
        is_stream = isinstance(values, dict) and values.get("through") == "jetstream"
        return {"every": "1m"} | values if is_stream else values

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.handle is None) != (self.app_password is None):
            raise ValueError("handle and app_password belong together")
        if self.through == "search" and self.handle is None:
            raise ValueError("a search needs an account: write handle and app_password, or through: jetstream")
        if self.through == "search" and self.every < _SELDOM:
            raise ValueError("Bluesky asks that its search is not polled; write 2m or more, better 10m")
        if self.through == "jetstream" and self.every < _LOOKS:
            raise ValueError("the stream brings posts by itself; write 10s or more, better 1m")
        if self.through == "jetstream":
            self._trees = tuple(_read(text) for text in self.searches)
        return self

    @property
    def account(self) -> Account | None:
        """Who asks."""
        if self.handle is None or self.app_password is None:
            return None
        return Account(handle=self.handle, app_password=self.app_password)

    @property
    def base(self) -> str:
        """Who is asked."""
        return self.url or (PUBLIC if self.handle is None else HOME)

    def asking(self, trees: Sequence[Node | Everything]) -> Self:
        """Search and sort out for what the monitors want, unless searches are written."""
        if self.searches:
            return self
        if self.through == "search":
            return self.model_copy(update={"searches": _searches(trees)})
        copy = self.model_copy(update={"searches": _searches_if_any(trees) if self.handle is not None else ()})
        return copy.wanting(trees)

    def wanting(self, trees: Sequence[Node | Everything]) -> Self:
        """Sort out by these trees. Raises ValueError if they would let through everything."""
        self._trees = tuple(trees)
        self.matcher()
        return self

    def matcher(self) -> Matcher:
        """Return what sorts out. Raises ValueError if it would let through everything."""
        asked: dict[MonitorId, Query] = {}
        for number, tree in enumerate(self._trees):
            wish = None if isinstance(tree, Everything) else by_text(tree)
            if wish is None or not demands(wish):
                raise ValueError("a query asks for no word, and the stream brings the posts of all; write searches")
            asked[MonitorId(str(number))] = Query(text="", tree=wish, anchors=anchors_of(wish))
        if not asked:
            raise ValueError("no monitor reads it, so there is nothing to look for; write searches")
        return Matcher(asked)


def _read(text: str) -> Node | Everything:
    try:
        return parse(text).tree
    except QueryError as error:
        raise ValueError(f"{text!r} cannot be looked for in the stream: {error.text}") from error


def _searches(trees: Sequence[Node | Everything]) -> tuple[str, ...]:
    """Return what the trees want as searches of Bluesky's. Raises ValueError."""
    try:
        found = tuple(f'"{text}"' if " " in text else text for text in for_phrases(wanted(trees)))
    except Untranslatable as error:
        raise ValueError(f"{error}; write searches") from error
    if len(found) > MOST_SEARCHES:
        raise ValueError(
            f"the queries make {len(found)} searches and {MOST_SEARCHES} are asked at most; write searches"
        )
    return found


def _searches_if_any(trees: Sequence[Node | Everything]) -> tuple[str, ...]:
    """Return them, or none: the stream does not need them."""
    try:
        return _searches(trees)
    except ValueError:
        return ()


class BlueskySource:
    """Searches, newest first, each on its own trail; or the stream."""

    Options: ClassVar[type[SourceOptions]] = BlueskyOptions
    recheck_size = FEW

    def __init__(self, source_id: SourceId, options: BlueskyOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._bluesky = Bluesky(source_id, options.base, options.account, tools.fetch)
        bounds = Bounds(history=options.history, sweep_every=timedelta(hours=6))
        self._lists = Lists(source=source_id, names=options.searches, ask=self._ask, bounds=bounds)
        self._followed = self._stream() if options.through == "jetstream" else None

    def _stream(self) -> Followed:
        options, connect = self._options, connect_of(self._tools, self.id)
        searches = options.searches if options.handle is not None else ()
        wishes = Wishes(servers=options.servers, matcher=options.matcher(), searches=searches)
        return Followed(self.id, options, wishes, self._bluesky, connect)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in every search, or take what was heard."""
        if self._followed is not None:
            return await self._followed.poll(cursor, now)
        return await poll_lists(self._lists, cursor, now)

    @property
    def waiting(self) -> int:
        """How much was heard and waits for a poll."""
        return self._followed.waiting if self._followed is not None else 0

    async def listen(self, nudge: Callable[[], None]) -> None:
        """Hear the stream and have it polled when it brought something; a search has nothing to hear."""
        if self._followed is not None:
            await self._followed.listen(nudge)

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for twenty-five posts: who does not come back was deleted."""
        found = await self._bluesky.posts(external_ids, now)
        there = {post.uri for post in found}
        return Recheck(
            mentions=tuple(of_post(post, source=self.id, options=self._options, now=now) for post in found),
            removals=tuple(
                Removal(source=self.id, external_id=uri, reason="deleted") for uri in external_ids if uri not in there
            ),
        )

    async def _ask(self, words: str, page: str, now: datetime) -> Page:
        found = await self._bluesky.search(words, page, now, span=None)
        return Page(
            mentions=[of_post(post, source=self.id, options=self._options, now=now) for post in found.posts],
            ids=[post.uri for post in found.posts],
            following=found.cursor if found.posts else "",
        )
