"""Discourse against a face that answers as its API is documented."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from brandmelder.capture.sources.discourse import DiscourseOptions, DiscourseSource
from brandmelder.model import SourceId
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR


class DiscourseFace(Face):
    """The latest posts of a forum, 50 a page, `before` exclusive; what was hidden keeps its number."""

    def answer(self, asked):
        if asked.path == "/posts.json":
            below = int(asked.query.get("before", "0")) or 1 << 60
            seen = sorted((post for post in self.newest_first()), key=lambda post: -post.number)
            page = [post for post in seen if post.number < below][:50]
            return Said.json({"latest_posts": [self._post(post) for post in page]})
        number = int(asked.path.removeprefix("/posts/").removesuffix(".json"))
        if number not in self.posts or self.posts[number].is_hidden:
            return Said.json({"errors": ["not found"], "error_type": "not_found"}, status=404)
        return Said.json(self._post(self.posts[number]))

    def _post(self, post):
        return {
            "id": post.number,
            "username": post.author,
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.123Z",
            "cooked": f"<p>{post.text}</p>",
            "raw": post.text,
            "post_number": 4,
            "reply_to_post_number": 1,
            "topic_id": 31,
            "topic_slug": "stoerung",
            "topic_title": "Störung",
            "version": 1,
            "hidden": False,
            "deleted_at": None,
        }


class TestDiscourse(SourceConformance):
    page = 50
    releases_late = False

    def make_face(self):
        return DiscourseFace()

    def make_source(self, tools, url):
        return DiscourseSource(SourceId("one"), DiscourseOptions(type="discourse", url=url), tools)

    async def test_topic_and_address_come_along(self):
        async with self.reading() as stage:
            stage.face.write(stage.now)
            await stage.reader.poll()
            (one,) = stage.reader.stored.values()
            assert (one.context, one.url) == ("Störung", f"{stage.url}/t/stoerung/31/4")

    async def test_a_post_whose_account_is_gone_hides_no_other(self):
        async with self.reading() as stage:
            stage.face.write(stage.now, "Nordfunk eins", author=None)
            stage.face.write(stage.now, "Nordfunk zwei")
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk eins", "Nordfunk zwei"}

    async def test_what_is_made_public_later_is_found_within_a_day(self):
        async with self.reading() as stage:
            held = stage.face.write(stage.now, "Nordfunk spät", is_hidden=True)
            stage.face.write(stage.now, "Nordfunk")
            await stage.reader.poll()
            held.is_hidden = False
            for _ in range(25):
                stage.later(HOUR)
                await stage.reader.poll()
            assert "Nordfunk spät" in stage.reader.texts()


class OldDiscourseFace(DiscourseFace):
    """Looks at fifty numbers at a time, as older forums do; those of letters and notices are not shown."""

    def answer(self, asked):
        if asked.path != "/posts.json":
            return super().answer(asked)
        last = int(asked.query.get("before", "0")) or max(self.posts, default=0)
        page = [post for post in self.newest_first() if last - 50 < post.number <= last]
        return Said.json({"latest_posts": [self._post(post) for post in page]})


async def test_a_page_of_which_nothing_is_public_is_not_the_end():
    suite = TestDiscourse()
    suite.make_face = OldDiscourseFace
    async with suite.reading() as stage:
        stage.face.write(stage.now - HOUR, "Nordfunk bekannt")
        await stage.reader.poll()
        for number in range(60):
            stage.face.write(stage.now - HOUR / 2, f"Nordfunk {number}")
        for _ in range(200):
            stage.face.write(stage.now - HOUR / 4, "ein Brief", is_hidden=True)
        stage.face.write(stage.now, "Nordfunk neu")
        await stage.reader.poll()
        assert len(stage.reader.texts()) == 62
        asked = len(stage.asked)
        await stage.reader.poll()
        assert len(stage.asked) - asked < 15, "the end of the list is one in the end"


def test_user_and_key_belong_together():
    with pytest.raises(ValidationError, match="belong together"):
        DiscourseOptions(type="discourse", url="https://forum.example", user="anna")
