"""A power cut takes nothing that was acknowledged and leaves a sound store; with less syncing it would not.

`python bench/power.py` cuts 2,000 times.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from pipeline.world import STORM, World, quiet_weeks, storm

apsw = pytest.importorskip("apsw", reason="apsw is in the development group: uv sync")

MINUTE = timedelta(minutes=1)


def evening(database):
    """The first contact, a storm and its alert."""
    world = World(quiet_weeks(STORM - 10 * MINUTE, days=2) + storm(STORM, 40, spread=10 * MINUTE))
    world.database = database
    world.pipeline = world._wire()

    async def live():
        await world.begin(STORM - 5 * MINUTE)
        await world.run_until(STORM + 15 * MINUTE)

    asyncio.run(live())


@pytest.fixture(scope="module")
def transactions():
    from faults.power import recorded

    return recorded(evening)


def test_what_was_acknowledged_survives_every_power_cut(tmp_path, transactions):
    from faults.power import cut

    found = cut(tmp_path, transactions, times=60, seed=1)
    assert (found.lost, found.corrupt) == (0, 0)
    assert found.in_the_middle > 20, "too few cuts fell between a write and its sync"


def test_syncing_less_would_lose_what_was_acknowledged(tmp_path, transactions):
    from faults.power import cut

    found = cut(tmp_path, transactions, times=60, seed=1, synchronous="NORMAL")
    assert found.lost > 0
    assert found.corrupt == 0
