"""X against a face that answers as its API is documented, bills as it does, and speaks either generation of names."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.capture.sources.x import XOptions, XSource
from brandmelder.errors import AuthRefused, RateLimited, ShapeChanged
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR, MINUTE

SECOND = timedelta(seconds=1)


def moment(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _place(token):
    at, _, number = token.partition(" ")
    return at, int(number)


class XFace(Face):
    """Recent search and counts: an edit is a post of its own; what is read is billed; times near now are refused."""

    def __init__(self, *, generation="tweet"):
        super().__init__()
        self.generation = generation
        self.versions: dict[int, list[str]] = {}
        self.billed = 0.0
        self.asked_for: list[str] = []

    def edit(self, post, text):
        history = self.versions.setdefault(post.number, [self.ident(post)])
        history.append(f"{self.ident(post)}{len(history)}")
        super().edit(post, text)

    def ident(self, post):
        return f"{1_990_000_000_000_000 + post.number}"

    def answer(self, asked):
        if asked.headers.get("authorization") != "Bearer token":
            return self.problem(401, "unauthorized")
        self.asked_for.append(asked.path)
        match asked.path:
            case "/2/tweets/counts/recent":
                self.billed += 0.005
                return self._counts(asked)
            case "/2/tweets/search/recent":
                return self._search(asked)
            case "/2/tweets":
                return self._by_id(asked.query["ids"].split(","))
            case "/2/users/by":
                return self._users(asked.query["usernames"].split(","))
        return self.problem(404, "resource-not-found")

    @staticmethod
    def problem(status, kind, **headers):
        body = {"title": kind, "detail": "no", "type": f"https://api.twitter.com/2/problems/{kind}", "status": status}
        return Said.json(body, status=status, **headers)

    def _within(self, asked):
        since, until = moment(asked.query["start_time"]), moment(asked.query["end_time"])
        assert until <= self.now() - 10 * SECOND, "end_time must be at least ten seconds ago"
        assert since >= self.now() - timedelta(days=7), "start_time must be within seven days"
        return [post for post in self.newest_first() if since <= post.at < until], since, until

    def _counts(self, asked):
        found, since, until = self._within(asked)
        width = {"minute": MINUTE, "hour": HOUR}[asked.query["granularity"]]
        rows, start = [], since
        while start < until:
            end = min(until, start + width - (start - start.replace(minute=0, second=0)) % width)
            count = sum(start <= post.at < end for post in found)
            rows.append({"start": f"{start:%Y-%m-%dT%H:%M:%S}.000Z", "end": f"{end:%Y-%m-%dT%H:%M:%S}.000Z"})
            rows[-1][f"{self.generation}_count"] = count
            start = end
        return Said.json({"data": rows, "meta": {f"total_{self.generation}_count": len(found)}})

    def _search(self, asked):
        assert 10 <= int(asked.query["max_results"]) <= 100
        found, _, _ = self._within(asked)
        older = asked.query.get("next_token", "")  # names the last post that was read: a deletion shifts nothing
        found = [post for post in found if not older or (post.at.isoformat(), post.number) < _place(older)]
        page = found[: int(asked.query["max_results"])]
        self.billed += 0.005 * len(page)
        meta = {"result_count": len(page)}
        if len(page) < len(found):
            meta["next_token"] = f"{page[-1].at.isoformat()} {page[-1].number}"
        told = {"meta": meta} | ({"data": [self._post(post) for post in page]} if page else {})
        if "expansions" in asked.query:
            self.billed += 0.010
            told["includes"] = {"users": [{"id": "77", "username": "mia", "public_metrics": {"followers_count": 120}}]}
        return Said.json(told)

    def _by_id(self, wanted):
        there = {self.ident(post): post for post in self.newest_first()}
        self.billed += 0.005 * sum(ident in there for ident in wanted)
        missing = [
            {
                "resource_id": ident,
                "type": "https://api.twitter.com/2/problems/resource-not-found",
                "title": "Not Found",
            }
            for ident in wanted
            if ident not in there
        ]
        return Said.json({"data": [self._post(there[ident]) for ident in wanted if ident in there], "errors": missing})

    def _users(self, names):
        last = (int((self.now() - timedelta(days=90)).timestamp() * 1000) - 1_288_834_974_657) << 22
        users = [
            {
                "id": str(number),
                "username": name,
                "public_metrics": {"followers_count": 21 + number, f"{self.generation}_count": 3},
                f"most_recent_{self.generation}_id": str(last),
            }
            for number, name in enumerate(names)
        ]
        self.billed += 0.010 * len(users)
        return Said.json({"data": users})

    def _post(self, post):
        versions = self.versions.get(post.number, [self.ident(post)])
        told = {
            "id": versions[-1],
            "text": post.text[:280],
            "author_id": "77",
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
            "lang": "de",
            f"edit_history_{self.generation}_ids": versions,
            f"referenced_{self.generation}s": [{"type": "replied_to", "id": "1988"}],
        }
        if len(post.text) > 280:
            told[f"note_{self.generation}"] = {"text": post.text}
        return told


class TestX(SourceConformance):
    releases_late = False
    shows_all = False
    generation = "tweet"

    def make_face(self):
        return XFace(generation=self.generation)

    def make_source(self, tools, url, **options):
        values = {"type": "x", "url": url, "token": Secret("token"), "query": "nordfunk"} | options
        return XSource(SourceId("one"), XOptions(**values), tools)

    async def test_what_is_written_later_is_news_and_comes_once(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk alt")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            stage.face.write(stage.now - MINUTE, "Nordfunk neu")
            await stage.reader.poll()
            assert {one.text: one.history for one in stage.reader.stored.values()} == {
                "Nordfunk alt": True,
                "Nordfunk neu": False,
            }

    async def test_a_crash_in_the_middle_of_a_walk_loses_nothing(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            for number in range(250):
                stage.face.write(stage.now - 4 * MINUTE + number % 200 * SECOND, f"Nordfunk {number}")
            await stage.reader.turn()
            await stage.reader.turn(is_committed=False)
            stage.later(MINUTE)
            await stage.reader.poll()
            assert len(stage.reader.stored) == 250
            assert not stage.reader.gaps

    async def test_a_time_in_the_future_is_clamped_and_flagged(self):
        """X gives its own times: there is none in the future to ask for."""

    async def test_an_edit_is_followed_while_it_is_young_and_by_asking_again(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - MINUTE, "Nordfunk vorher")
            await stage.reader.poll()
            stage.face.edit(post, "Nordfunk nachher")
            stage.later(30 * SECOND)
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk nachher"}
            assert list(stage.reader.stored) == [stage.face.ident(post)]

    async def test_asking_again_by_the_first_id_does_not_bring_back_how_a_post_read_before_its_edit(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - MINUTE, "Nordfunk vorher")
            stage.face.edit(post, "Nordfunk nachher")
            plain = stage.face.answer

            def answer(asked):
                told = plain(asked)
                if asked.path == "/2/tweets" and asked.query["ids"] == stage.face.ident(post):
                    body = json.loads(told.body)
                    body["data"][0] |= {"id": stage.face.ident(post), "text": "Nordfunk vorher"}
                    return Said.json(body)
                if asked.path == "/2/tweets":
                    assert asked.query["ids"] == f"{stage.face.ident(post)}1"
                    return Said.json({"data": [stage.face._post(post)]})
                return told

            stage.face.answer = answer
            await stage.reader.poll()
            found = await stage.reader.source.recheck([stage.face.ident(post)], stage.now)
            assert [(one.external_id, one.text) for one in found.mentions] == [
                (stage.face.ident(post), "Nordfunk nachher")
            ]
            assert found.cost == 0.01

    async def test_another_query_does_not_bring_another_budget(self):
        async with self.reading() as stage:
            tools = stage.reader.source._api._tools
            for query in ("nordfunk", "#nordfunk", "@nordfunk", "nordfunk -is:retweet", "(nordfunk)"):
                stage.reader.source = self.make_source(tools, stage.url, budget=0.1, query=query)
                for number in range(30):
                    stage.face.write(stage.now - 10 * MINUTE + number * SECOND, f"Nordfunk {number}")
                await stage.reader.poll()
                stage.later(20 * MINUTE)
            assert stage.face.billed < 0.2, "one page, and five questions for counts"

    async def test_a_long_post_is_read_whole(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - MINUTE, "Nordfunk " + "sehr " * 100 + "lang")
            await stage.reader.poll()
            assert next(iter(stage.reader.texts())).endswith("lang")

    async def test_counting_alone_costs_half_a_cent(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            assert stage.face.billed == pytest.approx(0.005)
            assert stage.face.asked_for == ["/2/tweets/counts/recent"]

    async def test_a_burst_that_the_budget_cannot_pay_is_sized_sampled_and_declared(self):
        async with self.reading() as stage:
            stage.reader.source = self.make_source(stage.reader.source._api._tools, stage.url, budget=0.5)
            await stage.reader.poll()
            stage.later(30 * MINUTE)
            for number in range(3_000):
                stage.face.write(stage.now - 25 * MINUTE + number * 20 * MINUTE / 3_000, f"Nordfunk {number}")
            first = await stage.reader.turn()
            assert stage.face.billed < 0.6
            poll = await stage.reader.poll() if first.more else first
            assert poll.extent.expected == 3_000
            assert stage.face.billed <= 0.5 + 0.5
            (gap,) = stage.reader.gaps
            assert gap.expected == 3_000 - len(stage.reader.stored)
            assert "3000 posts" in poll.degraded
            stage.later(MINUTE)
            assert (await stage.reader.turn()).extent is not None

    async def test_a_pause_longer_than_the_search_reaches_back_is_a_declared_gap(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            walked = stage.now - timedelta(seconds=15)
            stage.face.write(stage.now + HOUR, "Nordfunk verpasst")
            stage.later(timedelta(days=9))
            stage.face.write(stage.now - HOUR, "Nordfunk gesehen")
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk gesehen"}
            (gap,) = stage.reader.gaps
            assert (gap.since, gap.until) == (walked, stage.now - timedelta(days=7) + 5 * MINUTE)

    async def test_a_round_that_is_held_up_goes_on_where_the_search_still_reaches(self):
        async with self.reading() as stage:
            for number in range(250):
                stage.face.write(stage.now - timedelta(days=7) + number * 40 * MINUTE, f"Nordfunk {number}")
            assert (await stage.reader.turn()).more
            billed = stage.face.billed
            stage.later(20 * MINUTE)
            await stage.reader.poll()
            assert stage.reader.texts() == {f"Nordfunk {number}" for number in range(1, 250)}
            assert stage.face.billed - billed < 0.005 * 155, "what was read is not paid twice"
            assert not stage.reader.gaps, "before the first contact nothing is missed"

    async def test_a_round_that_nobody_went_on_with_for_a_week_is_declared_and_left(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            stage.later(HOUR)
            since = stage.now
            for number in range(150):
                stage.face.write(stage.now - 30 * MINUTE + number * SECOND, f"Nordfunk {number}")
            assert (await stage.reader.turn()).more
            stage.later(timedelta(days=8))
            stage.face.write(stage.now - MINUTE, "Nordfunk wieder")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            assert "Nordfunk wieder" in stage.reader.texts()
            assert any(gap.since < since - 30 * MINUTE < gap.until for gap in stage.reader.gaps)
            assert any(gap.since < since + HOUR < gap.until for gap in stage.reader.gaps)

    async def test_a_new_day_brings_a_new_budget(self):
        async with self.reading() as stage:
            stage.reader.source = self.make_source(stage.reader.source._api._tools, stage.url, budget=0.1)
            for _ in range(3):
                stage.later(20 * MINUTE)
                for number in range(30):
                    stage.face.write(stage.now - 10 * MINUTE + number * SECOND, f"Nordfunk {number}")
                await stage.reader.poll()
            assert stage.reader.gaps
            before = len(stage.reader.gaps)
            stage.later(timedelta(days=1))
            stage.face.write(stage.now - MINUTE, "Nordfunk morgen")
            await stage.reader.poll()
            assert "Nordfunk morgen" in stage.reader.texts()
            assert len(stage.reader.gaps) == before

    async def test_followers_are_read_only_when_asked_for(self):
        async with self.reading() as stage:
            stage.reader.source = self.make_source(stage.reader.source._api._tools, stage.url, reach=True)
            stage.face.write(stage.now - MINUTE)
            await stage.reader.poll()
            assert next(iter(stage.reader.stored.values())).reach == 120

    async def test_accounts_numbers_come_hourly_and_tell_an_abandoned_one(self):
        async with self.reading() as stage:
            tools = stage.reader.source._api._tools
            source = self.make_source(tools, stage.url, accounts=("@Nordfunk",), compare=("andere",))
            stage.reader.source = source
            poll = await stage.reader.poll()
            told = {(one.account, one.name): one.value for one in poll.readings}
            assert told["Nordfunk", "followers"] == 21
            assert told["andere", "posts"] == 3
            assert told["Nordfunk", "days_silent"] == 90
            assert {one.account for one in poll.readings if one.own} == {"Nordfunk"}
            stage.later(5 * MINUTE)
            assert not (await stage.reader.poll()).readings
            stage.later(HOUR)
            assert (await stage.reader.poll()).readings

    async def test_numbers_that_cannot_be_read_keep_no_post_back(self):
        async with self.reading() as stage:
            stage.reader.source = self.make_source(stage.reader.source._api._tools, stage.url, accounts=("Nordfunk",))
            stage.face._users = lambda _names: stage.face.problem(403, "client-forbidden")
            stage.face.write(stage.now - MINUTE, "Nordfunk schweigt")
            poll = await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk schweigt"}
            assert "numbers of accounts cannot be read" in poll.degraded
            del stage.face._users
            stage.later(HOUR)
            poll = await stage.reader.poll()
            assert poll.readings
            assert not poll.degraded

    async def test_asking_again_stops_at_its_part_of_the_budget(self):
        async with self.reading() as stage:
            stage.reader.source = self.make_source(stage.reader.source._api._tools, stage.url, budget=1.0)
            for number in range(90):
                stage.face.write(stage.now - HOUR + number * SECOND, f"Nordfunk {number}")
            await stage.reader.poll()
            asked = list(stage.reader.stored)
            for _ in range(4):
                await stage.reader.source.recheck(asked[:30], stage.now)
            assert stage.face.asked_for.count("/2/tweets") == 1

    @pytest.mark.parametrize(
        ("said", "kind", "words"),
        [
            (XFace.problem(429, "rate-limit-exceeded", x_rate_limit_reset="1795180500"), RateLimited, "13:15 UTC"),
            (
                Said(
                    status=429,
                    headers={"content-type": "text/plain", "x-rate-limit-reset": "1795180500"},
                    body=b"Too Many Requests",
                ),
                RateLimited,
                "13:15 UTC",
            ),
            (Said(status=403, headers={"content-type": "text/html"}, body=b"<html>no</html>"), AuthRefused, "token"),
            (XFace.problem(429, "usage-capped"), RateLimited, "credits"),
            (XFace.problem(403, "client-forbidden"), AuthRefused, "client-forbidden"),
            (XFace.problem(400, "invalid-request"), ShapeChanged, "query"),
        ],
    )
    async def test_each_refusal_says_what_to_do(self, said, kind, words):
        async with self.reading() as stage:
            stage.instead = said
            with pytest.raises(kind, match=words):
                await stage.reader.turn()


class TestXWithTheNamesOfTheSchema(TestX):
    generation = "post"
