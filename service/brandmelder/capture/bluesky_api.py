"""Bluesky's questions, through an account's own server or, without an account, the public one.

One session is kept and renewed, for an account may log in three hundred times a day. A post's time is its author's
claim: where the network saw it ten minutes earlier or later, the network's counts.
API: https://docs.bsky.app/docs/api: app.bsky.feed.searchPosts, app.bsky.feed.getPosts, app.bsky.actor.getProfiles,
com.atproto.server.createSession
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from brandmelder.capture.jetstream import Event, Record, moment
from brandmelder.capture.json_api import read_json
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.errors import AuthRefused, ShapeChanged
from brandmelder.options import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.capture.source import Answer, Fetch
    from brandmelder.model import Mention, SourceId
    from brandmelder.options import SourceOptions

T = TypeVar("T")

HOME: Final = "https://bsky.social"
PUBLIC: Final = "https://public.api.bsky.app"
"""Tells posts and profiles to anybody; refuses searches."""
PAGE: Final = 100
FEW: Final = 25
"""So many posts or profiles one question may hold."""
_LASTS: Final = timedelta(minutes=90)
"""How long a session is used before it is renewed; it holds about two hours."""
_TOLD: Final = frozenset({400, 401, 403})
_SERVICE: Final = "Bluesky"
_ENDED: Final = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"})


class Account(Struct, frozen=True):
    """Who asks."""

    handle: str
    app_password: Secret


class _Session(Struct, frozen=True):
    accessJwt: str = ""  # noqa: N815 - the service's names, here and below
    error: str = ""
    message: str = ""


class Profile(Struct, frozen=True):
    """Who writes."""

    did: str = ""
    handle: str = ""
    followersCount: int | None = None  # noqa: N815


class _Profiles(Struct, frozen=True):
    profiles: list[Profile]


class Post(Struct, frozen=True):
    """A post as the network's view tells it."""

    uri: str
    author: Profile = Profile()
    record: Record = Record()
    indexedAt: str = ""  # noqa: N815


class Posts(Struct, frozen=True):
    """Some posts, and where to go on."""

    posts: list[Post]
    cursor: str = ""
    hitsTotal: int | None = None  # noqa: N815


class Bluesky:
    """One place that is asked, for one source; `account` is None where nobody logs in."""

    def __init__(self, source: SourceId, base: str, account: Account | None, fetch: Fetch) -> None:
        self._source, self._base, self._fetch = source, base.rstrip("/"), fetch
        self.account = account
        self._token, self._since = "", datetime.min.replace(tzinfo=UTC)

    async def search(self, words: str, page: str, now: datetime, *, span: tuple[datetime, datetime] | None) -> Posts:
        """Search posts, newest first; `page` is where to go on, `span` when they were written."""
        asked = {"q": words, "sort": "latest", "limit": str(PAGE)} | ({"cursor": page} if page else {})
        if span is not None:
            asked |= {"since": _written(span[0]), "until": _written(span[1])}
        return self._read(await self._get(f"app.bsky.feed.searchPosts?{urlencode(asked)}", now), Posts)

    async def posts(self, uris: Sequence[str], now: datetime) -> list[Post]:
        """Return those posts that are there, of 25 at most."""
        query = urlencode([("uris", uri) for uri in uris])
        return self._read(await self._get(f"app.bsky.feed.getPosts?{query}", now), Posts).posts

    async def profiles(self, dids: Sequence[str], now: datetime) -> list[Profile]:
        """Return the profiles of 25 accounts at most."""
        query = urlencode([("actors", did) for did in dids])
        return self._read(await self._get(f"app.bsky.actor.getProfiles?{query}", now), _Profiles).profiles

    async def _get(self, path: str, now: datetime) -> Answer:
        headers = {"authorization": f"Bearer {await self._session(now)}"} if self.account is not None else {}
        answer = await self._fetch(f"{self._base}/xrpc/{path}", now=now, headers=headers, takes=_TOLD)
        if answer.status not in _TOLD:
            return answer
        said = self._read(answer, _Session)
        if said.error in _ENDED:
            self._token = ""
        if answer.status == 400 and said.error not in _ENDED:
            raise ShapeChanged(f"refuses the question ({said.error or said.message}); mend searches").about(
                self._source
            )
        raise AuthRefused(f"refuses the session ({said.error or answer.status}); check handle and app_password").about(
            self._source
        )

    async def _session(self, now: datetime) -> str:
        """Return a session's token; log in when there is none or it grows old."""
        if self.account is None or (self._token and now - self._since < _LASTS):
            return self._token
        who = {"identifier": self.account.handle.lstrip("@"), "password": self.account.app_password.reveal()}
        answer = await self._fetch(
            f"{self._base}/xrpc/com.atproto.server.createSession",
            now=now,
            headers={"content-type": "application/json"},
            body=json.dumps(who).encode(),
            takes=_TOLD,
        )
        session = self._read(answer, _Session)
        if not session.accessJwt:
            raise AuthRefused(f"refuses the log-in ({session.error}); renew handle and app_password").about(
                self._source
            )
        self._token, self._since = session.accessJwt, now
        return self._token

    def _read(self, answer: Answer, shape: type[T]) -> T:
        return read_json(answer, shape, source=self._source, service=_SERVICE)


def of_post(post: Post, *, source: SourceId, options: SourceOptions, now: datetime) -> Mention:
    """Return the mention that a post of the network's view is."""
    told = _told(post.uri, post.author, post.record, moment_of(post.indexedAt))
    return mention_of(told, source=source, options=options, now=now)


def of_event(event: Event, author: Profile, *, source: SourceId, options: SourceOptions, now: datetime) -> Mention:
    """Return the mention that a post of the stream is."""
    told = _told(event.uri, author, event.record, moment(event.at))
    return mention_of(told, source=source, options=options, now=now)


def _told(uri: str, author: Profile, record: Record, seen: datetime | None) -> Told:
    return Told(
        ident=uri,
        text=record.text,
        published=moment_of(record.createdAt),
        indexed=seen,
        url=f"https://bsky.app/profile/{author.did}/post/{uri.rpartition('/')[2]}",
        author=author.handle or author.did,
        parent=record.reply.parent.uri or None,
        reach=author.followersCount,
        language=next(iter(record.langs), None),
    )


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
