"""The demo's simulator and a real WordPress with the same comments give the same answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import httpx
import pytest

from brandmelder.demo import feeds, scenario
from brandmelder.demo import wordpress as rules
from peers.wordpress import Comment

if TYPE_CHECKING:
    from peers.wordpress import WordPress

pytestmark = pytest.mark.e2e

FIRST = 2  # the number of the first comment after the one WordPress is born with


@pytest.fixture(scope="module")
def twins(wordpress: WordPress):
    """A WordPress with the story's comments, and the site our rules see."""
    story = scenario.build()
    events = sorted(story.comments(story.start, story.end), key=lambda event: event.published_at)
    places = {event.ref: place for place, event in enumerate(events)}
    wordpress.import_history(
        Comment(
            text=event.text,
            author=event.author,
            date_gmt=event.published_at,
            parent=places[event.parent] - places[event.ref] if event.parent else 0,
        )
        for event in events
    )
    comments = [
        rules.Comment(
            id=place + FIRST,
            post=1,
            parent=places[event.parent] + FIRST if event.parent else 0,
            author=event.author,
            text=event.text,
            at=event.published_at,
        )
        for place, event in enumerate(events)
    ]
    trashed, purged = comments[700].id, comments[701].id
    held = wordpress.comment("wartet", "Mia", story.end, status="hold")
    wordpress.trash(trashed)
    wordpress.delete(purged)
    published = datetime.fromisoformat(wordpress.rest("GET", "posts/1")["date_gmt"]).replace(tzinfo=UTC)
    article = rules.Article(
        id=1, slug="hello-world", author="admin", title="Hello world!", text="Welcome to WordPress.", at=published
    )
    site = rules.Site(
        url=wordpress.url,
        title="Nordfunk Blog",
        zone=ZoneInfo("Europe/Berlin"),
        now=datetime.now(UTC),
        articles=(article,),
        comments=tuple(each for each in comments if each.id not in {trashed, purged}),
        hidden=frozenset({trashed, held}),
    )
    return wordpress, site


HOUR_TWICE = "2026-10-25T00:{:02}:00Z"  # 02:00 to 03:00 in Berlin comes twice that night
QUERIES: list[dict[str, str]] = [
    *({"per_page": "100", "page": str(page), "order": "asc", "orderby": "date_gmt"} for page in range(1, 10)),
    {},
    {"page": "2"},
    {"page": "9999"},
    {"per_page": "1"},
    {"per_page": "100", "orderby": "id", "order": "desc"},
    {"per_page": "100", "orderby": "date", "order": "asc", "after": "2026-10-24T12:00:00Z"},
    {"per_page": "100", "order": "asc", "after": HOUR_TWICE.format(0)},
    {"per_page": "100", "order": "asc", "after": HOUR_TWICE.format(30)},
    {"per_page": "100", "order": "asc", "after": "2026-10-25T01:10:00Z", "before": "2026-10-26T00:00:00Z"},
    {"after": "2026-12-15T19:00:00Z", "order": "asc"},
    {"after": "2026-12-15T19:00:00", "order": "asc"},
    {"after": "2026-12-15T20:00:00+01:00", "order": "asc"},
    {"after": "2026-12-15T20:00:00+01", "order": "asc"},
    {"after": "2026-12-15t19:00:00Z", "order": "asc"},
    {"after": "2026-12-15 19:00:00Z", "order": "asc"},
    {"after": "2026-12-15T19:00:00.5Z", "order": "asc"},
    {"after": "2027-01-01T00:00:00Z"},
    {"before": "2026-10-20T12:00:00Z"},
    {"include": "2,3,5,99999", "order": "asc"},
    {"include": "5,2,3", "orderby": "include", "order": "asc"},
    {"include": "702,703,704"},
    {"exclude": "2,3", "order": "asc"},
    {"parent": "4"},
    {"parent": "0", "per_page": "5"},
    {"post": "1", "per_page": "5"},
    {"post": "7"},
    {"search": "Warteschleife"},
    {"search": "fiete"},
    {"offset": "700"},
    {"offset": "5", "page": "3"},
    {"orderby": "parent", "per_page": "50"},
    {"_fields": "id,content.rendered", "per_page": "3"},
    {"include": "2,3", "_embed": "up", "_fields": "post,_links,_embedded"},
    {"include": "2,3", "_embed": "up", "_fields": "post"},
    {"per_page": "2", "_embed": "up"},
    {"per_page": "2", "_embed": "up", "_fields": "id,_embedded"},
    {"_fields": "id,link", "per_page": "3", "page": "2", "unknown": "ä b&c"},
    {"per_page": "101"},
    {"per_page": "0"},
    {"per_page": "-1"},
    {"per_page": "x"},
    {"per_page": ""},
    {"page": "0"},
    {"page": "x"},
    {"after": "gestern"},
    {"after": "2026-12-15"},
    {"after": ""},
    {"order": "up"},
    {"orderby": "karma"},
    {"order": "up", "orderby": "karma"},
    {"orderby": "karma", "order": "up"},
    {"page": "0", "per_page": "0"},
    {"include": "x"},
    {"include": "1,x"},
    {"offset": "x"},
    {"context": "edit"},
    {"context": "embed", "per_page": "2"},
    {"context": "x"},
    {"status": "hold"},
    {"status": "approve", "per_page": "2"},
    {"type": "pingback"},
    {"author_email": "a@b.example"},
    {"status": "hold", "type": "pingback"},
    {"status": "hold", "per_page": "0"},
]


def _same(answer: httpx.Response, reply: rules.Reply) -> None:
    assert answer.status_code == reply.status
    for name in ("Content-Type", "Link", "X-WP-Total", "X-WP-TotalPages", "Allow", "X-Robots-Tag"):
        assert answer.headers.get(name) == reply.headers.get(name), name
    assert _without_faces(answer.json()) == _without_faces(json.loads(reply.body))


def _without_faces(body: Any) -> Any:
    """Leave out the addresses of pictures, which are made of e-mail addresses, and most of what comes along."""
    for each in body if isinstance(body, list) else [body]:
        each.pop("author_avatar_urls", None)
        if "_embedded" in each:
            each["_embedded"] = [(up["id"], up["title"], up["link"]) for up in each["_embedded"]["up"]]
    return body


@pytest.mark.parametrize("query", QUERIES, ids=urlencode)
def test_lists_are_the_same(twins, query):
    wordpress, site = twins
    answer = httpx.get(f"{wordpress.url}/wp-json{rules.ROUTE}?{urlencode(query)}", timeout=60, trust_env=False)
    _same(answer, rules.answer(site, rules.ROUTE, query))


@pytest.mark.parametrize("number", [2, 6, 702, 703, 99999, "held"])
def test_single_comments_are_the_same(twins, number):
    wordpress, site = twins
    route = f"{rules.ROUTE}/{max(site.hidden) if number == 'held' else number}"
    answer = httpx.get(f"{wordpress.url}/wp-json{route}", timeout=60, trust_env=False)
    _same(answer, rules.answer(site, route, {}))


def test_unknown_routes_are_the_same(twins):
    wordpress, site = twins
    answer = httpx.get(f"{wordpress.url}/wp-json/wp/v2/nonsense", timeout=60, trust_env=False)
    _same(answer, rules.answer(site, "/wp/v2/nonsense", {}))


def test_writing_without_an_account_is_refused_the_same(twins):
    wordpress, site = twins
    body = {"post": 1, "content": "x"}
    answer = httpx.post(f"{wordpress.url}/wp-json{rules.ROUTE}", json=body, timeout=60, trust_env=False)
    reply = rules.unwelcome(site)
    assert (answer.status_code, answer.json()) == (reply.status, json.loads(reply.body))


def _items(feed: bytes) -> list[list[str | None]]:
    names = ("link", "guid", "pubDate", "{http://purl.org/dc/elements/1.1/}creator", "description")
    content = "{http://purl.org/rss/1.0/modules/content/}encoded"
    return [[item.findtext(name) for name in (*names, content)] for item in ET.fromstring(feed).iter("item")]


def test_the_comment_feed_is_the_same(twins):
    wordpress, site = twins
    answer = httpx.get(f"{wordpress.url}/comments/feed/", timeout=60, trust_env=False)
    reply = feeds.comment_feed(site, {})
    assert _items(answer.content) == _items(reply.body)
    for name in ("Content-Type", "ETag", "Last-Modified"):
        assert answer.headers[name] == reply.headers[name]
    own = ".//{http://www.w3.org/2005/Atom}link"
    assert ET.fromstring(answer.content).find(own).attrib == ET.fromstring(reply.body).find(own).attrib


@pytest.mark.parametrize("path", ["comments/feed/", "feed/"])
@pytest.mark.parametrize("tag", [None, "same", "weak", "other"])
@pytest.mark.parametrize("age", [None, timedelta(0), timedelta(hours=1), -timedelta(hours=1), "nonsense"])
def test_validators_are_read_the_same(twins, path, tag, age):
    wordpress, site = twins
    answer_to = {"comments/feed/": feeds.comment_feed, "feed/": feeds.article_feed}[path]
    current = answer_to(site, {}).headers
    asked = {}
    if tag is not None:
        asked["if-none-match"] = {"same": current["ETag"], "weak": f"W/{current['ETag']}", "other": '"other"'}[tag]
    if age == "nonsense":
        asked["if-modified-since"] = "nonsense"
    elif age is not None:
        asked["if-modified-since"] = format_datetime(parsedate_to_datetime(current["Last-Modified"]) - age, usegmt=True)
    answer = httpx.get(f"{wordpress.url}/{path}", headers=asked, timeout=60, trust_env=False)
    assert answer.status_code == answer_to(site, asked).status
