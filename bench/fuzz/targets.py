"""What is fuzzed: what reads what strangers send, or writes it where people read. One function per target.

A target returns on whatever it is given; errors of ours are its answer, any other is a finding.
"""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import wire
from msgspec.structs import replace

from brandmelder.capture import headers, mapping
from brandmelder.capture.egress import is_reachable, redact
from brandmelder.capture.feed_parser import parse, parse_date
from brandmelder.capture.http import parse_url
from brandmelder.capture.inflate import Body
from brandmelder.capture.letters import read_letter
from brandmelder.capture.match import Matcher
from brandmelder.capture.normalise import URL_CHARACTERS, canonical_url, clean_text, fingerprint, strip_html
from brandmelder.capture.query import parse as parse_query
from brandmelder.classify.lexicon import LexiconClassifier
from brandmelder.classify.linear import LinearClassifier
from brandmelder.cli.logs import clean
from brandmelder.cli.terminal import plain
from brandmelder.errors import BrandmelderError
from brandmelder.model import ChannelId, DeliveryKind, Form, Mention, MentionId, MonitorId, Phrase, SourceId
from brandmelder.notify.channels.mail_html import html_of
from brandmelder.notify.channels.matrix_content import content
from brandmelder.notify.channels.slack_blocks import render
from brandmelder.notify.channels.slack_clicks import from_event, from_interaction
from brandmelder.notify.channels.teams_card import request_of
from brandmelder.notify.channels.webhook_payload import payload
from brandmelder.notify.compose import compose, plain_text
from brandmelder.notify.excerpt import excerpt, safe_url
from brandmelder.notify.inert import inert
from brandmelder.report.sheet import disarmed
from brandmelder.settings import parse_settings

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
_KINDS = (
    "application/rss+xml",
    "text/html; charset=utf-16",
    "application/atom+xml; charset=iso-8859-1",
    "",
    "text/xml; charset=utf-7",
)
_FIELDS = {"id": "id", "text": "text || body", "published_at": "at"}


def feed(data: bytes) -> None:
    """A feed, by both ways of reading it, its charset claimed by the first byte."""
    kinds = _KINDS
    found = parse(data[1:], kinds[data[0] % len(kinds)] if data else "")
    for entry in found.entries:
        assert "\x00" not in entry.text, "a NUL in a text"
        assert len(entry.text) <= 70_000, "a text without an end"


def letter(data: bytes) -> None:
    """A mail, as it comes from the mailbox."""
    told = read_letter(data)
    assert "\r" not in told.subject
    assert "\n" not in told.subject


def markup(data: bytes) -> None:
    """Text and HTML on their way into one shape."""
    text = data.decode("utf-8", "surrogateescape" if data[:1] == b"\xed" else "replace")
    shape = strip_html(text)
    assert clean_text(shape) == shape, "cleaning twice changes something"
    fingerprint(text, text[:9], None)


def address(data: bytes) -> None:
    """Addresses: canonical, safe to follow, allowed to be asked, without secrets."""
    text = data.decode("utf-8", "replace")
    once = canonical_url(text)
    # Writing in ASCII makes an address longer; one that is too long is none.
    assert len(once) > URL_CHARACTERS or canonical_url(once) == once, "canonical twice is another"
    link = safe_url(text)
    assert link == "" or link.startswith("https://")
    redact(text)
    is_reachable(text, allow_private=False)
    with contextlib.suppress(BrandmelderError):
        parse_url(text)


def header(data: bytes) -> None:
    """Headers a server lies with: dates, ages, patience."""
    text = data.decode("latin-1")
    parse_date(text)
    lying = {"retry-after": text, "date": text[::-1], "age": text, "cache-control": f"max-age={text}"}
    moment = headers.retry_at(lying, NOW)
    assert moment is None or NOW < moment <= NOW + timedelta(days=2)
    assert headers.seen_until(lying, NOW) <= NOW
    headers.stays_fresh(lying)


def body(data: bytes) -> None:
    """A compressed answer, in pieces, within its caps."""
    with contextlib.suppress(BrandmelderError):
        encoding = ("gzip", "", "br", "gzip, gzip")[data[0] % 4] if data else ""
        whole = Body(encoding, wire=1 << 16, inflated=1 << 18, ratio=100)
        for start in range(1, len(data), 97):
            whole.take(data[start : start + 97])
        assert len(whole.whole()) <= 1 << 18


def query(data: bytes) -> None:
    """A query, and what it is held against."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(BrandmelderError):
        parse_query(text)
        Matcher({MonitorId("m"): text}).monitors(["Nordfunk geht nicht", text])


def configuration(data: bytes) -> None:
    """A configuration: read, or refused with every problem."""
    with contextlib.suppress(BrandmelderError):
        parse_settings(data.decode("utf-8", "replace"), Path("brandmelder.yaml"), {"TOKEN": "secret-value"})


def rows(data: bytes) -> None:
    """JSON of a foreign service, read by a mapping."""
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(data)
        with contextlib.suppress(BrandmelderError):
            mapping.read_rows(said, "items", _FIELDS, source=SourceId("s"))


def click(data: bytes) -> None:
    """What Slack, or somebody in its place, sends as a click."""
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(data)
        if isinstance(said, dict):
            from_interaction(said, "envelope")
            from_event(said, "envelope")


def judge(data: bytes) -> None:
    """Texts before the judges."""
    text = clean_text(data.decode("utf-8", "replace"))[:5000]
    one = Mention(source=SourceId("s"), external_id="1", text=text, published_at=NOW, captured_at=NOW)
    for kind in (_LINEAR, _LEXICON):
        (verdict,) = kind.classify([one])
        assert 0 <= verdict.p_negative <= 1


def sinks(data: bytes) -> None:
    """One text through a whole alert to every place where people read."""
    text = data.decode("utf-8", "surrogateescape" if data[:1] == b"\xff" else "replace")
    evidence = replace(_STORY.EVIDENCE, phrases=(Phrase(text=text, count=3),))
    message = compose(
        _STORY.INCIDENT,
        replace(evidence, quotes=tuple(replace(quote, url=text) for quote in evidence.quotes)),
        kind=DeliveryKind.OPEN,
        context=_STORY.context(),
        quotes={MentionId(quote.mention): text for quote in evidence.quotes},
    )
    _, blocks = render(message, receives_clicks=True, chart=None)
    json.dumps(blocks)
    page = html_of(message)
    assert "<script" not in page.lower()
    content(message, key="k", form=Form.FULL)
    request_of(message, Form.FULL)
    payload(message, key="k", channel=ChannelId("c"), form=Form.FULL, now=NOW)
    for shown in (plain(plain_text(message)), disarmed(text), excerpt(text), inert(text, 100)):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert disarmed(text)[:1] not in set("=+-@|%")
    clean(None, "info", {"event": text, "nested": [text]})


def _story():
    import sys

    sys.path.insert(0, str(ROOT / "tests"))
    from notify import stories

    return stories


_LINEAR, _LEXICON, _STORY = LinearClassifier("Nordfunk"), LexiconClassifier("Nordfunk"), _story()
TARGETS = {
    one.__name__: one
    for one in (feed, letter, markup, address, header, body, query, configuration, rows, click, judge, sinks)
} | wire.TARGETS


_LETTER = b"""From: a@b.example\r
Subject: =?utf-8?q?St=C3=B6rung?=\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=x\r
\r
--x\r
Content-Type: text/html; charset=utf-8\r
\r
<p>Nordfunk</p>\r
--x--\r
"""
_CLICK = b"""{"type":"block_actions","user":{"id":"U1"},
"actions":[{"action_id":"acknowledge","value":"NF-1:3"}]}"""
_HONEST: dict[str, list[bytes]] = wire.SEEDS | {
    "letter": [_LETTER],
    "click": [_CLICK],
    "rows": [b'{"items":[{"id":1,"text":"a","at":"2026-11-29T12:00:00Z"}]}'],
    "query": [b'(nordfunk OR "nord funk" OR #nordfunk) -stelle', b"a NEAR/5 b author:x url:y reach>10", b"* -x"],
    "address": [b"https://a.example/x?utm_source=y&id=7#z", b"http://[::ffff:7f00:1]/", b"http://127.1/"],
    "header": [b"120", b"Sun, 29 Nov 2026 12:00:00 GMT", b"1e9"],
    "body": [b"\0\x1f\x8b\x08\0\0\0\0\0\0\x03K\xcbO\x07\0!es\x8c\x03\0\0\0"],
}
_WORDS = ["<p>Nordfunk &amp; <b>Netz</b> <!channel> 🔴 e\u0301 \u202e</p>".encode(), b"=1+1", b"<@U1> *fett*"]
_FILES = {
    "feed": "tests/capture/recorded/*.xml",
    "rows": "tests/capture/recorded/*.json",
    "configuration": "config/**/*.yaml",
}


def seeds(name: str) -> list[bytes]:
    """Return honest examples to begin from."""
    files = sorted(ROOT.glob(_FILES[name])) if name in _FILES else []
    first = b"\0" if name == "feed" else b""
    return [*(first + path.read_bytes()[:20_000] for path in files[:40]), *_HONEST.get(name, _WORDS)]
