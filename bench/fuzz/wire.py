"""Further targets: what services, senders and files say on the way in, and what is merely very long."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json as builtin_json
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from brandmelder.capture import jetstream
from brandmelder.capture.bluesky_api import Profile, of_event
from brandmelder.capture.credentials import end_of
from brandmelder.capture.feed_parser import parse as parse_feed
from brandmelder.capture.imap import Folder, Letter, Session
from brandmelder.capture.letters import read_letter
from brandmelder.capture.normalise import clean_text, strip_html
from brandmelder.capture.rows import read_batch
from brandmelder.capture.signatures import signed_by, signing_keys
from brandmelder.capture.source import Answer, Sent, Tools
from brandmelder.capture.sources import (
    appstore,
    archive,
    bluesky,
    discourse,
    facebook,
    feed,
    files,
    googlebusiness,
    hackernews,
    instagram,
    json,
    mailbox,
    mastodon,
    nodebb,
    reddit,
    telegram,
    webhook,
    wordpress,
    x,
    youtube,
)
from brandmelder.errors import BrandmelderError
from brandmelder.model import Cursor, SourceId
from brandmelder.notify.answers import refusal
from brandmelder.notify.channels.slack_http import Signatures
from brandmelder.options import Secret
from brandmelder.settings.web import OidcBlock
from brandmelder.web import oidc

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ONE = SourceId("one")
_SECRET = "whsec_" + "A" * 32
_HOST = "https://service.example"
_ROW = {"external_id": "id", "text": "text || body", "published_at": "at", "deleted": "gone", "reach": "reach"}
_ASKED: dict[str, tuple[Any, dict[str, Any]]] = {
    "x": (x.XSource, {"token": "t", "query": "a", "accounts": ("a",), "reach": True}),
    "facebook": (facebook.FacebookSource, {"page": "10", "token": "t"}),
    "instagram": (instagram.InstagramSource, {"account": "17841400000000001", "token": "t", "hashtags": ("a",)}),
    "mastodon": (mastodon.MastodonSource, {"url": _HOST, "tags": ("a",), "searches": ("bc",), "token": "t"}),
    "bluesky": (bluesky.BlueskySource, {"handle": "a.example.org", "app_password": "p", "searches": ("ab",)}),
    "youtube": (youtube.YouTubeSource, {"api_key": "k", "channel": "UC" + "x" * 22}),
    "reddit": (
        reddit.RedditSource,
        {"subreddits": ("ab",), "client_id": "i", "client_secret": "s", "user_agent": "server:brandmelder:1.0"},
    ),
    "telegram": (telegram.TelegramSource, {"token": "t"}),
    "hackernews": (hackernews.HackerNewsSource, {"words": ("ab",)}),
    "discourse": (discourse.DiscourseSource, {"url": _HOST}),
    "nodebb": (nodebb.NodeBbSource, {"url": _HOST}),
    "appstore": (appstore.AppStoreSource, {"app": "12345"}),
    "googlebusiness": (
        googlebusiness.GoogleBusinessSource,
        {"locations": ("accounts/1/locations/2",), "client_id": "i", "client_secret": "s", "refresh_token": "r"},
    ),
    "wordpress": (wordpress.WordPressSource, {"url": _HOST}),
    "feed": (feed.FeedSource, {"url": _HOST}),
    "json": (
        json.JsonSource,
        {"url": _HOST, "items": "items", "fields": _ROW, "paging": {"style": "next_url", "next": "next"}},
    ),
}
_NAMES = sorted(_ASKED)


async def _nobody(*_asked: Any, **_named: Any) -> Any:
    raise BrandmelderError("nobody is asked")


_PROVIDER = OidcBlock(
    issuer="https://id.example", client_id="brandmelder", client_secret="s", roles={"responder": ("press",)}
)
_UNASKED = Tools(fetch=_nobody, parse_feed=_nobody)


def answer(data: bytes) -> None:
    """A service's answer in JSON to whatever it is asked; the first byte says which service, the second which way."""
    name, way, said = _NAMES[data[0] % len(_NAMES)] if data else "x", data[1:2], data[2:]
    status, headers = (400, 401, 403, 404, 429, 500, 200)[min(way[0], 6) if way else 6], {}
    if way and way[0] % 3 == 0:  # what stands in headers, too
        told = said[:200].decode("latin-1")
        headers = {"x-rate-limit-reset": told, "x-app-usage": told, "x-business-use-case-usage": told, "link": told}
        headers |= {"x-wp-totalpages": told[:9], "x-wp-total": told[:9], "etag": told, "date": told, "age": told}
    with contextlib.suppress(BrandmelderError):
        asyncio.run(_visited(name, None, said, status, headers))


def cursor(data: bytes) -> None:
    """A cursor of another version, or of nobody: read on from it, or begun anew, never an error of another kind."""
    name, told = _NAMES[data[0] % len(_NAMES)] if data else "x", data[1:].decode("utf-8", "replace")
    with contextlib.suppress(BrandmelderError):
        asyncio.run(_visited(name, Cursor(told), b"{}", 200, {}))


async def _visited(name: str, place: Cursor | None, said: bytes, status: int, headers: dict[str, str]) -> Cursor | None:
    async def fetch(url: str, *, takes: frozenset[int] = frozenset(), **_question: Any) -> Answer:
        told = {"content-type": "application/json"} | headers
        shown = status if status in takes else 200
        if "createSession" in url or "token" in url:  # let in, so that what lies behind is reached
            return Answer(url=url, status=200, headers=told, body=b'{"accessJwt":"a","access_token":"a"}')
        return Answer(url=url, status=shown, headers=told, body=said)

    async def parsed(body: bytes, kind: str) -> Any:
        return parse_feed(body, kind)

    kind, options = _ASKED[name]
    source = kind(ONE, kind.Options(type=name, **options), Tools(fetch=fetch, parse_feed=parsed))
    for _ in range(2):
        poll = await source.poll(place, NOW)
        assert len(poll.cursor or "") < 200_000, "a cursor without an end"
        msgspec.json.encode(poll)
        place = poll.cursor or place
    if hasattr(source, "recheck"):
        await source.recheck(["1", "accounts/1/locations/2/reviews/3", "post:1"], NOW)
    return place


def file(data: bytes) -> None:
    """Rows of a file that somebody drops: JSON lines, CSV, mbox, in batches; and an archive that is imported."""
    kinds = ("jsonl", "csv", "mbox")
    kind, is_whole, said = kinds[data[0] % 3] if data else "csv", bool(data[1:2] < b"\x80"), data[2:]
    offset = 0
    with contextlib.suppress(ValueError):  # a CSV file without a header
        for _ in range(3):
            batch = read_batch(io.BytesIO(said), kind, offset, limit=7, is_whole=is_whole)
            assert offset <= batch.offset <= len(said), "read beyond its end"
            offset = batch.offset
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("a.csv" if kind == "csv" else "a.jsonl")
        path.write_bytes(said)
        with contextlib.suppress(BrandmelderError):
            list(archive.read_mentions(path))
        options = files.FilesOptions(type="files", path=str(path))
        with contextlib.suppress(BrandmelderError):
            asyncio.run(files.FilesSource(ONE, options).poll(None, NOW))


def sent(data: bytes) -> None:
    """What arrives at a webhook: signed, so that it is read, and with headers and signatures made up."""
    token = webhook.WebhookSource(ONE, webhook.WebhookOptions(type="webhook", token="t"), _UNASKED)
    mapped = {"items": "items", "fields": _ROW}
    with contextlib.suppress(BrandmelderError):
        token.receive(Sent(headers={"authorization": "Bearer t"}, body=data), NOW)
    foreign = webhook.WebhookSource(ONE, webhook.WebhookOptions(type="webhook", token="t", **mapped), _UNASKED)
    with contextlib.suppress(BrandmelderError):
        foreign.receive(Sent(headers={"authorization": "Bearer t", "webhook-id": "1"}, body=data), NOW)
    text = data.decode("latin-1")
    first, _, rest = text.partition("\n")
    made = {"webhook-id": first, "webhook-timestamp": rest[:20], "webhook-signature": rest}
    assert signed_by(made, data, signing_keys(_SECRET), NOW) is None, "a stranger is believed"
    made = {"x-slack-request-timestamp": rest[:20], "x-slack-signature": first}
    assert not Signatures(Secret("s")).accepts(made, data, NOW), "a stranger is believed"
    end_of(text)


def stream(data: bytes) -> None:
    """Frames of a stream, on either wire; what is read of them becomes mentions."""
    options = mastodon.MastodonOptions(type="mastodon", url=_HOST, tags=("a",))
    for wire in (1, 2):
        with contextlib.suppress(BrandmelderError):
            for one in jetstream.read(data[1:].split(b"\n"), wire):
                if abs(one.at) < 1 << 62:
                    of_event(one, Profile(), source=ONE, options=options, now=NOW)
    with contextlib.suppress(BrandmelderError):
        asyncio.run(_heard(data))


async def _heard(data: bytes) -> None:
    class Once:
        refused = None

        async def hear(self, _patience: timedelta) -> list[bytes]:
            return data.split(b"\n")

    @contextlib.asynccontextmanager
    async def connect(_url: str, **_asked: Any) -> Any:
        yield Once()

    kind = bluesky.BlueskySource
    options = kind.Options(type="bluesky", through="jetstream", servers=(_HOST,), searches=("nordfunk",))
    tools = Tools(fetch=_nobody, parse_feed=_nobody, connect=connect)
    await kind(ONE, options, tools).poll(None, NOW)


def imap(data: bytes) -> None:
    """What an IMAP server answers, as the library hands it on; and the letters it brings."""
    rows: list[Any] = [row if number % 2 else (row, row) for number, row in enumerate(data.split(b"\0"))]

    class Said:
        def uid(self, _what: str, *_asked: str) -> tuple[str, list[Any]]:
            return ("NO" if data[:1] == b"n" else "OK"), rows

        def select(self, _folder: str, *, readonly: bool) -> tuple[str, list[Any]]:
            assert readonly
            return ("NO" if data[:1] == b"s" else "OK"), rows

        def response(self, name: str) -> tuple[str, list[Any]]:
            return name, rows[:1]

    session = Session(Said())  # type: ignore[arg-type] # the four answers of imaplib that are read
    with contextlib.suppress(BrandmelderError, ValueError):
        session.open(data.decode("latin-1")[:40])
        session.since(NOW)
        session.after(3)
        session.sizes([7])
    with contextlib.suppress(BrandmelderError, ValueError):
        letters = session.read([1, 2])
        found = mailbox._Found(Folder(validity=1, next_uid=2, count=1), letters, 0, 2)  # noqa: SLF001
        asked = {"type": "mailbox", "host": "h", "user": "u", "password": "p"}
        source = mailbox.MailboxSource(ONE, mailbox.MailboxOptions(**asked), _UNASKED)
        source._mentions(found, NOW, NOW, is_own=False)  # noqa: SLF001
    read_letter(Letter(uid=1, arrived=None, raw=data).raw)


def identity(data: bytes) -> None:
    """What a provider of sign-ins answers: keys, and a token that none of them signed."""
    keys, _, token = data.partition(b"\n")
    with contextlib.suppress(ValueError, RecursionError), warnings.catch_warnings():
        said = builtin_json.loads(keys)
        if isinstance(said, dict):
            try:
                warnings.simplefilter("ignore")  # of keys that are too small
                oidc._checked(token.decode("latin-1"), said, _PROVIDER, nonce="n", now=NOW)  # noqa: SLF001
            except oidc.NotLetIn:
                return
            raise AssertionError("a stranger is let in")
    with contextlib.suppress(ValueError, RecursionError):
        said = builtin_json.loads(token)
        if isinstance(said, dict):
            oidc._member(_PROVIDER, {"sub": "s"} | said, NOW)  # noqa: SLF001


def swollen(data: bytes) -> None:
    """Something short, over and over: whatever takes more than linear time shows here, and only here."""
    unit = data[1:33] or b"a"
    long = unit * (60_000 // len(unit))
    heads = (b"From", b"Subject", b"Content-Type: text/plain", b"Content-Disposition: inline", b"References", b"Date")
    head = heads[data[0] % len(heads)] if data else b"From"
    read_letter(head + (b": " if b":" not in head else b"") + long + b"\r\n\r\nNordfunk")
    read_letter(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + long)
    text = long.decode("utf-8", "replace")
    clean_text(text)
    strip_html(text)
    json._next_link(text)  # noqa: SLF001
    with contextlib.suppress(ValueError):
        read_batch(io.BytesIO(b"a,b\n" + long), "csv", 0, limit=1_000, is_whole=True)
    read_batch(io.BytesIO(b"From a\n" + long), "mbox", 0, limit=1_000, is_whole=True)
    refusal(Answer(url="", status=429, headers={"retry-after": text}, body=b""), "a server")


TARGETS = {one.__name__: one for one in (answer, cursor, file, sent, stream, imap, identity, swollen)}

_POST = b"""{"items":[{"id":"1","text":"a","at":"2026-11-29T12:00:00Z","reach":"7",
"snippet":{"topLevelComment":{"id":"1","snippet":{"textOriginal":"a"}}}}],
"data":[{"id":"1","text":"a","message":"m","created_time":"2026-11-29T12:00:00+0000","start":"2026-11-29T11:00:00Z",
"end":"2026-11-29T11:01:00Z","tweet_count":1,"username":"a","most_recent_tweet_id":"1990000000000000"}],
"posts":[{"uri":"at://a/b/c","record":{"text":"a"}}],"result":[{"update_id":1,"message":{"message_id":1,
"date":1795179911,"chat":{"id":-1001},"text":"a"}}],"hits":[{"objectID":"1","title":"a","created_at_i":1795179911}],
"nbHits":1,"latest_posts":[{"id":812,"cooked":"a"}],"reviews":[{"reviewId":"1","comment":"a","starRating":"ONE"}],
"results":[],"feed":{"entry":[{"id":{"label":"1"},"im:rating":{"label":"1"},"title":{"label":"a"}}]},"statuses":[],
"meta":{"next_token":"n"},"paging":{"cursors":{"after":"a"},"next":"n"},"next":"/a?page=2",
"error":{"code":4,"message":"m"}}"""
_LIST = b"""[{"id":1,"pid":1,"content":{"rendered":"a"},"date_gmt":"2026-11-29T12:00:00",
"created_at":"2026-11-29T12:00:00Z"}]"""
_TRAIL = b'{"v":1,"place":"p","first":"2026-11-01T00:00:00Z","page":"7","pages":3,"began":"2026-11-29T11:00:00Z"}'
_LISTS = b'{"v":1,"lists":{"posts":' + _TRAIL + b'},"left":["posts"]}'
_FRAME = b"""{"did":"did:plc:a","time_us":1795179911000000,"kind":"commit","commit":{"operation":"create",
"collection":"app.bsky.feed.post","rkey":"a","record":{"text":"Nordfunk","createdAt":"2026-11-29T12:00:00Z"}}}"""
_SECOND = b"""{"$type":"message","payload":{"$type":"a#commit","seq":7,"time":"2026-11-29T12:00:00Z","did":"d",
"operation":"create","collection":"app.bsky.feed.post","rkey":"r","record":{"text":"Nordfunk"}}}"""


_TOKEN = b"eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJzIiwibm9uY2UiOiJuIn0.AQAB"


def _honest(number: int) -> list[bytes]:
    """Return cursors that a source gives by itself."""
    found = []
    for said in (_POST, _LIST):
        with contextlib.suppress(BrandmelderError):
            found.append(asyncio.run(_visited(_NAMES[number], None, said, 200, {})) or "")
    return [bytes([number]) + one.encode() for one in found]


SEEDS: dict[str, list[bytes]] = {
    "answer": [bytes([number, 7]) + said for number in range(len(_NAMES)) for said in (_POST, _LIST)],
    "cursor": [
        said
        for number in range(len(_NAMES))
        for said in (bytes([number]) + _TRAIL, bytes([number]) + _LISTS, *_honest(number))
    ],
    "file": [
        b"\0\0" + b'{"external_id":"1","text":"a"}\n',
        b'\1\0id;text;source;published_at\n1;"a\nb";s;2026-11-29T12:00:00Z\n',
        b"\2\0From a\nMessage-ID: <1@x>\n\nNordfunk\n\nFrom b\n",
    ],
    "sent": [
        b'{"type":"mention.created","data":[{"external_id":"1","text":"a"}]}',
        b'{"type":"mention.deleted","data":{"external_id":"1"}}',
        b'{"items":[{"id":1,"text":"a","gone":"false"}]}',
        b"msg_1\n1795953600 v1,AAAA",
    ],
    "stream": [b"\0" + _FRAME.replace(b"\n", b""), b"\0" + _SECOND.replace(b"\n", b"")],
    "imap": [b'1 (UID 7 INTERNALDATE "29-Nov-2026 12:00:00 +0000" BODY[] {3}\0)\0From: a@b\r\n\r\nx'],
    "identity": [
        b'{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"1"}]}\n' + _TOKEN,
        b'{"keys":[{"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB"}]}\n' + _TOKEN,
        b'{"keys":[{"kty":"oct","k":"AQAB"}]}\n' + _TOKEN,
        b'\n{"groups":["press"],"name":"Mia","email":"mia@example.com"}',
    ],
    "swollen": [
        bytes([number]) + unit for number in range(6) for unit in (b"a@b.c,", b'"', b"(", b"=?utf-8?q?a?= ", b";a=b")
    ],
}
