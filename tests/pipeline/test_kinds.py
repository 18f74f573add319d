"""The kinds of spike through the whole pipeline: counted, judged, an incident, a message."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import SpikeKind, State
from pipeline.world import STORM, YAML, World, mention, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
RULES = """    key_mentions: {reach: 50000, words: ['Rückruf', '"Anna Beispiel"'], authors: ["@minister"]}
    unanswered: {after: 45m, least: 3}
"""
KINDS = "    kinds: [negative, share, total, reach, new_source, silence]\n"
WITH_RULES = YAML.replace("    false_alarms: 1 per 30 days\n", "    false_alarms: 1 per 30 days\n" + KINDS + RULES)
"""Every kind, key mentions and answers."""


async def evening(extra, *, until=STORM + 2 * HOUR, weeks=14, yaml=WITH_RULES):
    world = World(quiet_weeks(STORM, days=weeks) + extra, yaml=yaml)
    await world.begin(STORM - HOUR)
    await world.run_until(until)
    return world


def key(number, **fields):
    return replace(mention(number, STORM + 3 * MINUTE, angry=False), **fields)


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({"text": "Nordfunk plant einen Rückruf aller Router."}, "Schlüsselwort „Rückruf“"),
        ({"text": "Interview mit Anna Beispiel, Chefin von Nordfunk."}, "Schlüsselwort „Anna Beispiel“"),
        ({"author": "Minister"}, "Beitrag von @minister"),
        ({"text": "Unverschämt, Nordfunk, eine Katastrophe!", "reach": 80_000}, "Konto mit 80.000 Followern"),
    ],
)
async def test_one_key_mention_alerts_within_a_minute_of_being_read(fields, first):
    world = await evening([key(900_000, **fields)])
    (incident,) = world.incidents()
    assert (incident.kind, incident.severity) == (SpikeKind.KEY_MENTION, 3)
    assert incident.opened_at - STORM <= 6 * MINUTE
    told = world.recorder.first[incident.id]
    assert first in told.splitlines()[0]
    quote = world.evidence(incident.id).quotes[0]
    assert quote.mention == incident.spike.mention


async def test_a_friendly_post_of_a_large_account_is_no_key_mention():
    world = await evening([key(900_000, text="Danke Nordfunk, sehr freundlich, tolle Hilfe!", reach=80_000)])
    assert world.incidents() == []


async def test_a_key_mention_ends_by_itself():
    world = await evening([key(900_000, text="Nordfunk: Rückruf")], until=STORM + 5 * HOUR)
    (incident,) = world.incidents()
    assert incident.state is State.RESOLVED


async def test_a_key_mention_in_the_history_is_no_news():
    world = await evening([replace(key(900_000, text="Nordfunk: Rückruf"), published_at=STORM - 5 * HOUR,
                                   captured_at=STORM - 5 * HOUR)])  # fmt: skip
    assert world.incidents() == []


def questions(count, at=STORM):
    return [mention(910_000 + number, at + number * 7 * MINUTE, angry=True) for number in range(count)]


async def test_nobody_answers_and_then_somebody_does():
    answers = [
        replace(
            mention(920_000 + number, STORM + 90 * MINUTE, angry=False),
            author="nordfunk", own=True, parent_id=str(910_000 + number),
        )
        for number in range(3)
    ]  # fmt: skip
    world = await evening([*questions(3), *answers], until=STORM + 5 * HOUR)
    (incident,) = [one for one in world.incidents() if one.kind is SpikeKind.BACKLOG]
    assert STORM + 59 * MINUTE <= incident.opened_at <= STORM + 72 * MINUTE
    assert "3 unbeantwortet, älteste seit" in world.recorder.first[incident.id].splitlines()[0]
    assert incident.state is State.RESOLVED


async def test_who_is_answered_in_time_is_no_backlog():
    answers = [
        replace(
            mention(920_000 + number, STORM + 30 * MINUTE, angry=False),
            author="nordfunk", own=True, parent_id=str(910_000 + number),
        )
        for number in range(3)
    ]  # fmt: skip
    world = await evening([*questions(3), *answers], until=STORM + 3 * HOUR)
    assert [one for one in world.incidents() if one.kind is SpikeKind.BACKLOG] == []


async def test_a_process_that_dies_tells_of_a_key_mention_once(tmp_path):
    world = World(
        [*quiet_weeks(STORM, days=10), key(900_000, text="Nordfunk: Rückruf")], path=tmp_path / "a.db", yaml=WITH_RULES
    )
    await world.begin(STORM - HOUR)
    await world.run_until(STORM + 6 * MINUTE)
    await world.come_back()
    await world.run_until(STORM + 30 * MINUTE)
    assert len(world.incidents()) == len(world.recorder.first) == 1


async def test_a_monitor_falls_silent():
    world = World(quiet_weeks(STORM, days=40, per_day=60.0), yaml=WITH_RULES)
    await world.begin(STORM - HOUR)
    await world.run_until(STORM + 20 * HOUR)
    silent = [one for one in world.incidents() if one.kind is SpikeKind.SILENCE]
    assert silent
    assert "Stille seit" in world.recorder.first[silent[0].id].splitlines()[0]


async def test_a_storm_that_every_kind_sees_is_one_alert_and_ends_within_hours_of_its_last_post():
    every = YAML.replace("    false_alarms", KINDS + "    false_alarms")
    later = [replace(one, external_id=f"l{one.external_id}") for one in quiet_weeks(STORM + 6 * HOUR, days=1, seed=2)]
    world = await evening([*storm(STORM, 80), *(one for one in later if one.published_at > STORM)],
                          until=STORM + 5 * HOUR, yaml=every)  # fmt: skip
    (incident,) = world.incidents()
    assert (incident.kind, incident.state) == (SpikeKind.NEGATIVE, State.RESOLVED)
    assert incident.opened_at - STORM <= 10 * MINUTE
    assert incident.closed_at - STORM <= 4.5 * HOUR
