"""A channel that left the configuration: nothing spins over it, and an alert it never had is told elsewhere."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from brandmelder.backtest.recorder import Recorder
from brandmelder.model import DeliveryKind, DeliveryState
from brandmelder.notify.notifier import NotDelivered, Unclear
from brandmelder.store import deliveries
from pipeline.world import STORM, YAML, World, quiet_weeks, storm

MINUTE = timedelta(minutes=1)
RENAMED = YAML.replace("crisis:", "alarm:").replace("[crisis]", "[alarm]")
MENTIONS = quiet_weeks(STORM - 10 * MINUTE, days=14) + storm(STORM, 40, spread=10 * MINUTE)


async def _evening(path, outcome):
    """An evening with a channel that answers so, which is renamed at its end."""
    world = World(MENTIONS, path=path)
    if outcome is not None:
        channel = world.pipeline.parts.notifiers["crisis"]
        channel.is_idempotent = False

        async def push(message, *, key, thread, form):
            return outcome

        channel.push = push
    await world.begin(STORM - 5 * MINUTE)
    await world.run_until(STORM + 12 * MINUTE)
    world.database.close()
    renamed = World(MENTIONS, path=path, yaml=RENAMED)
    renamed.recorder = Recorder()
    renamed.pipeline = renamed._wire()
    await renamed.begin(STORM + 12 * MINUTE)
    return renamed


async def test_an_alert_that_a_channel_never_had_goes_to_the_one_that_took_its_place(tmp_path):
    world = await _evening(tmp_path / "a.db", NotDelivered("refused"))
    await world.run_until(STORM + 14 * MINUTE)
    openings = {one.channel: one.state for one in world.deliveries() if one.kind is DeliveryKind.OPEN}
    assert openings["alarm"] is DeliveryState.SENT
    assert openings["crisis"] is DeliveryState.DEAD
    assert len(world.recorder.first) == 1
    world.database.close()


async def test_what_stands_unclear_in_a_channel_that_is_gone_keeps_nothing_awake(tmp_path):
    world = await _evening(tmp_path / "a.db", Unclear("no answer"))
    (opening,) = (one for one in world.deliveries() if one.channel == "crisis" and one.kind is DeliveryKind.OPEN)
    stands = replace(opening, state=DeliveryState.SENT, ref="x", was_unclear=True)
    world.database.run_now(deliveries.save_delivery, stands, stands.attempt_at, expected=opening.state)
    following = await world.pipeline.deliver(world.clock.now() + timedelta(hours=2))
    assert following is None or following > world.clock.now() + timedelta(hours=2)
    world.database.close()
