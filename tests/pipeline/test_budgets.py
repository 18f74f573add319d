"""What sources take is written down, budgets hold across days and restarts, and people see where they lead."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from brandmelder.cli import main
from brandmelder.cli.sources import lines_of, survey
from brandmelder.model import SourceId, SourceState
from brandmelder.store import sources, usage
from pipeline.test_blindness import notices, said
from pipeline.world import START, STORM, YAML, World, quiet_weeks, storm

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BLOG = SourceId("blog")


def world_with(options, *, until, mentions=(), yaml=YAML, begin=START, each=2):
    """Run a world whose blog takes `each` requests a poll."""

    async def run():
        world = World(list(mentions), yaml=yaml.replace("every: 2m,", f"every: 2m, {options},"))
        source, meter = world._sources["blog"], world.pipeline.parts.meter
        good, world.polled = source.poll, []

        async def poll(cursor, now):
            for _ in range(each):
                meter.count(BLOG)
            world.polled.append(now)
            return await good(cursor, now)

        source.poll = poll
        await world.begin(begin)
        await world.run_until(until)
        return world

    return asyncio.run(run())


def taken(world, day=START):
    days = world.database.run_now(usage.days_of, BLOG, (START - DAY).date())
    return sum(one.requests for one in days if one.day == day.date())


def test_requests_are_written_down_by_day():
    world = world_with("language: de", until=START + HOUR)
    assert taken(world) == 2 * len(world.polled)


def test_a_tight_budget_is_stretched_over_the_day_instead_of_spent_in_the_morning():
    world = world_with("requests_per_day: 200", until=START + DAY - MINUTE)
    assert taken(world) <= 200
    waits = [(after - before) / MINUTE for before, after in zip(world.polled[5:], world.polled[6:], strict=False)]
    assert max(waits) < 2.5 * min(waits)
    assert world.polled[-1] > START + DAY - HOUR


def test_a_stretched_source_is_degraded_and_says_why():
    world = world_with("requests_per_day: 100", until=START + 6 * HOUR)
    row = world.database.run_now(sources.read_source, BLOG)
    assert row.state is SourceState.DEGRADED
    assert "saves its budget (requests_per_day)" in row.note
    assert row.every > 10 * MINUTE
    assert notices(world, "blind:") == []


def test_a_spent_budget_is_told_and_the_next_day_begins_anew():
    world = world_with("requests_per_day: 3", until=START + DAY + 2 * HOUR)
    row = world.database.run_now(sources.read_source, BLOG)
    assert taken(world) <= 4
    assert taken(world, START + DAY) > 0
    first = notices(world, "blind:")[0]
    assert "Budget ist aufgebraucht" in said(world, first)
    assert row.fault in {"spent", ""}
    assert any("has spent its 3 requests a day" in line for line in world.said)


def test_while_an_incident_is_open_its_sources_are_polled_faster():
    weeks = quiet_weeks(STORM, days=14)
    world = world_with(
        "language: de", mentions=weeks + storm(STORM, 60), until=STORM + HOUR, begin=STORM - 13 * DAY, each=0
    )
    (incident,) = world.incidents()
    after = [moment for moment in world.polled if moment > incident.opened_at + 2 * MINUTE]
    before = [moment for moment in world.polled if incident.opened_at - HOUR < moment < incident.opened_at]
    assert len(before) == pytest.approx(30, abs=2)
    assert len(after) > 0.8 * (STORM + HOUR - after[0]) / MINUTE


def test_people_see_state_pace_and_forecast():
    world = world_with("requests_per_day: 200, requests_per_month: 3000", until=START + 12 * HOUR)
    found = world.database.run_now(survey, world.settings, world.clock.now())
    text = "\n".join(line for one in found for line in lines_of(one, world.clock.now()))
    assert "blog (feed): " in text
    assert "asked every 2m (now every " in text
    assert "of 200 requests this day are used; at this pace" in text
    assert "of 3000 requests this month are used; at this pace" in text
    assert "press (feed): ok since" in text


def test_the_command_prints_json_and_fails_while_a_source_is_blind(tmp_path):
    async def run():
        world = World([], path=tmp_path / "a.db", outages={"blog": ((START, START + DAY),)})
        await world.begin(START)
        await world.run_until(START + HOUR)
        world.database.close()

    asyncio.run(run())
    config = tmp_path / "brandmelder.yaml"
    config.write_text(YAML + f'database: "sqlite:///{tmp_path}/a.db"\n', "utf-8")
    result = CliRunner().invoke(main, ["sources", "--config", str(config), "--json"])
    assert result.exit_code == 1
    by_name = {one["source"]: one for one in json.loads(result.output)}
    assert by_name["blog"]["state"] == "failing"
    assert by_name["press"]["blind_since"] is None
    plain = CliRunner().invoke(main, ["sources", "--config", str(config)])
    assert "blog (feed): failing since" in plain.output
    assert "answers 503" in plain.output


def test_a_raised_budget_is_used_after_a_restart(tmp_path):
    async def run():
        path = tmp_path / "a.db"
        world = World([], path=path, yaml=YAML.replace("every: 2m,", "every: 2m, requests_per_month: 1,"))
        world.database.run_now(usage.add, usage.Day(BLOG, START.date(), 5, 0, 5))
        await world.begin(START)
        await world.run_until(START + HOUR)
        assert world.database.run_now(sources.read_source, BLOG).fault == "spent"
        world.database.close()
        richer = World([], path=path, yaml=YAML.replace("every: 2m,", "every: 2m, requests_per_month: 100000,"))
        await richer.begin(START + HOUR)
        await richer.run_until(START + HOUR + 10 * MINUTE)
        return richer.database.run_now(sources.read_source, BLOG)

    row = asyncio.run(run())
    assert row.fault == ""
    assert row.last_success_at > START + HOUR
