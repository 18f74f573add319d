"""Whole evenings with two monitors: one fire is told once, and what was held back is never lost."""

from datetime import timedelta

import pytest

from brandmelder.errors import ConfigurationError
from brandmelder.model import Act, DeliveryKind, DeliveryState, Matcher, MonitorId, Silence, State
from brandmelder.pipeline.act import Wish, do
from brandmelder.pipeline.render import render
from brandmelder.store import silences
from pipeline.world import STORM, YAML, World, complaint, mention, quiet_weeks

HOUR = timedelta(hours=1)
TWO = YAML.replace(
    """channels:
""",
    """  tariffs:
    query: 'nordfunk AND anschluss'
    sources: [blog, press]
    false_alarms: 1 per 30 days
    title: Tarife
channels:
""",
)
APART = TWO.replace("-stellenanzeige", "-stellenanzeige -anschluss")
MUTED = APART.replace("    title: Tarife\n", "    title: Tarife\n    muted_by: [nordfunk]\n")

TEAMS = TWO.replace("channels:\n", "channels:\n  product: {type: console}\n").replace(
    "  - {monitors: all, to: [crisis]}",
    "  - {monitors: [nordfunk], to: [crisis]}\n  - {monitors: [tariffs], to: [product]}",
)
"""Two monitors that count the same, and two teams that are told."""


def angry(at, count, *, about, first, spread=timedelta(minutes=40)):
    """Return `count` angry mentions about one thing, no two alike, evenly over `spread`."""
    return [
        mention(
            first + number,
            (at + spread * number / count).replace(microsecond=0),
            angry=True,
            text=f"Nordfunk, {about}: {complaint(first + number)}",
        )
        for number in range(count)
    ]


async def evening(mentions, yaml, *, hours, silence=None):
    world = World([*quiet_weeks(STORM, days=21), *mentions], yaml=yaml)
    await world.begin(STORM - HOUR)
    if silence is not None:
        world.database.run_now(silences.add, silence)
    await world.run_until(STORM + hours * HOUR)
    return world


def silence_of(monitor, since, until):
    only = Matcher(monitors=frozenset({MonitorId(monitor)}))
    return Silence(id=0, matcher=only, by="Carla", reason="Wartung", broken_at=None, since=since, until=until)


def openings(world):
    monitors = {one.id: one.monitor for one in world.incidents()}
    return {(monitors[one.incident], one.state) for one in world.deliveries() if one.kind is DeliveryKind.OPEN}


async def test_two_monitors_that_count_the_same_mentions_raise_one_alert_that_names_both():
    world = await evening(angry(STORM, 60, about="kein Anschluss", first=500_000), TWO, hours=1)
    assert {one.monitor for one in world.incidents()} == {"nordfunk", "tariffs"}
    sheltered = next(one for one in world.incidents() if one.under is not None)
    assert sum(state is DeliveryState.SENT for _, state in openings(world)) == 1
    assert Act.SILENCE in [step.act for step in world.timeline(sheltered.id)]
    assert not [one for one in world.deliveries() if one.state is DeliveryState.DEAD]
    (alert,) = (one for one in world.deliveries() if one.kind is DeliveryKind.OPEN and one.ref)
    shown, _ = await render(world.pipeline.parts, alert, world.clock.now())
    (beside,) = (line for line in shown.lines if line.label == "Auch betroffen")
    title = {"nordfunk": "nordfunk", "tariffs": "Tarife"}[sheltered.monitor]
    assert beside.spans[0].text.startswith(f"{title} {sheltered.spike.observed} in ")


async def test_monitors_that_count_different_mentions_raise_an_alert_each_unless_one_mutes_the_other():
    fires = [
        *angry(STORM, 80, about="Rechnung", first=500_000),
        *angry(STORM + HOUR / 2, 25, about="kein Anschluss", first=600_000),
    ]
    apart = await evening(fires, APART, hours=2)
    assert {monitor for monitor, state in openings(apart) if state is DeliveryState.SENT} == {"nordfunk", "tariffs"}
    muted = await evening(fires, MUTED, hours=2)
    assert openings(muted) == {("nordfunk", DeliveryState.SENT), ("tariffs", DeliveryState.SUPERSEDED)}


async def test_what_still_burns_when_its_shelter_ends_is_told_then():
    fires = [
        *angry(STORM, 80, about="Rechnung", first=500_000),
        *angry(STORM + HOUR / 2, 200, about="kein Anschluss", first=600_000, spread=timedelta(hours=9)),
    ]
    world = await evening(fires, MUTED, hours=2)
    above = next(one for one in world.incidents() if one.monitor == "nordfunk")
    assert openings(world) == {("nordfunk", DeliveryState.SENT), ("tariffs", DeliveryState.SUPERSEDED)}
    wish = Wish(incident=above.id, act=Act.RESOLVE, by="Anna")
    world.database.run_now(do, world.pipeline.parts, wish, world.clock.now())
    await world.run_until(world.clock.now() + HOUR / 2)
    assert openings(world) == {("nordfunk", DeliveryState.SENT), ("tariffs", DeliveryState.SENT)}
    product = next(one for one in world.incidents() if one.monitor == "tariffs")
    assert (product.under, product.state) == (None, State.OPEN)


async def test_what_a_silence_keeps_from_people_tells_them_of_no_other():
    fires = [
        *angry(STORM, 80, about="Rechnung", first=500_000),
        *angry(STORM + HOUR / 2, 25, about="kein Anschluss", first=600_000),
    ]
    quiet = silence_of("nordfunk", STORM - HOUR, STORM + 5 * HOUR)
    world = await evening(fires, MUTED, hours=2, silence=quiet)
    assert openings(world) == {("tariffs", DeliveryState.SENT)}


async def test_the_alert_of_one_team_does_not_stand_for_that_of_another():
    world = await evening(angry(STORM, 60, about="kein Anschluss", first=500_000), TEAMS, hours=1)
    assert openings(world) == {("nordfunk", DeliveryState.SENT), ("tariffs", DeliveryState.SENT)}


async def test_what_lost_its_shelter_in_a_silence_is_told_at_its_end():
    fires = [
        *angry(STORM, 80, about="Rechnung", first=500_000),
        *angry(STORM + HOUR / 2, 200, about="kein Anschluss", first=600_000, spread=timedelta(hours=9)),
    ]
    quiet = silence_of("tariffs", STORM + 2 * HOUR, STORM + 4 * HOUR)
    world = await evening(fires, MUTED, hours=2, silence=quiet)
    above = next(one for one in world.incidents() if one.monitor == "nordfunk")
    wish = Wish(incident=above.id, act=Act.RESOLVE, by="Anna")
    world.database.run_now(do, world.pipeline.parts, wish, world.clock.now())
    await world.run_until(STORM + 4 * HOUR - timedelta(minutes=1))
    assert openings(world) == {("nordfunk", DeliveryState.SENT), ("tariffs", DeliveryState.SUPERSEDED)}
    await world.run_until(STORM + 4 * HOUR + timedelta(minutes=6))
    assert openings(world) == {("nordfunk", DeliveryState.SENT), ("tariffs", DeliveryState.SENT)}


@pytest.mark.parametrize("names", ["[nowhere]", "[tariffs]", "nordfunk"])
def test_a_monitor_is_muted_by_another_known_one(names):
    with pytest.raises(ConfigurationError, match=r"brandmelder\.yaml:\d+:\d+"):
        World([], yaml=MUTED.replace("muted_by: [nordfunk]", f"muted_by: {names}"))
