"""Reviews of one's own app in Google Play: with a text, of the last seven days, newest change first.

A changed review keeps its number and comes up again. What nobody asked for within seven days cannot be read any more.
API: https://developers.google.com/android-publisher/reply-to-reviews
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.credentials import Token
from brandmelder.capture.json_api import read_json
from brandmelder.capture.jwt_grant import bearer_grant
from brandmelder.capture.lists import Lists, Trails, poll_lists
from brandmelder.capture.mentions import Told, mention_of
from brandmelder.capture.stars import stars
from brandmelder.errors import AuthRefused, SourceError
from brandmelder.model import Cursor, Gap, Mention, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brandmelder.capture.source import Poll, Tools

SHOWN: Final = timedelta(days=7)
_PAGE: Final = 100
_SERVICE: Final = "the Google Play Developer API"
_SCOPE: Final = "https://www.googleapis.com/auth/androidpublisher"
_LIST: Final = "reviews"


class GooglePlayOptions(SourceOptions):
    """Reviews of an app of yours in Google Play."""

    package: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)+$")]
    """The app's package name, as in `com.example.app`."""
    service_account: SecretText
    """The service account's key as JSON, by `service_account_file`."""
    url: WebAddress = "https://androidpublisher.googleapis.com"
    """Where the API stands."""


class _Account(Struct, frozen=True):
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


class _Stamp(Struct, frozen=True):
    seconds: int = 0


class _Said(Struct, frozen=True):
    text: str = ""
    starRating: int | None = None  # noqa: N815 - the service's names, here and below
    lastModified: _Stamp = _Stamp()  # noqa: N815
    reviewerLanguage: str | None = None  # noqa: N815


class _Comment(Struct, frozen=True):
    userComment: _Said | None = None  # noqa: N815
    developerComment: _Said | None = None  # noqa: N815


class _Review(Struct, frozen=True):
    reviewId: str  # noqa: N815
    authorName: str = ""  # noqa: N815
    comments: list[_Comment] = []


class _Pagination(Struct, frozen=True):
    nextPageToken: str = ""  # noqa: N815


class _Reviews(Struct, frozen=True):
    reviews: list[_Review] = []
    tokenPagination: _Pagination = _Pagination()  # noqa: N815


class GooglePlaySource:
    """Reads what was written or changed."""

    Options: ClassVar[type[SourceOptions]] = GooglePlayOptions

    def __init__(self, source_id: SourceId, options: GooglePlayOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._token = Token(source_id, tools, _SERVICE)
        bounds = Bounds(history=SHOWN, sweep_every=timedelta(hours=12), sweep_span=SHOWN)
        self._lists = Lists(source=source_id, names=[_LIST], ask=self._ask, bounds=bounds)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in the reviews; what nobody asked for in time is a declared gap."""
        walked = _walked(cursor)
        poll = await poll_lists(self._lists, cursor, now)
        if poll.more or walked is None or now - walked <= SHOWN:
            return poll
        reason = "nobody asked for more than seven days, and Google Play shows no more"
        gap = Gap(source=self.id, since=walked, until=(now - SHOWN).replace(microsecond=0), reason=reason)
        return replace(poll, gaps=(*poll.gaps, gap))

    async def _ask(self, _name: str, page: str, now: datetime) -> Page:
        asked = {"maxResults": str(_PAGE)} | ({"token": page} if page else {})
        base = self._options.url.rstrip("/")
        address = f"{base}/androidpublisher/v3/applications/{self._options.package}/reviews?{urlencode(asked)}"
        try:
            headers = {"authorization": f"Bearer {await self._bearer(now)}"}
            answer = await self._tools.fetch(address, now=now, headers=headers)
        except AuthRefused:
            self._token.forget()
            raise
        found = read_json(answer, _Reviews, source=self.id, service=_SERVICE)
        return Page(
            mentions=[one for review in found.reviews for one in self._mentions(review, now)],
            ids=[f"{review.reviewId}@{_changed(review)}" for review in found.reviews],
            following=found.tokenPagination.nextPageToken,
        )

    async def _bearer(self, now: datetime) -> str:
        try:
            account = msgspec.json.decode(self._options.service_account.reveal(), type=_Account)
        except msgspec.MsgspecError:
            text = "service_account is no service account's key; give the JSON file as it was downloaded"
            raise AuthRefused(text).about(self.id) from None
        claims = {"iss": account.client_email, "scope": _SCOPE}
        try:
            ident = account.private_key_id
            grant = bearer_grant(account.token_uri, claims, account.private_key, ident=ident, now=now)
        except SourceError as error:
            raise error.about(self.id) from None
        return await self._token.get(grant, now)

    def _mentions(self, review: _Review, now: datetime) -> Iterator[Mention]:
        for comment in review.comments:
            said, is_ours = comment.userComment or comment.developerComment, comment.userComment is None
            if said is None or not said.text.strip():
                continue
            told = Told(
                ident=f"{review.reviewId}:reply" if is_ours else review.reviewId,
                text=said.text.replace("\t", "\n\n"),  # a title is parted from the text so
                context=stars(said.starRating),
                published=_moment(said.lastModified.seconds),
                url=f"https://play.google.com/store/apps/details?id={self._options.package}&reviewId={review.reviewId}",
                author="" if is_ours else review.authorName,
                language=(said.reviewerLanguage or "")[:2] or None,
                parent=review.reviewId if is_ours else None,
                own=is_ours,
            )
            yield mention_of(told, source=self.id, options=self._options, now=now)


def _changed(review: _Review) -> int:
    said = [one.userComment or one.developerComment for one in review.comments]
    return max((one.lastModified.seconds for one in said if one is not None), default=0)


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 7_000_000_000 else None


def _walked(cursor: Cursor | None) -> datetime | None:
    """Return up to when everything was read."""
    try:
        trails = msgspec.json.decode(cursor, type=Trails) if cursor else Trails()
    except msgspec.MsgspecError:
        return None
    return trails.lists[_LIST].walked if _LIST in trails.lists else None
