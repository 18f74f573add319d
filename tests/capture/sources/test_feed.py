from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec
import pytest

from brandmelder.capture import feed_parser
from brandmelder.capture.child import ParserChild
from brandmelder.capture.source import Entry, Source, Tools
from brandmelder.capture.sources.feed import FeedSource, compose, tell_apart
from brandmelder.errors import AuthRefused, Gone, RateLimited, ShapeChanged, Transient
from brandmelder.model import Mention, SourceId
from capture.conftest import NOW
from capture.hostile_server import reply

PRESS = SourceId("press")
RECORDED = Path(__file__).parent.parent / "recorded"


class Feed:
    """A feed on a server: a window of its newest entries, with validators."""

    def __init__(self, server, fetch, *, window: int = 10, headers: dict[str, str] | None = None, **options):
        self.server, self.window, self.headers = server, window, headers or {}
        self.items: list[str] = []
        self.cursor = None
        self.stored: dict[str, Mention] = {}
        url = server.on("/feed", self.answer)
        values = {"type": "feed", "url": url, "allow_private": True} | options
        self.source: Source = FeedSource(PRESS, FeedSource.Options(**values), Tools(fetch=fetch, parse_feed=parse))

    def add(self, number: int, at: datetime | None, text: str = "", **more: str) -> None:
        date = f"<pubDate>{format_datetime(at)}</pubDate>" if at else ""
        parts = {
            "guid": f"n{number}",
            "link": f"https://press.example/{number}",
            "description": text or f"Text {number}",
        }
        item = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in (parts | more).items() if v)
        self.items.insert(0, f"<item>{item}{date}</item>")

    @property
    def body(self) -> bytes:
        return f"<rss version='2.0'><channel>{''.join(self.items[: self.window])}</channel></rss>".encode()

    async def answer(self, wire, request):
        etag = f'W/"{hash(self.body)}"'
        if request.headers.get("if-none-match") == etag:
            await wire.send(reply(304, b"", self.headers, length=False))
        else:
            headers = {"Content-Type": "application/rss+xml; charset=utf-8", "ETag": etag}
            await wire.send(reply(200, self.body, headers | self.headers))

    async def poll(self, now: datetime = NOW):
        poll = await self.source.poll(self.cursor, now)
        assert len(poll.cursor or "") <= 16_384
        self.cursor = poll.cursor or self.cursor
        self.stored |= {one.external_id: one for one in poll.mentions}
        return poll


async def parse(body, content_type):
    return feed_parser.parse(body, content_type)


@pytest.fixture
def feed(server, fetch) -> Feed:
    return Feed(server, fetch)


# ------------------------------------------------------------------ ordinary


async def test_the_first_poll_is_silent_history(feed):
    for n in range(5):
        feed.add(n, NOW - timedelta(hours=5 - n))
    poll = await feed.poll()
    assert [one.external_id for one in poll.mentions] == ["n4", "n3", "n2", "n1", "n0"]
    assert all(one.history for one in poll.mentions)
    assert poll.read_until == NOW
    assert not poll.gaps
    assert poll.extent.read == 5
    assert not poll.more


async def test_history_is_bounded(server, fetch):
    feed = Feed(server, fetch, history="2d")
    feed.add(1, NOW - timedelta(days=3))
    feed.add(2, NOW - timedelta(days=1))
    assert [one.external_id for one in (await feed.poll()).mentions] == ["n2"]
    assert (await feed.poll()).mentions == (), "what was too old stays known"


@pytest.mark.parametrize(
    "link", ["http://[", "http://[::1", "//[x]/", "http://a\u2100b.example/", "javascript:x", "/a b"]
)
async def test_a_link_that_is_none_hides_no_other_entry(feed, link):
    feed.add(1, NOW - timedelta(hours=2), link=link)
    feed.add(2, NOW - timedelta(hours=1))
    await feed.poll()
    assert {one.text for one in feed.stored.values()} == {"Text 1", "Text 2"}


async def test_what_comes_later_is_news_and_comes_once(feed):
    feed.add(1, NOW - timedelta(hours=1))
    await feed.poll()
    feed.add(2, NOW + timedelta(minutes=2), "Nordfunk <b>schweigt</b>", author="Jana", title="Netz fällt aus")
    later = NOW + timedelta(minutes=5)
    poll = await feed.poll(later)
    assert poll.mentions == (
        Mention(
            source=PRESS,
            external_id="n2",
            text="Netz fällt aus\n\nNordfunk schweigt",
            url="https://press.example/2",
            author="Jana",
            published_at=NOW + timedelta(minutes=2),
            captured_at=later,
        ),
    )
    assert (await feed.poll(later)).mentions == ()


async def test_two_polls_of_an_unchanged_feed_are_never_both_200(feed):
    feed.add(1, NOW)
    await feed.poll()
    poll = await feed.poll(NOW + timedelta(minutes=5))
    assert feed.server.requests[1].headers["if-none-match"].startswith('W/"')
    assert poll.mentions == ()
    assert poll.cursor is None
    assert poll.read_until == NOW + timedelta(minutes=5)


async def test_the_same_body_is_not_modified_even_without_validators(server, fetch):
    feed = Feed(server, fetch)
    feed.add(1, NOW)
    server.on("/feed", reply(200, feed.body))
    await feed.poll()
    poll = await feed.poll(NOW + timedelta(minutes=5))
    assert poll.mentions == ()
    assert poll.read_until == NOW + timedelta(minutes=5)


async def test_validators_are_dropped_after_eight_days_so_that_a_stuck_304_ends(server, fetch):
    feed = Feed(server, fetch)
    feed.add(1, NOW)
    await feed.poll()

    async def stuck(wire, request):
        is_conditional = "if-none-match" in request.headers or "if-modified-since" in request.headers
        await wire.send(reply(304, length=False) if is_conditional else reply(200, feed.body))

    server.on("/feed", stuck)
    feed.add(2, NOW + timedelta(hours=1))
    for day in range(1, 8):
        assert (await feed.poll(NOW + timedelta(days=day))).mentions == ()
    assert [one.external_id for one in (await feed.poll(NOW + timedelta(days=8))).mentions] == ["n2"]


@pytest.mark.parametrize("etag", ["ü", "x" * 600, ""])
async def test_odd_validators_are_not_kept(server, fetch, etag):
    feed = Feed(server, fetch)
    feed.add(1, NOW)
    server.on("/feed", reply(200, feed.body).replace(b"Connection", f"ETag: {etag}\r\nConnection".encode()))
    await feed.poll()
    await feed.poll()
    assert "if-none-match" not in server.requests[1].headers


async def test_another_address_is_another_first_contact(server, fetch):
    feed = Feed(server, fetch)
    feed.add(1, NOW)
    await feed.poll()
    server.on("/other", feed.answer)
    options = FeedSource.Options(type="feed", url=f"{server.url}/other", allow_private=True)
    poll = await FeedSource(PRESS, options, Tools(fetch=fetch, parse_feed=parse)).poll(feed.cursor, NOW)
    assert all(one.history for one in poll.mentions)
    assert len(poll.mentions) == 1


async def test_a_cursor_that_cannot_be_read_is_a_first_contact(feed):
    feed.add(1, NOW)
    for broken in ("", "{", '{"v":9}', "[]", '{"v":1,"place":"x","read":"2026-11-20T13:00:00Z"}'):
        feed.cursor = broken
        assert (await feed.poll()).mentions[0].history


# --------------------------------------------------------------- loss and gap


async def test_a_burst_beyond_the_window_is_a_gap_and_not_silence(feed):
    for n in range(10):
        feed.add(n, NOW - timedelta(minutes=30 - n))
    await feed.poll()
    for n in range(10, 40):
        feed.add(n, NOW + timedelta(seconds=n))
    poll = await feed.poll(NOW + timedelta(minutes=5))
    assert len(poll.mentions) == 10
    assert poll.gaps
    assert (poll.gaps[0].since, poll.gaps[0].until) == (NOW - timedelta(minutes=21), NOW + timedelta(seconds=30))
    assert "missed" in poll.gaps[0].reason


async def test_a_full_window_with_one_known_entry_is_whole(feed):
    for n in range(10):
        feed.add(n, NOW - timedelta(minutes=30 - n))
    await feed.poll()
    for n in range(10, 19):
        feed.add(n, NOW)
    poll = await feed.poll(NOW + timedelta(minutes=5))
    assert len(poll.mentions) == 9
    assert not poll.gaps


async def test_a_feed_that_shows_a_day_only_has_no_gap_after_a_quiet_week(feed):
    for n in range(3):
        feed.add(n, NOW)
    await feed.poll()
    feed.items.clear()
    feed.add(9, NOW + timedelta(days=7))
    assert (await feed.poll(NOW + timedelta(days=7))).gaps == ()


async def test_a_gap_without_dates_still_has_a_beginning_and_an_end(feed):
    for n in range(10):
        feed.add(n, None)
    await feed.poll()
    for n in range(10, 30):
        feed.add(n, None)
    poll = await feed.poll(NOW + timedelta(minutes=5))
    assert poll.gaps[0].since < poll.gaps[0].until


# ------------------------------------------------------- identity and changes


async def test_an_edit_keeps_its_id_and_a_new_date_alone_is_none(feed):
    feed.add(1, NOW, "alt")
    await feed.poll()
    feed.items.clear()
    feed.add(1, NOW + timedelta(hours=1), "alt")
    assert (await feed.poll(NOW + timedelta(hours=2))).mentions == ()
    feed.items.clear()
    feed.add(1, NOW + timedelta(hours=1), "neu")
    assert [(one.external_id, one.text) for one in (await feed.poll(NOW + timedelta(hours=2))).mentions] == [
        ("n1", "neu")
    ]


async def test_a_feed_that_invents_new_ids_at_every_poll_is_not_a_storm(feed):
    for turn in range(3):
        feed.items.clear()
        for n in range(8):
            feed.add(n, NOW, guid=f"{turn}-{n}")
        poll = await feed.poll(NOW + timedelta(minutes=5 * turn))
        assert len(poll.mentions) == (8 if turn == 0 else 0)
        assert not poll.gaps


def entry(**parts: str) -> Entry:
    return Entry(**parts)


@pytest.mark.parametrize(
    ("entries", "idents"),
    [
        ([entry(id="a", link="https://x/1"), entry(id="b", link="https://x/2")], ["a", "b"]),
        ([entry(link="https://x/1"), entry(link="https://x/2")], ["https://x/1", "https://x/2"]),
        ([entry(id="a", link="https://x/1"), entry(id="a", link="https://x/2")], ["https://x/1", "https://x/2"]),
        ([entry(id="a", link="l", text="x"), entry(id="a", link="l", text="x")], ["a"]),
    ],
)
def test_an_entry_goes_by_its_id_else_by_its_link(entries, idents):
    told = tell_apart(entries)
    assert [one.ident for one in told] == idents
    assert not any(one.is_weak for one in told)


def test_entries_without_id_and_link_go_by_what_they_say():
    told = tell_apart([entry(title="A"), entry(title="B"), entry(title="A")])
    assert [one.entry.title for one in told] == ["A", "B"]
    assert all(one.is_weak and one.ident.startswith("weak:") for one in told)
    assert [one.ident for one in told] == [one.ident for one in tell_apart([entry(title="A"), entry(title="B")])]


def test_ids_without_end_are_shortened():
    assert len(tell_apart([entry(id="x" * 4000)])[0].ident) < 50


async def test_weak_ids_and_missing_dates_are_flagged(feed):
    feed.add(1, None, guid="", link="", title="Nur ein Titel")
    mention = (await feed.poll()).mentions[0]
    assert mention.flags == ("weak_id", "no_date")
    assert mention.published_at == mention.captured_at == NOW


async def test_a_date_in_the_future_is_ours(feed):
    feed.add(1, NOW + timedelta(days=900))
    mention = (await feed.poll()).mentions[0]
    assert (mention.published_at, mention.flags) == (NOW, ("future_dated",))


# ----------------------------------------------------------------- composing


@pytest.mark.parametrize(
    ("parts", "text", "context"),
    [
        ({"title": "Netz weg", "text": "Seit gestern."}, "Netz weg\n\nSeit gestern.", ""),
        ({"title": "Seit ges…", "text": "Seit gestern nichts."}, "Seit gestern nichts.", ""),
        ({"title": "Seit gestern nichts.", "text": "Seit gestern nichts."}, "Seit gestern nichts.", ""),
        ({"title": "Netz weg"}, "Netz weg", ""),
        ({"text": "Seit gestern."}, "Seit gestern.", ""),
        ({"title": "…", "text": "Seit gestern."}, "…\n\nSeit gestern.", ""),
        ({}, "", ""),
        ({"title": "Von Mia zu Spot", "text": "Nein!", "link": "https://b/#comment-3"}, "Nein!", "Von Mia zu Spot"),
    ],
)
def test_title_and_text_make_one_utterance(parts, text, context):
    assert compose(entry(**parts)) == (text, context)


async def test_our_own_accounts_are_marked_and_links_made_whole(server, fetch):
    feed = Feed(server, fetch, own_accounts=["@Nordfunk"], language="de")
    feed.add(1, NOW, author="NORDFUNK", link="/antwort?utm_source=x")
    feed.add(2, NOW, author="Mia", link="javascript:alert(1)")
    mia, ours = (await feed.poll()).mentions
    assert (ours.own, ours.url, ours.language) == (True, f"{server.url}/antwort", "de")
    assert (mia.own, mia.url) == (False, "")


async def test_a_comment_feed_through_the_real_child(server, fetch):
    child = ParserChild()
    body = (RECORDED / "wordpress_comments.atom.xml").read_bytes()
    url = server.on("/", reply(200, body, {"Content-Type": "application/atom+xml"}))
    options = FeedSource.Options(type="feed", url=url, allow_private=True, own_accounts=["nordfunk"])
    source = FeedSource(PRESS, options, Tools(fetch=fetch, parse_feed=child.parse_feed))
    poll = await source.poll(None, datetime.fromisoformat("2026-11-20T20:00:00Z"))
    await child.close()
    mia, ours = poll.mentions
    assert mia.text == "Das reicht mir nicht …"
    assert mia.parent_id == ours.external_id
    assert mia.context == "Kommentar zu Unser neuer Spot von Mia K."
    assert ours.own


# -------------------------------------------------------------- bad weather


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            reply(200, b"<!DOCTYPE html><html>Wartung</html>", {"Content-Type": "text/html"}),
            ShapeChanged,
            "answered HTML",
        ),
        (reply(200, b""), ShapeChanged, "an empty document"),
        (reply(200, b'{"error":1}'), ShapeChanged, "JSON"),
        (reply(200, b'<!DOCTYPE x [<!ENTITY a "b">]><rss/>'), ShapeChanged, "entities"),
        (reply(404), Gone, "mend its url"),
        (reply(401), AuthRefused, "credentials"),
        (reply(500), Transient, "500"),
        (reply(429), RateLimited, "429"),
    ],
)
async def test_what_is_no_feed_is_an_error_with_a_name_and_leaves_the_cursor(feed, answer, kind, words):
    feed.add(1, NOW)
    await feed.poll()
    before = feed.cursor
    feed.server.on("/feed", answer)
    with pytest.raises(kind, match=words) as caught:
        await feed.poll()
    assert str(caught.value).startswith('source "press": ')
    assert feed.cursor == before


async def test_a_cut_feed_gives_what_is_whole_and_is_asked_again(feed):
    for n in range(4):
        feed.add(n, NOW)
    whole = feed.body
    feed.server.on("/feed", reply(200, whole[: whole.rindex(b"Text 0")], {"ETag": '"cut"'}))
    poll = await feed.poll()
    assert {one.external_id for one in poll.mentions} == {"n1", "n2", "n3"}
    assert "cut off" in poll.degraded
    feed.server.on("/feed", feed.answer)
    assert [one.external_id for one in (await feed.poll()).mentions] == ["n0"]
    assert "if-none-match" not in feed.server.requests[1].headers


async def test_a_document_that_breaks_the_parser_is_named(server, fetch):
    async def broken(body, content_type):
        raise ShapeChanged("its document broke the parser")

    options = FeedSource.Options(type="feed", url=server.on("/", reply(200, b"x")), allow_private=True)
    with pytest.raises(ShapeChanged, match=r'^source "press": its document broke'):
        await FeedSource(PRESS, options, Tools(fetch=fetch, parse_feed=broken)).poll(None, NOW)


@pytest.mark.parametrize(
    ("class_", "control", "wait"),
    [("news", "max-age=3600", 3600), ("own", "max-age=3600", None), ("news", "no-cache", None)],
)
async def test_other_people_s_servers_decide_when_they_are_asked_again(server, fetch, class_, control, wait):
    feed = Feed(server, fetch, headers={"Cache-Control": control}, **{"class": class_})
    feed.add(1, NOW)
    for _ in range(2):  # a 200 and a 304
        poll = await feed.poll()
        assert poll.not_before == (None if wait is None else NOW + timedelta(seconds=wait))


async def test_a_cache_in_between_holds_the_watermark_back(server, fetch):
    feed = Feed(server, fetch, headers={"Age": "240"})
    feed.add(1, NOW)
    assert (await feed.poll()).read_until == NOW - timedelta(minutes=4)


async def test_a_crash_before_the_commit_loses_nothing(feed):
    for n in range(30):
        feed.add(n, NOW + timedelta(minutes=n))
        before = feed.cursor
        await feed.source.poll(feed.cursor, NOW + timedelta(minutes=n))
        if n % 3 == 0:
            feed.cursor = before
        else:
            await feed.poll(NOW + timedelta(minutes=n))
    await feed.poll(NOW + timedelta(minutes=31))
    assert set(feed.stored) == {f"n{n}" for n in range(30)}


async def test_a_feed_of_a_thousand_fits_its_cursor(server, fetch):
    feed = Feed(server, fetch, window=1000)
    for n in range(1000):
        feed.add(n, NOW - timedelta(minutes=n))
    assert len((await feed.poll()).mentions) == 1000
    assert msgspec.json.decode(feed.cursor)["count"] == 1000
    feed.add(1000, NOW)
    assert [one.external_id for one in (await feed.poll()).mentions] == ["n1000"]


class HalfFeed(Feed):
    """One that may break off after half of its entries."""

    is_half = False

    @property
    def body(self) -> bytes:
        whole = super().body
        return whole[: len(whole) // 2] if self.is_half else whole


async def test_half_an_answer_hides_no_gap(server, fetch):
    feed = HalfFeed(server, fetch)
    for n in range(40):
        feed.add(n, NOW + n * timedelta(minutes=1))
    written, feed.items = feed.items, feed.items[30:]
    await feed.poll(NOW + timedelta(minutes=10))
    feed.items, feed.is_half = written[16:], True
    half = await feed.poll(NOW + timedelta(minutes=24))
    assert half.mentions
    assert not half.gaps
    feed.items, feed.is_half = written[10:], False
    poll = await feed.poll(NOW + timedelta(minutes=30))
    (gap,) = poll.gaps
    lost = [n for n in range(40) if n < 30 and f"n{n}" not in feed.stored]
    assert lost
    assert all(gap.since <= NOW + n * timedelta(minutes=1) <= gap.until for n in lost)
