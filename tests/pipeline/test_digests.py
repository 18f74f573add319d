"""The look back through the whole pipeline: on time, once, and late rather than never."""

from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.errors import ConfigurationError
from brandmelder.model import DeliveryState, SourceId
from pipeline.world import STORM, YAML, World, mention, quiet_weeks, storm

DAY = timedelta(days=1)
EIGHT = datetime(2026, 12, 16, 7, 0, tzinfo=UTC)
"""Eight in the morning in Berlin, after the storm of the evening before."""
DAILY = YAML + '\ndigests:\n  - {cron: "0 8 * * *", covers: day, to: [crisis]}\n'
WEEKLY = DAILY.replace("covers: day", "covers: week").replace("0 8 * * *", "0 8 * * 3")


def digests(world):
    return [
        world.recorder.first[one.incident.removesuffix(":de")]
        for one in world.deliveries()
        if one.incident.startswith("digest:") and one.state is DeliveryState.SENT
    ]


async def world_from(mentions, *, begin, yaml=DAILY):
    world = World(mentions, yaml=yaml)
    await world.begin(begin)
    return world


async def test_the_morning_after_a_storm_tells_of_it_once():
    answer = mention(
        900_000, STORM + timedelta(hours=2), angry=False, parent_id="100000", own=True, text="Wir melden uns."
    )
    world = await world_from(
        [*quiet_weeks(STORM, days=21), *storm(STORM, 60), answer], begin=STORM - timedelta(hours=1)
    )
    await world.run_until(EIGHT - timedelta(minutes=1))
    assert digests(world) == []
    await world.run_until(EIGHT + timedelta(minutes=20))
    (told,) = digests(world)
    lines = told.splitlines()
    assert lines[0].startswith("📋 Nordfunk, Di 15.12.: 1 Vorfall, ")
    assert any(line.startswith("NF-2026-001") and "beendet" in line for line in lines)
    assert any("Am lautesten" in line and "20:00" in line for line in lines)
    assert any("1 von " in line and "beantwortet" in line for line in lines)
    await world.run_until(EIGHT + timedelta(hours=3))
    assert len(digests(world)) == 1


async def test_a_calm_day_is_told_in_one_line_against_its_usual():
    world = await world_from(quiet_weeks(EIGHT, days=21), begin=EIGHT - timedelta(hours=1))
    await world.run_until(EIGHT + timedelta(minutes=10))
    (told,) = digests(world)
    assert told.startswith("⚪ Nordfunk, Di 15.12. ruhig: ")
    assert "üblich" in told
    assert len(told.splitlines()) == 1


async def test_one_that_fell_into_a_standstill_is_given_late_and_only_the_latest():
    world = await world_from(quiet_weeks(EIGHT, days=21), begin=EIGHT - 3 * DAY - timedelta(hours=1))
    await world.run_until(EIGHT - 3 * DAY - timedelta(minutes=30))
    world.clock.move_to(EIGHT + timedelta(hours=5))
    await world.run_until(EIGHT + timedelta(hours=5, minutes=10))
    (told,) = digests(world)
    assert "Di 15.12." in told


async def test_a_week_is_held_against_weeks():
    world = await world_from(quiet_weeks(EIGHT, days=56), begin=EIGHT - timedelta(hours=1), yaml=WEEKLY)
    await world.run_until(EIGHT + timedelta(minutes=10))
    (told,) = digests(world)
    assert told.startswith("⚪ Nordfunk, Woche bis Mi 16.12. ruhig: ")


async def test_a_source_that_cannot_be_read_is_named():
    outage = {"press": ((EIGHT - timedelta(hours=4), EIGHT + DAY),)}
    world = World(quiet_weeks(EIGHT, days=21), yaml=DAILY, outages={SourceId("press"): outage["press"]})
    await world.begin(EIGHT - timedelta(hours=6))
    await world.run_until(EIGHT + timedelta(minutes=10))
    (told,) = digests(world)
    assert "Nicht gelesen  Press seit " in told
    assert told.startswith("📋 Nordfunk, Di 15.12.: keine Vorfälle")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{cron: "8 Uhr", covers: day, to: [crisis]}', "fields and not 5"),
        ('{cron: "0 8 * * *", covers: month, to: [crisis]}', "covers"),
        ('{cron: "0 8 * * *", to: [nowhere]}', "nowhere"),
        ('{cron: "0 8 * * *", to: []}', "to"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_line(line, said):
    with pytest.raises(ConfigurationError, match=r"brandmelder\.yaml:\d+:\d+") as error:
        World([], yaml=f"{YAML}\ndigests:\n  - {line}\n")
    assert said in str(error.value)
