"""Whole days through the real pipeline, under a clock that jumps."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import Act, DeliveryKind, DeliveryState, State
from brandmelder.pipeline.act import Wish, do
from brandmelder.store import mentions, series
from pipeline.world import STORM, YAML, World, mention, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(scope="module")
def weeks():
    return quiet_weeks(STORM - HOUR, days=24)


async def _evening(mentions_, *, until=STORM + 8 * HOUR, begin=STORM - HOUR, **world):
    there = World(mentions_, **world)
    await there.begin(begin)
    await there.run_until(until)
    return there


@pytest.fixture(scope="module")
def stormy(weeks):
    """The evening of the storm, from an hour before it to its end; tests only look at it."""
    return asyncio.run(_evening(weeks + storm(STORM, 60)))


def test_a_storm_raises_exactly_one_alarm_within_minutes_and_ends_by_itself(stormy):
    world = stormy
    (incident,) = world.incidents()
    assert incident.state is State.RESOLVED
    assert STORM < incident.opened_at <= STORM + 15 * MINUTE
    assert incident.closed_by == "brandmelder"
    acts = [step.act for step in world.timeline(incident.id)]
    assert acts[-1] is Act.RESOLVE
    assert acts.count(Act.OPEN) == 1
    opens = [one for one in world.deliveries() if one.kind is DeliveryKind.OPEN]
    assert len(opens) == 1
    assert {one.state for one in world.deliveries()} <= {DeliveryState.SENT, DeliveryState.SUPERSEDED}


async def test_the_figures_of_the_alarm_are_those_of_the_mentions(weeks):
    angry = storm(STORM, 60)
    world = await _evening(weeks + angry, until=STORM + 70 * MINUTE)
    (incident,) = world.incidents()
    assert incident.peak == pytest.approx(60, abs=4)
    assert incident.spike.usual_high < 8
    assert world.evidence(incident.id).critics >= 50


async def test_weeks_without_a_storm_stay_quiet_from_the_first_day():
    weeks = quiet_weeks(STORM, days=16)
    every_bin = YAML.replace("every: 2m", "every: 5m")
    world = await _evening(weeks, begin=STORM - 17 * 24 * HOUR, until=STORM, yaml=every_bin)
    assert len(world.incidents()) <= 2


async def test_history_never_alerts_even_if_it_ends_in_a_storm(weeks):
    just_over = storm(STORM - 40 * MINUTE, 80, spread=39 * MINUTE)
    world = await _evening(weeks + just_over, begin=STORM, until=STORM + 6 * HOUR)
    assert world.incidents() == []


async def test_a_storm_right_after_first_contact_is_noticed(weeks):
    world = await _evening(weeks + storm(STORM + MINUTE, 60, spread=10 * MINUTE), begin=STORM)
    (incident,) = world.incidents()
    assert incident.opened_at < STORM + 15 * MINUTE


async def test_two_replays_tell_the_same_story(weeks, stormy):
    again = await _evening(weeks + storm(STORM, 60))
    assert again.story() == stormy.story()


async def test_removing_the_future_changes_nothing(weeks):
    cut = STORM + 30 * MINUTE
    everything = weeks + storm(STORM, 60)
    whole = await _evening(everything, until=cut)
    prefix = await _evening([one for one in everything if one.captured_at <= cut], until=cut)
    assert whole.story() == prefix.story()
    assert whole.incidents()


async def test_comments_released_late_by_a_moderator_still_raise_the_alarm(weeks):
    held = [replace(one, captured_at=STORM + 90 * MINUTE) for one in storm(STORM, 60)]
    world = await _evening(weeks + held, until=STORM + 3 * HOUR)
    (incident,) = world.incidents()
    assert STORM + 90 * MINUTE < incident.opened_at <= STORM + 100 * MINUTE


async def test_comments_released_the_next_morning_are_told_then_as_delayed(weeks):
    held = [replace(one, captured_at=STORM + 12 * HOUR) for one in storm(STORM, 60)]
    world = await _evening(weeks + held, until=STORM + 15 * HOUR)
    (incident,) = world.incidents()
    assert STORM + 12 * HOUR < incident.opened_at <= STORM + 12 * HOUR + 10 * MINUTE
    assert incident.is_delayed


async def test_an_outage_and_its_backlog_raise_nothing(weeks):
    quiet = quiet_weeks(STORM + 30 * HOUR, days=58)
    outage = (STORM, STORM + 20 * HOUR)
    world = await _evening(quiet, until=STORM + 30 * HOUR, outages={"blog": (outage,)})
    assert world.incidents() == []
    assert any("answers 503" in line for line in world.said)
    assert any("answers again" in line for line in world.said)


async def test_a_storm_inside_an_outage_is_told_late_and_says_so(weeks):
    outage = (STORM - HOUR / 2, STORM + 3 * HOUR)
    world = await _evening(weeks + storm(STORM, 60), outages={"blog": (outage,)}, until=STORM + 5 * HOUR)
    (incident,) = world.incidents()
    assert incident.opened_at >= STORM + 3 * HOUR
    assert incident.is_delayed


async def test_a_failing_source_does_not_hold_the_others_up(weeks):
    outage = (STORM - 30 * HOUR, STORM + 30 * HOUR)
    world = await _evening(weeks + storm(STORM, 60), outages={"press": (outage,)}, until=STORM + HOUR)
    (incident,) = world.incidents()
    assert incident.opened_at <= STORM + 15 * MINUTE
    assert any(sight.source == "press" and sight.blind_since for sight in world.evidence(incident.id).sight)


async def test_an_edit_does_not_change_what_was_counted(weeks):
    angry = storm(STORM, 60)
    edited = [replace(one, text="Alles gut bei Nordfunk.", captured_at=STORM + 2 * HOUR) for one in angry]
    plain = await _evening(weeks + angry, until=STORM + 3 * HOUR)
    evaded = await _evening(weeks + angry + edited, until=STORM + 3 * HOUR)
    assert _bins(plain) == _bins(evaded)


async def test_a_recount_gives_the_bins_that_were_counted(weeks):
    from brandmelder.pipeline.recount import recount

    world = await _evening(weeks + storm(STORM, 60), until=STORM + HOUR)
    before = _bins(world)
    await recount(world.pipeline.parts, set(world.settings.monitors))
    assert _bins(world) == before


async def test_a_changed_query_is_recounted_after_the_next_start(weeks, tmp_path):
    world = await _evening(weeks, until=STORM, path=tmp_path / "a.db")
    world.database.close()
    narrower = World(weeks, path=tmp_path / "a.db", yaml=YAML.replace("-stellenanzeige", "AND warteschleife"))
    await narrower.begin(STORM)
    await narrower.run_until(STORM + MINUTE)
    count = narrower.database.run_now(series.matches, "nordfunk")
    assert 0 < count < narrower.database.run_now(mentions.count) / 10
    narrower.database.close()


async def test_who_acknowledges_is_written_down_and_told(weeks):
    world = await _evening(weeks + storm(STORM, 60), until=STORM + 40 * MINUTE)
    (incident,) = world.incidents()
    wish = Wish(incident=incident.id, act=Act.ACKNOWLEDGE, by="Anna")
    world.database.run_now(do, world.pipeline.parts, wish, world.clock.now())
    await world.run_until(STORM + 50 * MINUTE)
    (incident,) = world.incidents()
    assert (incident.state, incident.acknowledged_by) == (State.ACKNOWLEDGED, "Anna")
    step = next(step for step in world.timeline(incident.id) if step.act is Act.ACKNOWLEDGE)
    assert step.by == "Anna"
    assert any(one.kind is DeliveryKind.UPDATE and one.revision >= step.revision for one in world.deliveries())


async def test_answers_of_our_own_are_counted_as_answers_and_not_as_mentions(weeks):
    angry = storm(STORM, 60)
    answers = [
        mention(900_000 + n, STORM + 5 * MINUTE, angry=False, own=True, parent_id=angry[n].external_id)
        for n in range(4)
    ]
    world = await _evening(weeks + angry + answers, until=STORM + 70 * MINUTE)
    (incident,) = world.incidents()
    evidence = world.evidence(incident.id)
    assert evidence.answered == 4
    assert evidence.oldest_unanswered is not None


def _bins(world):
    return [
        (one.start, one.source, one.total, round(one.negative, 9))
        for one in world.database.run_now(series.counts, "nordfunk", STORM - 60 * 24 * HOUR, STORM + 24 * HOUR)
    ]
