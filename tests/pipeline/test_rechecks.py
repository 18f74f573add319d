"""Edits and deletions that a platform does not tell: asked for again, followed into the store and into sent alerts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from brandmelder.capture.source import Recheck
from brandmelder.errors import RateLimited
from brandmelder.model import DeliveryKind, DeliveryState, Removal, SourceId, State
from brandmelder.store import mentions
from pipeline.world import STORM, ScriptedSource, World, quiet_weeks, storm

HOUR = timedelta(hours=1)


class AskedAgain(ScriptedSource):
    """A scripted source that can be asked by id; `gone` and `rewritten` are what became of mentions since."""

    recheck_size = 25

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.gone: set[str] = set()
        self.rewritten: dict[str, str] = {}
        self.asked: list[list[str]] = []
        self.refuses = None

    async def recheck(self, external_ids, now):
        self.asked.append(list(external_ids))
        if self.refuses is not None:
            raise self.refuses
        known = {one.external_id: one for one in self._world}
        return Recheck(
            mentions=tuple(
                replace(known[ident], text=self.rewritten.get(ident, known[ident].text))
                for ident in external_ids
                if ident not in self.gone
            ),
            removals=tuple(
                Removal(source=self.id, external_id=ident, reason="author")
                for ident in external_ids
                if ident in self.gone
            ),
        )


@pytest.fixture
async def burning():
    """A world with an open incident, an hour into its storm, and its blog."""
    world = World([*quiet_weeks(STORM - 2 * HOUR, days=14), *storm(STORM, 60)])
    blog = AskedAgain("blog", [*quiet_weeks(STORM - 2 * HOUR, days=14), *storm(STORM, 60)])
    world._sources[SourceId("blog")] = blog
    world.pipeline = world._wire()
    await world.begin(STORM - HOUR)
    await world.run_until(STORM + HOUR)
    assert world.incidents()
    return world, blog


def stored(world, external):
    pages = world.database.run_now(mentions.newest, None, STORM - timedelta(days=60), 5000)
    return next((one for _, one, _ in pages if one.external_id == external), None)


async def test_an_edit_is_followed_and_judged_again(burning):
    world, blog = burning
    blog.rewritten["100003"] = "Nordfunk hat mir geholfen, danke!"
    await world.run_until(STORM + 3 * HOUR)
    assert stored(world, "100003").text == "Nordfunk hat mir geholfen, danke!"


async def test_a_deletion_takes_the_text_from_the_store_and_from_the_alert(burning):
    world, blog = burning
    (incident,) = world.incidents()
    evidence = world.evidence(incident.id)
    quoted = world.database.run_now(mentions.texts_of, [quote.mention for quote in evidence.quotes])
    before = {one.key for one in world.deliveries()}
    blog.gone = {one.external_id for one in quoted.values()}
    await world.run_until(STORM + 3 * HOUR)
    assert not any(stored(world, ident) for ident in blog.gone)
    assert any(one.kind is DeliveryKind.UPDATE and one.key not in before for one in world.deliveries())


async def test_that_everything_is_gone_is_not_believed_at_once_and_said(burning):
    world, blog = burning
    everything = {one.external_id for one in blog._world}
    blog.gone = set(everything)
    await world.run_until(STORM + 8 * HOUR)
    assert stored(world, "100003").text
    assert len([line for line in world.said if "said to be gone" in line]) == 1
    blog.gone = {"100003"}  # it was an odd answer; what is truly gone is followed at once
    await world.run_until(STORM + 10 * HOUR)
    assert stored(world, "100003") is None
    assert stored(world, "100004").text
    blog.gone = everything
    await world.run_until(STORM + 21 * HOUR)
    assert stored(world, "100004").text, "the twelve hours begin anew"
    await world.run_until(STORM + 24 * HOUR)
    assert stored(world, "100004") is None


async def test_few_mentions_that_are_all_gone_are_gone():
    world = World(few := quiet_weeks(STORM, days=2, per_day=1.5))
    assert 0 < len(few) < 5
    blog = AskedAgain("blog", few)
    world._sources[SourceId("blog")] = blog
    world.pipeline = world._wire()
    await world.begin(STORM - HOUR)
    await world.run_until(STORM + HOUR)
    blog.gone = {one.external_id for one in few}
    await world.run_until(STORM + 3 * HOUR)
    assert not any(stored(world, ident) for ident in blog.gone)


async def test_an_alert_loses_its_quotation_even_where_nothing_else_changes_any_more(burning):
    world, blog = burning
    await world.run_until(STORM + 8 * HOUR)
    (incident,) = world.incidents()
    assert incident.state is State.RESOLVED
    quoted = world.database.run_now(mentions.texts_of, [one.mention for one in world.evidence(incident.id).quotes])
    before = {one.key for one in world.deliveries()}
    blog.gone = {one.external_id for one in quoted.values()}
    await world.run_until(STORM + 10 * HOUR)
    edits = [one for one in world.deliveries() if one.kind is DeliveryKind.UPDATE and one.key not in before]
    assert edits
    assert edits[-1].state is DeliveryState.SENT
    assert edits[-1].revision == world.incidents()[0].revision > incident.revision


async def test_rounds_are_hourly_and_come_to_every_young_mention(burning):
    world, blog = burning
    blog.asked.clear()
    await world.run_until(STORM + 30 * HOUR)
    assert {f"{100_000 + number}" for number in range(60)} <= {ident for ids in blog.asked for ident in ids}
    assert all(len(ids) <= AskedAgain.recheck_size for ids in blog.asked)
    assert len(blog.asked) <= 31 * 10


async def test_a_refused_round_waits_as_long_as_it_is_told_and_harms_no_poll(burning):
    world, blog = burning
    blog.refuses = RateLimited("slow down", world.clock.now() + 8 * HOUR)
    blog.asked.clear()
    polls = blog.polls
    await world.run_until(STORM + 6 * HOUR)
    assert len(blog.asked) == 1
    assert blog.polls > polls + 100


async def test_what_asking_again_does_not_tell_is_no_edit_and_is_not_lost():
    told = [
        replace(one, parent_id="post:1", context="Nordfunk: Ausfall", reach=120)
        for one in [*quiet_weeks(STORM - 2 * HOUR, days=14), *storm(STORM, 60)]
    ]
    world = World(told)
    blog = AskedAgain("blog", [replace(one, parent_id=None, context="", reach=None) for one in told])
    polled = ScriptedSource("blog", told)
    blog.poll = polled.poll
    world._sources[SourceId("blog")] = blog
    world.pipeline = world._wire()
    await world.begin(STORM - HOUR)
    await world.run_until(STORM + HOUR)
    before = {one.external_id: one for one in told}
    blog.asked.clear()
    blog.rewritten["100003"] = "Nordfunk hat mir geholfen, danke!"
    with capture_logs() as logs:
        await world.run_until(STORM + 3 * HOUR)
    assert any("100004" in asked for asked in blog.asked)
    assert [line["edited"] for line in logs if line["event"] == "recheck.followed"] == [1]
    edited = stored(world, "100003")
    assert edited.text == "Nordfunk hat mir geholfen, danke!"
    assert (edited.parent_id, edited.context, edited.reach) == ("post:1", "Nordfunk: Ausfall", 120)
    assert stored(world, "100004").text == before["100004"].text


async def test_a_source_that_stumbles_over_asking_again_is_polled_as_before(burning):
    world, blog = burning
    blog.refuses = ValueError("a bug")
    polls, asked = blog.polls, len(blog.asked)
    await world.run_until(STORM + 6 * HOUR)
    assert 5 <= len(blog.asked) - asked <= 6
    assert blog.polls > polls + 100
