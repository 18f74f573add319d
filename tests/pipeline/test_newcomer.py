"""A channel that is added while it burns is told of what burns: once, and only of what is not over."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta

import pytest

from brandmelder.model import ChannelId, DeliveryKind, DeliveryState, State
from brandmelder.notify.routing import Route
from brandmelder.pipeline.newcomer import welcome
from pipeline.world import STORM, YAML, World, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TWO = YAML.replace("crisis: {type: console}", "crisis: {type: console}\n  office: {type: console}").replace(
    "to: [crisis]", "to: [crisis, office]"
)
HUSHED = TWO + 'quiet_hours: [{from: "00:00", to: "23:59", zone: UTC, breaks_at: null}]\n'


POSTS = quiet_weeks(STORM, days=28) + storm(STORM, 150, spread=30 * MINUTE)


@pytest.fixture(scope="module")
def burning(tmp_path_factory):
    """A database in which an hour ago a storm was told to the one channel there was."""
    path = tmp_path_factory.mktemp("burning") / "a.db"

    async def run():
        world = World(POSTS, path=path)
        await world.begin(STORM - 10 * MINUTE)
        await world.run_until(STORM + HOUR)
        world.database.close()

    asyncio.run(run())
    return path


def taken_over(burning, tmp_path, *, yaml=TWO, hold=timedelta(0), starts=1):
    """Another configuration takes over, and runs on for `hold`; then it begins anew, `starts` times in all."""
    for one in burning.parent.iterdir():
        shutil.copy(one, tmp_path / one.name)

    async def run():
        world = World(POSTS, path=tmp_path / burning.name, yaml=yaml)
        await world.begin(STORM + HOUR)
        await world.run_until(STORM + HOUR + hold)
        for _ in range(starts - 1):
            await world.come_back()
            await world.run_until(world.clock.now() + MINUTE)
        return world

    return asyncio.run(run())


def openings(world, channel):
    return [one for one in world.deliveries() if one.kind is DeliveryKind.OPEN and one.channel == channel]


def test_a_channel_added_while_it_burns_gets_the_alert_and_calls_nobody(burning, tmp_path):
    world = taken_over(burning, tmp_path)
    (one,) = openings(world, "office")
    assert one.state is DeliveryState.SENT
    assert one.created_at == STORM + HOUR
    assert one.persons == ()
    assert world.incidents()[0].state is State.OPEN


def test_however_often_the_service_starts_no_channel_gets_an_alert_twice(burning, tmp_path):
    world = taken_over(burning, tmp_path, starts=3)
    assert len(openings(world, "crisis")) == 1
    assert len(openings(world, "office")) == 1


def test_the_new_channel_is_kept_up_to_date_to_the_end_and_a_later_one_hears_nothing(burning, tmp_path):
    world = taken_over(burning, tmp_path, hold=9 * HOUR)
    assert world.incidents()[0].state is State.RESOLVED
    ends = [one.channel for one in world.deliveries() if one.kind is DeliveryKind.RESOLVE]
    assert sorted(ends) == ["crisis", "office"]
    parts = world.pipeline.parts
    parts.routes = (*parts.routes, Route(channels=(ChannelId("late"),)))
    parts.notifiers = {**parts.notifiers, ChannelId("late"): parts.notifiers["office"]}
    world.database.run_now(welcome, parts, parts.notifiers, world.clock.now())
    assert openings(world, "late") == []


def test_a_new_channel_of_other_monitors_hears_nothing(burning, tmp_path):
    other = TWO.replace("to: [crisis, office]}", "to: [crisis]}\n  - {monitors: [other], to: [office]}").replace(
        "channels:", "  other: {query: fremdmarke, sources: [press]}\nchannels:"
    )
    assert openings(taken_over(burning, tmp_path, yaml=other), "office") == []


def test_in_quiet_hours_a_new_channel_is_left_alone(burning, tmp_path):
    assert openings(taken_over(burning, tmp_path, yaml=HUSHED), "office") == []
