"""The service reads its own state: what is wrong is said in a sentence, and measured."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from brandmelder import metrics
from brandmelder.model import DeliveryState
from brandmelder.pipeline import vitals as looking
from brandmelder.pipeline.vitals import DEAF, STALE, Vitals
from pipeline.world import STORM, World, quiet_weeks, storm

MINUTE = timedelta(minutes=1)
MENTIONS = quiet_weeks(STORM - 6 * MINUTE, days=2) + storm(STORM, 40, spread=12 * MINUTE)


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(f"brandmelder_{name}", labels)


@pytest.fixture(scope="module")
def evening():
    async def lived():
        before = value("mentions_ingested_total", source="blog") or 0
        world = World(MENTIONS)
        await world.begin(STORM - 6 * MINUTE)
        await world.run_until(STORM + 14 * MINUTE)
        return world, value("mentions_ingested_total", source="blog") - before

    return asyncio.run(lived())


class Line:
    line = "slack:0123"

    def __init__(self, silence):
        self._silence = silence

    def silence(self, now):
        return self._silence


async def test_a_well_service_has_no_troubles_and_says_so(evening):
    world, _ = evening
    now = world.clock.now()
    vitals = Vitals(world.pipeline.parts, ())
    assert vitals.troubles(now) == ("nothing was looked at yet",)
    assert await vitals.read(now) == ()
    assert vitals.troubles(now) == ()
    assert value("ready") == 1


async def test_what_happened_is_counted(evening):
    world, new = evening
    await Vitals(world.pipeline.parts, ()).read(world.clock.now())
    assert new == len([one for one in MENTIONS if one.source == "blog"])
    assert value("incidents_open") == len(world.incidents()) == 1
    assert value("source_last_success_timestamp_seconds", source="blog") > STORM.timestamp()
    assert value("source_last_item_timestamp_seconds", source="blog") > STORM.timestamp()
    assert value("source_blind_since_timestamp_seconds", source="blog") == 0
    assert value("delivery_attempts_total", channel="crisis", outcome="Sent") >= 1
    assert value("alert_latency_seconds_count") >= 1
    assert value("db_commit_seconds_count") > 10


async def test_a_look_that_is_too_long_ago_says_nothing_about_now(evening):
    world, _ = evening
    now = world.clock.now()
    vitals = Vitals(world.pipeline.parts, ())
    await vitals.read(now)
    (trouble,) = vitals.troubles(now + STALE + MINUTE)
    assert "the database was not heard from since" in trouble


async def test_a_chain_that_stands_still_is_not_ready(evening):
    world, _ = evening
    found = await Vitals(world.pipeline.parts, ()).read(world.clock.now() + 60 * MINUTE)
    assert "nothing was evaluated since" in found[0]
    assert value("ready") == 0


@pytest.mark.parametrize(("silence", "deaf"), [(timedelta(0), 0), (DEAF, 0), (DEAF + MINUTE, 1), (None, 0)])
async def test_a_socket_without_a_sign_of_life_is_a_trouble(evening, silence, deaf):
    world, _ = evening
    found = await Vitals(world.pipeline.parts, [Line(silence)]).read(world.clock.now())
    assert len(found) == deaf
    assert not found or "the socket slack:0123 gave no sign of life for 120 s" in found


async def test_a_database_of_another_revision_is_not_ready(tmp_path):
    world = World(MENTIONS, path=tmp_path / "b.db")
    await world.begin(STORM)
    world.database.run_now(lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num='0'"))
    assert "the database is at revision 0" in (await Vitals(world.pipeline.parts, ()).read(STORM))[0]
    assert value("disk_free_bytes") > 0
    assert value("database_bytes") > 0
    world.database.close()


async def test_a_disk_that_is_nearly_full_is_told_before_it_is_full(tmp_path, monkeypatch):
    world = World(MENTIONS, path=tmp_path / "b.db")
    await world.begin(STORM)
    monkeypatch.setattr(looking, "LOW_ON_DISK", 1 << 60)
    assert "MB are free where the database lies" in (await Vitals(world.pipeline.parts, ()).read(STORM))[-1]
    world.database.close()


async def test_a_delivery_that_waits_is_measured(evening):
    world, _ = evening
    await Vitals(world.pipeline.parts, ()).read(world.clock.now())
    assert {state: value("delivery_oldest_seconds", state=state.value) for state in DeliveryState}[
        DeliveryState.UNCLEAR
    ] == 0
