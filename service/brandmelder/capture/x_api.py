"""What X (API v2) says of posts, counts and accounts: its shapes in both generations of names, and its refusals.

The guides say tweet, the schema says post; both are read (docs.x.com, OpenAPI 2.167).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from brandmelder.capture.json_api import read_json
from brandmelder.errors import AuthRefused, Gone, RateLimited, ShapeChanged, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.capture.source import Answer, Tools
    from brandmelder.model import SourceId

T = TypeVar("T")

PAGE: Final = 100
POST_COST: Final = 0.005
"""US dollars a post read; the prices of August 2026."""
COUNT_COST: Final = 0.005
"""A question for counts, whatever its answer."""
USER_COST: Final = 0.010
_TOLD: Final = frozenset({400, 401, 402, 403, 404, 429})
_SERVICE: Final = "the API of X"
_FIELDS: Final = "created_at,author_id,lang,conversation_id,referenced_tweets,edit_history_tweet_ids,note_tweet"
_DIGITS: Final = 19
"""How long X's ids are at most."""
_EPOCH: Final = 1_288_834_974_657
"""Milliseconds at which X's ids begin to tell the time."""


class _Metrics(Struct, frozen=True):
    followers_count: int | None = None
    tweet_count: int | None = None
    post_count: int | None = None


class User(Struct, frozen=True):
    """An account."""

    id: str
    username: str = ""
    public_metrics: _Metrics = _Metrics()
    most_recent_tweet_id: str | None = None
    most_recent_post_id: str | None = None

    @property
    def posts(self) -> int | None:
        """How many posts it has."""
        metrics = self.public_metrics
        return metrics.tweet_count if metrics.tweet_count is not None else metrics.post_count

    @property
    def last_post(self) -> datetime | None:
        """When it last posted, as the id of that post tells."""
        ident = self.most_recent_tweet_id or self.most_recent_post_id
        if ident is None or not ident.isascii() or not ident.isdigit() or len(ident) > _DIGITS:
            return None
        return datetime.fromtimestamp(((int(ident) >> 22) + _EPOCH) / 1000, UTC)


class _Reference(Struct, frozen=True):
    type: str = ""
    id: str = ""


class _Note(Struct, frozen=True):
    text: str = ""


class Post(Struct, frozen=True):
    """A post; long ones have their whole text in a note."""

    id: str
    text: str = ""
    created_at: str = ""
    author_id: str = ""
    lang: str | None = None
    referenced_tweets: list[_Reference] = []
    referenced_posts: list[_Reference] = []
    edit_history_tweet_ids: list[str] = []
    edit_history_post_ids: list[str] = []
    note_tweet: _Note = _Note()
    note_post: _Note = _Note()

    @property
    def first_id(self) -> str:
        """The id under which it was written: each edit gets a new one."""
        return next(iter(self.edit_history_tweet_ids or self.edit_history_post_ids), self.id)

    @property
    def last_id(self) -> str:
        """The id of the version that holds now."""
        return (self.edit_history_tweet_ids or self.edit_history_post_ids or [self.id])[-1]

    @property
    def whole_text(self) -> str:
        """The text, also of a long post."""
        return self.note_tweet.text or self.note_post.text or self.text

    def referenced(self, kind: str) -> str | None:
        """Return the post that this one answers, quotes or repeats."""
        found = self.referenced_tweets or self.referenced_posts
        return next((one.id for one in found if one.type in kind.split("|")), None)


class _Includes(Struct, frozen=True):
    users: list[User] = []


class _Meta(Struct, frozen=True):
    next_token: str | None = None
    total_tweet_count: int | None = None
    total_post_count: int | None = None


class _Fault(Struct, frozen=True):
    resource_id: str = ""
    type: str = ""


class Posts(Struct, frozen=True):
    """A page of posts. Errors beside data are normal: they name what cannot be had."""

    data: list[Post] = []
    includes: _Includes = _Includes()
    meta: _Meta = _Meta()
    errors: list[_Fault] = []


class Count(Struct, frozen=True):
    """How many posts an interval has."""

    start: str
    end: str
    tweet_count: int | None = None
    post_count: int | None = None

    @property
    def posts(self) -> int:
        """The number, in either generation's name."""
        return self.tweet_count if self.tweet_count is not None else self.post_count or 0


class _Counts(Struct, frozen=True):
    data: list[Count] = []
    meta: _Meta = _Meta()


class _Users(Struct, frozen=True):
    data: list[User] = []


class _Problem(Struct, frozen=True):
    title: str = ""
    detail: str = ""
    type: str = ""


class XApi:
    """Asks X. Every method raises a SourceError that says what to do."""

    def __init__(self, source: SourceId, base: str, token: str, tools: Tools) -> None:
        self._source, self._base, self._tools = source, base.rstrip("/"), tools
        self._headers = {"authorization": f"Bearer {token}"}

    async def counts(self, query: str, since: datetime, until: datetime, now: datetime) -> list[Count]:
        """Return how many posts match, by minute, by hour over more than six hours; oldest first."""
        wide = until - since > timedelta(hours=6)
        found: list[Count] = []
        token: str | None = ""
        while token is not None:
            asked = {"query": query, "start_time": _stamp(since), "end_time": _stamp(until)}
            asked |= {"granularity": "hour" if wide else "minute"} | ({"next_token": token} if token else {})
            page = self._read(await self._get("tweets/counts/recent", asked, now), _Counts)
            found = [*page.data, *found]
            token = page.meta.next_token
        return sorted(found, key=lambda one: one.start)

    async def search(
        self, query: str, stretch: tuple[datetime, datetime], *, token: str, has_authors: bool, now: datetime
    ) -> Posts:
        """Return a page of the posts in a stretch [since, until), newest first."""
        since, until = stretch
        asked = {"query": query, "start_time": _stamp(since), "end_time": _stamp(until), "max_results": str(PAGE)}
        asked |= {"sort_order": "recency", "tweet.fields": _FIELDS} | ({"next_token": token} if token else {})
        asked |= {"expansions": "author_id", "user.fields": "public_metrics"} if has_authors else {}
        return self._read(await self._get("tweets/search/recent", asked, now), Posts)

    async def posts(self, idents: Sequence[str], now: datetime) -> Posts:
        """Return up to a hundred posts by their ids; what is missing is named among the errors."""
        asked = {"ids": ",".join(idents), "tweet.fields": _FIELDS}
        return self._read(await self._get("tweets", asked, now), Posts)

    async def users(self, names: Sequence[str], now: datetime) -> list[User]:
        """Return accounts by their names, with their public numbers."""
        asked = {"usernames": ",".join(names), "user.fields": "public_metrics,most_recent_tweet_id"}
        return self._read(await self._get("users/by", asked, now), _Users).data

    async def _get(self, path: str, asked: dict[str, str], now: datetime) -> Answer:
        url = f"{self._base}/2/{path}?{urlencode(asked, safe=',:')}"
        answer = await self._tools.fetch(url, now=now, headers=self._headers, takes=_TOLD)
        if answer.status in _TOLD:
            raise self._refusal(answer, now).about(self._source)
        return answer

    def _read(self, answer: Answer, shape: type[T]) -> T:
        return read_json(answer, shape, source=self._source, service=_SERVICE)

    def _refusal(self, answer: Answer, now: datetime) -> SourceError:
        """Return what a refusal means: 429 is haste or money, which only its type tells."""
        try:
            problem = self._read(answer, _Problem)
        except ShapeChanged:  # what stands before the API speaks in plain words
            problem = _Problem()
        kind, said = problem.type.rpartition("/")[2], (problem.detail or problem.title)[:120]
        if kind == "usage-capped" or answer.status == 402:
            return RateLimited(f"its credits are spent ({said}); buy credits or wait", now + timedelta(hours=1))
        if answer.status == 429:
            reset = answer.headers.get("x-rate-limit-reset", "")[:11]
            is_told = reset.isascii() and reset.isdigit()
            until = datetime.fromtimestamp(int(reset), UTC) if is_told else now + timedelta(minutes=15)
            until = min(max(until, now + timedelta(minutes=1)), now + timedelta(days=1))
            return RateLimited(f"is asked too often; it is asked again at {until:%H:%M} UTC", until)
        if answer.status in {401, 403}:
            return AuthRefused(
                f"refuses the token ({kind or said or answer.status}); renew it in the developer console"
            )
        if answer.status == 404:
            return Gone("answered 404 Not Found; mend its url")
        return ShapeChanged(f"refuses the query ({said}); mend query, it is in X's own syntax")


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
