"""Posts on Bluesky that match searches, asked for through an account's own server.

The search is meant for people, so it is asked seldom; anonymous questions are refused. A post's time is its author's
claim: where the network saw it ten minutes earlier or later, the network's counts. One session is kept and renewed, for
an account may log in three hundred times a day.
API: https://docs.bsky.app/docs/api: app.bsky.feed.searchPosts, app.bsky.feed.getPosts, com.atproto.server.createSession
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self, TypeVar
from urllib.parse import urlencode

from msgspec import Struct
from pydantic import AfterValidator, Field

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.json_api import read_json
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.capture.translate import Untranslatable, for_phrases, wanted
from brandmelder.errors import AuthRefused, ShapeChanged
from brandmelder.model import Cursor, Mention, Removal, SourceId
from brandmelder.options import Duration, SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.capture.source import Answer
    from brandmelder.capture.tree import Everything, Node

T = TypeVar("T")

MOST_SEARCHES: Final = 5
_PAGE: Final = 100
_LASTS: Final = timedelta(minutes=90)
"""How long a session is used before it is renewed; it holds about two hours."""
_TOLD: Final = frozenset({400, 401, 403})
_SERVICE: Final = "Bluesky"
_ENDED: Final = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"})


def _seldom(every: timedelta) -> timedelta:
    if every < timedelta(minutes=2):
        raise ValueError("Bluesky asks that its search is not polled; write 2m or more, better 10m")
    return every


class BlueskyOptions(SourceOptions):
    """Posts on Bluesky that match searches."""

    handle: Annotated[str, Field(pattern=r"^@?[A-Za-z0-9.-]+\.[A-Za-z]+$")]
    """The account that asks, as in `nordfunk.bsky.social`."""
    app_password: SecretText
    """An app password of that account."""
    searches: Annotated[tuple[Annotated[str, Field(min_length=2, max_length=300)], ...], Field(max_length=5)] = ()
    """What to search for, each a search of its own; words in one are all needed, "phrases" and #tags work.

    Left out, they are made of the monitors' queries.
    """
    every: Annotated[Duration, AfterValidator(_seldom)] = timedelta(minutes=10)
    """How often it is polled, as in `10m`; two minutes at the least."""
    url: WebAddress = "https://bsky.social"
    """The account's own server."""

    def asking(self, trees: Sequence[Node | Everything]) -> Self:
        """Search for what the monitors want, unless searches are written."""
        if self.searches:
            return self
        try:
            found = tuple(f'"{text}"' if " " in text else text for text in for_phrases(wanted(trees)))
        except Untranslatable as error:
            raise ValueError(f"{error}; write searches") from error
        if len(found) > MOST_SEARCHES:
            raise ValueError(
                f"the queries make {len(found)} searches and {MOST_SEARCHES} are asked at most; write searches"
            )
        return self.model_copy(update={"searches": found})


class _Session(Struct, frozen=True):
    accessJwt: str = ""  # noqa: N815 - the service's names, here and below
    error: str = ""
    message: str = ""


class _Author(Struct, frozen=True):
    did: str = ""
    handle: str = ""


class _Parent(Struct, frozen=True):
    uri: str = ""


class _Reply(Struct, frozen=True):
    parent: _Parent = _Parent()


class _Record(Struct, frozen=True):
    text: str = ""
    createdAt: str = ""  # noqa: N815
    langs: list[str] = []
    reply: _Reply = _Reply()


class _Post(Struct, frozen=True):
    uri: str
    author: _Author = _Author()
    record: _Record = _Record()
    indexedAt: str = ""  # noqa: N815


class _Posts(Struct, frozen=True):
    posts: list[_Post]
    cursor: str = ""
    hitsTotal: int | None = None  # noqa: N815


class BlueskySource:
    """Searches, newest first, each search on its own trail."""

    Options: ClassVar[type[SourceOptions]] = BlueskyOptions
    recheck_size = 25

    def __init__(self, source_id: SourceId, options: BlueskyOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._base = options.url.rstrip("/")
        self._token, self._since = "", datetime.min.replace(tzinfo=UTC)
        bounds = Bounds(history=options.history, sweep_every=timedelta(hours=6))
        self._lists = Lists(source=source_id, names=options.searches, ask=self._ask, bounds=bounds)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in every search."""
        return await poll_lists(self._lists, cursor, now)

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for twenty-five posts: who does not come back was deleted."""
        query = urlencode([("uris", uri) for uri in external_ids])
        found = self._read(await self._get(f"app.bsky.feed.getPosts?{query}", now), _Posts)
        there = {post.uri for post in found.posts}
        return Recheck(
            mentions=tuple(self._mention(post, now) for post in found.posts),
            removals=tuple(
                Removal(source=self.id, external_id=uri, reason="deleted") for uri in external_ids if uri not in there
            ),
        )

    async def _ask(self, words: str, page: str, now: datetime) -> Page:
        asked = {"q": words, "sort": "latest", "limit": str(_PAGE)} | ({"cursor": page} if page else {})
        found = self._read(await self._get(f"app.bsky.feed.searchPosts?{urlencode(asked)}", now), _Posts)
        return Page(
            mentions=[self._mention(post, now) for post in found.posts],
            ids=[post.uri for post in found.posts],
            following=found.cursor if found.posts else "",
        )

    async def _get(self, path: str, now: datetime) -> Answer:
        token = await self._session(now)
        headers = {"authorization": f"Bearer {token}"}
        answer = await self._tools.fetch(f"{self._base}/xrpc/{path}", now=now, headers=headers, takes=_TOLD)
        if answer.status not in _TOLD:
            return answer
        said = self._read(answer, _Session)
        if said.error in _ENDED:
            self._token = ""
        if answer.status == 400 and said.error not in _ENDED:
            raise ShapeChanged(f"refuses the question ({said.error or said.message}); mend searches").about(self.id)
        raise AuthRefused(f"refuses the session ({said.error or answer.status}); check handle and app_password").about(
            self.id
        )

    async def _session(self, now: datetime) -> str:
        """Return a session's token; log in when there is none or it grows old."""
        if self._token and now - self._since < _LASTS:
            return self._token
        who = {"identifier": self._options.handle.lstrip("@"), "password": self._options.app_password.reveal()}
        answer = await self._tools.fetch(
            f"{self._base}/xrpc/com.atproto.server.createSession",
            now=now,
            headers={"content-type": "application/json"},
            body=json.dumps(who).encode(),
            takes=_TOLD,
        )
        session = self._read(answer, _Session)
        if not session.accessJwt:
            raise AuthRefused(f"refuses the log-in ({session.error}); renew handle and app_password").about(self.id)
        self._token, self._since = session.accessJwt, now
        return self._token

    def _read(self, answer: Answer, shape: type[T]) -> T:
        return read_json(answer, shape, source=self.id, service=_SERVICE)

    def _mention(self, post: _Post, now: datetime) -> Mention:
        told = Told(
            ident=post.uri,
            text=post.record.text,
            published=moment_of(post.record.createdAt),
            indexed=moment_of(post.indexedAt),
            url=f"https://bsky.app/profile/{post.author.did}/post/{post.uri.rpartition('/')[2]}",
            author=post.author.handle or post.author.did,
            parent=post.record.reply.parent.uri or None,
            language=next(iter(post.record.langs), "")[:2] or None,
        )
        return mention_of(told, source=self.id, options=self._options, now=now)
