"""Numbers of accounts through the pipeline: kept, a jump told once, and in the look back."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.capture.source import Poll
from brandmelder.model import Cursor, DeliveryState, Reading, SourceId, SourceState
from brandmelder.pipeline.accounts import follow_readings
from brandmelder.pipeline.apart import Apart
from brandmelder.pipeline.duty import Scene
from brandmelder.store import mentions, readings, sources
from pipeline.world import YAML, World, mention, quiet_weeks

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EIGHT = datetime(2026, 12, 16, 7, 0, tzinfo=UTC)
DAILY = YAML + '\ndigests:\n  - {cron: "0 8 * * *", covers: day, to: [crisis]}\n'
BLOG = SourceId("blog")


def reading(value, at, *, account="1", title="@nordfunk", name="followers", own=True):
    return Reading(source=BLOG, account=account, name=name, value=value, at=at, own=own, title=title)


def measure(world, now, *found):
    parts = world.pipeline.parts
    world.database.run_now(lambda found_in: follow_readings(Scene(found_in, parts, now), found, Apart(found_in, parts)))


async def world_with_four_weeks(until):
    world = World(quiet_weeks(until, days=3), yaml=DAILY)
    await world.begin(until - 2 * HOUR)
    past = [reading(1_000.0 + number // 12, until - 28 * DAY + number * HOUR) for number in range(28 * 24)]
    world.database.run_now(readings.save_readings, past)
    return world, past[-1].value


def told(world, kind):
    return [
        world.recorder.first[one.incident.removesuffix(":de")]
        for one in world.deliveries()
        if one.incident.startswith(kind) and one.state is DeliveryState.SENT
    ]


async def test_a_jump_is_told_once_to_those_who_hear_of_the_source():
    until = EIGHT - 10 * HOUR
    world, last = await world_with_four_weeks(until)
    measure(world, until, reading(last - 60, until))
    measure(world, until + HOUR, reading(last - 61, until + HOUR))
    await world.run_until(until + 2 * HOUR)
    (notice,) = told(world, "jump:")
    assert notice.splitlines()[0] == "📉 Nordfunk: @nordfunk verliert 59 Follower in 24 Std."
    assert "Blog: 1.054 → 995, an einem Tag üblich +2 bis +2." in notice


async def test_others_accounts_and_ordinary_changes_are_no_notice():
    until = EIGHT - 10 * HOUR
    world, last = await world_with_four_weeks(until)
    measure(world, until, reading(last + 3, until))
    for number in range(28 * 24):
        at = until - 28 * DAY + number * HOUR
        world.database.run_now(readings.save_readings, [reading(1825.0, at, account="2", own=False)])
    measure(world, until, reading(2825.0, until, account="2", own=False))
    await world.run_until(until + HOUR)
    assert told(world, "jump:") == []


async def test_a_source_says_after_how_long_its_accounts_are_abandoned():
    yaml = YAML.replace("every: 2m,", "every: 2m, abandoned_after: 7d,")
    places = World([], yaml=yaml).pipeline.parts.places
    assert places["blog"].abandoned_after == timedelta(days=7)
    assert places["press"].abandoned_after == timedelta(days=90)


async def test_the_look_back_shows_ours_beside_a_competitors_and_an_abandoned_one():
    world, last = await world_with_four_weeks(EIGHT - HOUR)
    at = EIGHT - HOUR
    measure(world, at, reading(last, at), reading(3, at, name="posts"),
            reading(21, at, account="3", title="@nordfunk_alt"),
            reading(200, at, account="3", title="@nordfunk_alt", name="days_silent"),
            reading(1825, at, account="2", title="@andere", own=False))  # fmt: skip
    await world.run_until(EIGHT + timedelta(minutes=10))
    (digest,) = told(world, "digest:")
    lines = [" ".join(line.split()) for line in digest.splitlines()]
    assert lines[0].startswith("⚪ Nordfunk, Di 15.12. ruhig: "), "numbers make no day restless"
    assert lines[1:] == [
        "@nordfunk_alt Blog: 21 Follower, verwaist: seit 6 Monaten kein Beitrag",
        "@nordfunk Blog: 1.055 Follower (+1), 3 Beiträge",
        "@andere (Vergleich) Blog: 1.825 Follower",
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2.0**70, 2**70])
async def test_a_number_that_is_none_is_left_out_and_said_and_the_rest_of_its_answer_is_kept(value):
    world = World([], yaml=DAILY)
    await world.begin(EIGHT)
    post = mention(1, EIGHT, angry=False, reach=2**70)

    class Odd:
        async def poll(self, cursor, now):
            found = (reading(value, now), reading(1_000.0, now, account="2", title="@other"))
            return Poll(mentions=(post,), readings=found, cursor=Cursor("1"), read_until=now)

    world.pipeline.parts.sources[BLOG] = Odd()
    await world.pipeline.poll(BLOG, EIGHT)
    (account,) = world.database.run_now(readings.accounts)
    assert account.name == "2"
    ((_, stored, _),) = world.database.run_now(mentions.newest, None, EIGHT - DAY, 9)
    assert (stored.external_id, stored.reach) == ("1", None)
    row = world.database.run_now(sources.read_source, BLOG)
    assert (row.state, row.note) == (
        SourceState.DEGRADED,
        "followers of @nordfunk is no number that can be kept; it is left out",
    )
