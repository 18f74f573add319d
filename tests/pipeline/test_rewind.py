"""A clock that was ahead and is set right: nobody is left uncalled for as long as it was wrong."""

from __future__ import annotations

from datetime import timedelta

from brandmelder.clock import ReplayClock
from brandmelder.model import Act, DeliveryKind, State
from brandmelder.pipeline.act import Wish, do
from pipeline.test_duty import CALLING, acts
from pipeline.world import STORM, YAML, World, quiet_weeks, storm

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
AHEAD = 2 * DAY


async def ahead(*, until, yaml=YAML, outages=None):
    """Run to a storm on a clock that has just gone two days ahead."""
    mentions = quiet_weeks(STORM - AHEAD - HOUR, days=8) + storm(STORM, 60, spread=20 * MINUTE)
    world = World(mentions, yaml=yaml, outages=outages)
    await world.begin(STORM - AHEAD - HOUR)
    await world.run_until(STORM - AHEAD - HOUR / 2)
    world.clock = ReplayClock(STORM - HOUR / 2)
    await world.run_until(until)
    return world


async def set_right(world, by=AHEAD):
    now = world.clock.now() - by
    world.clock = ReplayClock(now)
    await world.pipeline.clock_went_back(now)
    return now


def act(world, wanted, **fields):
    (incident,) = world.incidents()
    wish = Wish(incident=incident.id, act=wanted, by="Anna", **fields)
    world.database.run_now(do, world.pipeline.parts, wish, world.clock.now())


async def test_a_storm_is_told_though_one_was_told_while_the_clock_was_ahead():
    world = await ahead(until=STORM + 30 * MINUTE)
    act(world, Act.RESOLVE)
    now = await set_right(world)
    world._sources["blog"]._world += storm(now + 8 * HOUR, 60, first=900_000)
    await world.run_until(now + 9 * HOUR)
    first, second = world.incidents()
    assert (first.state, second.state) == (State.RESOLVED, State.OPEN)
    assert max(first.opened_at, first.closed_at) <= now < second.opened_at
    assert [one.incident for one in world.deliveries() if one.kind is DeliveryKind.OPEN] == [first.id, second.id]


async def test_what_burns_ends_and_calls_the_next_people_as_if_it_had_opened_now():
    world = await ahead(until=STORM + 25 * MINUTE, yaml=CALLING)
    assert acts(world).count(Act.ESCALATE) == 1
    act(world, Act.ACKNOWLEDGE)
    act(world, Act.SNOOZE, span=HOUR)
    now = await set_right(world)
    await world.run_until(now + 65 * MINUTE)
    assert acts(world)[-1] in {Act.WAKE, Act.RESOLVE, Act.TURN}
    assert Act.WAKE in acts(world)
    await world.run_until(now + 4 * HOUR)
    (incident,) = world.incidents()
    assert incident.state is State.RESOLVED
    assert all(step.at <= now + 4 * HOUR for step in world.timeline(incident.id))


async def test_who_was_to_be_called_in_ten_minutes_is_called_in_ten_minutes():
    world = await ahead(until=STORM + 10 * MINUTE, yaml=CALLING)
    assert Act.OPEN in acts(world)
    assert Act.ESCALATE not in acts(world)
    now = await set_right(world, by=2 * HOUR)
    await world.run_until(now + 16 * MINUTE)
    assert Act.ESCALATE in acts(world)


async def test_the_morning_digest_comes_the_next_morning():
    yaml = YAML + '\ndigests:\n  - {cron: "0 8 * * *", covers: day, to: [crisis]}\n'
    world = await ahead(until=STORM - HOUR / 4, yaml=yaml)
    now = await set_right(world)
    given = {one.incident for one in world.deliveries() if one.incident.startswith("digest:")}
    await world.run_until(now + DAY)
    assert len({one.incident for one in world.deliveries() if one.incident.startswith("digest:")}) == len(given) + 1


async def test_a_source_that_was_told_as_blind_while_the_clock_was_ahead_is_told_again():
    begins = STORM + HOUR / 2 - AHEAD
    outages = ((STORM - HOUR / 2, STORM + HOUR), (begins + HOUR, begins + 3 * HOUR))
    world = await ahead(until=STORM + HOUR / 2, outages={"press": outages})

    assert any(one.incident.startswith("blind:") for one in world.deliveries())
    now = await set_right(world)
    await world.run_until(now + HOUR - MINUTE)
    assert any(one.incident.startswith("seen:") for one in world.deliveries())
    await world.run_until(now + 3 * HOUR)
    told = {one.incident for one in world.deliveries() if one.incident.startswith("blind:") and one.created_at > now}
    assert len(told) == 1
