"""Which sources cannot be seen is told once, in time, in words for people, and taken back once (G4)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.errors import AuthRefused, Transient
from brandmelder.model import DeliveryKind, DeliveryState, SourceId, SourceState
from brandmelder.notify.compose import plain_text
from brandmelder.pipeline.render import render
from brandmelder.store import blindness, sources
from pipeline.world import START, YAML, World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
THREE = YAML.replace(
    "\nmonitors:",
    '\n  forum: {type: feed, url: "https://forum.example/feed", every: 5m, class: forum}\nmonitors:',
).replace("[blog, press]", "[blog, press, forum]")
ENGLISH = THREE.replace("language: de", "language: en")
FAULT = START + HOUR


def days(outages, *, until, yaml=THREE, errors=None):
    """Run from START until a moment; `outages` by source."""

    async def run():
        world = World([], yaml=yaml, outages={SourceId(name): spans for name, spans in outages.items()})
        for name, error in (errors or {}).items():
            _break(world._sources[name], error)
        await world.begin(START)
        await world.run_until(until)
        return world

    return asyncio.run(run())


def _break(source, error):
    good = source.poll

    async def poll(cursor, now):
        try:
            return await good(cursor, now)
        except Transient:
            raise error from None

    source.poll = poll


def notices(world, about):
    found = [one for one in world.deliveries() if one.kind is DeliveryKind.NOTICE]
    return [one for one in found if one.incident.startswith(about)]


def said(world, delivery):
    message, _ = asyncio.run(render(world.pipeline.parts, delivery, world.clock.now()))
    return plain_text(message)


@pytest.fixture(scope="module")
def two_hours():
    """The blog is away for two hours."""
    return days({"blog": ((FAULT, FAULT + 2 * HOUR),)}, until=FAULT + 4 * HOUR)


def test_blindness_is_told_once_and_within_three_intervals_of_the_last_sight(two_hours):
    (one,) = notices(two_hours, "blind:")
    assert one.state is DeliveryState.SENT
    assert one.created_at <= FAULT + 3 * 2 * MINUTE


def test_sight_is_told_once_after_two_good_polls(two_hours):
    (one,) = notices(two_hours, "seen:")
    assert FAULT + 2 * HOUR < one.created_at <= FAULT + 2 * HOUR + 20 * MINUTE
    assert two_hours.database.run_now(blindness.running) == {}


def test_the_notice_is_no_page_and_opens_no_incident(two_hours):
    assert two_hours.incidents() == []
    assert all(one.persons == () for one in notices(two_hours, "blind:"))


def test_the_notice_says_since_when_where_and_what_silence_means(two_hours):
    text = said(two_hours, notices(two_hours, "blind:")[0])
    assert "Nordfunk: Blind seit" in text
    assert "Blog" in text
    assert "Stille heißt jetzt nicht, dass es ruhig ist." in text
    assert "antwortet nicht (answers 503; it is asked again)" in text


def test_the_end_says_from_when_to_when_it_was_missing(two_hours):
    text = said(two_hours, notices(two_hours, "seen:")[0])
    assert "Wieder zu sehen: Blog" in text
    assert "fehlte" in text
    (past,) = two_hours.database.run_now(blindness.since, START)
    assert past.since < FAULT
    assert past.ended_at >= FAULT + 2 * HOUR


def test_the_source_knows_its_state_since_when_and_why():
    world = days({"blog": ((FAULT, FAULT + 9 * HOUR),)}, until=FAULT + HOUR)
    row = world.database.run_now(sources.read_source, SourceId("blog"))
    assert row.state is SourceState.FAILING
    assert FAULT < row.state_since <= FAULT + 8 * MINUTE
    assert row.blind_since < FAULT
    assert (row.fault, row.good_since) == ("Transient", None)
    assert "answers 503" in row.note


def test_sources_that_fail_together_are_told_in_one_message():
    away = ((FAULT, FAULT + 9 * HOUR),)
    world = days({"blog": away, "forum": away}, until=FAULT + HOUR, yaml=ENGLISH)
    first = notices(world, "blind:")[0]
    assert first.created_at <= FAULT + 6 * MINUTE
    text = "\n".join(said(world, one) for one in notices(world, "blind:"))
    assert text.count("Blog") >= 1
    assert text.count("Forum") >= 1
    assert len(notices(world, "blind:")) <= 2


def test_a_refused_credential_is_told_at_once_and_asks_for_a_hand():
    away = {"press": ((FAULT, FAULT + 9 * HOUR),)}
    refused = {"press": AuthRefused('source "press": refuses the token; renew it')}
    world = days(away, errors=refused, until=FAULT + HOUR, yaml=ENGLISH)
    (one,) = notices(world, "blind:")
    assert one.created_at <= FAULT + 15 * MINUTE + 2 * MINUTE
    text = said(world, one)
    assert "Please act. Since" in text
    assert "refuses us (refuses the token; renew it)" in text


def test_one_failed_poll_tells_nothing():
    world = days({"blog": ((FAULT, FAULT + 2 * MINUTE),)}, until=FAULT + HOUR)
    assert notices(world, "blind:") == []


def test_a_source_that_comes_and_goes_tells_of_itself_seldom():
    gone = tuple((FAULT + n * 20 * MINUTE, FAULT + n * 20 * MINUTE + 10 * MINUTE) for n in range(18))
    world = days({"blog": gone}, until=FAULT + 8 * HOUR)
    assert len(notices(world, "blind:")) == 2
    assert len(notices(world, "seen:")) == 2


def test_a_poll_that_never_ends_is_blindness_too():
    async def run():
        world = World([], yaml=THREE)
        await world.begin(START)
        await world.run_until(FAULT)
        polls = {ident: asyncio.Event() for ident in ("blog",)}
        for minutes in range(1, 20):  # the blog's poll hangs: nothing is saved of it, the others go on
            now = FAULT + minutes * MINUTE
            world.clock.move_to(now)
            await world.pipeline.keep(now)
            for ident in ("press", "forum"):
                await world.pipeline.poll(SourceId(ident), now)
        assert not polls["blog"].is_set()
        return world

    world = asyncio.run(run())
    (one,) = notices(world, "blind:")
    assert one.created_at <= FAULT + 3 * 2 * MINUTE + MINUTE
    assert "Abfrage kommt nicht zu Ende" in said(world, one)


def test_a_restart_after_a_long_stop_takes_nothing_for_blind(tmp_path):
    async def run():
        world = World([], yaml=THREE, path=tmp_path / "a.db")
        await world.begin(START)
        await world.run_until(FAULT)
        world.clock.move_to(FAULT + 10 * HOUR)
        await world.come_back()
        await world.pipeline.keep(world.clock.now())
        await world.run_until(FAULT + 11 * HOUR)
        return world

    assert notices(asyncio.run(run()), "blind:") == []


def test_a_restart_in_the_middle_tells_nothing_twice(tmp_path):
    async def run():
        world = World([], yaml=THREE, path=tmp_path / "a.db", outages={"blog": ((FAULT, FAULT + 3 * HOUR),)})
        await world.begin(START)
        await world.run_until(FAULT + HOUR)
        await world.come_back()
        await world.run_until(FAULT + 5 * HOUR)
        return world

    world = asyncio.run(run())
    assert len(notices(world, "blind:")) == 1
    assert len(notices(world, "seen:")) == 1


def test_a_source_that_left_the_configuration_is_not_waited_for(tmp_path):
    async def run():
        world = World([], yaml=THREE, path=tmp_path / "a.db", outages={"forum": ((FAULT, FAULT + 30 * HOUR),)})
        await world.begin(START)
        await world.run_until(FAULT + HOUR)
        fewer = World([], path=tmp_path / "a.db")
        await fewer.begin(FAULT + HOUR)
        await fewer.run_until(FAULT + 2 * HOUR)
        return fewer

    assert asyncio.run(run()).database.run_now(blindness.running) == {}


@settings(max_examples=5, deadline=None)
@given(begin=st.integers(600, 1800), length=st.integers(7 * 60, 1800), every=st.sampled_from((30, 60, 120, 300)))
def test_whenever_an_outage_begins_it_is_told_within_three_intervals(begin, length, every):
    since, until = START + timedelta(seconds=begin), START + timedelta(seconds=begin + length)
    yaml = THREE.replace("every: 2m", f"every: {every}s")
    world = days({"blog": ((since, until),)}, until=until + 4 * timedelta(seconds=every), yaml=yaml)
    told = [one.created_at for one in notices(world, "blind:")]
    bound = timedelta(seconds=3 * every)
    assert len(told) == 1 if until - since > bound else len(told) <= 1
    assert all(since < moment <= since + bound for moment in told)
