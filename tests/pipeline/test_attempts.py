"""When an attempt was made: the moment its bytes go out, for a look must not come before they can have appeared."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from brandmelder.model import DeliveryKind, DeliveryState
from brandmelder.notify import delivery as life
from brandmelder.notify.notifier import NotDelivered, Sent, Unclear
from pipeline.world import STORM, YAML, World, quiet_weeks, storm

MINUTE = timedelta(minutes=1)
SLOW = timedelta(seconds=20)
"""How long the channel takes for each message."""
TWO = YAML.replace(
    "channels:",
    "  westnetz: {query: westnetz, sources: [blog, press], false_alarms: 1 per 30 days}\nchannels:",
)


def _of(brand, mentions, first):
    return [
        replace(one, text=one.text.replace("Nordfunk", brand), external_id=f"{first}{one.external_id}")
        for one in mentions
    ]


async def test_an_attempt_that_waited_for_others_in_its_round_is_looked_for_from_when_its_own_bytes_went_out():
    mentions = quiet_weeks(STORM - 10 * MINUTE, days=14) + storm(STORM, 40, spread=10 * MINUTE)
    world = World(mentions + _of("Westnetz", mentions, "9"), yaml=TWO)
    channel, is_up = world.pipeline.parts.notifiers["crisis"], False
    channel.is_idempotent = False

    async def push(message, *, key, thread, form):
        if not is_up:
            return NotDelivered("refused")
        world.clock.move_to(world.clock.now() + SLOW)
        return Sent(f"{key}@{world.clock.now():%H:%M:%S}") if "001" in key else Unclear("no answer")

    channel.push = push
    await world.begin(STORM - 5 * MINUTE)
    await world.run_until(STORM + 12 * MINUTE)
    is_up = True
    world.clock.move_to(STORM + 15 * MINUTE)
    begun = world.clock.now()
    await world.pipeline.deliver(begun, world.clock.now)
    first, second = (one for one in world.deliveries() if one.kind is DeliveryKind.OPEN)
    assert (first.state, first.attempt_at) == (DeliveryState.SENT, begun)
    assert (second.state, second.attempt_at) == (DeliveryState.UNCLEAR, begun + SLOW)
    assert life.looks_at(second) == second.attempt_at + life.QUIESCE
