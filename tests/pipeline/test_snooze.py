"""A snooze through the whole pipeline: quiet for an hour, then one word; broken by what is worse."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import Act, DeliveryKind
from brandmelder.pipeline.act import Wish, do
from pipeline.world import STORM, World, mention, quiet_weeks, storm

MINUTE = timedelta(minutes=1)
QUIET = quiet_weeks(STORM - MINUTE, days=14)


STEADY = storm(STORM, 120, spread=timedelta(hours=3))
"""After an hour the last hour counts no more than before."""


async def burning(mentions, *, after=30 * MINUTE, path=None):
    world = World(QUIET + mentions, path=path)
    await world.begin(STORM - 10 * MINUTE)
    await world.run_until(STORM + after)
    (incident,) = world.incidents()
    await act(world, Act.SNOOZE)
    return world, incident


async def act(world, what, **wish):
    (incident,) = world.incidents()
    now = world.clock.now()
    await world.database.run(do, world.pipeline.parts, Wish(incident=incident.id, act=what, by="Anna", **wish), now)


def since_the_snooze(world):
    (incident,) = world.incidents()
    steps = world.timeline(incident.id)
    (place,) = (place for place, step in enumerate(steps) if step.act is Act.SNOOZE)
    return steps[place + 1 :]


def replies_of(world, acts):
    steps = {step.revision: step.act for step in world.timeline(world.incidents()[0].id)}
    told = (one for one in world.deliveries() if one.kind is DeliveryKind.THREAD)
    return [steps[one.revision] for one in told if steps[one.revision] in acts]


async def test_it_speaks_again_at_the_promised_moment():
    world, _ = await burning(STEADY, after=70 * MINUTE)
    until = world.incidents()[0].snooze.until
    await world.run_until(until + MINUTE)
    (wake,) = (step for step in since_the_snooze(world) if step.act is Act.WAKE)
    assert (wake.at, wake.note) == (until, "over")
    assert replies_of(world, {Act.WAKE, Act.WORSEN, Act.TURN, Act.AGE}).count(Act.WAKE) == 1


async def test_a_doubling_breaks_it_and_is_told_once():
    world, _ = await burning(
        storm(STORM, 40, spread=30 * MINUTE) + storm(STORM + 31 * MINUTE, 150, spread=20 * MINUTE, first=200_000)
    )
    quiet_until = world.incidents()[0].snooze.until
    await world.run_until(quiet_until - MINUTE)
    wakes = [step for step in since_the_snooze(world) if step.act is Act.WAKE]
    assert len(wakes) == 1
    assert " → " in wakes[0].note
    assert world.incidents()[0].snooze is None
    worse = [step.revision for step in since_the_snooze(world) if step.act is Act.WORSEN and step.at <= wakes[0].at]
    told = {one.revision for one in world.deliveries() if one.kind is DeliveryKind.THREAD}
    assert told.isdisjoint(worse), "what the wake tells is not told beside it"


async def test_the_news_joining_breaks_it():
    posts = storm(STORM, 60, spread=timedelta(minutes=90))
    press = replace(mention(900_001, STORM + 40 * MINUTE, angry=True), source="press")
    world, _ = await burning([*posts, press])
    await world.run_until(STORM + 70 * MINUTE)
    assert [step.note for step in since_the_snooze(world) if step.act is Act.WAKE] == ["class news"]


@pytest.mark.parametrize("crash", [False, True])
async def test_a_restart_forgets_no_snooze(tmp_path, crash):
    world, _ = await burning(STEADY, after=70 * MINUTE, path=tmp_path / "a.db")
    if crash:
        await world.come_back()
    await world.run_until(STORM + 135 * MINUTE)
    assert [step.note for step in since_the_snooze(world) if step.act is Act.WAKE] == ["over"]
    world.database.close()
