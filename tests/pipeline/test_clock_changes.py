"""The nights in which Berlin's clocks change: an hour that does not exist, an hour that comes twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.model import DeliveryKind
from pipeline.world import YAML, World, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NIGHTLY = YAML + '\ndigests:\n  - {cron: "30 2 * * *", covers: day, to: [crisis]}\n'
SPRING, AUTUMN = datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
async def test_a_storm_across_a_change_of_the_clock_is_one_alert_and_the_days_around_it_raise_none(change):
    posts = storm(change - 20 * MINUTE, 60, spread=40 * MINUTE)
    world = World(quiet_weeks(change + 8 * HOUR, days=15) + posts, yaml=NIGHTLY)
    await world.begin(change - 14 * HOUR)
    await world.run_until(change + 8 * HOUR)
    (incident,) = world.incidents()
    assert change - 20 * MINUTE < incident.opened_at < change
    opened = [one for one in world.deliveries() if one.kind is DeliveryKind.OPEN]
    assert len(opened) == 1
    digests = {one.incident for one in world.deliveries() if one.incident.startswith("digest:")}
    assert len(digests) <= 1, "02:30 does not exist, or comes twice: it is never told twice"
