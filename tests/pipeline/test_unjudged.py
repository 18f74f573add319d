"""A mention that the judge stumbles over is said and left out; it blinds us to no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from brandmelder.pipeline.recount import recount
from brandmelder.store import mentions
from pipeline.world import STORM, World, mention

HOUR = timedelta(hours=1)
POISON = "Nordfunk vergiftet"


class Stumbling:
    """The judge of a world, who breaks over some texts."""

    is_quick = True

    def __init__(self, well, *, over=POISON):
        self._well, self._over = well, over

    def classify(self, found):
        if any(self._over in one.text for one in found):
            raise ValueError("of the judge itself")
        return self._well.classify(found)


async def a_world(over=POISON):
    found = [mention(number, STORM, angry=True) for number in range(5)]
    found.append(mention(9, STORM, angry=True, text=POISON))
    world = World(found)
    await world.begin(STORM - HOUR)
    world.pipeline.parts.classifier = Stumbling(world.pipeline.parts.classifier, over=over)
    return world


def judged(world):
    return {one.external_id for _, one, verdict in world.database.run_now(mentions.page, 0, 99) if verdict is not None}


async def test_a_mention_that_cannot_be_judged_is_said_and_all_others_are_counted():
    world = await a_world()
    await world.run_until(STORM + timedelta(minutes=5))
    assert judged(world) == {str(number) for number in range(5)}
    (said,) = world.said
    assert 'of source "blog" cannot be judged: ValueError, please report it; it is not counted, all others are' in said
    assert await recount(world.pipeline.parts, world.pipeline.parts.watches), "nor does it stop a recount"


async def test_a_judge_who_can_judge_nothing_loses_nothing():
    world = await a_world(over="Nordfunk")
    with pytest.raises(ValueError, match="of the judge itself"):
        await world.run_until(STORM + timedelta(minutes=5))
    assert len(world.database.run_now(mentions.to_judge, 99)) == 6
