"""Reviews of one's own places on Google, newest change first, and their average rating.

API: https://developers.google.com/my-business/reference/rest/v4/accounts.locations.reviews
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.credentials import Grant, Token
from brandmelder.capture.json_api import read_json
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.capture.stars import stars
from brandmelder.errors import AuthRefused
from brandmelder.model import Cursor, Mention, Reading, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.capture.source import Answer

_PAGE: Final = 50
_SERVICE: Final = "the Google Business Profile API"
_STARS: Final = {"ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}
_GONE: Final = frozenset({404})


class GoogleBusinessOptions(SourceOptions):
    """Reviews of your own places on Google, in a project that Google has approved."""

    locations: Annotated[
        tuple[Annotated[str, Field(pattern=r"^accounts/\d{1,30}/locations/\d{1,30}$")], ...],
        Field(min_length=1, max_length=20),
    ]
    """Which ones, as in `accounts/1/locations/2`."""
    client_id: SecretText
    """The application's id."""
    client_secret: SecretText
    """The application's secret."""
    refresh_token: SecretText
    """What a manager of the places granted once, with the scope `business.manage`."""
    url: WebAddress = "https://mybusiness.googleapis.com"
    """Where the API stands."""
    token_url: WebAddress = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    """Where tokens are given."""


class _Person(Struct, frozen=True):
    displayName: str = ""  # noqa: N815 - the service's names, here and below


class _Reply(Struct, frozen=True):
    comment: str = ""
    updateTime: str = ""  # noqa: N815


class _Review(Struct, frozen=True):
    reviewId: str  # noqa: N815
    reviewer: _Person = _Person()
    starRating: str = ""  # noqa: N815
    comment: str = ""
    createTime: str = ""  # noqa: N815
    updateTime: str = ""  # noqa: N815
    reviewReply: _Reply | None = None  # noqa: N815


class _Reviews(Struct, frozen=True):
    reviews: list[_Review] = []
    averageRating: float | None = None  # noqa: N815
    totalReviewCount: int | None = None  # noqa: N815
    nextPageToken: str = ""  # noqa: N815


class GoogleBusinessSource:
    """Reads each place's reviews."""

    Options: ClassVar[type[SourceOptions]] = GoogleBusinessOptions
    recheck_size = 10

    def __init__(self, source_id: SourceId, options: GoogleBusinessOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._token = Token(source_id, tools, _SERVICE)
        form = {
            "grant_type": "refresh_token",
            "client_id": options.client_id.reveal(),
            "client_secret": options.client_secret.reveal(),
            "refresh_token": options.refresh_token.reveal(),
        }
        self._grant = Grant(url=options.token_url, form=urlencode(form))
        bounds = Bounds(history=options.history, sweep_every=timedelta(hours=6), sweep_span=timedelta(days=3))
        self._lists = Lists(source=source_id, names=options.locations, ask=self._ask, bounds=bounds)
        self._rated: dict[tuple[str, str], float] = {}
        """The numbers that the places told in this poll."""

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on at every place; each answer tells its rating, too."""
        self._rated = {}
        poll = await poll_lists(self._lists, cursor, now)
        at = now.replace(minute=0, second=0, microsecond=0)  # one reading an hour is kept
        readings = tuple(
            Reading(source=self.id, account=place, name=name, value=value, at=at, own=True)
            for (place, name), value in self._rated.items()
        )
        return replace(poll, readings=readings)

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for known reviews one by one: who is not found was taken away."""
        mentions: list[Mention] = []
        removals: list[Removal] = []
        for ident in external_ids:
            place, _, review = ident.partition("/reviews/")
            if place not in self._options.locations or review.endswith(":reply"):
                continue
            answer = await self._get(f"{place}/reviews/{review}", now, takes=_GONE)
            if answer.status in _GONE:
                removals.append(Removal(source=self.id, external_id=ident, reason="gone"))
            else:
                found = read_json(answer, _Review, source=self.id, service=_SERVICE)
                mentions += self._mentions(place, found, now)
        return Recheck(mentions=tuple(mentions), removals=tuple(removals))

    async def _ask(self, place: str, page: str, now: datetime) -> Page:
        asked = {"pageSize": str(_PAGE), "orderBy": "updateTime desc"} | ({"pageToken": page} if page else {})
        answer = await self._get(f"{place}/reviews?{urlencode(asked)}", now)
        found = read_json(answer, _Reviews, source=self.id, service=_SERVICE)
        if not page:
            told = {"rating": found.averageRating, "reviews": found.totalReviewCount}
            self._rated |= {(place, name): value for name, value in told.items() if value is not None}
        return Page(
            mentions=[one for review in found.reviews for one in self._mentions(place, review, now)],
            ids=[f"{review.reviewId}@{review.updateTime}" for review in found.reviews],
            following=found.nextPageToken,
        )

    async def _get(self, path: str, now: datetime, takes: frozenset[int] = frozenset()) -> Answer:
        try:
            headers = {"authorization": f"Bearer {await self._token.get(self._grant, now)}"}
            address = f"{self._options.url.rstrip('/')}/v4/{path}"
            return await self._tools.fetch(address, now=now, headers=headers, takes=takes)
        except AuthRefused:
            self._token.forget()
            raise

    def _mentions(self, place: str, review: _Review, now: datetime) -> Iterator[Mention]:
        ident = f"{place}/reviews/{review.reviewId}"
        rating, words = _STARS.get(review.starRating), _own_words(review.comment)
        told = Told(
            ident=ident,
            text=words or stars(rating) or "☆",
            context=stars(rating) if words else "",
            published=moment_of(review.updateTime or review.createTime),
            author=review.reviewer.displayName,
        )
        yield mention_of(told, source=self.id, options=self._options, now=now)
        if review.reviewReply is not None and review.reviewReply.comment:
            reply = Told(
                ident=f"{ident}:reply",
                text=_own_words(review.reviewReply.comment),
                published=moment_of(review.reviewReply.updateTime),
                parent=ident,
                own=True,
            )
            yield mention_of(reply, source=self.id, options=self._options, now=now)


def _own_words(comment: str) -> str:
    """Return the original words, where Google has put its translation before them."""
    return comment.rpartition("(Original)")[2].strip() if "(Original)" in comment else comment.strip()
