"""Nights as people on call read them: every message in its order, held against what is so."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from brandmelder.model import Act, State
from brandmelder.notify.compose import plain_text
from brandmelder.pipeline.act import Wish, do
from pipeline.places import Place
from pipeline.test_duty import CALLING
from pipeline.world import World, mention, quiet_weeks

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 12, 15, 3, 0, tzinfo=BERLIN).astimezone(UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
REPEATED = CALLING.replace(
    '{to: "person:ben", after: 10m}]}', '{to: "person:ben", after: 10m}], escalation_repeats: 30m}'
)


class Reader(Place):
    """Somebody who reads a channel: `read` holds (moment, kind, message) of all that appeared or was edited."""

    def __init__(self, ident):
        super().__init__(ident)
        self.read = []

    async def push(self, message, *, key, thread, form):
        self.read.append((self.clock.now(), "reply" if thread else "alert", message))
        return await super().push(message, key=key, thread=thread, form=form)

    async def update(self, ref, message, *, key, form):
        self.read.append((self.clock.now(), "edit", message))
        return await super().update(ref, message, key=key, form=form)

    def texts(self, kind=None):
        return [(at, plain_text(message)) for at, one, message in self.read if kind in (None, one)]


def wave(at, counts, *, first=100_000):
    """So many complaints in each ten minutes from `at` on."""
    return [
        mention(
            first + 1000 * slot + number,
            (at + (slot + number / count) * 10 * MINUTE).replace(microsecond=0),
            angry=True,
        )
        for slot, count in enumerate(counts)
        for number in range(count)
    ]


async def night(mentions, *acts, until, yaml=REPEATED):
    """Run from an hour before the night's onset; `acts` are (moment, act, who)."""
    reader = Reader("crisis")
    world = World(
        quiet_weeks(NIGHT - HOUR, days=10) + mentions, yaml=yaml, places={"crisis": reader, "phone": Reader("phone")}
    )
    await world.begin(NIGHT - HOUR)
    for at, act, who in acts:
        await world.run_until(at)
        wish = Wish(incident=world.incidents()[-1].id, act=act, by=who)
        world.database.run_now(do, world.pipeline.parts, wish, world.clock.now())
    await world.run_until(until)
    return world, reader


BURST = (3, 6, 10, 14, 16, 12, 8, 5, 3, 1)


@pytest.fixture(scope="module")
def left_alone():
    """A storm of two hours; Anna takes it after half an hour and is not heard of again. In the morning it is calm."""
    taken = (NIGHT + 35 * MINUTE, Act.ACKNOWLEDGE, "Anna Berg")
    mentions = wave(NIGHT, BURST + (2,) * 8 + BURST)
    return asyncio.run(night(mentions, taken, until=NIGHT + 9 * HOUR))


def test_nobody_is_called_while_it_is_calm(left_alone):
    world, reader = left_alone
    (incident,) = world.incidents()
    assert incident.state is State.RESOLVED
    calls = [at for at, kind, message in reader.read if message.emoji == "📣"]
    assert calls, "the storm itself calls"
    assert [at for at in calls if at > incident.calm_since + 10 * MINUTE] == []


def test_a_call_says_since_when_nobody_is_on_it_not_since_when_it_burns(left_alone):
    world, reader = left_alone
    (incident,) = world.incidents()
    lapsed = next(step.at for step in world.timeline(incident.id) if step.act is Act.LAPSE)
    later = [(at, text) for at, text in reader.texts("reply") if at > lapsed and "niemand übernommen" in text]
    at, text = later[0]
    assert f"Seit {(at - lapsed) // MINUTE} min hat niemand übernommen" in text


def test_the_end_does_not_say_that_nobody_took_it_where_somebody_did(left_alone):
    _, reader = left_alone
    _, end = reader.texts("edit")[-1]
    assert "Übernommen nach" in end
    assert "Niemand hat übernommen" not in end
    assert "Zuletzt niemand zuständig" in end


def test_the_first_line_and_the_facts_below_speak_of_the_same_moment(left_alone):
    world, reader = left_alone
    (incident,) = world.incidents()
    growing = [text for at, text in reader.texts() if at < incident.opened_at + 30 * MINUTE and "in 60 min" in text]
    pairs = [(re.search(r" (\d+) in 60 min", text), re.search(r"(\d+) beantwortet", text)) for text in growing]
    told = {(int(first[1]), int(second[1])) for first, second in pairs if first and second}
    assert len(told) > 5
    assert {first for first, second in told if first > second} == set()


def test_no_source_is_called_late_because_nothing_new_was_found(left_alone):
    _, reader = left_alone
    assert [text for _, text in reader.texts() if "verspätet" in text] == []


def test_what_a_storm_gains_is_no_correction(left_alone):
    _, reader = left_alone
    assert [text for _, text in reader.texts() if "Korrigiert" in text] == []
