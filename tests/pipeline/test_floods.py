"""Floods: copies and over-active accounts neither raise a crisis nor hide one (T1, T2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from brandmelder.model import State
from pipeline.world import STORM, World, complaint, mention, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SLOGAN = "Boykottiert Nordfunk, diese Betrüger! Teilt das überall, bis der Vorstand zurücktritt, es reicht uns allen"


@pytest.fixture(scope="module")
def weeks():
    return quiet_weeks(STORM - HOUR, days=24)


def retweet(number):
    return f"RT @x{number}: {SLOGAN} https://t.co/{number}"


def slogan(number):
    return f"{SLOGAN} {number % 7}"


def own_words(number):
    return complaint(10**9 + number)


def flood(count, *, accounts, text, first=500_000, spread=40 * MINUTE):
    return [
        mention(
            first + n,
            (STORM + spread * n / count).replace(microsecond=0),
            angry=True,
            text=text(n),
            author=f"account-{n % accounts}",
        )
        for n in range(count)
    ]


async def evening(found, *, until):
    world = World(found)
    await world.begin(STORM - HOUR)
    await world.run_until(until)
    return world


async def test_a_real_crisis_inside_a_flood_of_copies_is_told_in_time(weeks):
    copies = flood(6000, accounts=6000, text=retweet)
    world = await evening(weeks + copies + storm(STORM, 30, spread=40 * MINUTE), until=STORM + 42 * MINUTE)
    (incident,) = world.incidents()
    assert incident.state is State.OPEN
    assert incident.opened_at <= STORM + 20 * MINUTE
    assert incident.spike.campaign is None
    assert 30 <= incident.spike.observed <= 50
    evidence = world.evidence(incident.id)
    assert evidence.negatives >= 5000
    assert evidence.copies_share > 0.98
    assert evidence.critics > 1000
    shown = world.recorder.first[incident.id]
    assert "Nordfunk" in shown


async def test_a_flood_of_a_few_accounts_is_no_more_than_a_possible_campaign(weeks):
    posts = flood(3000, accounts=5, text=own_words)
    world = await evening(weeks + posts, until=STORM + 50 * MINUTE)
    (incident,) = world.incidents()
    assert incident.spike.campaign is not None
    assert incident.spike.campaign.accounts == 5
    assert incident.severity <= 2
    assert incident.spike.observed <= 10 + 2
    assert "Mögliche Kampagne: 5 Konten haben" in world.recorder.first[incident.id]


async def test_a_campaign_that_people_join_becomes_a_crisis(weeks):
    posts = flood(500, accounts=5, text=own_words)
    world = await evening(weeks + posts + storm(STORM + 10 * MINUTE, 60), until=STORM + 50 * MINUTE)
    (incident,) = world.incidents()
    assert incident.spike.campaign is None
    assert incident.severity >= 3


async def test_a_restart_in_the_middle_of_a_flood_changes_nothing(weeks, tmp_path):
    copies = flood(400, accounts=80, text=slogan)
    found = weeks[-200:] + copies + storm(STORM, 20)
    plain = World(found)
    await plain.begin(STORM - HOUR)
    await plain.run_until(STORM + 45 * MINUTE)
    broken = World(found, path=tmp_path / "flood.db")
    await broken.begin(STORM - HOUR)
    for minutes in (5, 11, 17, 30):
        await broken.run_until(STORM + minutes * MINUTE)
        await broken.come_back()
    await broken.run_until(STORM + 45 * MINUTE)
    assert weights(broken) == weights(plain)


def weights(world):
    query = "SELECT mention, total, labelled FROM match ORDER BY mention"
    return world.database.run_now(lambda connection: connection.exec_driver_sql(query).all())
