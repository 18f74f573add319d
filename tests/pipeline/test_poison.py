"""One promise that cannot be written, sent or looked for holds up no other of its channel."""

from __future__ import annotations

from datetime import timedelta

import pytest

from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId
from brandmelder.pipeline.promise import scheduled
from brandmelder.store import deliveries
from pipeline.world import STORM, YAML, World, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MENTIONS = quiet_weeks(STORM - 5 * MINUTE, days=8) + storm(STORM, 40, spread=10 * MINUTE)
WITH_DIGEST = YAML + '\ndigests:\n  - {cron: "25 20 * * *", covers: day, to: [crisis]}\n'
LOST = IncidentId("NF-2026-999")
"""Of a backup that is older than its deliveries."""


def opening_of(world, incident):
    return next(one for one in world.deliveries() if one.incident == incident and one.kind is DeliveryKind.OPEN)


async def test_an_alert_that_cannot_be_written_is_said_tried_again_and_holds_up_no_other():
    world = World(MENTIONS)
    await world.begin(STORM - HOUR / 2)
    await world.run_until(STORM - 10 * MINUTE)
    now = world.clock.now()
    lost = Delivery(
        key=f"{LOST}:open:crisis",
        incident=LOST,
        channel=ChannelId("crisis"),
        kind=DeliveryKind.OPEN,
        revision=1,
        state=DeliveryState.DUE,
        due_at=now,
        created_at=now,
    )
    world.database.run_now(deliveries.promise, scheduled([lost]))
    await world.run_until(STORM + 20 * MINUTE)
    lost, told = opening_of(world, LOST), opening_of(world, "NF-2026-001")
    assert (lost.state, told.state) == (DeliveryState.DUE, DeliveryState.SENT)
    assert lost.attempts > 5
    assert told.confirmed_at - told.created_at < MINUTE
    (said,) = (line for line in world.said if LOST in line)
    assert "is due: cannot be written: a delivery speaks of incident NF-2026-999" in said


@pytest.mark.parametrize("is_idempotent", [True, False])
async def test_a_channel_that_breaks_over_one_alert_tells_everything_else(is_idempotent):
    world = World(MENTIONS, yaml=WITH_DIGEST)
    channel = world.pipeline.parts.notifiers["crisis"]
    well = channel.push

    async def push(message, *, key, thread, form):
        if message.incident.startswith("NF-"):
            raise ValueError("of the channel itself")
        return await well(message, key=key, thread=thread, form=form)

    async def find(key, *, since, thread):
        raise KeyError(key, since, thread)

    channel.push, channel.find, channel.is_idempotent = push, find, is_idempotent
    await world.begin(STORM - HOUR / 2)
    await world.run_until(STORM + 27 * MINUTE)
    opening = opening_of(world, "NF-2026-001")
    assert opening.state in {DeliveryState.DUE, DeliveryState.UNCLEAR}
    assert "the channel's own error" in opening.last_error
    assert opening.attempts > 1
    (digest,) = (one for one in world.deliveries() if one.incident.startswith("digest:"))
    assert digest.state is DeliveryState.SENT
