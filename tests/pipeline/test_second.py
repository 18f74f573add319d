"""A second opinion on unsure mentions inside an open spike: asked sparingly, believed carefully, never needed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder import wiring
from brandmelder.capture.http import HttpClient
from brandmelder.model import Label, SourceId, State
from brandmelder.pipeline.second import Endpoint, SecondOpinion
from brandmelder.store import mentions, spending
from brandmelder.store.database import Database
from brandmelder.store.spending import Allowance
from peers import llm
from pipeline.world import STORM, World, mention, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ALLOWANCE = Allowance(requests=500, tokens=1_000_000, micros=1_000_000, price=1_000_000)
WEEKS = quiet_weeks(STORM - HOUR, days=10)
RIDDLES = [
    mention(
        700_000 + n,
        STORM + 12 * MINUTE + n * timedelta(seconds=40),
        angry=False,
        text=f"{('Ähm', 'Soso', 'Naja', 'Tja', 'Oha')[n % 5]} Nordfunk, {word} @karl{n} https://x.example/{n}",
    )
    for n, word in enumerate("Gurke Laterne Zebra Kompass Wolke Tinte Segel Harfe Kiesel Mantel".split())  # noqa: SIM905
]


class Unsure:
    """The judge of the house, who is unsure of every riddle: what is tested here is what follows from that."""

    def __init__(self, inner):
        self.inner, self.name, self.version, self.is_quick = inner, inner.name, inner.version, inner.is_quick

    def classify(self, found):
        verdicts = self.inner.classify(found)
        return tuple(
            replace(verdict, unsure=one.external_id.startswith("7000"))
            for one, verdict in zip(found, verdicts, strict=True)
        )


async def evening(model, *, world=None, until=STORM + 25 * MINUTE, leaving=("blog",), **endpoint):
    world = world or World(WEEKS + storm(STORM, 40) + RIDDLES)
    world.pipeline.parts.classifier = Unsure(world.pipeline.parts.classifier)
    client = HttpClient()
    async with llm.running(model):
        asked = Endpoint(**({"url": model.url, "model": "tiny", "token": llm.TOKEN, "allowance": ALLOWANCE} | endpoint))
        world.pipeline.parts.second = SecondOpinion(
            asked,
            client.exchange(allow_private=True),
            now=_clock_of(world),
            leaving=[SourceId(name) for name in leaving],
        )
        await world.begin(STORM - HOUR)
        await world.run_until(until)
    await client.close()
    return world


def _clock_of(world):
    def now():
        return world.clock.now()  # its clock comes with its beginning

    return now


def riddles(world):
    found = world.database.run_now(mentions.judged_between, "nordfunk", STORM, STORM + 9 * HOUR)
    return [verdict for _, one, verdict in found if one.external_id.startswith("7000")]


def figures(world):
    query = "SELECT monitor, start, source, total, negative, labelled FROM bin ORDER BY 1, 2, 3"
    counted = world.database.run_now(lambda connection: connection.exec_driver_sql(query).all())
    return counted, [(one.state, one.opened_at, one.spike.observed, one.severity) for one in world.incidents()]


@pytest.fixture(scope="module")
def alone():
    """The same evening with a peer that never has a usable answer."""
    return asyncio.run(evening(llm.Model(mood="none")))


async def test_unsure_mentions_inside_a_spike_get_an_opinion_and_nothing_is_counted_otherwise(alone):
    model = llm.Model(labels={"Gurke": "positive", "Zebra": "not_about_brand"})
    world = await evening(model)
    assert model.faults == []
    assert len(model.asked) == len(RIDDLES)
    assert all("karl" not in post and "x.example" not in post for post in model.posts())
    verdicts = riddles(world)
    assert {one.classifier for one in verdicts} == {"linear+llm"}
    assert not any(one.unsure for one in verdicts)
    assert [one.label for one in verdicts].count(Label.NEGATIVE) == len(RIDDLES) - 2
    assert figures(world) == figures(alone)
    assert world.incidents()[0].state is State.OPEN


@pytest.mark.parametrize("mood", llm.BAD_MOODS)
def test_whatever_the_server_does_the_local_verdict_stands(mood):
    async def answered():
        client, database = HttpClient(), Database("sqlite://")
        database.prepare()
        async with llm.running(llm.Model(mood=mood)) as model:
            asked = Endpoint(url=model.url, model="tiny", token=llm.TOKEN, allowance=ALLOWANCE)
            second = SecondOpinion(asked, client.exchange(allow_private=True), now=lambda: STORM, leaving=())
            word = await second._ask(database, "Nordfunk", "Soso, Nordfunk")
        await client.close()
        database.close()
        return word, model.faults

    assert asyncio.run(answered()) == (None, [])


async def test_a_busy_server_is_left_alone_for_as_long_as_it_says():
    model = llm.Model(mood="busy")
    await evening(model, until=STORM + 16 * MINUTE)
    assert 1 <= len(model.asked) <= 4


async def test_a_server_that_does_not_answer_costs_one_wait_and_no_verdict():
    model = llm.Model(mood="slow")
    world = await evening(model, patience=timedelta(seconds=0.2), until=STORM + 16 * MINUTE)
    assert model.asked
    assert all(one.classifier == "linear" for one in riddles(world))


async def test_nobody_is_asked_of_sources_that_keep_their_texts():
    model = llm.Model()
    await evening(model, leaving=("press",))
    assert model.asked == []


async def test_nobody_is_asked_outside_a_spike():
    model = llm.Model()
    await evening(model, world=World(WEEKS + RIDDLES[:3]))
    assert model.asked == []


async def test_the_days_budget_holds():
    model = llm.Model()
    world = await evening(model, allowance=replace(ALLOWANCE, requests=3))
    assert len(model.asked) == 3
    assert world.database.run_now(spending.spent, f"{STORM:%Y-%m-%d}").requests == 3


@pytest.mark.parametrize(
    "allowance",
    [
        replace(ALLOWANCE, requests=7),
        replace(ALLOWANCE, tokens=7 * 300),
        replace(ALLOWANCE, micros=7 * 300, price=1_000_000),
    ],
)
def test_many_at_once_never_overdraw_the_budget(tmp_path, allowance):
    """Two processes' worth of connections on one file, many tasks on each."""

    async def spend():
        databases = [Database(f"sqlite:///{tmp_path}/a.db") for _ in range(2)]
        databases[0].prepare()
        tries = [one.run(spending.reserve, "2026-12-15", 300, allowance) for one in databases for _ in range(40)]
        granted = sum(await asyncio.gather(*tries))
        spent = databases[0].run_now(spending.spent, "2026-12-15")
        for one in databases:
            one.close()
        return granted, spent

    granted, spent = asyncio.run(spend())
    assert granted == 7
    assert (spent.requests, spent.tokens) == (7, 2100)


async def test_what_was_not_used_is_given_back():
    model = llm.Model(tokens=61)
    world = await evening(model)
    assert world.database.run_now(spending.spent, f"{STORM:%Y-%m-%d}").tokens == 61 * len(RIDDLES)


def test_it_is_off_unless_configured():
    world = World([])
    assert wiring.second_opinion(world.settings, None) is None
    assert world.pipeline.parts.second is None
