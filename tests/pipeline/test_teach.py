"""What staff say of mentions, from the label to the verdicts of the running service."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from brandmelder.classify.transformer import TransformerClassifier
from brandmelder.model import Label, MentionId, Origin, StaffLabel
from brandmelder.pipeline import staff, teach
from brandmelder.store import labels, mentions
from classify.tiny_network import write_network
from pipeline.world import STORM, World, mention, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NEWS = "Der Kringel von Nordfunk ist heute schon wieder in der Post gewesen, Nummer 77"


def kringel(number):
    rng = random.Random(number)
    return (
        f"Der Kringel {rng.randrange(10**6)} von Nordfunk ist in {rng.choice(['Husum', 'Plön', 'Eutin'])} in der Post",
        f"Heute war Nummer {rng.randrange(10**6)} von Nordfunk mit dem {rng.choice(['Bus', 'Rad', 'Zug'])} unterwegs",
    )


def kept_and_learnt(connection, given, brand, now):
    labels.save(connection, given)
    return teach.learn(connection, brand, now)


def lessons(count, origin=Origin.RANDOM):
    given = []
    for number in range(count):
        bad, calm = kringel(number)
        given.append(StaffLabel(label=Label.NEGATIVE, at=STORM, text=bad, origin=origin))
        given.append(StaffLabel(label=Label.NEUTRAL, at=STORM, text=calm, origin=origin))
    return given


async def world_with(*later):
    world = World(quiet_weeks(STORM - HOUR, days=20) + list(later))
    await world.begin(STORM - HOUR)
    await world.run_until(STORM - 30 * MINUTE)
    return world


def post(number, minutes):
    return mention(number, STORM + minutes * MINUTE, angry=False, text=NEWS)


def verdict_on(world, number):
    found = world.database.run_now(mentions.judged_between, "nordfunk", STORM - 2 * HOUR, STORM + 9 * HOUR)
    return next(verdict for _, one, verdict in found if one.external_id == str(number))


async def test_what_staff_teach_is_used_without_a_restart_and_undone_the_same_way():
    world = await world_with(post(900_001, 0), post(900_002, 10), post(900_003, 20))
    await world.run_until(STORM + 5 * MINUTE)
    lesson = world.database.run_now(kept_and_learnt, lessons(60), "Nordfunk", world.clock.now())
    assert lesson.version == 1
    assert any("log loss on left-out labels" in line for line in lesson.report)
    await world.run_until(STORM + 15 * MINUTE)
    before, after = verdict_on(world, 900_001), verdict_on(world, 900_002)
    assert after.p_negative > before.p_negative + 0.2
    assert after.label is Label.NEGATIVE
    assert after.model_version != before.model_version
    assert world.database.run_now(labels.undo) == 1
    await world.run_until(STORM + 25 * MINUTE)
    assert verdict_on(world, 900_003).p_negative == before.p_negative
    assert verdict_on(world, 900_001) == before


async def test_it_is_written_down_from_which_mention_on_something_else_judges():
    world = await world_with()
    known = world.database.run_now(mentions.count)
    world.database.run_now(kept_and_learnt, lessons(60), "Nordfunk", STORM)
    (version,) = world.database.run_now(labels.versions)
    assert version.after_mention == known
    assert version.labels == 120
    assert "would be judged noticeably otherwise" in version.report


async def test_labels_picked_by_alerts_alone_teach_nothing():
    world = await world_with()
    lesson = world.database.run_now(kept_and_learnt, lessons(60, Origin.ALERT), "Nordfunk", STORM)
    assert lesson.version is None
    assert world.database.run_now(labels.active) is None


async def test_labels_without_a_pattern_teach_nothing_that_would_make_it_worse():
    world = await world_with()
    rng = random.Random(3)
    given = [
        StaffLabel(
            label=rng.choice([Label.NEGATIVE, Label.NEUTRAL]), at=STORM, text=kringel(n)[n % 2], origin=Origin.RANDOM
        )
        for n in range(60)
    ]
    world.database.run_now(kept_and_learnt, given, "Nordfunk", STORM)
    active = world.database.run_now(labels.active)
    learnt = {} if active is None else teach.corrections_of(active.body)
    assert all(one.loss_after < one.loss_before for one in learnt.values())


async def test_the_last_three_lessons_are_kept():
    world = await world_with()
    for count in (30, 40, 50, 60, 70):
        world.database.run_now(kept_and_learnt, lessons(count), "Nordfunk", STORM)
    versions = world.database.run_now(labels.versions)
    assert [one.version for one in versions] == [5, 4, 3]
    assert world.database.run_now(labels.undo) == 5
    assert world.database.run_now(labels.active_version) == 4


async def test_what_is_asked_is_unsure_and_inside_spikes_and_a_third_is_drawn():
    world = World(quiet_weeks(STORM - HOUR, days=20) + storm(STORM, 60))
    await world.begin(STORM - HOUR)
    await world.run_until(STORM + HOUR)
    assert world.incidents()
    found = world.database.run_now(teach.ask, 12, world.clock.now())
    assert [one.origin for one in found].count(Origin.RANDOM) == 4
    unsure = [one for one in found if one.origin is Origin.UNSURE]
    stormy = {ident for ident, one, _ in world.database.run_now(
        mentions.judged_between, "nordfunk", STORM - 5 * MINUTE, STORM + HOUR)}  # fmt: skip
    assert {one.mention for one in unsure} <= stormy
    again = world.database.run_now(teach.ask, 12, world.clock.now())
    assert not {one.mention for one in again} & {one.mention for one in found}


async def test_a_label_keeps_the_reason_for_which_it_was_asked():
    world = await world_with()
    found = world.database.run_now(teach.ask, 6, world.clock.now())
    given = [StaffLabel(label=Label.NEUTRAL, at=STORM, mention=one.mention) for one in found]
    world.database.run_now(kept_and_learnt, given, "Nordfunk", STORM)
    kept = {one.mention: one.origin for one in world.database.run_now(labels.read)}
    assert kept == {one.mention: one.origin for one in found}


async def test_mentions_that_were_taken_away_teach_nothing():
    world = await world_with()
    ident = MentionId(5)
    world.database.run_now(labels.save, [StaffLabel(label=Label.NEUTRAL, at=STORM, mention=ident)])
    world.database.run_now(lambda connection: connection.exec_driver_sql("UPDATE mention SET text = '' WHERE id = 5"))
    assert world.database.run_now(labels.read) == []


@pytest.fixture(scope="module")
def stored():
    return asyncio.run(world_with())


@pytest.mark.parametrize("name", ["7", "blog/7", "https://blog.example/#comment-7"])
def test_a_mention_has_a_number_a_name_and_an_address(stored, name):
    assert stored.database.run_now(labels.find_mention, name) == 7


@pytest.mark.parametrize("name", ["blog/none", "99999999", "press/7", ""])
def test_what_is_no_mention_is_none(stored, name):
    assert stored.database.run_now(labels.find_mention, name) is None


async def test_what_staff_teach_corrects_a_model_of_the_operators_own_as_well(tmp_path):
    world = await world_with(post(900_001, 0), post(900_002, 10))
    folder = write_network(tmp_path)
    model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
    world.pipeline.parts.classifier = TransformerClassifier(
        "Nordfunk", model=model, tokenizer=tokenizer, labels=tuple(Label), timeout=5 * MINUTE
    )
    await world.run_until(STORM + 5 * MINUTE)
    world.database.run_now(kept_and_learnt, lessons(60), "Nordfunk", world.clock.now())
    await world.run_until(STORM + 15 * MINUTE)
    before, after = verdict_on(world, 900_001), verdict_on(world, 900_002)
    assert before.classifier == after.classifier == "transformer"
    assert after.p_negative > before.p_negative + 0.2
    assert after.model_version != before.model_version


async def test_what_is_learnt_beside_the_database_is_what_a_command_learns(tmp_path):
    world = World([], path=tmp_path / "a.db")
    actor = staff.Actor(name="Anna", via="page")
    parts = world.pipeline.parts
    lesson = await staff.label_beside(parts, lessons(60), actor, STORM)
    version = world.database.run_now(labels.active)
    assert lesson.version == version.version
    again = await teach.learn_beside(parts, STORM)
    assert (again.version, again.report[-1]) == (None, "nothing changes")
    other = World([], path=tmp_path / "b.db")
    other.database.run_now(staff.label, lessons(60), parts.brand, actor, STORM)
    assert other.database.run_now(labels.active).body == version.body
    for one in (world, other):
        one.database.close()


async def test_while_something_is_learnt_the_database_goes_on(tmp_path):
    world = World([], path=tmp_path / "a.db")
    parts = world.pipeline.parts
    world.database.run_now(labels.save, lessons(60))
    learning = asyncio.create_task(teach.learn_beside(parts, STORM))
    written = 0
    while not learning.done():
        await world.database.run(labels.active_version)
        written += 1
    assert written > 3
    assert (await learning).version is not None
    world.database.close()
