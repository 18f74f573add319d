"""A day without a source: what its backlog raises, and that nobody can tell by how many pages it came."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from brandmelder.model import DeliveryKind
from pipeline.world import STORM, World, quiet_weeks, storm

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AWAY = ((STORM, STORM + DAY),)
BEGIN = STORM - HOUR


def a_day(*happened, page=1):
    """Live through a day without the blog and two hours after; it gives its backlog by twenty pages a turn."""

    async def live():
        calm = quiet_weeks(STORM + 2 * DAY, days=9, per_day=100)
        mentions = sorted([*calm, *(one for more in happened for one in more)], key=lambda one: one.published_at)
        world = World(mentions, outages={"blog": AWAY}, page=page)
        await world.begin(BEGIN)
        await world.run_until(STORM + DAY + 2 * HOUR)
        return world

    return asyncio.run(live())


def told(world):
    """Everything people know of it but the second in which it was written down."""
    (incident,) = world.incidents()
    return (
        (incident.onset, incident.kind, incident.state, incident.peak, incident.total, incident.is_delayed),
        [(step.act, step.note) for step in world.timeline(incident.id)],
        sorted((one.kind.value, one.channel, one.state.value) for one in world.deliveries()),
    )


def test_the_backlog_of_a_calm_day_raises_nothing():
    assert a_day().incidents() == []


def test_a_storm_of_the_past_is_told_once_as_late_and_alike_by_many_pages_and_by_one():
    happened = storm(STORM + 9 * HOUR, 90)
    world = a_day(happened)
    (incident,) = world.incidents()
    assert incident.is_delayed
    assert incident.opened_at >= STORM + DAY
    assert len([one for one in world.deliveries() if one.kind is DeliveryKind.OPEN]) == 1
    assert told(world) == told(a_day(happened, page=500))


def test_two_storms_of_the_past_are_told_alike_by_many_pages_and_by_one():
    happened = storm(STORM + 4 * HOUR, 70), storm(STORM + 20 * HOUR, 80, first=200_000)
    assert told(a_day(*happened)) == told(a_day(*happened, page=500))
