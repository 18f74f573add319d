"""Reddit against a face that answers as its API is documented."""

from __future__ import annotations

import base64

import pytest

from brandmelder.capture.sources.reddit import RedditOptions, RedditSource
from brandmelder.errors import AuthRefused
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance

BASIC = "Basic " + base64.b64encode(b"id:secret").decode()


class RedditFace(Face):
    """New comments of one subreddit, 100 a page, a thousand in all; the deleted keep their place."""

    def __init__(self):
        super().__init__()
        self.deleted = set()
        self.vanished = set()
        self.tokens = 0

    def ident(self, post):
        return f"t1_{post.number}"

    def delete(self, post):
        self.deleted.add(post.number)

    def newest_first(self):
        return [post for post in super().newest_first() if post.number not in self.deleted]

    def answer(self, asked):  # noqa: PLR0911 - a table of paths
        assert asked.headers["user-agent"].startswith("server:brandmelder")
        if asked.path == "/api/v1/access_token":
            return self._token(asked)
        if asked.headers.get("authorization") != f"Bearer token-{self.tokens}":
            return Said.json({"message": "Unauthorized", "error": 401}, status=401)
        listed = super().newest_first()
        if asked.path == "/api/info":
            wanted = asked.query["id"].split(",")
            assert len(wanted) <= 100
            return self._listing([post for post in listed if self.ident(post) in wanted], None)
        if asked.path == "/r/kitchen/new":
            return self._listing([], None)
        if asked.path == "/search":
            assert (asked.query["q"], asked.query["sort"], asked.query["type"]) == (
                "(nordfunk AND netz)",
                "new",
                "link",
            )
            return self._listing([post for post in listed if "nordfunk" in post.text][:100], None)
        assert asked.path == "/r/kitchen/comments"
        listed = listed[:1000]
        names = [self.ident(post) for post in listed]
        if asked.query.get("after") in {f"t1_{number}" for number in self.vanished}:
            return self._listing([], None)
        start = names.index(asked.query["after"]) + 1 if "after" in asked.query else 0
        page = listed[start : start + int(asked.query["limit"])]
        return self._listing(page, names[start + len(page) - 1] if start + len(page) < len(listed) else None)

    def _token(self, asked):
        if asked.headers["authorization"] != BASIC or asked.body != b"grant_type=client_credentials":
            return Said.json({"error": "invalid_client"}, status=401)
        self.tokens += 1
        return Said.json({"access_token": f"token-{self.tokens}", "token_type": "bearer", "expires_in": 3600})

    def _listing(self, posts, after):
        return Said.json(
            {"kind": "Listing", "data": {"after": after, "children": [self._thing(post) for post in posts]}}
        )

    def _thing(self, post):
        gone = post.number in self.deleted
        data = {
            "name": self.ident(post),
            "body": "[deleted]" if gone else post.text,
            "author": "[deleted]" if gone else post.author,
            "subreddit": "kitchen",
            "link_title": "Kettles",
            "permalink": f"/r/kitchen/comments/1a/x/{post.number}/",
            "created_utc": post.at.timestamp(),
            "parent_id": "t3_1a",
        }
        return {"kind": "t1", "data": data}


def source(tools, url, **options):
    values = {
        "type": "reddit",
        "subreddits": ("r/kitchen",),
        "client_id": Secret("id"),
        "client_secret": Secret("secret"),
        "user_agent": "server:brandmelder:1.0 (by /u/nordfunk)",
        "url": url,
        "login_url": f"{url}/api/v1/access_token",
    } | options
    return RedditSource(SourceId("one"), RedditOptions(**values), tools)


class TestReddit(SourceConformance):
    make_source = staticmethod(source)

    def make_face(self):
        return RedditFace()

    async def test_a_burst_beyond_a_thousand_is_declared(self):
        async with self.reading() as stage:
            stage.face.write(stage.now)
            await stage.reader.poll()
            stage.later(stage.now.resolution * 3 * 10**8)
            for number in range(1100):
                stage.face.write(stage.now, f"Nordfunk {number}")
            await stage.reader.poll()
            assert len(stage.reader.gaps) == 1

    async def test_a_walk_goes_on_where_the_last_of_a_page_was_taken_away(self):
        async with self.reading() as stage:
            for number in range(150):
                stage.face.write(stage.now, f"Nordfunk {number}")
            stage.face.vanished = {51}  # the last of the first page: nothing is listed below it
            await stage.reader.poll()
            assert len(stage.reader.stored) == 150

    async def test_a_token_is_kept_and_renewed_when_it_ends(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            await stage.reader.poll()
            assert stage.face.tokens == 1
            stage.later(stage.now.resolution * 36 * 10**8)
            await stage.reader.poll()
            assert stage.face.tokens == 2

    async def test_a_search_brings_posts_from_anywhere(self):
        async with self.reading() as stage:
            tools, options = stage.reader.source._tools, {"subreddits": (), "search": "(nordfunk AND netz)"}
            stage.reader.source = self.make_source(tools, stage.url, **options)
            stage.face.write(stage.now, "nordfunk, kein netz")
            stage.face.write(stage.now, "anderes")
            await stage.reader.poll()
            assert stage.reader.texts() == {"nordfunk, kein netz"}

    async def test_wrong_credentials_wait_for_a_person(self):
        async with self.reading() as stage:
            stage.reader.source = self.make_source(stage.reader.source._tools, stage.url, client_secret=Secret("old"))
            with pytest.raises(AuthRefused, match="invalid_client"):
                await stage.reader.poll()
