"""Mastodon against a face that answers as its API is documented."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from brandmelder.capture.source import Answer, Tools
from brandmelder.capture.sources.mastodon import MastodonOptions, MastodonSource, _is_written
from brandmelder.errors import PluginError
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance

NOW = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)


class MastodonFace(Face):
    """One server's tag timelines: 40 a page at most, newest first, `max_id` exclusive; ids grow with time."""

    def __init__(self, *, token: str = "") -> None:
        super().__init__()
        self.token = token
        self.visibility: dict[int, str] = {}
        self.events: list[str] = []

    def ident(self, post):
        return f"{int(post.at.timestamp()) << 16 | post.number}"

    def answer(self, asked):
        if self.token and asked.headers.get("authorization") != f"Bearer {self.token}":
            return Said.json({"error": "This API requires an authenticated user"}, status=401)
        if asked.path.startswith("/api/v1/statuses/"):
            found = [post for post in self.newest_first() if self.ident(post) == asked.path.rpartition("/")[2]]
            return Said.json(self._status(found[0])) if found else Said.json({"error": "Record not found"}, status=404)
        if asked.path == "/api/v2/search":
            assert asked.query["type"] == "statuses"
            return Said.json({"accounts": [], "hashtags": [], "statuses": self._page(asked, asked.query["q"])})
        if not asked.path.startswith("/api/v1/timelines/tag/"):
            return Said.json({"error": "Record not found"}, status=404)
        return Said.json(self._page(asked))

    def _page(self, asked, words=""):
        limit = int(asked.query.get("limit", "20"))
        assert limit <= 40, "the server refuses more"
        below = int(asked.query.get("max_id", "0")) or 1 << 80
        held = [post for post in self.newest_first() if words.strip('"') in post.text]
        return [self._status(post) for post in held if int(self.ident(post)) < below][:limit]

    def stream(self, asked):
        """Say what is written under one tag, after the fact, to whoever shows a token as the subprotocol."""
        if asked.headers.get("sec-websocket-protocol") != "geheim":
            return Said.json({"error": "Missing access token"}, status=401)
        assert (asked.path, asked.query["stream"]) == ("/api/v1/streaming", "hashtag")
        assert asked.query["tag"] in {"nordfunk", "nordfunkhilft"}
        events = [{"stream": ["hashtag", "nordfunk"], "event": event, "payload": "…"} for event in self.events]
        return [b"", b"nonsense", *(json.dumps(event).encode() for event in events)]

    def _status(self, post):
        return {
            "id": self.ident(post),
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
            "content": f"<p>{post.text}</p>",
            "visibility": self.visibility.get(post.number, "public"),
            "url": f"https://social.example/@{post.author}/{post.number}",
            "uri": f"https://social.example/users/{post.author}/statuses/{post.number}",
            "language": "de",
            "in_reply_to_id": None,
            "account": {"id": "9", "acct": post.author, "followers_count": 120},
        }


class TestMastodon(SourceConformance):
    page = 40

    def make_face(self):
        return MastodonFace()

    def make_source(self, tools, url, **options):
        values = {"type": "mastodon", "url": url, "tags": ("#nordfunk",)} | options
        return MastodonSource(SourceId("one"), MastodonOptions(**values), tools)

    async def test_only_what_is_meant_for_all_is_kept(self):
        async with self.reading() as stage:
            stage.face.write(stage.now, "Nordfunk offen")
            secret = stage.face.write(stage.now, "Nordfunk privat")
            stage.face.visibility[secret.number] = "private"
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk offen"}

    async def test_a_search_brings_what_holds_its_words_page_by_page(self):
        async with self.reading() as stage:
            tools = stage.reader.source._tools
            options = {"tags": (), "searches": ('"kein netz"',), "token": Secret("t")}
            stage.reader.source = self.make_source(tools, stage.url, **options)
            for number in range(90):
                stage.face.write(stage.now, f"kein netz {number}" if number % 3 else f"alles gut {number}")
            await stage.reader.poll()
            assert stage.reader.texts() == {f"kein netz {number}" for number in range(90) if number % 3}

    async def test_what_a_tag_and_a_search_both_bring_is_one_mention(self):
        async with self.reading() as stage:
            tools = stage.reader.source._tools
            stage.reader.source = self.make_source(tools, stage.url, searches=("nordfunk",), token=Secret("t"))
            stage.face.write(stage.now, "#nordfunk schweigt")
            await stage.reader.poll()
            assert len(stage.reader.stored) == 1

    async def test_author_reach_and_address_come_along(self):
        async with self.reading() as stage:
            stage.face.write(stage.now, "Nordfunk")
            await stage.reader.poll()
            (one,) = stage.reader.stored.values()
            assert (one.author, one.reach, one.language) == ("mia", 120, "de")
            assert one.url == "https://social.example/@mia/1"

    async def test_a_stream_nudges_when_something_is_written(self):
        async with self.reading() as stage:
            source = self.make_source(stage.tools, stage.url, streaming=stage.url, token=Secret("geheim"))
            nudged = asyncio.Event()
            listening = asyncio.create_task(source.listen(nudged.set))
            try:
                await source.poll(None, stage.now)
                await asyncio.wait_for(stage.streamed.first.wait(), 20)
                stage.face.events = ["delete", "update"]
                stage.streamed.tell()
                await asyncio.wait_for(nudged.wait(), 20)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def test_a_stream_that_is_refused_leaves_the_polls_as_they_are(self):
        async with self.reading() as stage:
            nudged = asyncio.Event()
            source = self.make_source(stage.tools, stage.url, streaming=stage.url)
            listening = asyncio.create_task(source.listen(nudged.set))
            await source.poll(None, stage.now)
            await asyncio.wait_for(nudged.wait(), 20)
            assert not listening.done()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            assert stage.streamed.opened == 0


class TestSeveralTags(TestMastodon):
    def make_source(self, tools, url, **options):
        return super().make_source(tools, url, **{"tags": ("nordfunk", "nordfunkhilft")} | options)


def test_a_tag_that_is_none_is_refused():
    with pytest.raises(ValidationError):
        MastodonOptions(type="mastodon", url="https://social.example", tags=("nord funk",))


def test_a_stream_without_what_it_needs_is_told_before_anything_runs():
    options = MastodonOptions(type="mastodon", url="https://a.example", tags=("nf",), streaming="https://a.example")
    with pytest.raises(PluginError, match='the extra "stream"'):
        MastodonSource(SourceId("one"), options, Tools(fetch=None, parse_feed=None))


@pytest.mark.parametrize(
    ("said", "is_written"),
    [
        (b'{"event":"update","payload":"{}"}', True),
        (b'{"event":"status.update","payload":"{}"}', True),
        (b'{"event":"delete","payload":"7"}', False),
        (b'{"error":"Bad access token"}', False),
        (b"nonsense", False),
        (b"", False),
    ],
)
def test_only_what_is_written_is_worth_a_poll(said, is_written):
    assert _is_written(said) is is_written


async def test_a_tag_is_asked_for_with_its_own_letters():
    asked = []

    async def fetch(url, **_question):
        asked.append(url)
        return Answer(url=url, status=200, headers={"content-type": "application/json"}, body=b"[]")

    options = MastodonOptions(type="mastodon", url="https://m.example", tags=("#Hauptstraße", "KÖLN"))
    await MastodonSource(SourceId("one"), options, Tools(fetch=fetch, parse_feed=None)).poll(None, NOW)
    assert [url.partition("/tag/")[2].partition("?")[0] for url in asked] == ["hauptstra%C3%9Fe", "k%C3%B6ln"]
