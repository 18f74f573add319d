"""Facebook against a face that answers as the Graph API is documented."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta

import pytest

from brandmelder.capture.sources.facebook import FacebookOptions, FacebookSource
from brandmelder.errors import AuthRefused, RateLimited, ShapeChanged, Transient
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR, MINUTE


class FacebookFace(Face):
    """One page with one post of its own; what people write are comments below it. Cursors as the API gives them."""

    POST = "10_1"
    has_ids = True

    def __init__(self):
        super().__init__()
        self.posted = None
        self.alias = "10"
        self.closed = set()
        self.usage = {}
        self.asked_for, self.ends, self.tagging = [], None, []

    def ident(self, post):
        return f"10_{post.number + 1000}"

    def answer(self, asked):
        assert asked.headers["authorization"] == "Bearer token"
        if asked.path == "/debug_token":
            assert asked.query["input_token"] == "token"
            return self._said({"data": self.ends}) if self.ends is not None else self.refused(190)
        assert "token" not in str(asked.query)
        self.asked_for.append(asked.path)
        if asked.path in {"/10/feed", f"/{self.alias}/feed"}:
            return self._list([*self.tagging, self._own_post()], asked)
        if asked.path == f"/{self.POST}/comments":
            assert (asked.query["filter"], asked.query["order"]) == ("stream", "reverse_chronological")
            return self._list([self._comment(post) for post in self.newest_first()], asked)
        if asked.path in {"/10", "/20", f"/{self.alias}"}:
            assert asked.query["fields"] == "name,fan_count,followers_count"
            if asked.path in self.closed:
                return self.refused(10, 403)
            name, fans = ("Nordfunk", 499) if asked.path == "/10" else ("Anderefirma", 1825)
            return self._said({"name": name, "fan_count": fans, "followers_count": 510, "id": asked.path[1:]})
        return self._single(asked.path[1:])

    def _single(self, ident):
        if ident.startswith("30_"):
            return self.refused(10, 403)  # another page's: that takes Page Public Content Access
        found = [post for post in self.newest_first() if self.ident(post) == ident]
        if ident == self.POST:
            return self._said(self._own_post())
        return self._said(self._comment(found[0])) if found else self.refused(100, 400, subcode=33)

    def _said(self, value):
        return Said.json(value, **self.usage)

    @staticmethod
    def refused(code, status=400, subcode=0):
        error = {"message": "no", "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "x"}
        return Said.json({"error": error}, status=status)

    def _list(self, items, asked):
        start, size = int(asked.query.get("after", "0") or 0), int(asked.query["limit"])
        page = {"data": items[start : start + size], "paging": {"cursors": {"after": str(start + size)}}}
        if start + size < len(items):
            page["paging"]["next"] = f"https://graph.example/next?access_token=token&after={start + size}"
        return self._said(page)

    def _own_post(self):
        at = self.posted or self.now() - timedelta(days=2)
        self.posted = at
        return {
            "id": self.POST,
            "message": "Unser neuer Spot",
            "created_time": f"{at:%Y-%m-%dT%H:%M:%S}+0000",
            "from": {"id": "10", "name": "Nordfunk"},
            "comments": {
                "data": [{"id": self.ident(post)} for post in self.newest_first()[:1]] if self.has_ids else [],
                "summary": {"total_count": len(self.newest_first())},
            },
        }

    def _comment(self, post):
        told = {
            "message": post.text,
            "created_time": f"{post.at:%Y-%m-%dT%H:%M:%S}+0000",
            "permalink_url": f"https://www.facebook.com/10/posts/1?comment_id={post.number}",
            "is_hidden": False,
        }
        return told | ({"id": self.ident(post)} if self.has_ids else {})


class ForeignFace(FacebookFace):
    has_ids = False


class TestFacebook(SourceConformance):
    releases_late = False

    def make_face(self):
        return FacebookFace()

    def make_source(self, tools, url, **options):
        values = {"type": "facebook", "page": "10", "token": Secret("token"), "url": url} | options
        return FacebookSource(SourceId("one"), FacebookOptions(**values), tools)

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
            assert (one.history, one.parent_id) == (False, FacebookFace.POST)

    async def test_a_post_of_another_page_that_tags_ours_hides_nothing_of_ours(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            stage.face.tagging = [
                {"id": "30_9", "message": "Nordfunk rauscht", "created_time": f"{stage.now:%Y-%m-%dT%H:%M:%S}+0000",
                 "from": {"id": "30", "name": "Andere"}, "comments": {"data": [], "summary": {"total_count": 3}}},
            ]  # fmt: skip
            post = stage.face.write(stage.now - MINUTE, "Nordfunk schweigt")
            poll = await stage.reader.poll()
            assert {"Nordfunk rauscht", "Nordfunk schweigt"} <= stage.reader.texts()
            assert "below post 30_9 cannot be read" in poll.degraded
            assert "lacks a right" in poll.degraded
            stage.later(5 * MINUTE)
            assert "below post 30_9" in (await stage.reader.poll()).degraded, "it stays so"
            stage.face.delete(post)
            await stage.reader.recheck()
            assert stage.reader.removed == {stage.face.ident(post)}

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
            assert stage.reader.removed == {stage.face.ident(post)}

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
            assert "Nordfunk" in stage.reader.texts()

    async def test_the_pages_own_posts_are_ours(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            (one,) = stage.reader.stored.values()
            assert (one.own, one.text) == (True, "Unser neuer Spot")

    async def test_comments_are_asked_for_only_where_their_number_grew(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR)
            await stage.reader.poll()
            stage.face.asked_for.clear()
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            assert stage.face.asked_for == ["/10/feed"]

    async def test_a_comment_in_place_of_a_deleted_one_is_seen_at_once(self):
        async with self.reading() as stage:
            first = stage.face.write(stage.now - HOUR, "Nordfunk alt")
            stage.face.write(stage.now - HOUR, "Nordfunk bleibt")
            await stage.reader.poll()
            stage.face.delete(first)
            stage.face.write(stage.now, "Nordfunk neu")
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            assert "Nordfunk neu" in stage.reader.texts()

    async def test_below_every_post_it_is_looked_once_an_hour_whatever_the_feed_says(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR)
            await stage.reader.poll()
            stage.face.asked_for.clear()
            stage.later(HOUR)
            await stage.reader.poll()
            assert "/10_1/comments" in stage.face.asked_for

    async def test_the_page_is_known_by_its_posts_where_it_is_configured_by_name(self):
        async with self.reading() as stage:
            stage.face.alias = "nordfunk"
            stage.reader.source = self.make_source(stage.reader.source._api._tools, stage.url, page="nordfunk")
            await stage.reader.poll()
            (one,) = stage.reader.stored.values()
            assert one.own

    async def test_fans_come_hourly_ours_beside_a_competitors(self):
        async with self.reading() as stage:
            stage.reader.source = self.make_source(stage.reader.source._api._tools, stage.url, compare=("20",))
            poll = await stage.reader.poll()
            told = {(one.account, one.name): one.value for one in poll.readings}
            assert told == {
                ("10", "fans"): 499,
                ("10", "followers"): 510,
                ("20", "fans"): 1825,
                ("20", "followers"): 510,
            }
            assert {(one.title, one.own) for one in poll.readings} == {("Nordfunk", True), ("Anderefirma", False)}
            stage.later(5 * MINUTE)
            assert not (await stage.reader.poll()).readings

    async def test_a_page_that_may_not_be_compared_is_told_and_keeps_nothing_back(self):
        async with self.reading() as stage:
            stage.face.closed = {"/20"}
            stage.face.write(stage.now - HOUR, "Nordfunk")
            stage.reader.source = self.make_source(stage.reader.source._api._tools, stage.url, compare=("20",))
            poll = await stage.reader.poll()
            assert {one.account for one in poll.readings} == {"10"}
            assert "the numbers of page 20 cannot be read" in poll.degraded
            stage.later(5 * MINUTE)
            assert "page 20" in (await stage.reader.poll()).degraded, "it is said until the next reading"
            assert "Nordfunk" in stage.reader.texts()

    async def test_a_limit_that_comes_near_makes_it_slower(self):
        async with self.reading() as stage:
            stage.face.usage = {"x_app_usage": json.dumps({"call_count": 85, "total_time": 10, "total_cputime": 1})}
            assert (await stage.reader.poll()).not_before == stage.now + 10 * MINUTE
            business = {"10": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 42}]}
            stage.face.usage = {"x_business_use_case_usage": json.dumps(business)}
            assert (await stage.reader.poll()).not_before == stage.now + 42 * MINUTE

    @pytest.mark.parametrize(("most", "sizes"), [(30, ["100", "25"]), (10, ["100", "25", "5"])])
    async def test_a_feed_that_is_too_much_to_tell_at_once_is_read_in_smaller_pages(self, most, sizes):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Kein Netz!")
            plain, asked_for = stage.face.answer, []

            def answer(asked):
                if asked.path == "/10/feed":
                    asked_for.append(asked.query["limit"])
                    if int(asked.query["limit"]) > most:
                        said = "Please reduce the amount of data you're asking for, then retry your request"
                        return Said.json({"error": {"message": said, "code": 1}}, status=500)
                return plain(asked)

            stage.face.answer = answer
            await stage.reader.poll()
            assert asked_for == sizes
            assert "Kein Netz!" in stage.reader.texts()

    async def test_what_is_wrong_with_the_service_is_not_asked_again_in_smaller_pages(self):
        async with self.reading() as stage:
            asked_for = []

            def answer(asked):
                asked_for.append(asked.path)
                return stage.face.refused(1, 500)

            stage.face.answer = answer
            with pytest.raises(Transient):
                await stage.reader.turn()
            assert asked_for == ["/10/feed"]

    async def test_each_question_is_proven_where_the_application_demands_it(self):
        async with self.reading() as stage:
            stage.reader.source = self.make_source(stage.reader.source._api._tools, stage.url, app_secret=Secret("s"))
            await stage.reader.poll()
            assert stage.asked[-1].query["appsecret_proof"] == hmac.digest(b"s", b"token", "sha256").hex()

    @pytest.mark.parametrize(
        ("code", "status", "kind"),
        [
            (190, 400, AuthRefused),
            (10, 403, AuthRefused),
            (200, 400, AuthRefused),
            (4, 400, RateLimited),
            (80001, 400, RateLimited),
            (2, 500, Transient),
            (100, 400, ShapeChanged),
        ],
    )
    async def test_each_code_says_what_to_do(self, code, status, kind):
        async with self.reading() as stage:
            stage.instead = FacebookFace.refused(code, status)
            with pytest.raises(kind) as told:
                await stage.reader.turn()
            assert "token=" not in str(told.value)


async def test_comments_without_an_id_get_a_weak_one_that_stays():
    suite = TestFacebook()
    suite.make_face = ForeignFace
    async with suite.reading() as stage:
        stage.face.write(stage.now - HOUR, "Nordfunk")
        await stage.reader.poll()
        before = suite.comments(stage)
        stage.face.write(stage.now, "Nordfunk auch")
        stage.later(5 * MINUTE)
        await stage.reader.poll()
        await stage.reader.recheck()
        assert set(before) < set(suite.comments(stage))
        assert all(key.startswith("w") and "weak_id" in one.flags for key, one in suite.comments(stage).items())
        assert not stage.reader.removed
