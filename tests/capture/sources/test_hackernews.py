"""Hacker News against a face that answers as Algolia's search does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

from brandmelder.capture.source import Answer, Tools
from brandmelder.capture.sources.hackernews import HackerNewsOptions, HackerNewsSource
from brandmelder.model import SourceId
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import MINUTE


class HackerNewsFace(Face):
    """Hits by date, newest first, a thousand whatever the page; numeric filters on the time."""

    def answer(self, asked):
        if "filters" in asked.query:
            wanted = set(re.findall(r"objectID:(\d+)", asked.query["filters"]))
            found = [post for post in self.newest_first() if str(post.number) in wanted]
        else:
            since, until = map(int, re.findall(r"\d+", asked.query["numericFilters"]))
            assert asked.query["numericFilters"] == f"created_at_i>{since},created_at_i<={until}"
            found = [post for post in self.newest_first() if since < post.at.timestamp() <= until]
        size, number = int(asked.query.get("hitsPerPage", "20")), int(asked.query.get("page", "0"))
        page = found[:1000][number * size : (number + 1) * size]
        return Said.json({"hits": [self._hit(post) for post in page], "nbHits": len(found)})

    @staticmethod
    def _hit(post):
        return {
            "objectID": str(post.number),
            "author": post.author,
            "created_at_i": int(post.at.timestamp()),
            "comment_text": f"<p>{post.text}",
            "story_id": 40,
            "parent_id": 40,
            "story_title": "Ask HN",
            "points": None,
        }


class TestHackerNews(SourceConformance):
    page = 200

    def make_face(self):
        return HackerNewsFace()

    def make_source(self, tools, url):
        options = HackerNewsOptions(type="hackernews", url=url, words=("nordfunk",))
        return HackerNewsSource(SourceId("one"), options, tools)

    async def test_a_time_in_the_future_is_clamped_and_flagged(self):
        """The search's own clock gives the times: there is no future to ask for."""

    async def test_many_in_one_second_are_read(self):
        async with self.reading() as stage:
            for number in range(150):
                stage.face.write(stage.now, f"Nordfunk {number}")
            await stage.reader.poll()
            assert len(stage.reader.stored) == 150

    async def test_more_of_one_second_than_the_service_shows_are_a_declared_gap(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - 2 * MINUTE, "Nordfunk davor")
            for number in range(1100):
                stage.face.write(stage.now - MINUTE, f"Nordfunk {number}")
            await stage.reader.poll()
            (gap,) = stage.reader.gaps
            assert (gap.since, gap.until) == (stage.now - MINUTE, stage.now - MINUTE + timedelta(seconds=1))
            assert len(stage.reader.stored) == 1001, "what stands before that second is read"


async def test_what_was_brought_under_another_kind_of_id_is_not_asked_for():
    asked = []

    async def fetch(url, **_question):
        asked.append(unquote_plus(url))
        body = b'{"hits": [], "nbHits": 0}'
        return Answer(url=url, status=200, headers={"content-type": "application/json"}, body=body)

    options = HackerNewsOptions(type="hackernews", words=("nordfunk",))
    source = HackerNewsSource(SourceId("one"), options, Tools(fetch=fetch, parse_feed=None))
    found = await source.recheck(["imported-1", "41"], datetime(2026, 11, 20, 13, tzinfo=UTC))
    assert [one.external_id for one in found.removals] == ["41"]
    assert "imported" not in asked[0]
    assert not (await source.recheck(["imported-1"], datetime(2026, 11, 20, 13, tzinfo=UTC))).removals
    assert len(asked) == 1
