"""The sign of life stays away as soon as the chain does not get through."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from brandmelder.capture.http import HttpClient
from brandmelder.model import DeliveryState
from brandmelder.pipeline.heartbeat import OVERDUE, WAITING, Heartbeat
from brandmelder.store import deliveries, meta
from peers.receiver import Answer, Receiver
from pipeline.places import Place
from pipeline.world import STORM, YAML, World, quiet_weeks, storm

MINUTE = timedelta(minutes=1)
MENTIONS = quiet_weeks(STORM - 6 * MINUTE, days=2) + storm(STORM, 40, spread=12 * MINUTE)
WITH_FALLBACK = YAML.replace(
    "crisis: {type: console}", "crisis: {type: console, fallback: [post]}\n  post: {type: console}"
)


async def _evening(until=STORM + 14 * MINUTE, *, yaml=YAML, **crisis):
    places = {"crisis": Place("crisis", **crisis)}
    if yaml is WITH_FALLBACK:
        places["post"] = Place("post", can_update=False)
    world = World(MENTIONS, yaml=yaml, places=places)
    await world.begin(STORM - 6 * MINUTE)
    await world.run_until(until)
    return world


@pytest.fixture(scope="module")
def world():
    return asyncio.run(_evening())


async def beat(world, peer, *, after=timedelta(0)):
    client = HttpClient()
    exchange = client.exchange(allow_private=True)
    heart = Heartbeat(world.pipeline.parts, exchange, url=f"{peer.url}/ping/7", every=MINUTE)
    try:
        return await heart.beat(world.clock.now() + after)
    finally:
        await client.close()


async def test_while_everything_works_a_sign_of_life_goes_out(world):
    async with Receiver() as peer:
        assert await beat(world, peer) is None
        assert [(one.method, one.path) for one in peer.requests] == [("GET", "/ping/7")]


@pytest.mark.parametrize("answer", [Answer(500), Answer(404), Answer(broken="reset")])
async def test_an_address_that_does_not_take_it_is_said(world, answer):
    async with Receiver() as peer:
        peer.plan(answer)
        assert "the heartbeat's address" in await beat(world, peer)


async def test_a_chain_that_stands_still_sends_nothing(world):
    async with Receiver() as peer:
        later = OVERDUE + 5 * MINUTE
        world.database.run_now(meta.progressed, world.clock.now() + later)
        assert "not polled in time: blog" in await beat(world, peer, after=later)
        assert "nothing was evaluated since" in await beat(world, peer, after=60 * MINUTE)
        assert peer.requests == []


async def test_a_service_that_never_evaluated_anything_sends_nothing():
    fresh = World(MENTIONS)
    await fresh.begin(STORM)
    async with Receiver() as peer:
        assert await beat(fresh, peer) == "nothing was evaluated yet"
        assert peer.requests == []


async def test_an_alert_that_nobody_was_told_keeps_it_silent():
    world = await _evening(down=((STORM - MINUTE, STORM + 60 * MINUTE),))
    (incident,) = world.incidents()
    async with Receiver() as peer:
        assert (await beat(world, peer)).startswith(f"nobody was told of {incident.id} since")
        assert peer.requests == []


async def test_an_alert_that_a_fallback_told_does_not():
    world = await _evening(yaml=WITH_FALLBACK, down=((STORM - MINUTE, STORM + 60 * MINUTE),))
    async with Receiver() as peer:
        assert await beat(world, peer) is None


async def test_a_delivery_that_nobody_takes_in_hand_keeps_it_silent(world):
    one = next(one for one in world.deliveries() if one.state is DeliveryState.SENT)
    waits = world.clock.now() - WAITING - MINUTE
    world.database.run_now(lambda connection: deliveries.save_delivery(connection, one, waits, expected=one.state))
    async with Receiver() as peer:
        assert (await beat(world, peer)).startswith("a delivery waits since")
    world.database.run_now(lambda connection: deliveries.save_delivery(connection, one, None, expected=one.state))
