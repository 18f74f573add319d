"""Bluesky against a face that answers as an account's own server does."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from brandmelder.capture.sources.bluesky import BlueskyOptions, BlueskySource
from brandmelder.errors import AuthRefused
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR, MINUTE


class BlueskyFace(Face):
    """Search through one server: sessions of two hours, 100 a page, anonymous questions refused."""

    def __init__(self):
        super().__init__()
        self.logins = 0
        self.indexed = {}

    def ident(self, post):
        return f"at://did:plc:mia/app.bsky.feed.post/{post.number}"

    def answer(self, asked):
        if asked.path == "/xrpc/com.atproto.server.createSession":
            if json.loads(asked.body) != {"identifier": "nordfunk.bsky.social", "password": "app"}:
                return Said.json({"error": "AuthenticationRequired", "message": "Invalid"}, status=401)
            self.logins += 1
            return Said.json({"accessJwt": f"jwt-{self.logins}", "did": "did:plc:nf"})
        if asked.headers.get("authorization") != f"Bearer jwt-{self.logins}":
            return Said.json({"error": "ExpiredToken", "message": "Token has expired"}, status=400)
        if asked.path == "/xrpc/app.bsky.feed.getPosts":
            found = [post for post in self.newest_first() if self.ident(post) == asked.query["uris"]]
            return Said.json({"posts": [self._post(post) for post in found]})
        assert asked.path == "/xrpc/app.bsky.feed.searchPosts"
        start, size = int(asked.query.get("cursor", "0")), int(asked.query["limit"])
        listed = self.newest_first()
        told = {"posts": [self._post(post) for post in listed[start : start + size]], "hitsTotal": len(listed)}
        return Said.json(told | ({"cursor": str(start + size)} if start + size < len(listed) else {}))

    def _post(self, post):
        seen = self.indexed.get(post.number, post.at)
        return {
            "uri": self.ident(post),
            "cid": "bafy",
            "author": {"did": "did:plc:mia", "handle": f"{post.author}.bsky.social"},
            "record": {"text": post.text, "createdAt": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z", "langs": ["de"]},
            "indexedAt": f"{seen:%Y-%m-%dT%H:%M:%S}.000Z",
        }


class TestBluesky(SourceConformance):
    follows_edits = False
    releases_late = False

    def make_face(self):
        return BlueskyFace()

    def make_source(self, tools, url, **options):
        values = {
            "type": "bluesky",
            "url": url,
            "handle": "nordfunk.bsky.social",
            "app_password": Secret("app"),
            "searches": ("nordfunk",),
        } | options
        source = BlueskySource(SourceId("one"), BlueskyOptions(**values), tools)
        source.recheck_size = 1  # the face reads one address of a question
        return source

    async def test_one_session_serves_many_polls_and_is_renewed_in_time(self):
        async with self.reading() as stage:
            for _ in range(4):
                await stage.reader.poll()
                stage.later(20 * MINUTE)
            assert stage.face.logins == 1
            stage.later(HOUR)
            await stage.reader.poll()
            assert stage.face.logins == 2

    async def test_a_session_that_ended_early_is_told_and_begun_anew(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            stage.face.logins += 1
            with pytest.raises(AuthRefused, match="ExpiredToken"):
                await stage.reader.poll()
            await stage.reader.poll()

    async def test_a_back_dated_post_counts_when_the_network_saw_it(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - timedelta(days=2), "Nordfunk")
            stage.face.indexed[post.number] = stage.now - MINUTE
            await stage.reader.poll()
            (one,) = stage.reader.stored.values()
            assert (one.published_at, one.flags) == (stage.now - MINUTE, ("back_dated",))

    async def test_wrong_credentials_wait_for_a_person(self):
        async with self.reading() as stage:
            tools = stage.reader.source._tools
            stage.reader.source = self.make_source(tools, stage.url, app_password=Secret("wrong"))
            with pytest.raises(AuthRefused, match="refuses the log-in"):
                await stage.reader.poll()


def test_the_search_is_not_to_be_polled_every_minute():
    values = {"type": "bluesky", "handle": "a.bsky.social", "app_password": Secret("x"), "searches": ("ab",)}
    with pytest.raises(ValidationError, match="2m or more"):
        BlueskyOptions(**values, every="1m")
