"""Known events and marked periods through the whole pipeline."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from brandmelder.cli import main
from brandmelder.model import MonitorId
from brandmelder.store import marked, series
from brandmelder.store.marked import Marked
from pipeline.world import STORM, YAML, World, mention, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CALENDAR = """
calendar:
  - {name: TV-Spot, start: 2026-12-15T19:58, end: 2026-12-15T21:30, lift: 30}
"""
"""STORM is at 20:00 in Berlin."""


async def evening(extra, yaml, *, path=None, days=28):
    world = World(quiet_weeks(STORM, days=days) + extra, yaml=yaml, path=path)
    await world.begin(STORM - HOUR)
    await world.run_until(STORM + 75 * MINUTE)
    return world


@pytest.mark.parametrize(("count", "alerts"), [(6, 0), (120, 1)])
async def test_an_event_raises_the_expectation_and_what_is_beyond_it_still_alerts(count, alerts):
    world = await evening(storm(STORM, count), YAML + CALENDAR)
    assert len(world.incidents()) == alerts
    if alerts:
        assert "! TV-Spot 19:58 eingerechnet." in world.recorder.first[world.incidents()[0].id]


async def test_without_the_calendar_the_same_evening_alerts():
    world = await evening(storm(STORM, 6), YAML)
    assert len(world.incidents()) == 1


def weekly_spots():
    """Angry evenings after four earlier spots, a week apart."""
    return [
        mention(700_000 + 100 * week + number, STORM - week * timedelta(weeks=1) + number * 3 * MINUTE, angry=True)
        for week in range(1, 5)
        for number in range(20)
    ]


async def test_the_lift_is_learnt_from_earlier_events_of_the_kind():
    weekly = CALENDAR.replace("2026-12-15", "2026-11-17").replace("lift: 30", "repeats: weekly")
    world = await evening(weekly_spots(), YAML + weekly, days=42)
    rules = world.pipeline._evaluator.known[MonitorId("nordfunk")][1]
    assert {one.name for one in rules.volume.events} == {"TV-Spot"}
    assert 5 < rules.volume.events[-1].lift <= 20
    assert world.incidents() == []


async def test_a_marked_period_teaches_nothing_and_its_monitor_learns_anew(tmp_path):
    flood = [mention(800_000 + n, STORM - timedelta(days=5) + n * 4 * MINUTE, angry=True) for n in range(700)]
    world = await evening(flood, YAML, path=tmp_path / "a.db")
    name = MonitorId("nordfunk")
    before = world.pipeline._evaluator.states[name][1].volume
    since, until = STORM - timedelta(days=6), STORM - timedelta(days=2)
    one = Marked(monitor=name, since=since, until=until, why="import", by="anna", at=STORM)
    world.database.run_now(marked.mark, one)
    assert world.database.run_now(series.read_monitor, name).state is None
    await world.run_until(STORM + 90 * MINUTE)
    from brandmelder.detect.scan import usual

    rules = world.pipeline._evaluator.parts.watches[name].kinds.negative
    after = world.pipeline._evaluator.states[name][1].volume
    at = STORM + timedelta(days=1)
    assert usual(after, at, 24 * HOUR, rules)[1] < usual(before, at, 24 * HOUR, rules)[1]


def test_periods_are_marked_listed_and_taken_away_by_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("b.yaml").write_text("database: sqlite:///a.db\n" + YAML, encoding="utf-8")
    World([], path=tmp_path / "a.db").database.close()

    def run(*words, code=0):
        result = CliRunner().invoke(main, ["marked", *words, "--config", "b.yaml"])
        assert result.exit_code == code, result.output
        return result.output

    span = ("--from", "2026-11-01T10:00", "--to", "2026-11-02T10:00")
    assert run("list") == "nothing is marked\n"
    assert "nothing is learnt from 2026-11-01 10:00" in run("add", "nordfunk", *span, "--why", "Import", "--by", "Anna")
    assert run("list") == "nordfunk  2026-11-01 10:00 to 2026-11-02 10:00  by Anna: Import\n"
    assert "again" in run("remove", "nordfunk", *span)
    assert "no such period" in run("remove", "nordfunk", *span, code=2)
    assert "no monitor 'x'" in run("add", "x", *span, code=2)
    assert "before it begins" in run("add", "nordfunk", "--from", "2026-11-01", "--to", "2026-11-01", code=2)
