"""The simulator answers as WordPress does; every line of these tables was seen on a real one."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.etree import ElementTree as ET

import httpx
import pytest

from brandmelder.clock import ReplayClock
from brandmelder.demo import scenario
from brandmelder.demo.events import Event, Kind
from brandmelder.demo.scenario import Scenario
from brandmelder.demo.simulator import Simulator

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
COMMENTS = "/wp-json/wp/v2/comments"


def _comment(ref: str, minutes: float, text: str = "Hallo Nordfunk", **more) -> Event:
    moment = NOON + timedelta(minutes=minutes)
    return Event(t=moment, source="blog", kind=Kind.COMMENT, ref=ref, author=f"A {ref}", text=text, **more)


def _story() -> Scenario:
    """Twelve comments a minute apart; one waits for approval, one is edited, one trashed, one answers another."""
    article = Event(
        t=NOON - timedelta(days=1),
        source="blog",
        kind=Kind.ARTICLE,
        ref="a1",
        author="nordfunk",
        title="Moin & los",
        text="Ja.",
    )
    news = Event(
        t=NOON - timedelta(hours=1),
        source="press",
        kind=Kind.ARTICLE,
        ref="a2",
        author="Redaktion",
        title="Neues",
        text="Nordfunk baut.",
    )
    events = [article, news, *(_comment(f"c{number}", number) for number in range(1, 13))]
    events += [
        _comment("held", 40, "spät", written_at=NOON + timedelta(minutes=3, seconds=30)),
        Event(t=NOON + timedelta(minutes=50), source="blog", kind=Kind.EDIT, ref="c2", text="neu"),
        Event(t=NOON + timedelta(minutes=55), source="blog", kind=Kind.DELETE, ref="c5"),
        _comment("reply", 60, 'Zeile 1\nZeile "2" & <3', parent="c1", own=True),
    ]
    events.sort(key=lambda event: event.t)
    end = NOON + timedelta(hours=2)
    return Scenario(seed=0, start=NOON, evening=NOON, onset=NOON, end=end, events=tuple(events))


class Visitor:
    """Asks the simulator at a moment of the story."""

    def __init__(self, simulator: Simulator, clock: ReplayClock, client: httpx.AsyncClient) -> None:
        self.simulator, self.clock, self.client = simulator, clock, client

    async def get(self, path: str, *, minutes: float = 120, **headers: str) -> httpx.Response:
        self.clock.move_to(NOON + timedelta(minutes=minutes))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(self.simulator.url + path, headers=named)

    async def ids(self, query: str, *, minutes: float = 120) -> list[int]:
        answer = await self.get(f"{COMMENTS}?{query}", minutes=minutes)
        return [each["id"] for each in answer.json()]


@pytest.fixture
async def visitor():
    clock = ReplayClock(NOON - timedelta(days=2))
    async with Simulator(_story(), clock) as simulator, httpx.AsyncClient(trust_env=False) as client:
        yield Visitor(simulator, clock, client)


# Numbers follow the submission: c1..c3 are 1..3, the held one is 4, c4..c12 are 5..13, the reply is 14.
# At the end c5 (6) is in the trash: 13 are left.
LISTS = [
    ("", [14, 13, 12, 11, 10, 9, 8, 7, 5, 4], "13", "2"),
    ("page=2", [3, 2, 1], "13", "2"),
    ("page=99", [], "13", "2"),
    ("per_page=2&page=2", [12, 11], "13", "7"),
    ("order=asc&per_page=3", [1, 2, 3], "13", "5"),
    ("order=asc&orderby=id&per_page=100", [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14], "13", "1"),
    ("after=2026-11-20T12:11:00Z", [14, 13], "2", "1"),  # strictly after
    ("after=2026-11-20T13:11:00%2B01:00", [14, 13], "2", "1"),
    ("after=2026-11-20T13:11:00", [14, 13], "2", "1"),  # without a zone: the site's own time
    ("after=2026-11-20T12:10:59.9Z", [14, 13, 12], "3", "1"),  # fractions of a second are dropped
    ("after=2026-11-20T13:00:00Z", [], "0", "0"),
    ("before=2026-11-20T12:02:00Z", [1], "1", "1"),
    ("before=2026-11-20T12:02:00Z&order=asc&orderby=date", [1], "1", "1"),
    ("include=3,6,1,99", [3, 1], "2", "1"),
    ("include=3,1&orderby=include&order=asc", [3, 1], "2", "1"),
    ("include[]=3&include[]=1", [3, 1], "2", "1"),
    ("exclude=14,13,12,11", [10, 9, 8, 7, 5, 4, 3, 2, 1], "9", "1"),
    ("parent=1", [14], "1", "1"),
    ("search=zeile", [14], "1", "1"),
    ("offset=11", [2, 1], "13", "2"),
    ("unknown=1&per_page=1", [14], "13", "13"),
]


@pytest.mark.parametrize(("query", "ids", "total", "pages"), LISTS)
async def test_lists_hold_what_wordpress_would_list(visitor: Visitor, query, ids, total, pages):
    answer = await visitor.get(f"{COMMENTS}?{query}")
    assert answer.status_code == 200
    assert [each["id"] for each in answer.json()] == ids
    assert (answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]) == (total, pages)


REFUSALS = [
    ("?per_page=101", 400, "rest_invalid_param", "Invalid parameter(s): per_page"),
    ("?per_page=0", 400, "rest_invalid_param", "Invalid parameter(s): per_page"),
    ("?per_page=abc", 400, "rest_invalid_param", "Invalid parameter(s): per_page"),
    ("?page=0", 400, "rest_invalid_param", "Invalid parameter(s): page"),
    ("?after=garbage", 400, "rest_invalid_param", "Invalid parameter(s): after"),
    ("?after=2026-11-20", 400, "rest_invalid_param", "Invalid parameter(s): after"),
    ("?after=2026-11-20T13:11:00+01:00", 400, "rest_invalid_param", "Invalid parameter(s): after"),  # + is a space
    ("?order=foo&orderby=foo", 400, "rest_invalid_param", "Invalid parameter(s): order, orderby"),
    ("?include=2,x", 400, "rest_invalid_param", "Invalid parameter(s): include"),
    ("?per_page=101&order=foo", 400, "rest_invalid_param", "Invalid parameter(s): per_page"),
    ("?status=hold", 401, "rest_forbidden_param", "Query parameter not permitted: status"),
    ("?context=edit", 401, "rest_forbidden_context", "Sorry, you are not allowed to edit comments."),
    ("/6", 401, "rest_cannot_read", "Sorry, you are not allowed to read this comment."),
    ("/99", 404, "rest_comment_invalid_id", "Invalid comment ID."),
    ("/abc", 404, "rest_no_route", "No route was found matching the URL and request method."),
]


@pytest.mark.parametrize(("path", "status", "code", "message"), REFUSALS)
async def test_refusals_have_wordpress_s_words(visitor: Visitor, path, status, code, message):
    answer = await visitor.get(COMMENTS + path)
    assert answer.status_code == status
    body = answer.json()
    assert (body["code"], body["message"], body["data"]["status"]) == (code, message, status)


async def test_a_page_size_beyond_the_limit_is_explained(visitor: Visitor):
    body = (await visitor.get(f"{COMMENTS}?per_page=101")).json()
    text = "per_page must be between 1 (inclusive) and 100 (inclusive)"
    assert body["data"] == {
        "status": 400,
        "params": {"per_page": text},
        "details": {"per_page": {"code": "rest_out_of_bounds", "message": text, "data": None}},
    }


async def test_a_comment_looks_as_in_wordpress(visitor: Visitor):
    answer = await visitor.get(f"{COMMENTS}?per_page=1")
    (comment,) = answer.json()
    url = visitor.simulator.url
    assert {name: comment[name] for name in ("id", "post", "parent", "author", "author_name", "status", "type")} == {
        "id": 14,
        "post": 1,
        "parent": 1,
        "author": 0,
        "author_name": "A reply",
        "status": "approved",
        "type": "comment",
    }
    assert (comment["date"], comment["date_gmt"]) == ("2026-11-20T14:00:00", "2026-11-20T13:00:00")
    assert comment["content"] == {"rendered": "<p>Zeile 1<br />\nZeile &#8220;2&#8221; &amp; &lt;3</p>\n"}
    assert comment["link"] == f"{url}/moin-los/#comment-14"
    assert comment["_links"]["in-reply-to"][0]["href"] == f"{url}{COMMENTS}/1"
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"


async def test_pages_are_linked(visitor: Visitor):
    url = f"{visitor.simulator.url}{COMMENTS}"
    first = await visitor.get(f"{COMMENTS}?per_page=5&after=2026-11-20T12:00:00Z")
    assert first.headers["Link"] == f'<{url}?per_page=5&after=2026-11-20T12%3A00%3A00Z&page=2>; rel="next"'
    second = await visitor.get(f"{COMMENTS}?per_page=5&page=2&_fields=id")
    assert second.headers["Link"] == (
        f'<{url}?per_page=5&page=1&_fields=id>; rel="prev", <{url}?per_page=5&page=3&_fields=id>; rel="next"'
    )
    beyond = await visitor.get(f"{COMMENTS}?page=99")
    assert beyond.headers["Link"] == f'<{url}?page=2>; rel="prev"'
    only = await visitor.get(f"{COMMENTS}?per_page=100")
    assert only.headers["Link"] == f'<{visitor.simulator.url}/wp-json/>; rel="https://api.w.org/"'


async def test_fields_and_the_article_come_as_asked(visitor: Visitor):
    (thin,) = (await visitor.get(f"{COMMENTS}?per_page=1&_fields=id,date_gmt")).json()
    assert thin == {"id": 14, "date_gmt": "2026-11-20T13:00:00"}
    (fat,) = (await visitor.get(f"{COMMENTS}?per_page=1&_embed=up")).json()
    assert fat["_embedded"]["up"][0]["title"] == {"rendered": "Moin &amp; los"}


async def test_only_what_is_published_is_shown(visitor: Visitor):
    assert await visitor.ids("order=asc", minutes=0) == []
    assert await visitor.ids("order=asc", minutes=1) == [1]
    assert await visitor.ids("order=asc", minutes=2.5) == [1, 2]


async def test_a_held_comment_comes_late_with_its_old_date_and_number(visitor: Visitor):
    assert 4 not in await visitor.ids("per_page=100", minutes=39)
    assert (await visitor.get(f"{COMMENTS}/4", minutes=39)).status_code == 401
    late = await visitor.get(f"{COMMENTS}/4", minutes=40)
    assert late.json()["date_gmt"] == "2026-11-20T12:03:30"


async def test_an_edit_changes_the_text_and_no_date(visitor: Visitor):
    before = (await visitor.get(f"{COMMENTS}/2", minutes=49)).json()
    after = (await visitor.get(f"{COMMENTS}/2", minutes=50)).json()
    assert after["content"]["rendered"] == "<p>neu</p>\n"
    assert {**after, "content": before["content"]} == before


async def test_a_trashed_comment_is_hidden(visitor: Visitor):
    assert (await visitor.get(f"{COMMENTS}/6", minutes=54)).status_code == 200
    assert (await visitor.get(f"{COMMENTS}/6", minutes=55)).status_code == 401
    assert await visitor.ids("include=6") == []


@pytest.mark.parametrize("path", ["/?rest_route=/wp/v2/comments&per_page=1", f"{COMMENTS}/?per_page=1"])
async def test_other_ways_to_the_same_route(visitor: Visitor, path):
    assert [each["id"] for each in (await visitor.get(path)).json()] == [14]


async def test_the_index_says_who_and_where_it_is(visitor: Visitor):
    for path in ("/wp-json", "/wp-json/"):
        body = (await visitor.get(path)).json()
        assert (body["name"], body["timezone_string"], body["gmt_offset"]) == ("Nordfunk Blog", "Europe/Berlin", 1)
        assert "wp/v2" in body["namespaces"]


async def test_nobody_writes_without_an_account(visitor: Visitor):
    answer = await visitor.client.post(visitor.simulator.url + COMMENTS, json={"content": "x"})
    assert (answer.status_code, answer.json()["code"]) == (401, "rest_comment_login_required")


async def test_the_comment_feed_holds_the_ten_newest(visitor: Visitor):
    answer = await visitor.get("/comments/feed/")
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=UTF-8"
    channel = ET.fromstring(answer.content).find("channel")
    assert channel is not None
    items = channel.findall("item")
    url = visitor.simulator.url
    assert [item.findtext("link") for item in items] == [
        f"{url}/moin-los/#comment-{number}" for number in (14, 13, 12, 11, 10, 9, 8, 7, 5, 4)
    ]
    first = items[0]
    assert first.findtext("guid") == f"{url}/?p=1#comment-14"
    assert first.findtext("pubDate") == "Fri, 20 Nov 2026 13:00:00 +0000"
    assert first.findtext("title") == "Kommentar zu Moin & los von A reply"
    content = first.findtext("{http://purl.org/rss/1.0/modules/content/}encoded")
    answers = f'<p>In reply to <a href="{url}/moin-los/#comment-1">A c1</a>.</p>\n'
    assert content == answers + "<p>Zeile 1<br />\nZeile &#8220;2&#8221; &amp; &lt;3</p>\n"


async def test_articles_have_their_feed(visitor: Visitor):
    blog = ET.fromstring((await visitor.get("/feed/")).content)
    press = ET.fromstring((await visitor.get("/presse/feed/")).content)
    assert [item.findtext("title") for item in blog.iter("item")] == ["Moin & los"]
    assert [item.findtext("link") for item in press.iter("item")] == [f"{visitor.simulator.url}/presse/neues/"]


MODIFIED = format_datetime(NOON + timedelta(minutes=60), usegmt=True)
TAG = f'"{hashlib.md5(MODIFIED.encode(), usedforsecurity=False).hexdigest()}"'
EARLIER = format_datetime(NOON, usegmt=True)
VALIDATORS = [
    ({}, 200),
    ({"If_None_Match": TAG}, 304),
    ({"If_None_Match": f"W/{TAG}"}, 200),  # taken literally
    ({"If_None_Match": '"other"'}, 200),
    ({"If_Modified_Since": MODIFIED}, 304),
    ({"If_Modified_Since": EARLIER}, 200),
    ({"If_Modified_Since": "yesterday"}, 200),
    ({"If_None_Match": TAG, "If_Modified_Since": MODIFIED}, 304),
    ({"If_None_Match": TAG, "If_Modified_Since": EARLIER}, 200),
    ({"If_None_Match": '"other"', "If_Modified_Since": MODIFIED}, 200),
]


@pytest.mark.parametrize(("headers", "status"), VALIDATORS)
async def test_feeds_validate_as_wordpress_does(visitor: Visitor, headers, status):
    answer = await visitor.get("/comments/feed/", **headers)
    assert answer.status_code == status
    assert (answer.headers["Last-Modified"], answer.headers["ETag"]) == (MODIFIED, TAG)
    assert bool(answer.content) is (status == 200)


async def test_neither_an_edit_nor_a_late_approval_shows_in_the_feed_s_validators(visitor: Visitor):
    before = await visitor.get("/comments/feed/", minutes=39)
    after = await visitor.get("/comments/feed/", minutes=54)
    assert before.headers["ETag"] == after.headers["ETag"]


async def test_a_reader_finds_the_comment_behind_a_link(visitor: Visitor):
    page = await visitor.get("/moin-los/")
    assert page.status_code == 200
    assert '<article id="comment-14">' in page.text
    front = await visitor.get("/")
    assert f"{visitor.simulator.url}/moin-los/" in front.text


async def test_an_unknown_page_is_html_with_404(visitor: Visitor):
    answer = await visitor.get("/nix/")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_the_whole_story_can_be_read_page_by_page():
    story = scenario.build()
    clock = ReplayClock(story.end)
    seen: list[int] = []
    async with Simulator(story, clock) as simulator, httpx.AsyncClient(trust_env=False) as client:
        url: str | None = f"{simulator.url}{COMMENTS}?order=asc&orderby=date_gmt&per_page=100"
        while url is not None:
            answer = await client.get(url)
            seen += [each["id"] for each in answer.json()]
            following = re.search(r'<([^>]+)>; rel="next"', answer.headers["Link"])
            url = following[1] if following else None
    shown = [event for event in story.until(story.end) if event.kind is Kind.COMMENT]
    gone = [event for event in story.until(story.end) if event.kind is Kind.DELETE]
    assert len(seen) == len(set(seen)) == len(shown) - len(gone)
