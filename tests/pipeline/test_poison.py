"""One promise that cannot be written, sent or looked for holds up no other; one monitor's trouble blinds no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import DeliveryKind, DeliveryState, IncidentId, SourceId
from brandmelder.pipeline.promise import scheduled
from brandmelder.store import deliveries, meta
from notify.deliveries import a_delivery
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
    lost = replace(a_delivery(key=f"{LOST}:open:crisis", due_at=now, created_at=now), incident=LOST)
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


async def test_a_monitor_that_cannot_be_evaluated_is_tried_again_and_blinds_no_other():
    two = YAML.replace("channels:\n", "  alpha: {query: alpha, sources: [blog]}\nchannels:\n", 1)
    world = World(MENTIONS, yaml=two)
    await world.begin(STORM - HOUR / 2)
    await world.run_until(STORM - 10 * MINUTE)
    progress = world.database.run_now(meta.last_progress)
    watches, pipeline = world.pipeline.parts.watches, world.pipeline
    well = watches["alpha"]
    watches["alpha"] = replace(well, sources=(*well.sources, SourceId("gone")))
    moment, raised = STORM - 10 * MINUTE, []
    while moment < STORM + 20 * MINUTE:
        await pipeline.poll(SourceId("blog"), moment)
        await pipeline.poll(SourceId("press"), moment)
        try:
            await pipeline.work(moment)
        except KeyError as error:
            raised.append(error)
        await pipeline.deliver(moment)
        moment += MINUTE
    assert opening_of(world, "NF-2026-001").state is DeliveryState.SENT
    assert {error.args[0] for error in raised} == {"gone"}
    assert world.database.run_now(meta.last_progress) - progress < 10 * MINUTE, "the dead man's switch is to notice"
    watches["alpha"] = well
    await pipeline.work(moment)
    assert world.database.run_now(meta.last_progress) == moment
