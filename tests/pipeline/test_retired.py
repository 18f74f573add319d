"""A monitor that left the configuration: what it had running ends, and nobody is asked or called about it again."""

from __future__ import annotations

from datetime import timedelta

from brandmelder.model import Act, DeliveryKind, DeliveryState, State
from brandmelder.notify.compose import plain_text
from brandmelder.pipeline.render import render
from pipeline.test_duty import CALLING, acknowledge, acts
from pipeline.world import STORM, World, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MENTIONS = quiet_weeks(STORM - HOUR, days=2) + storm(STORM, 60)
RENAMED = CALLING.replace("  nordfunk:\n", "  other:\n")


async def evening(path, *, until, is_taken=False):
    """An evening that is interrupted by a restart with the monitor under another name."""
    world = World(MENTIONS, yaml=CALLING, path=path)
    await world.begin(STORM - HOUR / 2)
    await world.run_until(until)
    if is_taken:
        acknowledge(world)
    world.database.close()
    after = World([], yaml=RENAMED, path=path)
    await after.begin(until + MINUTE)
    await after.run_until(until + 3 * HOUR)
    return after


async def test_its_incident_is_resolved_by_the_configuration_and_nobody_is_asked_hours_later(tmp_path):
    world = await evening(tmp_path / "a.db", until=STORM + 15 * MINUTE, is_taken=True)
    (incident,) = world.incidents()
    assert (incident.state, incident.closed_by) == (State.RESOLVED, "brandmelder.yaml")
    assert acts(world)[-1] is Act.RESOLVE
    assert 'monitor "nordfunk" is not in the configuration any more' in world.timeline(incident.id)[-1].note
    told = [one for one in world.deliveries() if one.created_at >= STORM + 16 * MINUTE]
    assert {one.kind for one in told} == {DeliveryKind.RESOLVE, DeliveryKind.THREAD}
    word = next(one for one in told if one.kind is DeliveryKind.THREAD)
    assert word.state is DeliveryState.SENT
    message, _ = await render(world.pipeline.parts, word, world.clock.now())
    assert "von brandmelder.yaml" in plain_text(message)
    world.database.close()


async def test_what_nobody_was_told_of_yet_is_told_to_nobody(tmp_path):
    world = await evening(tmp_path / "a.db", until=STORM + 5 * MINUTE)
    (incident,) = world.incidents()
    assert (incident.state, acts(world)) == (State.DISCARDED, [Act.SUSPECT, Act.DISCARD])
    assert world.deliveries() == []
    world.database.close()
