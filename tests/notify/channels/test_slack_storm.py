"""Four hundred alerts through a Slack that loses one answer in twelve: none doubled, none missing."""

from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, Form, IncidentId
from brandmelder.notify import delivery as life
from brandmelder.notify.notifier import Unclear
from notify.channels.samples import ALERT, VirtualClock, slack_notifier
from notify.driver import Driver
from peers.slack import Fault, SlackPeer, Workspace

ALERTS = 400
SHORT = replace(ALERT, sentence=(), spark="", lines=(), honest=(), quotes=(), buttons=(), footer=())
FAULTS = (
    (Fault.lost(), 0.04),
    (Fault(answer="status", status=503, lands=True), 0.02),
    (Fault.lost(late=55.0), 0.02),
    (Fault(answer="close"), 0.01),
)


def promised(number, now):
    incident = IncidentId(f"NF-{number:03}")
    return Delivery(
        key=life.key_of(incident, DeliveryKind.OPEN, step=None, channel=ChannelId("crisis")),
        incident=incident,
        channel=ChannelId("crisis"),
        kind=DeliveryKind.OPEN,
        revision=1,
        state=DeliveryState.DUE,
        due_at=now,
        created_at=now,
    )


@asynccontextmanager
async def lossy_slack():
    clock = VirtualClock()
    async with SlackPeer(workspace=Workspace(clock=clock), seed=7) as peer, slack_notifier(peer.url) as notifier:
        for fault, share in FAULTS:
            peer.faults.chance("chat.postMessage", fault, share)
        yield peer, notifier, clock


def doubled(keys):
    return len(keys) - len(set(keys))


async def test_the_protocol_doubles_nothing_and_loses_nothing():
    async with lossy_slack() as (peer, notifier, clock):
        driver = Driver(notifier, lambda one: replace(SHORT, incident=one.incident))
        for number in range(ALERTS):
            driver.save(promised(number, clock.moment))
            clock.advance(1.5)
            await driver.step(clock.moment)
        while (moment := driver.next_moment()) is not None:
            clock.move_to(moment)
            clock.advance(1)
            await driver.step(clock.moment)
        keys = peer.workspace.keys()
        unclear = {one.key for one in driver.saved if one.state is DeliveryState.UNCLEAR}
        assert len(unclear) >= ALERTS * 0.05, "too little went wrong to tell anything"
        assert (doubled(keys), ALERTS - len(set(keys))) == (0, 0)
        assert {one.state for one in driver.rows.values()} == {DeliveryState.SENT}
        refs = {seen.key: f"{seen.channel}:{seen.ts}" for seen in peer.visible()}
        assert refs == {one.key: one.ref for one in driver.rows.values()}


@pytest.mark.parametrize("looks", [False, True])
async def test_sending_again_at_once_doubles_even_after_a_look(looks):
    """What the protocol is for: without a look every lost answer doubles, without the quiesce every late one."""
    async with lossy_slack() as (peer, notifier, clock):
        for number in range(ALERTS):
            one = promised(number, clock.moment)
            while True:
                clock.advance(1.5)
                outcome = await notifier.push(SHORT, key=one.key, thread=None, form=Form.FULL)
                if not isinstance(outcome, Unclear):
                    break
                found = await notifier.find(one.key, since=one.created_at - life.LOOK_BACK, thread=None)
                if looks and found.refs:
                    break
        clock.advance(60)
        assert doubled(peer.workspace.keys()) > (0 if looks else ALERTS * 0.05)
