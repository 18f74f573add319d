from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brandmelder.capture import feed_parser
from brandmelder.capture.feed_parser import ENTRIES, Found, parse, parse_date, parse_tolerantly, parse_well_formed
from brandmelder.capture.source import Entry

RECORDED = Path(__file__).parent / "recorded"
FEEDS = sorted(RECORDED.glob("*.xml"))
LIGHTLY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def entries(found: Found | None) -> list[Entry]:
    assert found is not None
    return list(feed_parser._newest([(raw, parse_date(raw.date)) for raw in found.raws]))


def rss(*items: str, head: str = "", tail: str = "</channel></rss>") -> bytes:
    inner = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>T</title>{inner}{tail}'.encode()


# ------------------------------------------------------------- what comes out


@pytest.mark.parametrize("file", FEEDS, ids=lambda file: file.name)
def test_both_ways_give_the_same_entries(file):
    body = file.read_bytes()
    straight, tolerant = parse_well_formed(body), parse_tolerantly(body, "application/xml; charset=utf-8")
    assert entries(straight) == entries(tolerant)
    assert len(entries(straight)) >= 2
    assert straight.life == tolerant.life


_WORDS = st.text(alphabet="aäß€😡 <>&\"'.-;#x1", max_size=30)


@LIGHTLY
@given(title=_WORDS, words=_WORDS, author=st.text(alphabet="abcäß ", max_size=10))
def test_both_ways_agree_on_whatever_people_write(title, words, author):
    from xml.sax.saxutils import escape

    item = f"<guid>x</guid><title>{escape(title)}</title><description>{escape(escape(words))}</description>"
    body = rss(item + f"<author>{escape(author)}</author><pubDate>Fri, 20 Nov 2026 13:00:00 GMT</pubDate>")
    assert entries(parse_well_formed(body)) == entries(parse_tolerantly(body, "text/xml; charset=utf-8"))


def test_a_press_feed_is_read():
    feed = parse((RECORDED / "rss20.xml").read_bytes(), "application/rss+xml; charset=UTF-8")
    assert (feed.version, feed.total, feed.is_cut, feed.time_to_live) == ("rss20", 4, False, timedelta(minutes=15))
    assert feed.entries[0] == Entry(
        id="press-81",
        link="https://press.example/2026/11/20/nordfunk-netz",
        title="Nordfunk: Netz am Abend zusammengebrochen",
        text="In mehreren Städten fiel das Netz von Nordfunk aus.\n\nDer Anbieter schweigt – bisher.",
        author="Jana Ähre",
        published=datetime(2026, 11, 20, 19, 31, 7, tzinfo=UTC),
    )
    assert feed.entries[1].author == "Die Redaktion", "an address is nobody's business"
    assert feed.entries[2].link == "https://press.example/2026/11/19/kurz"
    assert feed.entries[3].published is None


def test_constructs_of_atom_keep_their_kind():
    feed = parse((RECORDED / "atom10.xml").read_bytes(), "application/atom+xml")
    titles = [entry.title for entry in feed.entries]
    assert titles == ["Nordfunk & die Stille", "Bandbreite < 1 MBit: so geht's nicht", "XHTML"]
    assert feed.entries[2].text == "Erster Absatz.\n\nZweiter & letzter."
    assert [entry.link for entry in feed.entries] == [f"https://netzblog.example/{n}" for n in (3, 2, 1)]


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_a_reply_in_a_wordpress_feed_loses_its_line_and_keeps_its_parent(kind):
    feed = parse((RECORDED / f"wordpress_comments.{kind}.xml").read_bytes(), "text/xml")
    assert feed.entries[0].text.startswith("Das reicht mir nicht …")
    assert feed.entries[0].parent.endswith("#comment-11")
    assert "#comment-" not in feed.entries[1].parent


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Fri, 20 Nov 2026 13:05:11 GMT", "2026-11-20T13:05:11+00:00"),
        ("Fri, 20 Nov 2026 14:05:11 +0100", "2026-11-20T13:05:11+00:00"),
        ("20 Nov 2026 13:05 UT", "2026-11-20T13:05:00+00:00"),
        ("Fri, 20 Nov 2026 14:05:11 CET", "2026-11-20T13:05:11+00:00"),
        ("Mon, 20 Jul 2026 15:05:11 CEST", "2026-07-20T13:05:11+00:00"),
        ("Fri, 20 Nov 2026 14:05:11 MEZ", "2026-11-20T13:05:11+00:00"),
        ("Mon, 20 Jul 2026 15:05:11 mesz", "2026-07-20T13:05:11+00:00"),
        ("2026-11-20T14:05:11+01:00", "2026-11-20T13:05:11+00:00"),
        ("2026-11-20T13:05:11Z", "2026-11-20T13:05:11+00:00"),
        ("2026-11-20T13:05:11", "2026-11-20T13:05:11+00:00"),
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
        (" 2026-11-20 13:05:11 ", "2026-11-20T13:05:11+00:00"),
    ],
)
def test_dates_of_both_kinds_are_read(text, moment):
    assert parse_date(text) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text", ["", "gestern", "Fri, 99 Nov 2026 13:05:11 GMT", "99999-01-01T00:00:00Z", "20261", "0"]
)
def test_what_is_no_date_is_none(text):
    assert parse_date(text) is None


@given(st.text(max_size=80))
def test_no_date_breaks_the_reading(text):
    moment = parse_date(text)
    assert moment is None or moment.tzinfo is UTC


# -------------------------------------------------------------- what is no feed


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", "an empty document"),
        (b"  \n", "an empty document"),
        (b"<!DOCTYPE html><html><body>Wartung</body></html>", "HTML"),
        (b"\xef\xbb\xbf <html><head></head></html>", "HTML"),
        (b"<HTML><title>404</title>", "HTML"),
        (b'{"error": "not found"}', "JSON"),
        (b"[]", "JSON"),
        (b"Service temporarily unavailable", "text of another kind"),
        (b'<?xml version="1.0"?><sitemap/>', "XML of another kind"),
        (b"\0\0\0\0", "text of another kind"),
        (b"\x89PNG\r\n\x1a\n", "text of another kind"),
    ],
)
def test_what_is_no_feed_says_what_it_is(body, refusal):
    feed = parse(body, "text/html; charset=utf-8")
    assert (feed.version, feed.entries, feed.refusal) == ("", (), refusal)


ENTITIES = [
    '<!DOCTYPE x [<!ENTITY a "b">]>',
    '<!DOCTYPE x [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>',
    '<!doctype x [<!entity % p "q">]>',
    '<!DOCTYPE x [<! ENTITY a "b">]>',
]


@pytest.mark.parametrize("head", ENTITIES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
def test_documents_that_declare_entities_are_not_parsed_at_all(head, encoding):
    body = rss("<title>&a;</title>", head=head).decode().replace('<?xml version="1.0"?>', "").encode(encoding)
    assert parse(body, "text/xml").refusal == "a document that declares entities of its own"


def test_a_post_that_speaks_of_entities_is_an_ordinary_post():
    feed = parse(rss("<guid>1</guid><description><![CDATA[<!ENTITY lol 'x'>]]></description>"), "text/xml")
    assert feed.total == 1


def test_a_doctype_without_entities_is_an_old_habit():
    head = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://x.example/rss-0.91.dtd">'
    assert parse(rss("<title>a</title>", head=head), "text/xml").total == 1


# ---------------------------------------------------------------- broken feeds


def test_a_cut_document_loses_its_last_half_entry():
    whole = rss(*(f"<guid>{n}</guid><description>Nordfunk {n}</description>" for n in range(4)))
    cut = whole[: whole.rindex(b"Nordfunk 3") + 4]
    feed = parse(cut, "text/xml")
    assert feed.is_cut
    assert [entry.text for entry in feed.entries] == ["Nordfunk 0", "Nordfunk 1", "Nordfunk 2"]


@pytest.mark.parametrize("file", FEEDS, ids=lambda file: file.name)
def test_no_cut_invents_text(file):
    body = file.read_bytes()
    whole = {(entry.id, entry.text) for entry in parse(body, "text/xml").entries}
    for end in range(len(body) // 3, len(body), 97):
        feed = parse(body[:end], "text/xml; charset=utf-8")
        assert {(entry.id, entry.text) for entry in feed.entries} <= whole


def test_unknown_html_entities_and_loose_ampersands_are_forgiven():
    feed = parse(rss("<guid>1</guid><title>M&uuml;ller &amp; S&ouml;hne & Co</title>"), "text/xml; charset=utf-8")
    assert feed.entries[0].title == "Müller & Söhne & Co"
    assert not feed.is_cut


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("utf-8", "text/xml; charset=utf-8"),
        ("iso-8859-1", "text/xml; charset=iso-8859-1"),
        ("iso-8859-1", "text/xml; charset=utf-8"),
        ("cp1252", "application/rss+xml; charset=windows-1252"),
        ("utf-16", "application/xml"),
        ("utf-8-sig", "text/xml; charset=iso-8859-1"),
    ],
)
def test_wrong_and_missing_charsets_are_repaired(encoding, content_type):
    body = rss("<guid>1</guid><title>Störung für alle</title>").decode().replace('<?xml version="1.0"?>', "")
    assert parse(body.encode(encoding), content_type).entries[0].title == "Störung für alle"


def test_markup_in_text_never_comes_through_as_markup():
    feed = parse(rss("<guid>1</guid><description>&lt;img src=x onerror=alert(1)&gt;Hallo</description>"), "text/xml")
    assert feed.entries[0].text == "Hallo"


def test_of_a_huge_feed_the_newest_entries_are_kept():
    items = [
        f"<guid>{n}</guid><pubDate>{datetime.fromtimestamp(1.7e9 + n, UTC):%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
        for n in range(3000)
    ]
    feed = parse(rss(*items), "text/xml")
    assert (feed.total, len(feed.entries)) == (3000, ENTRIES)
    assert [entry.id for entry in feed.entries] == [str(n) for n in range(2000, 3000)]


def test_deep_nesting_does_no_harm():
    body = rss("<description>" + "<b>" * 20_000 + "x" + "</b>" * 20_000 + "</description>")
    parse(body, "text/xml")


@LIGHTLY
@given(st.binary(max_size=300))
def test_noise_is_refused(noise):
    assert parse(noise, "text/xml").version in {"", "cdf", "rss", "atom", "rss20", "rss10"}


@LIGHTLY
@given(
    file=st.sampled_from(FEEDS),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=6)), min_size=1, max_size=8),
)
def test_a_damaged_feed_gives_plain_bounded_text_or_nothing(file, changes):
    body = bytearray(file.read_bytes())
    for place, piece in changes:
        start = place % len(body)
        body[start : start + len(piece)] = piece
    feed = parse(bytes(body), "text/xml; charset=utf-8")
    assert len(feed.entries) <= 10
    for entry in feed.entries:
        assert "\0" not in entry.text + entry.title + entry.author + entry.id
