"""A recount that was cut off goes on where it stopped: a year of mentions is not begun anew at every start."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from brandmelder.model import DeliveryState
from brandmelder.pipeline import recount as recounting
from brandmelder.store import mentions, series
from pipeline.duty import burning
from pipeline.test_apart import open_
from pipeline.test_crashes import Plug, PowerCut
from pipeline.world import STORM, YAML, World, quiet_weeks

HOUR = timedelta(hours=1)
WEEKS = quiet_weeks(STORM - HOUR, days=30)
NARROWER = YAML.replace("-stellenanzeige", "AND (warteschleife OR router)")
OTHER = YAML.replace("-stellenanzeige", "AND router")


def bins(world):
    counts = world.database.run_now(series.counts, "nordfunk", STORM - timedelta(days=60), STORM)
    return [(one.start, one.source, one.total, one.labelled) for one in counts]


def opened(path, yaml):
    """A world with a query, and the pages that it reads."""
    world = World(WEEKS, path=path, yaml=yaml)
    pages = []
    run = world.database.run

    async def counted(function, *arguments, **named):
        if function is mentions.page:
            pages.append(arguments[0])
        return await run(function, *arguments, **named)

    world.database.run = counted
    return world, pages


async def start(path, yaml, *, cut_at=None):
    """Start with a query, or die at a transaction; returns the world and how many pages were read."""
    world, pages = opened(path, yaml)
    await world.begin(STORM)
    if cut_at is None:
        await world.pipeline.catch_up()
    else:
        Plug(world, cut_at, after=True)
        with pytest.raises(PowerCut):
            await world.pipeline.catch_up()
    return world, pages


async def lived_twice(folder):
    """Leave two equal databases, a.db and b.db, in which weeks were counted."""
    world = World(WEEKS, path=folder / "a.db")
    await world.begin(STORM - HOUR)
    await world.run_until(STORM - HOUR / 2)
    world.database.close()
    for end in ("", ".key"):
        shutil.copy(folder / f"a.db{end}", folder / f"b.db{end}")


@pytest.mark.parametrize("cut_at", [7, 10, 15])
async def test_a_start_goes_on_behind_the_last_page_and_counts_the_same(tmp_path, monkeypatch, cut_at):
    monkeypatch.setattr(recounting, "PAGE", 60)
    await lived_twice(tmp_path)
    whole, pages = await start(tmp_path / "b.db", NARROWER)
    cut, first = await start(tmp_path / "a.db", NARROWER, cut_at=cut_at)
    cut.database.close()
    again, rest = await start(tmp_path / "a.db", NARROWER)
    assert bins(again) == bins(whole) != []
    assert len(first) + len(rest) <= len(pages) + 1, "at most the page in hand is read twice"
    assert again.database.run_now(series.matches, "nordfunk") == whole.database.run_now(series.matches, "nordfunk")
    for one in (whole, again):
        one.database.close()


async def test_another_query_is_counted_from_the_first_mention(tmp_path, monkeypatch):
    monkeypatch.setattr(recounting, "PAGE", 60)
    await lived_twice(tmp_path)
    whole, _ = await start(tmp_path / "b.db", OTHER)
    cut, _ = await start(tmp_path / "a.db", NARROWER, cut_at=11)
    cut.database.close()
    other, _ = await start(tmp_path / "a.db", OTHER)
    assert bins(other) == bins(whole) != []
    for one in (whole, other):
        one.database.close()


async def test_what_stands_ready_goes_out_before_a_changed_query_is_counted_anew(tmp_path):
    """An alert that waited through a restart must not wait for a recount of hours."""
    await lived_twice(tmp_path)
    world = World(WEEKS, path=tmp_path / "a.db")
    world.database.run_now(open_, world.pipeline.parts, burning(STORM - HOUR / 4))
    world.database.close()
    again, pages = opened(tmp_path / "a.db", NARROWER)
    await again.begin(STORM)
    await again.pipeline.deliver(STORM)
    assert [one.state for one in again.deliveries()] == [DeliveryState.SENT]
    assert pages == []
    await again.pipeline.work(STORM)
    assert pages
    again.database.close()
