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


async def test_a_silence_of_everything_does_not_silence_it(world):
    now = world.clock.now()
    quiet = Silence(
        id=0, matcher=Fitting(), since=now, until=now + 60 * MINUTE, by="Anna", reason="maintenance", broken_at=None
    )
    world.database.run_now(silences.add, quiet)
    _, took = await fly(world)
    assert took is not None
    assert len(world.database.run_now(silences.ending_after, now)) == 1


@pytest.mark.parametrize(
    "answer",
    [ParsedFeed(), Blocked("the parser process does not start", "parser_start")],
    ids=["nothing", "refused"],
)
async def test_a_parser_that_does_not_parse_loses_it(world, answer):
    async def parse(body, kind):
        if isinstance(answer, Exception):
            raise answer
        return answer

    canary, took = await fly(world, parse_feed=parse)
    assert took is None
    assert "the canary did not come through: the parser" in world.said[-1]
    (complaint,) = canary.complaint(world.clock.now() + LATE + MINUTE)
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
async def test_a_link_that_is_missing_loses_it(world, monkeypatch, where, does):
    def full(*_):
        raise StoreFull("the disk is full")

    monkeypatch.setattr(where, full if where.endswith(("insert_mentions", "mark_judged")) else does)
    before = everything(world)
    _, took = await fly(world)
    assert took is None
    assert "the canary did not come through" in world.said[-1]
    monkeypatch.undo()
    assert everything(world) == before


async def test_the_same_trouble_is_told_once(world):
    async def parse(body, kind):
        return ParsedFeed()

    canary, _ = await fly(world, parse_feed=parse)
    said = len(world.said)
    await canary.fly(world.clock.now())
    assert len(world.said) == said
