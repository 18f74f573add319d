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
        self.tagged, self.searched, self.forbidden = [], [], None

    def ident(self, post):
        return f"179{post.number}"

    def answer(self, asked):
        assert asked.headers["authorization"] == "Bearer token"
        if self.refused is not None:
            return self.refused
        if "limit" in asked.query:
            assert int(asked.query["limit"]) <= 50
        return self._beside(asked) or self._account(asked)

    def _beside(self, asked):
        match asked.path.strip("/").split("/"):
            case ["ig_hashtag_search"]:
                assert asked.query["user_id"] == ACCOUNT
                self.searched.append(asked.query["q"])
                if asked.query["q"] == "niemand":
                    return self.error(24, subcode=2207024)
                return Said.json({"data": [{"id": f"17{len(self.searched):04d}"}]})
            case [tag, "recent_media"]:
                assert tag.startswith("17")
                assert (asked.query["user_id"], asked.query["limit"]) == (ACCOUNT, "50")
                assert "username" not in asked.query["fields"], "it is refused there"
                return self.forbidden or self._recent(asked)
            case [ident, "replies"]:
                assert asked.query["fields"] == "id,text,username,timestamp"
                number, start = int(ident.removeprefix("179")), int(asked.query["after"])
                return Said.json(self._replies(self.replies[number], number, start, int(asked.query["limit"])))
            case ["debug_token"]:
                self.debugged += 1
                assert asked.query["input_token"] == "token"
                return Said.json({"data": self.ends}) if self.ends else self.error(190)
        return None

    def _account(self, asked):
        match asked.path.strip("/").split("/"):
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

    def _recent(self, asked):
        """Pages of fifty; `after` is the same on every page, and the last page comes again for ever."""
        self.turns = 0 if "after" not in asked.query else self.turns + 1
        last = max(0, (len(self.tagged) - 1) // 50)
        start = 50 * min(self.turns, last)
        page = {"data": self.tagged[start : start + 50], "paging": {"cursors": {"after": "same"}}}
        return Said.json(page)

    def tag(self, number, at, text="#nordfunk schweigt"):
        stamp = f"{at:%Y-%m-%dT%H:%M:%S}+0000"
        self.tagged.insert(0, {"id": f"180{number}", "caption": f"{text} {number}", "timestamp": stamp,
                               "permalink": f"https://www.instagram.com/p/{number}/"})  # fmt: skip

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
        return told | ({"replies": self._replies(replies, one.number, 0, 25)} if replies else {})

    @staticmethod
    def _replies(replies, number, start, size):
        """Some come along; the others are told where it goes on."""
        page = {"data": replies[start : start + size], "paging": {"cursors": {"after": str(start + size)}}}
        if start + size < len(replies):
            page["paging"]["next"] = f"https://graph.example/179{number}/replies?access_token=token"
        return page


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

    def tagging(self, stage, *hashtags):
        options = InstagramOptions(
            type="instagram", account=ACCOUNT, token=Secret("token"), url=stage.url, hashtags=hashtags
        )
        stage.reader.source = InstagramSource(SourceId("one"), options, stage.reader.source._api._tools)
        return stage.reader

    @staticmethod
    def tagged(stage):
        return {key for key in stage.reader.stored if key.startswith("post:180") and len(key) > 8}

    async def test_public_posts_under_hashtags_come_page_by_page_though_the_cursor_stays_the_same(self):
        async with self.reading() as stage:
            for number in range(120):
                stage.face.tag(number, stage.now - HOUR + number * timedelta(seconds=10))
            reader = self.tagging(stage, "#Nordfunk")
            await reader.poll()
            assert self.tagged(stage) == {f"post:180{number}" for number in range(120)}
            one = stage.reader.stored["post:1807"]
            assert (one.author, one.own, one.url) == ("", False, "https://www.instagram.com/p/7/")
            assert stage.face.searched == ["nordfunk"]

    async def test_a_hashtag_is_asked_for_with_its_own_letters(self):
        async with self.reading() as stage:
            await self.tagging(stage, "#Hauptstraße").poll()
            assert stage.face.searched == ["hauptstraße"]

    async def test_a_hashtag_is_read_every_quarter_of_an_hour_and_its_number_asked_for_once(self):
        async with self.reading() as stage:
            reader = self.tagging(stage, "nordfunk")
            await reader.poll()
            stage.face.tag(1, stage.now)
            stage.later(5 * MINUTE)
            await reader.poll()
            assert self.tagged(stage) == set()
            stage.later(10 * MINUTE)
            await reader.poll()
            assert self.tagged(stage) == {"post:1801"}
            assert stage.face.searched == ["nordfunk"]

    async def test_a_pause_of_more_than_a_day_is_a_gap(self):
        async with self.reading() as stage:
            reader = self.tagging(stage, "nordfunk")
            await reader.poll()
            stage.later(30 * HOUR)
            await reader.poll()
            (gap,) = reader.gaps
            assert gap.until - gap.since == 6 * HOUR
            assert "last 24 hours" in gap.reason

    async def test_a_hashtag_nobody_used_keeps_the_others_back_in_nothing(self):
        async with self.reading() as stage:
            stage.face.tag(1, stage.now)
            reader = self.tagging(stage, "niemand", "nordfunk")
            poll = await reader.turn()
            assert "post:1801" in {one.external_id for one in poll.mentions}
            assert "#niemand cannot be read" in poll.degraded

    async def test_without_the_right_the_comments_go_on(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Kein Netz!")
            stage.face.forbidden = InstagramFace.error(10, 403)
            reader = self.tagging(stage, "nordfunk")
            await reader.poll()
            assert "Kein Netz!" in reader.texts()
            stage.later(20 * MINUTE)
            assert "hashtags cannot be read" in (await reader.turn()).degraded

    async def test_no_more_than_thirty_hashtags_are_asked_for_in_a_week(self):
        async with self.reading() as stage:
            await self.tagging(stage, *(f"alt{number}" for number in range(28))).poll()
            stage.later(HOUR)
            reader = self.tagging(stage, *(f"neu{number}" for number in range(5)))
            poll = await reader.turn()
            assert len(stage.face.searched) == 30
            assert "an account may ask for 30 hashtags in a week" in poll.degraded
            stage.later(8 * 24 * HOUR)
            await reader.poll()
            assert len(set(stage.face.searched)) == 33

    async def test_our_own_post_under_a_hashtag_stays_ours(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "x")
            stage.face.tagged = [{"id": InstagramFace.POST, "caption": "Unser neuer Spot", "permalink": "",
                                  "timestamp": f"{stage.now - HOUR:%Y-%m-%dT%H:%M:%S}+0000"}]  # fmt: skip
            reader = self.tagging(stage, "nordfunk")
            await reader.poll()
            assert reader.stored[f"post:{InstagramFace.POST}"].own

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

    @pytest.mark.parametrize(("count", "read", "gaps"), [(25, 25, 0), (160, 160, 0), (600, 425, 1)])
    async def test_many_replies_to_one_comment_are_all_read_or_declared(self, count, read, gaps):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "Kein Netz!")
            stamp = f"{stage.now - MINUTE:%Y-%m-%dT%H:%M:%S}+0000"
            stage.face.replies[post.number] = [
                {"id": f"88{number}", "text": f"Hier auch {number}", "username": "jo", "timestamp": stamp}
                for number in range(count)
            ]
            await stage.reader.poll()
            assert sum(text.startswith("Hier auch") for text in stage.reader.texts()) == read
            assert len(stage.reader.gaps) == gaps

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
