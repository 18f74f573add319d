"""YouTube against a face that answers as the Data API is documented."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from brandmelder.capture.sources.youtube import YouTubeOptions, YouTubeSource
from brandmelder.errors import AuthRefused, RateLimited, ShapeChanged
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR, MINUTE

CHANNEL = "UC" + "x" * 22


class YouTubeFace(Face):
    """Threads below a channel, 100 a page, newest first; pages by a token."""

    def __init__(self):
        super().__init__()
        self.replies = {}
        self.asked_below = []

    def answer(self, asked):
        if asked.query.get("key") != "key":
            return self.refused("badRequest", status=400)
        if asked.path == "/comments" and "parentId" in asked.query:
            return self._replies(asked)
        if asked.path == "/comments":
            wanted = asked.query["id"].split(",")
            assert len(wanted) <= 50
            found = [post for post in self.newest_first() if self.ident(post) in wanted]
            return Said.json({"items": [self._comment(post) for post in found]})
        if asked.path == "/search":
            return self._videos(asked)
        assert asked.path == "/commentThreads"
        assert asked.query["order"] == "time"
        listed, size = self.newest_first(), int(asked.query["maxResults"])
        start = int(asked.query.get("pageToken", "0"))
        page = {"items": [self._thread(post) for post in listed[start : start + size]]}
        page["pageInfo"] = {"totalResults": len(listed)}
        if start + size < len(listed):
            page["nextPageToken"] = str(start + size)
        return Said.json(page)

    def _videos(self, asked):
        assert (asked.query["type"], asked.query["order"], asked.query["q"]) == (
            "video",
            "date",
            'nordfunk|"nord funk"',
        )
        start, listed = int(asked.query.get("pageToken", "0")), self.newest_first()
        size = int(asked.query["maxResults"])
        assert size <= 50
        page = {"items": [self._found(post) for post in listed[start : start + size]]}
        return Said.json(page | ({"nextPageToken": str(start + size)} if start + size < len(listed) else {}))

    @staticmethod
    def _found(post):
        about = {"title": post.text, "description": "Heute &amp; morgen", "channelTitle": "Technik &quot;live&quot;",
                 "publishedAt": f"{post.at:%Y-%m-%dT%H:%M:%S}Z"}  # fmt: skip
        return {"id": {"kind": "youtube#video", "videoId": f"v{post.number:010d}"}, "snippet": about}

    def _replies(self, asked):
        parent = asked.query["parentId"]
        self.asked_below.append(parent)
        if parent not in self.replies:
            return self.refused("commentNotFound", status=404)
        start, size = int(asked.query.get("pageToken", "0")), int(asked.query["maxResults"])
        texts = self.replies[parent]
        page = {"items": [self._reply(parent, number) for number in range(len(texts))[start : start + size]]}
        return Said.json(page | ({"nextPageToken": str(start + size)} if start + size < len(texts) else {}))

    def _reply(self, parent, number):
        at = f"{self.now():%Y-%m-%dT%H:%M:%S}Z"
        snippet = {"textOriginal": self.replies[parent][number], "authorDisplayName": "@jo", "publishedAt": at}
        return {"id": f"{parent}.{number}", "snippet": snippet | {"parentId": parent, "videoId": "v1"}}

    def ident(self, post):
        return f"Ugw{post.number}"

    @staticmethod
    def refused(reason, status=403):
        return Said.json({"error": {"code": status, "message": "no", "errors": [{"reason": reason}]}}, status=status)

    def _comment(self, post):
        return {
            "id": self.ident(post),
            "snippet": {
                "textOriginal": post.text,
                "authorDisplayName": f"@{post.author}",
                "authorChannelId": {"value": CHANNEL if post.author == "nordfunk" else "UC1"},
                "publishedAt": f"{post.at:%Y-%m-%dT%H:%M:%S}Z",
                "updatedAt": f"{post.at:%Y-%m-%dT%H:%M:%S}Z",
            },
        }

    def _thread(self, post):
        ident = self.ident(post)
        texts = self.replies.get(ident, [])
        snippet = {"videoId": "v1", "totalReplyCount": len(texts), "topLevelComment": self._comment(post)}
        shown = [self._reply(ident, number) for number in range(len(texts))[-5:]]
        return {"id": ident, "snippet": snippet} | ({"replies": {"comments": shown}} if shown else {})


class TestYouTube(SourceConformance):
    def make_face(self):
        return YouTubeFace()

    def make_source(self, tools, url):
        options = YouTubeOptions(type="youtube", url=url, api_key=Secret("key"), channel=CHANNEL)
        return YouTubeSource(SourceId("one"), options, tools)

    async def test_the_channels_own_comments_are_ours(self):
        async with self.reading() as stage:
            stage.face.write(stage.now, author="nordfunk")
            await stage.reader.poll()
            (one,) = stage.reader.stored.values()
            assert (one.own, one.url) == (True, "https://www.youtube.com/watch?v=v1&lc=Ugw1")

    async def test_the_replies_that_do_not_come_along_are_asked_for_once_and_again_when_they_change(self):
        async with self.reading() as stage:
            for _ in range(3):
                stage.face.write(stage.now - HOUR)
            told = [f"Nordfunk antwortet {number}" for number in range(250)]
            stage.face.replies = {"Ugw2": told[:249], "Ugw3": told[:5]}
            await stage.reader.poll()
            assert stage.face.asked_below == ["Ugw2"] * 3
            assert stage.reader.texts() >= set(told[:249])
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            assert len(stage.face.asked_below) == 3
            stage.face.replies = {"Ugw2": told, "Ugw3": told[:5]}
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            assert stage.reader.texts() >= set(told)

    async def test_a_thread_that_went_away_before_its_replies_were_read_holds_nothing_up(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR)
            stage.face.replies = {"Ugw1": [f"Nordfunk {number}" for number in range(1_500)]}
            await stage.reader.turn()
            stage.face.replies.clear()
            stage.face.delete(post)
            poll = await stage.reader.turn()
            assert not poll.more
            assert poll.read_until is not None

    @pytest.mark.parametrize(
        ("reason", "kind"),
        [("quotaExceeded", RateLimited), ("commentsDisabled", ShapeChanged), ("keyInvalid", AuthRefused)],
    )
    async def test_each_refusal_says_what_to_do(self, reason, kind):
        async with self.reading() as stage:
            stage.instead = YouTubeFace.refused(reason)
            with pytest.raises(kind) as told:
                await stage.reader.turn()
            assert "key=" not in str(told.value)
            if kind is RateLimited:
                assert 0 < (told.value.until - stage.now).total_seconds() <= 86_400

    async def test_a_search_brings_videos_page_by_page_and_leaves_them_when_rechecked(self):
        query = 'nordfunk|"nord funk"'
        async with self.reading() as stage:
            options = YouTubeOptions(type="youtube", api_key=Secret("key"), search=query, every="30m", url=stage.url)
            stage.reader.source = YouTubeSource(SourceId("one"), options, stage.reader.source._tools)
            for number in range(60):
                stage.face.write(stage.now, f"Nordfunk &amp; ich {number}")
            await stage.reader.poll()
            assert len(stage.reader.stored) == 60
            one = stage.reader.stored["video:v0000000001"]
            assert one.text == "Nordfunk & ich 0\nHeute & morgen"
            assert (one.author, one.url) == ('Technik "live"', "https://www.youtube.com/watch?v=v0000000001")
            await stage.reader.recheck()
            assert stage.reader.removed == set()


def test_one_place_and_no_hasty_search():
    with pytest.raises(ValidationError, match="one of channel, videos and search"):
        YouTubeOptions(type="youtube", api_key=Secret("key"), channel=CHANNEL, search="x")
    with pytest.raises(ValidationError, match="write every: 15m or more"):
        YouTubeOptions(type="youtube", api_key=Secret("key"))
