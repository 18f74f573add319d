"""Whole evenings on which a channel is down: who is told instead, when, and what is said once it is back."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from brandmelder.model import DeliveryKind, DeliveryState
from brandmelder.notify.stand_in import CONFIRM
from brandmelder.pipeline.call_stand_ins import call_stand_ins
from brandmelder.pipeline.promise import scheduled
from brandmelder.store import deliveries
from notify.deliveries import NOTICE, a_delivery
from pipeline.duty import burning
from pipeline.places import Place
from pipeline.test_apart import open_
from pipeline.world import STORM, YAML, World, quiet_weeks, storm

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
BACK = STORM + 6 * HOUR
FALLBACK = YAML.replace("crisis: {type: console}", "crisis: {type: console, fallback: [post]}\n  post: {type: console}")
BY_ALERT = YAML.replace("crisis: {type: console}", "crisis: {type: console}\n  post: {type: console}").replace(
    "to: [crisis]", "to: [crisis], fallback: [post]"
)
NOBODY = YAML


@pytest.fixture(scope="module")
def mentions():
    return quiet_weeks(STORM - HOUR, days=24) + storm(STORM, 60)


async def _evening(mentions, *, yaml=FALLBACK, until=STORM + 8 * HOUR, **crisis):
    places = {"crisis": Place("crisis", **crisis), "post": Place("post", can_update=False)}
    if yaml is NOBODY:
        del places["post"]
    world = World(mentions, yaml=yaml, places=places)
    await world.begin(STORM - HOUR)
    await world.run_until(until)
    return world


@pytest.fixture(scope="module")
def down(mentions):
    """The channel is down from before the storm until six hours after its beginning."""
    return asyncio.run(_evening(mentions, down=((STORM - HOUR, BACK),)))


def test_who_stands_in_is_told_within_a_minute_and_reads_why(down):
    (incident,) = down.incidents()
    alert = down.places["post"].posts[0]
    assert alert[1] == f"{incident.id}:open:post"
    assert CONFIRM <= alert[0] - incident.opened_at <= CONFIRM + 2 * SECOND
    assert "Hier ersatzweise: Console (crisis) hat diese Meldung seit" in alert[2]


def test_the_channel_itself_is_told_once_soon_after_its_return_and_where_it_was_told_meanwhile(down):
    (incident,) = down.incidents()
    (alert,) = [post for post in down.places["crisis"].posts if post[1] == f"{incident.id}:open:crisis"]
    assert BACK <= alert[0] <= BACK + 2 * MINUTE
    told = down.places["post"].posts[0][0].astimezone(down.settings.zone)
    assert f"um {told:%H:%M} ersatzweise über Console (post) gemeldet" in alert[2]


def test_news_follows_the_alert_to_where_it_was_told(down):
    (incident,) = down.incidents()
    news = [post for post in down.places["post"].posts if ":thread:" in post[1]]
    assert news
    assert all(thread == f"{incident.id}:open:post" for _, _, _, thread in news)
    ended = down.timeline(incident.id)[-1]
    assert f"{incident.id}:thread:{ended.revision}:post" in [key for _, key, _, _ in news]


def test_nothing_is_told_twice_and_nothing_is_left_over(down):
    for place in down.places.values():
        keys = [key for _, key, _, _ in place.posts]
        assert len(keys) == len(set(keys))
    left = {one.state for one in down.deliveries()}
    assert left <= {DeliveryState.SENT, DeliveryState.SUPERSEDED, DeliveryState.DEAD}
    opens = [one for one in down.deliveries() if one.kind is DeliveryKind.OPEN]
    assert {one.state for one in opens} == {DeliveryState.SENT}


def test_a_channel_that_is_down_is_asked_about_once_a_minute(down):
    assert down.places["crisis"].attempts <= 6 * 60 * 1.3 + 40


async def test_a_fallback_of_the_alert_serves_like_one_of_the_channel(mentions):
    world = await _evening(mentions, yaml=BY_ALERT, down=((STORM - HOUR, BACK),), until=STORM + HOUR)
    assert world.places["post"].posts


async def test_a_channel_that_confirms_in_time_bothers_nobody_else(mentions):
    world = await _evening(mentions, until=STORM + 3 * HOUR)
    assert world.places["crisis"].posts
    assert world.places["post"].posts == []


async def test_a_refusal_for_good_is_told_elsewhere_at_once_and_said(mentions):
    world = await _evening(mentions, refuses=True, until=STORM + HOUR)
    (incident,) = world.incidents()
    assert world.places["post"].posts[0][0] - incident.opened_at <= 2 * SECOND
    assert any("token_revoked" in line for line in world.said)


BOTH = YAML.replace("crisis: {type: console}", "crisis: {type: console}\n  post: {type: console}").replace(
    "to: [crisis]", "to: [crisis, post]"
)


async def test_a_refusal_that_nobody_stands_in_for_is_told_to_the_other_channels(mentions):
    world = await _evening(mentions, yaml=BOTH, refuses=True, until=STORM + HOUR)
    (incident,) = world.incidents()
    texts = [text for _, key, text, _ in world.places["post"].posts if ":notice:" in key]
    assert len(texts) == 1
    assert f"Console (crisis) nimmt {incident.id} nicht an" in texts[0]
    assert f"brandmelder deliveries retry {incident.id}:open:crisis" in texts[0]


async def test_without_a_fallback_the_alert_is_still_tried_until_the_channel_is_back(mentions):
    world = await _evening(mentions, yaml=NOBODY, down=((STORM - HOUR, BACK),))
    (incident,) = world.incidents()
    (alert,) = [post for post in world.places["crisis"].posts if ":open:" in post[1]]
    assert BACK <= alert[0] <= BACK + 2 * MINUTE
    assert incident.id in alert[2]


async def test_one_message_a_second_and_openings_before_everything_else(mentions):
    spaced = {"spacing": timedelta(seconds=1)}
    world = await _evening(mentions, yaml=NOBODY, until=STORM + 3 * HOUR, **spaced)
    place = world.places["crisis"]
    moments = sorted([post[0] for post in place.posts] + [edit[0] for edit in place.edits])
    assert all(later - earlier >= SECOND for earlier, later in itertools.pairwise(moments))
    assert ":open:" in place.posts[0][1]


async def test_a_channel_that_hangs_holds_up_nobody_else(mentions):
    class Hanging(Place):
        async def push(self, message, *, key, thread, form):
            self.reached.set()
            await self.let_go.wait()
            return await super().push(message, key=key, thread=thread, form=form)

    hanging = Hanging("crisis")
    hanging.reached, hanging.let_go = asyncio.Event(), asyncio.Event()
    world = World(mentions, yaml=FALLBACK, places={"crisis": hanging, "post": Place("post", can_update=False)})
    await world.begin(STORM - HOUR)
    evening = asyncio.create_task(world.run_until(STORM + HOUR))
    await hanging.reached.wait()
    assert world.pipeline.is_delivering
    now = world.clock.now()
    for _ in range(2):
        now += CONFIRM
        await world.pipeline.deliver(now)
    (told,) = world.places["post"].posts
    assert told[1].endswith(":open:post")
    assert hanging.posts == []
    hanging.let_go.set()
    await evening
    assert [key for _, key, _, _ in hanging.posts].count(told[1].replace(":post", ":crisis")) == 1


async def test_somebody_stands_in_for_every_message_however_many_wait_longer():
    world = World([], yaml=FALLBACK, places={"crisis": Place("crisis"), "post": Place("post")})
    await world.begin(STORM)
    idents = [f"notice:{number:03d}:de" for number in range(510)]
    waiting = [
        a_delivery(NOTICE, key=f"{ident}:notice:crisis", due_at=STORM, created_at=STORM + number * SECOND / 100)
        for number, ident in enumerate(idents)
    ]
    world.database.run_now(deliveries.promise, scheduled(waiting))
    world.database.run_now(call_stand_ins, world.pipeline.parts, STORM + 2 * MINUTE)
    standing = [one for one in world.deliveries() if one.instead_of == "crisis"]
    assert len(standing) == len(idents)


class Hanging(Place):
    """A channel that takes what it is given, and is silent until it is let go."""

    def __init__(self, ident):
        super().__init__(ident)
        self.hangs, self.goes_on = asyncio.Event(), asyncio.Event()

    async def push(self, message, *, key, thread, form):
        self.hangs.set()
        await self.goes_on.wait()
        return await super().push(message, key=key, thread=thread, form=form)


async def test_that_somebody_stood_in_while_a_sending_hung_stays_noted():
    channel = Hanging("crisis")
    world = World([], yaml=FALLBACK, places={"crisis": channel, "post": Place("post")})
    await world.begin(STORM)
    world.database.run_now(open_, world.pipeline.parts, burning(STORM))
    sending = asyncio.ensure_future(world.pipeline.deliver(STORM))
    await channel.hangs.wait()
    world.database.run_now(call_stand_ins, world.pipeline.parts, STORM + 2 * MINUTE)
    channel.goes_on.set()
    await sending
    (opening,) = (one for one in world.deliveries() if one.channel == "crisis")
    assert (opening.state, opening.fallback_at) == (DeliveryState.SENT, STORM + 2 * MINUTE)
