"""Instagram against a face that answers as the Graph API is documented."""

from __future__ import annotations

from datetime import timedelta

import pytest

from brandmelder.capture.sources.instagram import InstagramOptions, InstagramSource
from brandmelder.errors import AuthRefused
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR, MINUTE

ACCOUNT = "17841400000000001"


class InstagramFace(Face):
    """One account with one post of its own; what people write are comments below it, newest first, fifty a page."""

    POST = "180"

    def __init__(self):
        super().__init__()
        self.replies, self.tags, self.refused, self.posted = {}, [], None, None
        self.ends, self.debugged = None, 0

    def ident(self, post):
        return f"179{post.number}"

    def answer(self, asked):  # noqa: PLR0911 - a table of paths
        assert asked.headers["authorization"] == "Bearer token"
        if self.refused is not None:
            return self.refused
        if "limit" in asked.query:
            assert int(asked.query["limit"]) <= 50
        match asked.path.strip("/").split("/"):
            case ["debug_token"]:
                self.debugged += 1
                assert asked.query["input_token"] == "token"
                return Said.json({"data": self.ends}) if self.ends else self.error(190)
            case [account] if account == ACCOUNT:
                return Said.json({"id": ACCOUNT, "username": "nordfunk", "followers_count": 1053, "media_count": 812})
            case [_, "media"]:
                return self._list([self._own()], asked)
            case [_, "tags"]:
                return self._list(self.tags, asked)
            case [self.POST, "comments"]:
                assert asked.query["fields"] == "id,text,username,timestamp,replies{id,text,username,timestamp}"
                return self._list([self._comment(one) for one in self.newest_first()], asked)
            case [self.POST]:
                return self.error(100)  # a post has no text
            case [ident]:
                assert ident.isdigit()
                found = [one for one in self.newest_first() if self.ident(one) == ident]
                return Said.json(self._comment(found[0])) if found else self.error(100, subcode=33)

    @staticmethod
    def error(code, status=400, subcode=0):
        error = {"message": "no", "type": "OAuthException", "code": code, "error_subcode": subcode}
        return Said.json({"error": error}, status=status)

    @staticmethod
    def _list(items, asked):
        start, size = int(asked.query.get("after", "0") or 0), int(asked.query["limit"])
        page = {"data": items[start : start + size], "paging": {"cursors": {"after": str(start + size)}}}
        if start + size < len(items):
            page["paging"]["next"] = f"https://graph.example/next?access_token=token&after={start + size}"
        return Said.json(page)

    def _own(self):
        self.posted = self.posted or self.now() - timedelta(days=2)
        return {"id": self.POST, "caption": "Unser neuer Spot", "permalink": "https://www.instagram.com/p/x/",
                "timestamp": f"{self.posted:%Y-%m-%dT%H:%M:%S}+0000", "username": "nordfunk",
                "comments_count": len(self.newest_first())}  # fmt: skip

    def _comment(self, one):
        told = {"id": self.ident(one), "text": one.text, "username": one.author,
                "timestamp": f"{one.at:%Y-%m-%dT%H:%M:%S}+0000"}  # fmt: skip
        replies = self.replies.get(one.number)
        return told | ({"replies": {"data": replies}} if replies else {})


class TestInstagram(SourceConformance):
    page = 50
    releases_late = False

    def make_face(self):
        return InstagramFace()

    def make_source(self, tools, url):
        values = {"type": "instagram", "account": ACCOUNT, "token": Secret("token"), "url": url}
        return InstagramSource(SourceId("one"), InstagramOptions(**values), tools)

    def comments(self, stage):
        return {key: one for key, one in stage.reader.stored.items() if not one.own}

    async def test_the_first_poll_reads_history_and_marks_it(self):
        async with self.reading() as stage:
            for number in range(12):
                stage.face.write(stage.now - HOUR + number * MINUTE, f"Nordfunk {number}")
            await stage.reader.poll()
            assert {one.text for one in self.comments(stage).values()} == {f"Nordfunk {n}" for n in range(12)}
            assert all(one.history for one in stage.reader.stored.values())

    async def test_what_is_written_later_is_news_and_comes_once(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            stage.face.write(stage.now - MINUTE, "Nordfunk neu")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            (one,) = self.comments(stage).values()
            assert (one.history, one.parent_id, one.author) == (False, f"post:{InstagramFace.POST}", "mia")

    async def test_an_edit_is_followed(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "Nordfunk vorher")
            await stage.reader.poll()
            stage.face.edit(post, "Nordfunk nachher")
            await stage.reader.recheck()
            assert "Nordfunk nachher" in stage.reader.texts()

    async def test_a_deletion_is_followed(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "Nordfunk weg")
            await stage.reader.poll()
            stage.face.delete(post)
            await stage.reader.recheck()
            assert stage.face.ident(post) in stage.reader.removed

    async def test_a_time_in_the_future_is_clamped_and_flagged(self):
        async with self.reading() as stage:
            stage.face.write(stage.now + timedelta(days=3), "Nordfunk morgen")
            await stage.reader.poll()
            (one,) = self.comments(stage).values()
            assert one.published_at <= stage.now
            assert "future_dated" in one.flags

    async def test_a_cursor_that_cannot_be_read_begins_anew(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk")
            stage.reader.cursor = "{broken"
            await stage.reader.poll()
            assert {one.text for one in self.comments(stage).values()} == {"Nordfunk"}

    async def test_what_is_written_and_deleted_during_a_walk_hides_nothing_else(self):
        """Its cursors count in this face; where they name a comment, nothing shifts."""

    @pytest.mark.parametrize(
        ("ends", "told"),
        [
            ({"expires_at": 1_800_000_000, "data_access_expires_at": 1_795_000_000}, 1_795_000_000),
            ({"expires_at": 1_800_000_000, "data_access_expires_at": 0}, 1_800_000_000),
            ({"expires_at": 0}, 253_402_300_799),
            (None, None),
        ],
    )
    async def test_when_the_token_ends_is_asked_once_a_day_and_a_refusal_is_no_trouble(self, ends, told):
        async with self.reading() as stage:
            stage.face.ends = ends
            poll = await stage.reader.poll()
            assert (poll.expires_at and poll.expires_at.timestamp()) == told
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            assert stage.face.debugged == 1
            stage.later(24 * HOUR)
            await stage.reader.poll()
            assert stage.face.debugged == 2

    async def test_our_reply_is_a_response_and_posts_that_tag_us_are_mentions(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "Kein Netz!")
            stamp = f"{stage.now - MINUTE:%Y-%m-%dT%H:%M:%S}+0000"
            stage.face.replies[post.number] = [
                {"id": "1790", "text": "Wir kümmern uns.", "username": "nordfunk", "timestamp": stamp}
            ]
            link = "https://www.instagram.com/p/y/"
            tagged = {
                "id": "190",
                "caption": "@nordfunk schweigt",
                "permalink": link,
                "timestamp": stamp,
                "username": "jo",
            }
            stage.face.tags = [tagged]
            readings = (await stage.reader.poll()).readings
            reply, tagged = stage.reader.stored["1790"], stage.reader.stored["post:190"]
            assert (reply.own, reply.parent_id) == (True, stage.face.ident(post))
            assert (tagged.own, tagged.author, tagged.url) == (False, "jo", "https://www.instagram.com/p/y/")
            assert stage.reader.stored[f"post:{InstagramFace.POST}"].own
            assert {(one.title, one.name, one.value) for one in readings} == {
                ("@nordfunk", "followers", 1053), ("@nordfunk", "media", 812),
            }  # fmt: skip

    async def test_a_reply_to_an_old_comment_is_found_within_the_hour(self):
        async with self.reading() as stage:
            old = stage.face.write(stage.now - 2 * HOUR, "Nordfunk alt")
            for number in range(120):
                stage.face.write(stage.now - HOUR, f"Nordfunk {number}")
            await stage.reader.poll()
            stamp = f"{stage.now:%Y-%m-%dT%H:%M:%S}+0000"
            stage.face.replies[old.number] = [{"id": "1790", "text": "Auch ich!", "username": "jo", "timestamp": stamp}]
            for _ in range(13):
                stage.later(5 * MINUTE)
                await stage.reader.poll()
            assert "Auch ich!" in stage.reader.texts()

    async def test_a_dead_token_is_told(self):
        async with self.reading() as stage:
            stage.face.refused = InstagramFace.error(190, status=401)
            with pytest.raises(AuthRefused, match="refuses the token"):
                await stage.reader.turn()
