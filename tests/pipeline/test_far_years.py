"""The ends of 32-bit time: a storm across them is one alert, told once, and what was promised comes when it is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.model import DeliveryState
from pipeline.world import World, quiet_weeks, storm

HOUR = timedelta(hours=1)
SIGNED = datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)
UNSIGNED = datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC)
"""The first seconds that 32 bits do not hold, with a sign and without (C07)."""


async def _evening(end):
    """Return when an incident around a moment opened, turned and closed, counted from there."""
    begins = end - timedelta(minutes=20)
    world = World(quiet_weeks(begins, days=10) + storm(begins, 60))
    await world.begin(begins - HOUR)
    await world.run_until(end + HOUR)
    (incident,) = world.incidents()
    assert len(world.recorder.first) == 1
    assert {one.state for one in world.deliveries()} <= {DeliveryState.SENT, DeliveryState.SUPERSEDED}
    story = [(one.at - end, one.act, one.after) for one in world.timeline(incident.id)]
    world.database.close()
    return story


@pytest.mark.parametrize("end", [SIGNED, UNSIGNED], ids=["2038", "2106"])
async def test_a_storm_across_the_end_of_32_bits_goes_as_any_other(end):
    weeks = round((end - datetime(2026, 1, 20, tzinfo=UTC)) / timedelta(weeks=1))
    assert await _evening(end) == await _evening(end - timedelta(weeks=weeks))
