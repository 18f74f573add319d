"""Reviews in Apple's App Store: of one's own app through App Store Connect, of any app through the public feed.

The feed shows the newest five hundred of a country and sometimes nothing at all; where it showed some before, that is
told as blindness. An app's rating, and those of others to compare it with, are read every hour.
API: https://developer.apple.com/documentation/appstoreconnectapi/list_all_customer_reviews_for_an_app
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field, model_validator

from brandmelder.capture.backward import Bounds, Page, counted
from brandmelder.capture.json_api import read_json
from brandmelder.capture.jwt_grant import LIFE, signed_token
from brandmelder.capture.lists import Lists, Trails, poll_lists
from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.stars import stars
from brandmelder.errors import ShapeChanged, SourceError
from brandmelder.model import Cursor, Mention, Reading, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from brandmelder.capture.source import Poll, Tools

READINGS_EVERY: Final = timedelta(hours=1)
_CONNECT: Final = "connect"
_PAGE: Final = 200
_FEED_PAGES: Final = 10
_FEED_SHOWN: Final = 500
_SERVICE: Final = "the App Store"
_App = Annotated[str, Field(pattern=r"^\d{5,15}$")]


class AppStoreOptions(SourceOptions):
    """Reviews of an app in Apple's App Store, and its rating beside others'."""

    app: _App
    """The app's number, as in apps.apple.com/de/app/id**1234567890**."""
    countries: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...], Field(min_length=1, max_length=8)
    ] = ("de",)
    """Whose stores are read, without a key; with one all are."""
    issuer_id: str | None = None
    """Of an App Store Connect key, for an app of your own: reads all reviews, without the feed's holes."""
    key_id: str | None = None
    """The key's own id."""
    private_key: SecretText | None = None
    """What was downloaded with it (.p8), by `private_key_file`."""
    compare: Annotated[tuple[_App, ...], Field(max_length=10)] = ()
    """Apps whose ratings are read every hour beside this one's."""
    url: WebAddress = "https://api.appstoreconnect.apple.com"
    """Where App Store Connect stands."""
    feed_url: WebAddress = "https://itunes.apple.com"
    """Where the public feed and the ratings stand."""

    @model_validator(mode="after")
    def _whole_key(self) -> Self:
        given = [self.issuer_id, self.key_id, self.private_key]
        if any(given) and not all(given):
            raise ValueError("issuer_id, key_id and private_key belong together; write all or none")
        return self


class _Attributes(Struct, frozen=True):
    rating: int = 0
    title: str = ""
    body: str = ""
    reviewerNickname: str = ""  # noqa: N815 - the service's names, here and below
    createdDate: str = ""  # noqa: N815
    territory: str = ""


class _Review(Struct, frozen=True):
    id: str
    attributes: _Attributes


class _Links(Struct, frozen=True):
    next: str = ""


class _Reviews(Struct, frozen=True):
    data: list[_Review]
    links: _Links = _Links()


class _Label(Struct, frozen=True):
    label: str = ""


class _Author(Struct, frozen=True):
    name: _Label = _Label()


class _Entry(Struct, frozen=True, rename={"rating": "im:rating"}):
    id: _Label
    author: _Author = _Author()
    updated: _Label = _Label()
    rating: _Label = _Label()
    title: _Label = _Label()
    content: _Label = _Label()


class _Feed(Struct, frozen=True):
    entry: list[_Entry] | _Entry = []

    @property
    def entries(self) -> list[_Entry]:
        """The reviews; a single one stands there without a list, and the app itself has no rating."""
        found = self.entry if isinstance(self.entry, list) else [self.entry]
        return [one for one in found if one.rating.label]


class _Answered(Struct, frozen=True):
    feed: _Feed


class _Rated(Struct, frozen=True):
    trackId: int = 0  # noqa: N815
    trackName: str = ""  # noqa: N815
    averageUserRating: float | None = None  # noqa: N815
    userRatingCount: int | None = None  # noqa: N815


class _Lookup(Struct, frozen=True):
    results: list[_Rated]


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds."""

    v: int = 1
    lists: str = ""
    measured: datetime | None = None
    unmeasured: str = ""
    """Why the ratings were missing when they were last read."""


class AppStoreSource:
    """Reads the newest reviews, of each country or of all."""

    Options: ClassVar[type[SourceOptions]] = AppStoreOptions

    def __init__(self, source_id: SourceId, options: AppStoreOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._token = ""
        self._token_until: datetime | None = None
        is_owner = options.private_key is not None
        sweep = timedelta(hours=12)
        bounds = Bounds(history=options.history, window=None if is_owner else _FEED_SHOWN, sweep_every=sweep)
        names = [_CONNECT] if is_owner else list(options.countries)
        self._lists = Lists(source=source_id, names=names, ask=self._connect if is_owner else self._feed, bounds=bounds)
        self._shown: set[str] = set()
        """The countries whose feed has shown reviews before."""

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in the lists; at their end the ratings."""
        memory = self._recall(cursor)
        self._shown = _shown(memory.lists)
        poll = await poll_lists(self._lists, Cursor(memory.lists) if memory.lists else None, now)
        memory.lists = poll.cursor or ""
        readings = () if poll.more else await self._measured(memory, now)
        cursor = Cursor(msgspec.json.encode(memory).decode())
        return replace(poll, readings=readings, cursor=cursor, degraded=poll.degraded or memory.unmeasured)

    def _recall(self, cursor: Cursor | None) -> Memory:
        try:
            return msgspec.json.decode(cursor, type=Memory) if cursor else Memory()
        except msgspec.MsgspecError:
            return Memory()

    async def _connect(self, _name: str, page: str, now: datetime) -> Page:
        asked = {"sort": "-createdDate", "limit": str(_PAGE)} | ({"cursor": page} if page else {})
        address = f"{self._options.url.rstrip('/')}/v1/apps/{self._options.app}/customerReviews?{urlencode(asked)}"
        headers = {"authorization": f"Bearer {self._bearer(now)}"}
        answer = await self._tools.fetch(address, now=now, headers=headers)
        found = read_json(answer, _Reviews, source=self.id, service="App Store Connect")
        # Only the cursor is taken from the next page's address: an answer must not choose whom we ask.
        following = parse_qs(urlsplit(found.links.next).query).get("cursor", [""])[0]
        return Page(
            mentions=[self._review(one, now) for one in found.data],
            ids=[one.id for one in found.data],
            following=following[:2_000],
        )

    def _bearer(self, now: datetime) -> str:
        options = self._options
        if self._token_until is None or now >= self._token_until:
            key = options.private_key.reveal() if options.private_key else ""
            claims = {"iss": options.issuer_id or "", "aud": "appstoreconnect-v1"}
            try:
                self._token = signed_token(claims, key, algorithm="ES256", ident=options.key_id or "", now=now)
            except SourceError as error:
                raise error.about(self.id) from None
            self._token_until = now + LIFE - timedelta(minutes=2)
        return self._token

    async def _feed(self, country: str, page: str, now: datetime) -> Page:
        number = counted(page, 1)
        path = f"{country}/rss/customerreviews/page={number}/id={self._options.app}/sortby=mostrecent/json"
        answer = await self._tools.fetch(f"{self._options.feed_url.rstrip('/')}/{path}", now=now)
        found = read_json(answer, _Answered, source=self.id, service=_SERVICE).feed.entries
        if not found and number == 1 and country in self._shown:
            raise ShapeChanged(
                f"the feed of {country} shows no reviews any more, and it did: it is known to fall empty; "
                "an App Store Connect key reads your own app without it"
            ).about(self.id)
        return Page(
            mentions=[self._entry(one, country, now) for one in found],
            ids=[one.id.label for one in found],
            following=str(number + 1) if found and number < _FEED_PAGES else "",
        )

    async def _measured(self, memory: Memory, now: datetime) -> tuple[Reading, ...]:
        """Read the ratings once an hour; what keeps them back keeps no review back."""
        if memory.measured is not None and now - memory.measured < READINGS_EVERY:
            return ()
        memory.measured, memory.unmeasured = now.replace(microsecond=0), ""
        try:
            return await self._measure(memory.measured, now)
        except SourceError as error:
            memory.unmeasured = f"ratings cannot be read: {error}"
            return ()

    async def _measure(self, at: datetime, now: datetime) -> tuple[Reading, ...]:
        options = self._options
        asked = {"id": ",".join((options.app, *options.compare)), "country": options.countries[0]}
        answer = await self._tools.fetch(f"{options.feed_url.rstrip('/')}/lookup?{urlencode(asked)}", now=now)
        if "json" not in answer.content_type:  # the lookup calls its JSON JavaScript
            headers = {**answer.headers, "content-type": "application/json"}
            answer = replace(answer, headers=headers) if "javascript" in answer.content_type else answer
        rated = read_json(answer, _Lookup, source=self.id, service=_SERVICE).results
        return tuple(
            Reading(
                source=self.id,
                account=str(one.trackId),
                name=name,
                value=value,
                at=at,
                own=str(one.trackId) == options.app,
                title=one.trackName,
            )
            for one in rated
            for name, value in (("rating", one.averageUserRating), ("ratings", one.userRatingCount))
            if value is not None
        )

    # ---------------------------------------------------------------- mentions

    def _review(self, one: _Review, now: datetime) -> Mention:
        told = one.attributes
        return self._mention(
            Told(
                ident=one.id,
                text="\n\n".join(filter(None, (told.title, told.body))),
                context=stars(told.rating),
                published=moment_of(told.createdDate),
                author=told.reviewerNickname,
            ),
            now,
        )

    def _entry(self, one: _Entry, country: str, now: datetime) -> Mention:
        rating = one.rating.label
        return self._mention(
            Told(
                ident=one.id.label,
                text="\n\n".join(filter(None, (one.title.label, one.content.label))),
                context=stars(int(rating) if rating.isascii() and rating.isdigit() and len(rating) == 1 else None),
                published=moment_of(one.updated.label),
                url=f"https://apps.apple.com/{country}/app/id{self._options.app}?see-all=reviews",
                author=one.author.name.label,
            ),
            now,
        )

    def _mention(self, told: Told, now: datetime) -> Mention:
        return mention_of(told, source=self.id, options=self._options, now=now)


def _shown(lists: str) -> set[str]:
    """Return the lists that have shown something."""
    try:
        trails = msgspec.json.decode(lists, type=Trails) if lists else Trails()
    except msgspec.MsgspecError:
        return set()
    return {name for name, trail in trails.lists.items() if trail.anchors}
