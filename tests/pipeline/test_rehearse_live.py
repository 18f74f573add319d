"""The trial of a channel, through the real slack-sdk against the strict peer."""

from contextlib import asynccontextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

from brandmelder.clock import ReplayClock
from brandmelder.notify.compose import Context
from brandmelder.pipeline.rehearse_live import Trial
from notify.channels.samples import START
from notify.channels.scene import scene
from notify.channels.test_web_channels import CASES
from notify.channels.test_web_channels import scene as web_scene
from peers.chats import Mattermost


@asynccontextmanager
async def trial():
    async with scene() as here:
        context = Context(brand="Nordfunk", zone=ZoneInfo("Europe/Berlin"), now=here.clock.moment)

        async def pause(span):
            here.clock.advance(span.total_seconds())

        yield here, Trial(here.notifier, context, ReplayClock(here.clock.moment), pause=pause)


def steps(findings):
    return [(one.step, one.is_good) for one in findings]


async def test_everything_a_delivery_needs_is_tried_and_taken_away_again():
    async with trial() as (here, live):
        found = await live.run()
        assert [step for step, good in steps(found) if good][:5] == [
            "post",
            "find by its key",
            "edit",
            "answer",
            "find the answer by its key",
        ]
        assert steps(found)[-2:] == [("take away", True), ("take away", True)]
        assert ("may read the channel's history", True) in steps(found)
        assert all(one.took == timedelta(0) for one in found if one.took is not None)
        await here.notifier.pictures.close()
        assert here.peer.visible() == ()


async def test_a_missing_right_is_named_and_the_rest_is_tried():
    async with trial() as (here, live):
        here.workspace.change_bot(scopes=frozenset({"chat:write", "channels:read", "channels:history"}))
        found = {one.step: one for one in await live.run()}
        files = found["may hang files in the thread (files:write)"]
        assert not files.is_good
        assert "no picture" in files.text


class Lagging(Mattermost):
    def _since(self, moment):
        return {"posts": {}}


async def no_pause(span):
    assert span == timedelta(seconds=1)


async def test_a_history_that_lags_is_said(monkeypatch):
    monkeypatch.setitem(CASES, "lagging", (Lagging, *CASES["mattermost"][1:]))
    async with web_scene("lagging") as (_, _, notifier):
        context = Context(brand="Nordfunk", zone=ZoneInfo("Europe/Berlin"), now=START)
        found = await Trial(notifier, context, ReplayClock(START), pause=no_pause).run()
        assert ("find by its key", False) in steps(found)
        assert "not yet there" in next(one.text for one in found if not one.is_good)


async def test_a_channel_that_cannot_be_posted_to_is_left():
    async with trial() as (here, live):
        here.workspace.change_bot(scopes=frozenset({"channels:read"}))
        found = await live.run()
        assert {one.step for one in found} == {"check"}
        assert here.peer.visible() == ()
