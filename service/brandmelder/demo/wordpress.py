"""What WordPress answers about its comments: the rules, refusals and words of its REST API (6.1).

Every answer is held against a real WordPress by tests/e2e/test_simulator_is_like_wordpress.py.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from msgspec import Struct

from brandmelder.demo import markup, parameters
from brandmelder.demo.parameters import Query, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

ROUTE = "/wp/v2/comments"

NO_ROUTE = Refusal(status=404, code="rest_no_route", message="No route was found matching the URL and request method.")
LOGIN_REQUIRED = Refusal(
    status=401, code="rest_comment_login_required", message="Sorry, you must be logged in to comment."
)
CANNOT_READ = Refusal(status=401, code="rest_cannot_read", message="Sorry, you are not allowed to read this comment.")
INVALID_ID = Refusal(status=404, code="rest_comment_invalid_id", message="Invalid comment ID.")


class Article(Struct, frozen=True, kw_only=True):
    """A post of the blog; `at` is when it was published."""

    id: int
    slug: str
    author: str
    title: str
    text: str
    at: datetime


class Comment(Struct, frozen=True, kw_only=True):
    """An approved comment; `at` is when it was written, in whole seconds UTC."""

    id: int
    post: int
    parent: int
    author: str
    text: str
    at: datetime


class Site(Struct, frozen=True, kw_only=True):
    """A blog as it stands at one moment."""

    url: str
    title: str
    zone: ZoneInfo
    now: datetime
    articles: tuple[Article, ...]
    comments: tuple[Comment, ...]
    hidden: frozenset[int] = frozenset()
    """Ids of comments in the trash or waiting for approval."""

    def article(self, number: int) -> Article:
        """Return the post with this id."""
        return next(each for each in self.articles if each.id == number)

    def link(self, comment: Comment) -> str:
        """Return the address under which a reader finds `comment`."""
        return f"{self.url}/{self.article(comment.post).slug}/#comment-{comment.id}"

    def local(self, moment: datetime) -> str:
        """Return `moment` in the site's own time, as the database keeps it: without a zone."""
        return _local(moment, self.zone)


@cache
def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")


class Reply(Struct, frozen=True, kw_only=True):
    """An answer as it goes over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


def answer(site: Site, route: str, query: Query) -> Reply:
    """Answer a GET of `/wp-json<route>`."""
    route = route.rstrip("/")
    if route == "":
        return _reply(site, 200, _index(site))
    if route == ROUTE:
        return _listed(site, query)
    if found := re.fullmatch(rf"{ROUTE}/(\d+)", route):
        return _single(site, int(found[1]), query)
    return _refused(site, NO_ROUTE)


def unwelcome(site: Site) -> Reply:
    """Answer an anonymous attempt to write."""
    return _refused(site, LOGIN_REQUIRED)


# ------------------------------------------------------------------- routes


def _index(site: Site) -> dict[str, Any]:
    offset = site.now.astimezone(site.zone).utcoffset() or timedelta(0)
    return {
        "name": site.title,
        "description": "",
        "url": site.url,
        "home": site.url,
        "gmt_offset": offset / timedelta(hours=1),
        "timezone_string": site.zone.key,
        "namespaces": ["oembed/1.0", "wp/v2"],
        "authentication": {},
        "routes": {ROUTE: {"namespace": "wp/v2", "methods": ["GET", "POST"]}},
    }


def _single(site: Site, number: int, query: Query) -> Reply:
    comment = next((each for each in site.comments if each.id == number), None)
    if comment is not None:
        return _reply(site, 200, _fields(_presented(site, comment, _parents(site)), query), {"Allow": "GET"})
    if number in site.hidden:
        return _refused(site, CANNOT_READ)
    return _refused(site, INVALID_ID)


def _listed(site: Site, query: Query) -> Reply:
    if (refusal := parameters.refusal(query)) is not None:
        return _refused(site, refusal)
    found = _sorted(site, list(filter(_filter(site, query), site.comments)), query)
    size, page = int(query.get("per_page", 10)), int(query.get("page", 1))
    first = int(query.get("offset", 0)) or size * (page - 1)
    pages = math.ceil(len(found) / size)
    parents = _parents(site)
    shown = [_fields(_presented(site, each, parents), query) for each in found[first : first + size]]
    if "_embed" in query and (not _wanted(query) or _wanted(query) >= {"_links", "_embedded"}):
        posts = [each.post for each in found[first : first + size]]
        shown = [each | _embedded(site, post) for each, post in zip(shown, posts, strict=True)]
    headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages), "Allow": "GET"}
    if links := _pagination(site, query, page=page, pages=pages):
        headers["Link"] = links
    return _reply(site, 200, shown, headers)


def _pagination(site: Site, query: Query, *, page: int, pages: int) -> str:
    def link(number: int, rel: str) -> str:
        return f'<{site.url}/wp-json{ROUTE}?{_address({**query, "page": str(number)})}>; rel="{rel}"'

    before = [link(min(page - 1, pages), "prev")] if page > 1 else []
    after = [link(page + 1, "next")] if pages > page else []
    return ", ".join(before + after)


def _address(query: Query) -> str:
    """Write parameters as WordPress repeats them: lists with their places."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if name in parameters.LISTS:
            pairs += [(f"{name}[{place}]", each) for place, each in enumerate(parameters.listed(value))]
        else:
            pairs.append((name, value))
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)


# ---------------------------------------------------------------- selection


def _filter(site: Site, query: Query) -> Callable[[Comment], bool]:
    tests: list[Callable[[Comment], bool]] = []
    # Bounds are exclusive, in whole seconds, and compared in the site's own time: the hour the clocks go back is twice.
    if (after := _bound(site, query, "after")) is not None:
        tests.append(lambda each: site.local(each.at) > after)
    if (before := _bound(site, query, "before")) is not None:
        tests.append(lambda each: site.local(each.at) < before)
    for name, attribute, wanted in (
        ("include", "id", True),
        ("exclude", "id", False),
        ("post", "post", True),
        ("parent", "parent", True),
    ):
        if numbers := frozenset(parameters.numbers(query, name)):
            tests.append(_among(attribute, numbers, wanted=wanted))
    if words := query.get("search", "").casefold():
        tests.append(lambda each: words in each.text.casefold() or words in each.author.casefold())
    return lambda each: all(test(each) for test in tests)


def _among(attribute: str, numbers: frozenset[int], *, wanted: bool) -> Callable[[Comment], bool]:
    return lambda each: (getattr(each, attribute) in numbers) is wanted


def _bound(site: Site, query: Query, name: str) -> str | None:
    moment = parameters.moment(query[name], site.zone) if name in query else None
    return None if moment is None else site.local(moment)


def _sorted(site: Site, found: list[Comment], query: Query) -> list[Comment]:
    order = query.get("orderby", "date_gmt")
    if order == "include":
        places = {number: place for place, number in enumerate(parameters.numbers(query, "include"))}
        return sorted(found, key=lambda each: places.get(each.id, each.id))
    keys: dict[str, Callable[[Comment], Any]] = {
        "date": lambda each: (site.local(each.at), each.id),
        "date_gmt": lambda each: (each.at, each.id),
        "id": lambda each: each.id,
        "post": lambda each: (each.post, each.at, each.id),
        "parent": lambda each: (each.parent, each.at, each.id),
        "type": lambda each: (each.at, each.id),
    }
    return sorted(found, key=keys[order], reverse=query.get("order", "desc") == "desc")


# ------------------------------------------------------------- presentation


def _parents(site: Site) -> frozenset[int]:
    return frozenset(each.parent for each in site.comments)


def _presented(site: Site, comment: Comment, parents: Container[int]) -> dict[str, Any]:
    api = f"{site.url}/wp-json/wp/v2"
    face = hashlib.md5(comment.author.encode(), usedforsecurity=False).hexdigest()
    links = {
        "self": [{"href": f"{api}/comments/{comment.id}"}],
        "collection": [{"href": f"{api}/comments"}],
        "up": [{"embeddable": True, "post_type": "post", "href": f"{api}/posts/{comment.post}"}],
    }
    if comment.parent:
        links["in-reply-to"] = [{"embeddable": True, "href": f"{api}/comments/{comment.parent}"}]
    if comment.id in parents:
        links["children"] = [{"embeddable": True, "href": f"{api}/comments?parent={comment.id}"}]
    return {
        "id": comment.id,
        "post": comment.post,
        "parent": comment.parent,
        "author": 0,
        "author_name": markup.author(comment.author),
        "author_url": "",
        "date": site.local(comment.at),
        "date_gmt": comment.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "content": {"rendered": markup.rendered(comment.text)},
        "link": site.link(comment),
        "status": "approved",
        "type": "comment",
        "author_avatar_urls": {s: f"http://0.gravatar.com/avatar/{face}?s={s}&d=mm&r=g" for s in ("24", "48", "96")},
        "meta": [],
        "_links": links,
    }


def _embedded(site: Site, post: int) -> dict[str, Any]:
    article = site.article(post)
    told = {
        "id": article.id,
        "date": site.local(article.at),
        "slug": article.slug,
        "type": "post",
        "link": f"{site.url}/{article.slug}/",
        "title": {"rendered": markup.author(article.title)},
        "excerpt": {"rendered": markup.rendered(article.text), "protected": False},
        "author": 1,
        "featured_media": 0,
    }
    return {"_embedded": {"up": [told]}}


_NOT_EMBEDDED = frozenset({"post", "date_gmt", "status", "meta"})


def _fields(shown: dict[str, Any], query: Query) -> dict[str, Any]:
    hidden = _NOT_EMBEDDED if query.get("context") == "embed" else frozenset()
    wanted = (_wanted(query) or shown.keys()) - hidden
    return {name: value for name, value in shown.items() if name in wanted}


def _wanted(query: Query) -> frozenset[str]:
    """Return the fields asked for, none if all are; WordPress 6.1 knows no parts such as `content.rendered` here."""
    return frozenset(parameters.listed(query.get("_fields", "")))


def _refused(site: Site, refusal: Refusal) -> Reply:
    body = {"code": refusal.code, "message": refusal.message, "data": {"status": refusal.status, **refusal.data}}
    return _reply(site, refusal.status, body, {"Allow": "GET"} if refusal.is_allowed else {})


def _reply(site: Site, status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
    standard = {
        "Content-Type": "application/json; charset=UTF-8",
        "Link": f'<{site.url}/wp-json/>; rel="https://api.w.org/"',
        "X-Robots-Tag": "noindex",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Origin",
    }
    text = json.dumps(content, separators=(",", ":")).replace("/", "\\/")  # as PHP writes it
    return Reply(status=status, headers={**standard, **(headers or {})}, body=text.encode())
