from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brandmelder.capture import feed_parser
from brandmelder.capture.http import HttpClient, Limits
from brandmelder.capture.source import Fetch, Poll, Source, Tools
from brandmelder.capture.sources.wordpress import WordPressOptions, WordPressSource
from brandmelder.errors import AuthRefused, Gone, RateLimited, ShapeChanged, Transient
from brandmelder.model import Cursor, Mention, SourceId
from capture.conftest import NOW
from capture.hostile_server import HostileServer, reply
from capture.wordpress_peer import Blog

BLOG = SourceId("blog")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def parse(body, content_type):
    return feed_parser.parse(body, content_type)


class Reader:
    """Polls a blog and keeps what a store would keep."""

    def __init__(self, server, fetch, **options):
        values = {"type": "wordpress", "url": server.url, "allow_private": True} | options
        self.source: Source = WordPressSource(BLOG, WordPressOptions(**values), Tools(fetch=fetch, parse_feed=parse))
        self.cursor: Cursor | None = None
        self.stored: dict[str, Mention] = {}
        self.removed: set[str] = set()
        self.delivered = 0

    async def poll_once(self, now: datetime, *, commit: bool = True) -> Poll:
        poll = await self.source.poll(self.cursor, now)
        assert len(poll.mentions) <= 1000
        assert len(poll.cursor or "") <= 16_384
        if commit:
            self.cursor = poll.cursor or self.cursor
            self.stored = {one.external_id: one for one in poll.mentions} | {
                key: one for key, one in self.stored.items() if key not in {m.external_id for m in poll.mentions}
            }
            self.removed |= {one.external_id for one in poll.removals}
            self.delivered += len(poll.mentions)
        return poll

    async def poll(self, now: datetime = NOW) -> Poll:
        """Poll until there is no more, as the pipeline does."""
        for _ in range(200):
            poll = await self.poll_once(now)
            if not poll.more:
                return poll
        raise AssertionError("the walk has no end")


@pytest.fixture
def fetch(client) -> Fetch:
    return client.bind(source=BLOG, allow_private=True)


@pytest.fixture
def blog(server) -> Blog:
    return Blog(server)


@pytest.fixture
def reader(server, fetch, blog) -> Reader:
    return Reader(server, fetch)


# ------------------------------------------------------------- first contact


async def test_an_empty_blog_is_read_and_stays_silent(reader):
    for turn in range(3):
        poll = await reader.poll(NOW + turn * MINUTE)
        assert (poll.mentions, poll.read_until, poll.degraded) == ((), NOW + turn * MINUTE, "")
        assert poll.extent.expected == 0


async def test_the_first_contact_reads_a_bounded_history_page_by_page(blog, reader):
    for n in range(1700):
        blog.write(NOW - timedelta(hours=1700 - n))
    first = await reader.poll_once(NOW)
    assert first.more
    assert len(first.mentions) > 700
    assert NOW - 56 * DAY < first.read_until < NOW
    last = await reader.poll(NOW)
    assert last.read_until == NOW
    assert len(reader.stored) == 56 * 24 - 1, "older ones stay where they are"
    assert all(one.history for one in reader.stored.values())
    assert all(one.captured_at == NOW for one in reader.stored.values())


async def test_what_is_written_during_the_first_walk_is_news(blog, reader):
    for n in range(1000):
        blog.write(NOW - timedelta(minutes=1001 - n))
    assert (await reader.poll_once(NOW)).more
    late = blog.write(NOW + MINUTE)
    await reader.poll(NOW + 2 * MINUTE)
    assert not reader.stored[str(late.id)].history
    assert sum(one.history for one in reader.stored.values()) == 1000


async def test_comments_become_mentions(blog, server, fetch):
    reader = Reader(server, fetch, own_accounts=["nordfunk", "7"], language="de")
    blog.write(NOW - HOUR, "Drittes Paket <b>weg</b> &#8211; danke &amp; tsch&uuml;ss!<br />Mia", author="Mia &amp; Co")
    blog.write(NOW - MINUTE, "Wir k&#252;mmern uns.", author="NORDFUNK", parent=1)
    blog.write(NOW - MINUTE, "Auch ich.", author="Kundendienst", user=7, post=99)
    await reader.poll()
    assert reader.stored["1"] == Mention(
        source=BLOG,
        external_id="1",
        text="Drittes Paket weg – danke & tschüss!\nMia",
        context="Unser neuer Spot – mit Musik",
        url="https://blog.example/spot/#comment-1",
        author="Mia & Co",
        language="de",
        published_at=NOW - HOUR,
        captured_at=NOW,
        history=True,
    )
    assert (reader.stored["2"].own, reader.stored["2"].parent_id) == (True, "1")
    assert (reader.stored["3"].own, reader.stored["3"].context) == (True, ""), "a post nobody may read has no title"
    assert not reader.stored["1"].own


async def test_the_author_s_address_and_mail_are_never_asked_for(blog, reader):
    blog.write(NOW - HOUR)
    await reader.poll()
    assert all("author_email" not in one["_fields"] and "context" not in one for one in blog.asked)


async def test_titles_are_asked_for_once_a_post(blog, reader):
    for n in range(5):
        blog.write(NOW + n * MINUTE, post=1 + n % 2)
        await reader.poll(NOW + n * MINUTE)
    assert sum("_embed" in one for one in blog.asked) == 2


# ------------------------------------------------------------------ the walk


async def test_a_quiet_poll_is_one_request_and_tells_nothing_twice(blog, reader):
    blog.write(NOW - HOUR)
    await reader.poll()
    asked = len(blog.asked)
    for minute in range(2, 20, 2):
        poll = await reader.poll(NOW + minute * MINUTE)
        assert poll.mentions == ()
        assert (poll.extent.read, poll.extent.expected, poll.extent.is_exact) == (1, 1, True)
    assert len(blog.asked) == asked + 9


async def test_times_are_sent_with_their_zone_and_pages_never_exceed_a_hundred(blog, reader):
    blog.write(NOW)
    await reader.poll()
    assert all(one["after"].endswith("Z") for one in blog.asked if "after" in one)
    assert {one["per_page"] for one in blog.asked} == {"100"}


async def test_a_burst_of_ten_pages_is_read_whole(blog, reader):
    await reader.poll()
    for n in range(1000):
        blog.write(NOW + timedelta(seconds=n // 4))
    poll = await reader.poll(NOW + 5 * MINUTE)
    assert set(reader.stored) == blog.truth
    assert reader.delivered == 1000
    assert not any(one.history for one in reader.stored.values())
    assert not poll.gaps
    assert poll.read_until == NOW + 5 * MINUTE


async def test_three_hundred_comments_of_one_second_are_read_whole(blog, reader):
    await reader.poll()
    for _ in range(300):
        blog.write(NOW + MINUTE)
    for n in range(150):
        blog.write(NOW + MINUTE + timedelta(seconds=n % 3))
    await reader.poll(NOW + 5 * MINUTE)
    assert set(reader.stored) == blog.truth


async def test_a_crash_between_pages_loses_nothing(blog, reader):
    await reader.poll()
    for n in range(1900):
        blog.write(NOW + timedelta(seconds=n // 7))
    chance = random.Random(5)
    for _ in range(60):
        poll = await reader.poll_once(NOW + 5 * MINUTE, commit=chance.random() < 0.4)
        if not poll.more and set(reader.stored) == blog.truth:
            break
    assert set(reader.stored) == blog.truth


async def test_a_comment_deleted_during_the_walk_hides_no_other(blog, reader):
    await reader.poll()
    for n in range(1500):
        blog.write(NOW + timedelta(seconds=n // 5))
    await reader.poll_once(NOW + 10 * MINUTE)
    for ident in list(blog.comments)[100:160]:
        del blog.comments[ident]
    await reader.poll(NOW + 10 * MINUTE)
    assert set(reader.stored) >= blog.truth


async def test_comments_of_protected_posts_do_not_end_the_walk_early(blog, reader):
    await reader.poll()
    blog.protected = {2}
    for n in range(600):
        blog.write(NOW + timedelta(seconds=n), post=1 if n in {5, 450, 599} else 2)
    poll = await reader.poll(NOW + 20 * MINUTE)
    assert len(reader.stored) == 3
    assert poll.extent.expected == 600


async def test_without_the_header_of_pages_a_short_page_is_the_last(blog, reader):
    await reader.poll()
    for n in range(250):
        blog.write(NOW + timedelta(seconds=n))
    blog.headers = {"X-WP-TotalPages": "many"}
    await reader.poll(NOW + 20 * MINUTE)
    assert set(reader.stored) == blog.truth


async def test_more_than_ten_thousand_comments_of_one_second_are_a_declared_gap(blog, reader):
    await reader.poll()
    for _ in range(10_150):
        blog.write(NOW + MINUTE)
    blog.write(NOW + 2 * MINUTE)
    gaps = []
    for _ in range(200):
        poll = await reader.poll_once(NOW + 5 * MINUTE)
        gaps += poll.gaps
        if not poll.more:
            break
    assert [(gap.since, gap.until) for gap in gaps] == [(NOW + MINUTE, NOW + MINUTE + timedelta(seconds=1))]
    assert str(max(blog.comments)) in reader.stored


async def test_a_comment_from_the_future_does_not_blind_us(blog, reader):
    blog.write(NOW + 900 * DAY)
    await reader.poll()
    assert reader.stored["1"].flags == ("future_dated",)
    for n in range(1, 5):
        blog.write(NOW + n * HOUR)
        await reader.poll(NOW + n * HOUR)
    assert set(reader.stored) == blog.truth
    assert reader.delivered == 5


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 150), st.booleans()), min_size=1, max_size=8))
def test_whatever_is_written_when_is_stored_exactly_once(steps):
    import asyncio

    async def run():
        client = HttpClient(limits=Limits())
        async with HostileServer() as server:
            blog = Blog(server)
            reader = Reader(server, client.bind(source=BLOG, allow_private=True))
            now = NOW
            await reader.poll(now)
            for seconds, count, commit in steps:
                for n in range(count):
                    blog.write(now + timedelta(seconds=n % (seconds + 1)))
                now += timedelta(seconds=seconds + 1)
                await reader.poll_once(now, commit=commit)
            await reader.poll(now + MINUTE)
            assert set(reader.stored) == blog.truth
            assert reader.delivered == len(blog.truth)
            assert reader.removed == set()
        await client.close()

    asyncio.run(run())


# ----------------------------------------------- edits, approvals, deletions


async def test_a_late_approval_keeps_its_time_and_is_found_within_the_hour(blog, reader):
    blog.write(NOW - HOUR)
    await reader.poll()
    held = blog.write(NOW + MINUTE, approved=False)
    blog.write(NOW + 30 * MINUTE)
    await reader.poll(NOW + 31 * MINUTE)
    held.approved = True
    await reader.poll(NOW + 33 * MINUTE)
    assert str(held.id) not in reader.stored
    await reader.poll(NOW + 61 * MINUTE)
    assert reader.stored[str(held.id)].published_at == NOW + MINUTE
    assert not reader.stored[str(held.id)].history


async def test_an_approval_within_ten_minutes_is_found_at_the_next_poll(blog, reader):
    blog.write(NOW)
    await reader.poll()
    held = blog.write(NOW + MINUTE, approved=False)
    blog.write(NOW + 5 * MINUTE)
    await reader.poll(NOW + 6 * MINUTE)
    held.approved = True
    await reader.poll(NOW + 8 * MINUTE)
    assert set(reader.stored) == blog.truth


async def test_an_edit_is_told_again_under_its_id_and_only_then(blog, reader):
    for n in range(120):
        blog.write(NOW - n * MINUTE)
    await reader.poll()
    blog.comments[7].text = "Jetzt anders"
    await reader.poll(NOW + 61 * MINUTE)
    assert reader.stored["7"].text == "Jetzt anders"
    assert reader.delivered == 121
    await reader.poll(NOW + 122 * MINUTE)
    assert reader.delivered == 121


async def test_a_comment_published_before_first_contact_is_history_whenever_it_is_read(blog, reader):
    held = blog.write(NOW - DAY, approved=False)
    await reader.poll()
    held.approved = True
    await reader.poll(NOW + 61 * MINUTE)
    assert reader.stored[str(held.id)].history


async def test_deletions_are_told_once_and_spare_the_living(blog, reader):
    for n in range(250):
        blog.write(NOW - n * 30 * MINUTE)
    await reader.poll()
    for ident in (3, 60, 200):
        del blog.comments[ident]
    blog.comments[61].approved = False
    await reader.poll(NOW + 61 * MINUTE)
    assert reader.removed == {"3", "60", "61", "200"}
    reader.removed.clear()
    await reader.poll(NOW + 122 * MINUTE)
    await reader.poll(NOW + 183 * MINUTE)
    assert reader.removed == set()
    assert reader.delivered == 250


async def test_what_is_older_than_a_week_is_not_asked_for_again(blog, reader):
    for n in range(20):
        blog.write(NOW - n * DAY)
    await reader.poll()
    await reader.poll(NOW + 61 * MINUTE)
    blog.asked.clear()
    await reader.poll(NOW + 122 * MINUTE)
    rechecked = next(one["include"] for one in blog.asked if "include" in one)
    assert len(rechecked.split(",")) < 8
    assert reader.delivered == 20


async def test_a_site_that_does_not_answer_by_id_removes_nothing(blog, reader):
    for n in range(120):
        blog.write(NOW - n * HOUR)
    await reader.poll()

    def ignoring(_count):
        if "include" not in blog.asked[-1]:
            return None
        return blog._comments({"per_page": "100"}, blog.server.requests[-1])

    blog.before_answer = ignoring
    poll = await reader.poll(NOW + 61 * MINUTE)
    assert "deleted comments cannot be told" in poll.degraded
    assert reader.removed == set()


async def test_a_sweep_over_a_storm_is_resumed_after_a_crash(blog, reader):
    await reader.poll()
    for n in range(2400):
        blog.write(NOW + timedelta(seconds=n))
    await reader.poll(NOW + 50 * MINUTE)
    del blog.comments[2350]
    blog.comments[2300].text = "Anders"
    chance = random.Random(2)
    for _ in range(60):
        poll = await reader.poll_once(NOW + 111 * MINUTE, commit=chance.random() < 0.5)
        if not poll.more and "2350" in reader.removed:
            break
    assert reader.removed == {"2350"}
    assert reader.stored["2300"].text == "Anders"


async def test_the_hour_that_daylight_saving_repeats_is_found_by_the_sweep(server, fetch):
    blog = Blog(server, zone="Europe/Berlin")
    reader = Reader(server, fetch)
    fold = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    blog.write(fold - 5 * MINUTE)
    await reader.poll(fold - 4 * MINUTE)
    for n in range(1, 110):
        blog.write(fold + n * MINUTE)
        await reader.poll(fold + n * MINUTE)
    assert set(reader.stored) == blog.truth
    assert reader.delivered == len(blog.truth)


# --------------------------------------------------------- addresses, rights


async def test_without_pretty_permalinks_the_other_address_is_found_and_kept(server, fetch):
    blog = Blog(server, pretty=False)
    reader = Reader(server, fetch)
    blog.write(NOW)
    await reader.poll()
    await reader.poll(NOW + MINUTE)
    paths = [one.path for one in server.requests]
    assert set(reader.stored) == blog.truth
    assert paths[0].startswith("/wp-json")
    assert set(paths[1:]) == {"/"}


async def test_a_page_that_is_no_blog_says_what_to_do(server, fetch):
    server.on("*", reply(404, b"<html>", {"Content-Type": "text/html"}))
    with pytest.raises(Gone, match=r'source "blog": shows no WordPress comments .* mend its url'):
        await Reader(server, fetch).poll()


async def test_a_closed_api_falls_back_to_the_feed_and_says_so(blog, reader, server):
    for n in range(30):
        blog.write(NOW - (n + 1) * MINUTE)
    blog.closed = True
    poll = await reader.poll()
    assert len(reader.stored) == 10
    assert all(one.history for one in reader.stored.values())
    assert "its API is closed" in poll.degraded
    assert poll.read_until == NOW
    new = blog.write(NOW + MINUTE, "Immer noch &lt;nichts&gt;")
    poll = await reader.poll(NOW + 2 * MINUTE)
    assert [one.external_id for one in poll.mentions] == [str(new.id)]
    assert poll.mentions[0].text == "Immer noch <nichts>"
    assert poll.mentions[0].context == "Kommentar zu Unser neuer Spot von Mia"
    assert "its API is closed" in poll.degraded
    assert (await reader.poll(NOW + 4 * MINUTE)).mentions == ()
    assert server.requests[-1].headers["if-none-match"]
    assert len(blog.asked) == 1, "a closed door is not knocked at every two minutes"


async def test_a_burst_behind_a_closed_api_is_a_gap(blog, reader):
    for n in range(15):
        blog.write(NOW - n * MINUTE)
    blog.closed = True
    await reader.poll()
    for n in range(40):
        blog.write(NOW + timedelta(seconds=n))
    poll = await reader.poll(NOW + 2 * MINUTE)
    assert len(poll.mentions) == 10
    assert poll.gaps[0].until == NOW + timedelta(seconds=30)


async def test_when_the_api_opens_again_what_was_missed_is_read_and_nothing_twice(blog, reader):
    blog.write(NOW - HOUR)
    await reader.poll()
    blog.closed = True
    for n in range(40):
        blog.write(NOW + timedelta(seconds=n))
    await reader.poll(NOW + 2 * MINUTE)
    assert len(reader.stored) == 11
    blog.closed = False
    poll = await reader.poll(NOW + 63 * MINUTE)
    assert set(reader.stored) == blog.truth
    assert reader.delivered == len(blog.truth)
    assert poll.degraded == ""


async def test_a_closed_api_without_a_feed_is_refused(server, fetch):
    server.on("/wp-json/wp/v2/comments", reply(401))
    with pytest.raises(AuthRefused, match="401"):
        await Reader(server, fetch).poll()


async def test_a_closed_api_with_a_broken_feed_is_refused_and_not_called_a_feed(server, fetch):
    server.on("/wp-json/wp/v2/comments", reply(403))
    server.on("*", reply(200, b"<html>Wartung</html>", {"Content-Type": "text/html"}))
    with pytest.raises(AuthRefused, match="403"):
        await Reader(server, fetch).poll()


async def test_with_a_password_everything_is_read(blog, server, fetch):
    blog.closed, blog.password = True, "Basic YWxlcnQ6YWJjZCAxMjM0"
    for n in range(30):
        blog.write(NOW - n * MINUTE)
    reader = Reader(server, fetch, user="alert", password="abcd 1234")
    poll = await reader.poll()
    assert set(reader.stored) == blog.truth
    assert poll.degraded == ""


async def test_a_wrong_password_is_told_and_not_hidden_behind_the_feed(blog, server, fetch):
    blog.closed, blog.password = True, "Basic other"
    with pytest.raises(AuthRefused, match="credentials") as caught:
        await Reader(server, fetch, user="alert", password="hunter2").poll()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"url": "blog.example"},
        {"url": "ftp://blog.example"},
        {"url": "https://user:pw@blog.example"},
        {"url": "https://blog.example", "user": "alert"},
        {"url": "https://blog.example", "password": "x"},
        {"url": "http://blog.example", "user": "alert", "password": "x"},
        {"url": "https://blog.example", "uzer": "alert"},
    ],
)
def test_options_that_cannot_work_are_refused(options):
    with pytest.raises(ValueError):
        WordPressOptions(type="wordpress", **options)


async def test_a_blog_below_a_path_is_asked_below_that_path(server, fetch):
    server.on("/blog/wp-json/wp/v2/comments", reply(200, b"[]", {"Content-Type": "application/json"}))
    await Reader(server, fetch, url=f"{server.url}/blog/").poll()
    assert server.requests[0].target.startswith("/blog/wp-json/wp/v2/comments?")


# --------------------------------------------------------------- bad weather


async def test_an_error_in_mid_walk_keeps_the_pages_read_and_is_told(blog, reader):
    await reader.poll()
    for n in range(700):
        blog.write(NOW + timedelta(seconds=n // 3))
    blog.asked.clear()
    blog.before_answer = lambda count: reply(500) if count == 4 else None
    poll = await reader.poll(NOW + 10 * MINUTE)
    assert 0 < len(poll.mentions) < 700
    assert "answered 500" in poll.degraded
    assert poll.read_until < NOW + 5 * MINUTE
    blog.before_answer = lambda _count: None
    assert (await reader.poll(NOW + 12 * MINUTE)).degraded == ""
    assert set(reader.stored) == blog.truth
    assert reader.delivered == 700


async def test_a_server_that_wants_a_pause_in_mid_walk_gets_it(blog, reader):
    await reader.poll()
    for n in range(700):
        blog.write(NOW + timedelta(seconds=n // 3))
    blog.asked.clear()
    blog.before_answer = lambda count: reply(429, b"", {"Retry-After": "600"}) if count > 3 else None
    poll = await reader.poll(NOW + 10 * MINUTE)
    assert poll.not_before == NOW + 20 * MINUTE
    assert not poll.more


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (reply(500), Transient, "500"),
        (reply(429, b"", {"Retry-After": "90"}), RateLimited, "429"),
        (reply(503, b"", {"Retry-After": "600"}), RateLimited, "503"),
        (reply(200, b"<html>Wartung</html>", {"Content-Type": "text/html"}), ShapeChanged, "HTML instead of JSON"),
        (reply(200, b"[{]", {"Content-Type": "application/json"}), ShapeChanged, "another shape"),
        (reply(200, b'{"code":"x"}', {"Content-Type": "application/json"}), ShapeChanged, "another shape"),
        (
            reply(200, b'[{"date_gmt":"x"}]', {"Content-Type": "application/json"}),
            ShapeChanged,
            "another shape",
        ),
    ],
)
async def test_an_error_on_the_first_page_is_an_error_and_leaves_the_cursor(blog, reader, answer, kind, words):
    await reader.poll()
    before = reader.cursor
    blog.before_answer = lambda _count: answer
    blog.server.on("/", reply(404))
    with pytest.raises(kind, match=words) as caught:
        await reader.poll(NOW + MINUTE)
    assert str(caught.value).startswith('source "blog": ')
    assert reader.cursor == before


async def test_titles_that_fail_for_now_hold_their_comments_back(blog, reader):
    await reader.poll()
    blog.write(NOW + MINUTE)
    blog.before_answer = lambda _count: reply(500) if "_embed" in blog.asked[-1] else None
    with pytest.raises(Transient):
        await reader.poll(NOW + 2 * MINUTE)
    blog.before_answer = lambda _count: None
    await reader.poll(NOW + 4 * MINUTE)
    assert reader.stored["1"].context == "Unser neuer Spot – mit Musik"


async def test_a_cache_that_ignores_the_query_is_not_taken_for_an_answer(blog, reader):
    for n in range(300):
        blog.write(NOW - n * HOUR)
    await reader.poll()
    fixed = blog._comments({"per_page": "100", "order": "asc"}, blog.server.requests[-1])
    blog.before_answer = lambda _count: fixed
    with pytest.raises(ShapeChanged, match="does a cache ignore"):
        await reader.poll(NOW + 2 * MINUTE)


async def test_a_cache_in_between_and_a_late_clock_hold_the_watermark_back(blog, reader):
    blog.headers = {"Date": "Fri, 20 Nov 2026 12:57:00 GMT", "Age": "60"}
    assert (await reader.poll()).read_until == NOW - 4 * MINUTE


async def test_a_byte_order_mark_and_numbers_as_text_are_forgiven(blog, reader):
    one = {"id": "5", "date_gmt": "2026-11-20T12:00:00", "content": {"rendered": "Hallo"}, "post": 0, "extra": []}
    body = b"\xef\xbb\xbf" + json.dumps([one]).encode()
    blog.before_answer = lambda _count: reply(200, body, {"Content-Type": "application/json"})
    await reader.poll()
    assert reader.stored["5"].text == "Hallo"


async def test_a_comment_without_a_readable_time_is_told_with_ours(blog, reader):
    body = json.dumps([{"id": 5, "date_gmt": "0000-00-00T00:00:00", "content": {"rendered": "Hallo"}}]).encode()
    blog.before_answer = lambda _count: reply(200, body, {"Content-Type": "application/json"})
    await reader.poll()
    assert (reader.stored["5"].published_at, reader.stored["5"].flags) == (NOW, ("no_date",))


async def test_a_cursor_that_cannot_be_read_is_a_first_contact(blog, reader):
    blog.write(NOW - HOUR)
    for broken in ("{", '{"v":9}', "[]"):
        reader.cursor = Cursor(broken)
        await reader.poll()
        assert reader.stored["1"].history


async def test_the_cursor_stays_small_after_years_of_comments(blog, reader):
    for n in range(3000):
        blog.write(NOW - n * 20 * MINUTE)
    await reader.poll()
    await reader.poll(NOW + 61 * MINUTE)
    assert len(reader.cursor) <= 16_384
