"""The canary goes the whole way and leaves no trace; whatever breaks on the way keeps it from coming through."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from brandmelder import metrics
from brandmelder.capture.child import ParserChild
from brandmelder.capture.source import ParsedFeed
from brandmelder.errors import Blocked, StoreFull
from brandmelder.model import Matcher as Fitting
from brandmelder.model import Silence
from brandmelder.pipeline.canary import LATE, Canary
from brandmelder.store import silences
from pipeline.places import Place
from pipeline.world import STORM, World, quiet_weeks, storm

MINUTE = timedelta(minutes=1)
MENTIONS = quiet_weeks(STORM - 6 * MINUTE, days=2) + storm(STORM, 40, spread=12 * MINUTE)


@pytest.fixture
def world(tmp_path):
    async def lived():
        found = World(MENTIONS, path=tmp_path / "b.db", places={"crisis": Place("crisis")})
        await found.begin(STORM - 6 * MINUTE)
        await found.run_until(STORM + 14 * MINUTE)
        return found

    found = asyncio.run(lived())
    yield found
    found.database.close()


@pytest.fixture
def calm():
    """The same without a storm and without a file."""

    async def begun():
        found = World(quiet_weeks(STORM, days=1), places={"crisis": Place("crisis")})
        await found.begin(STORM)
        return found

    found = asyncio.run(begun())
    yield found
    found.database.close()


def everything(world):
    def read(connection):
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        return {name: connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names}

    return world.database.run_now(read)


async def fly(world, **more):
    child = ParserChild()
    canary = Canary(world.pipeline.parts, more.pop("parse_feed", child.parse_feed), began=world.clock.now())
    try:
        return canary, await canary.fly(world.clock.now())
    finally:
        await child.close()


async def test_it_comes_through_in_the_middle_of_a_storm_and_leaves_nothing_behind(world):
    before, posts = everything(world), list(world.places["crisis"].posts)
    canary, took = await fly(world)
    assert took is not None
    assert took < timedelta(seconds=30)
    assert everything(world) == before
    assert world.places["crisis"].posts == posts
    assert canary.complaint(world.clock.now() + LATE) == []
    assert metrics.REGISTRY.get_sample_value("brandmelder_canary_seconds") > 0


async def test_the_service_goes_on_as_if_nothing_had_been(world):
    await fly(world)
    await world.run_until(STORM + 40 * MINUTE)
    assert [one.id for one in world.incidents()] == ["NF-2026-001"]
    assert {one.monitor for one in world.incidents()} == {"nordfunk"}


async def test_a_silence_of_everything_does_not_silence_it(calm):
    now = calm.clock.now()
    quiet = Silence(
        id=0, matcher=Fitting(), since=now, until=now + 60 * MINUTE, by="Anna", reason="maintenance", broken_at=None
    )
    calm.database.run_now(silences.add, quiet)
    _, took = await fly(calm)
    assert took is not None
    assert len(calm.database.run_now(silences.ending_after, now)) == 1


@pytest.mark.parametrize(
    "answer",
    [ParsedFeed(), Blocked("the parser process does not start", "parser_start")],
    ids=["nothing", "refused"],
)
async def test_a_parser_that_does_not_parse_loses_it(calm, answer):
    async def parse(body, kind):
        if isinstance(answer, Exception):
            raise answer
        return answer

    canary, took = await fly(calm, parse_feed=parse)
    assert took is None
    assert "the canary did not come through: the parser" in calm.said[-1]
    (complaint,) = canary.complaint(calm.clock.now() + LATE + MINUTE)
    assert complaint.startswith("no canary came through since")
    assert "the parser" in complaint


@pytest.mark.parametrize(
    ("where", "does"),
    [
        ("brandmelder.store.mentions.insert_mentions", lambda *_: pytest.fail("never")),
        ("brandmelder.store.series.enter", lambda *_: None),
        ("brandmelder.store.deliveries.promise", lambda *_: None),
        ("brandmelder.store.mentions.mark_judged", None),
    ],
    ids=["store full", "not counted", "not promised", "database broken"],
)
async def test_a_link_that_is_missing_loses_it(calm, monkeypatch, where, does):
    def full(*_):
        raise StoreFull("the disk is full")

    monkeypatch.setattr(where, full if where.endswith(("insert_mentions", "mark_judged")) else does)
    before = everything(calm)
    _, took = await fly(calm)
    assert took is None
    assert "the canary did not come through" in calm.said[-1]
    monkeypatch.undo()
    assert everything(calm) == before


async def test_the_same_trouble_is_told_once(calm):
    async def parse(body, kind):
        return ParsedFeed()

    canary, _ = await fly(calm, parse_feed=parse)
    said = len(calm.said)
    await canary.fly(calm.clock.now())
    assert len(calm.said) == said


@pytest.mark.parametrize(
    ("language", "words"), [("de", "der Brandmelder selbst ist gestört"), ("en", "itself is not well")]
)
async def test_when_none_came_through_for_two_hours_people_are_told_once_a_day(calm, language, words):
    async def parse(body, kind):
        return ParsedFeed()

    calm.pipeline.parts.language = language
    began = calm.clock.now()
    canary = Canary(calm.pipeline.parts, parse, began=began)
    before = len(calm.places["crisis"].posts)
    for hour in range(1, 6):
        now = began + hour * 60 * MINUTE
        await canary.fly(now)
        await calm.pipeline.deliver(now)
    told = [text for _, _, text, _ in calm.places["crisis"].posts[before:] if words in text]
    assert len(told) == 1
    assert "brandmelder doctor" in told[0]
