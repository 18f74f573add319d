"""Alerts through a Slack that fails one call in five, told by a service that keeps dying; and by a naive sender.

The service is the real one: pipeline, SQLite on disk, slack-sdk. Time is virtual, so that a night passes in seconds.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from brandmelder.model import DeliveryKind, DeliveryState, Form, IncidentId, MonitorId
from brandmelder.notify.notifier import Sent
from brandmelder.store import deliveries
from notify.channels.samples import START, VirtualClock
from peers.slack import Fault, SlackPeer, Workspace
from pipeline.duty import Duty

APART = timedelta(minutes=3)
"""Between two alerts: closer ones would be gathered behind one message."""
FAULTS = (
    (Fault.lost(), 0.08),
    (Fault(answer="status", status=503, lands=True), 0.04),
    (Fault.lost(late=55.0), 0.04),
    (Fault(answer="close"), 0.02),
    (Fault(answer="reset_early"), 0.02),
)
"""Of each post: a fifth goes wrong, most of them unseen by the sender."""


class PowerCut(BaseException):
    """The process dies here."""


@dataclass
class Outcome:
    """What people saw in the end."""

    lost: int
    twins: int
    faults: int
    crashes: int


def faulty(peer):
    for fault, share in FAULTS:
        peer.faults.chance("chat.postMessage", fault, share)
    peer.faults.chance("conversations.history", Fault(answer="status", status=503), 0.1)
    peer.faults.chance("chat.delete", Fault.lost(), 0.1)


def ident(number):
    return IncidentId(f"NF-2026-{number:03d}")


def outcome(peer, alerts, crashes):
    seen = peer.workspace.keys()
    opened = Counter(key for key in seen if f":{DeliveryKind.OPEN.value}:" in key)
    return Outcome(alerts - len(opened), sum(opened.values()) - len(opened), peer.faults.count, crashes)


class Mortal(Duty):
    """The service under a virtual clock; it dies at the transactions it is told to, before or after them."""

    def __init__(self, peer, path, clock, deaths):
        super().__init__(peer, path, hears="")
        self.virtual, self.deaths, self.transactions, self.crashes = clock, deaths, 0, 0

    def begin(self):
        super().begin()
        run = self.database.run

        async def counted(function, *arguments, **named):
            self.transactions += 1
            at = self.transactions
            if (at, "before") in self.deaths:
                raise PowerCut
            result = await run(function, *arguments, **named)
            if (at, "after") in self.deaths:
                raise PowerCut
            return result

        self.database.run = counted

    async def lives(self, work):
        """Do some work, however often the process dies over it."""
        while True:
            try:
                return await work()
            except PowerCut:
                self.crashes += 1
                for notifier in self.pipeline.parts.notifiers.values():
                    await notifier.close()
                self.database.close()
                self.begin()
                await self.lives(lambda: self.pipeline.start(self.virtual.moment))

    async def until_moment(self, moment):
        """Deliver all that wants attention up to a moment."""
        while True:
            following = await self.lives(lambda: self.pipeline.deliver(self.virtual.moment))
            if following is None or (moment is not None and following > moment):
                break
            self.virtual.move_to(following)
            self.virtual.advance(1)
        if moment is not None:
            self.virtual.move_to(moment)


async def by_protocol(path, *, alerts, crashes, seed):
    """Tell alerts as the service does."""
    clock, drawn = VirtualClock(), random.Random(seed)
    deaths = {(at, drawn.choice(("before", "after"))) for at in drawn.sample(range(5, alerts * 8), crashes)}
    async with SlackPeer(workspace=Workspace(clock=clock), seed=seed) as peer:
        faulty(peer)
        service = Mortal(peer, path, clock, deaths)
        service.begin()
        await service.lives(lambda: service.pipeline.start(clock.moment))
        for number in range(alerts):
            service.burns(ident(number), monitor=MonitorId(f"m{number}"), at=clock.moment)
            await service.until_moment(START + (number + 1) * APART)
        peer.faults.stop()
        await service.until_moment(None)
        states = {one.state for one in service.deliveries() if one.kind is DeliveryKind.OPEN}
        assert states == {DeliveryState.SENT}
        await service.pipeline.close()
        return outcome(peer, alerts, service.crashes)


async def naively(path, *, alerts, crashes, seed):
    """Send, send again if no answer came, and begin again where it died: what most senders do."""
    clock, drawn = VirtualClock(), random.Random(seed)
    deaths = set(drawn.sample(range(alerts), min(crashes, alerts)))
    async with SlackPeer(workspace=Workspace(clock=clock), seed=seed) as peer:
        faulty(peer)
        service = Duty(peer, path, hears="")
        service.begin()
        notifier = service.pipeline.parts.notifiers["crisis"]
        for number in range(alerts):
            service.burns(ident(number), monitor=MonitorId(f"m{number}"), at=clock.moment)
            (promised,) = service.database.run_now(deliveries.of_incident, ident(number))
            message, _ = await _rendered(service, promised, clock.moment)
            while True:
                clock.advance(2)
                sent = await notifier.push(message, key=promised.key, thread=None, form=Form.FULL)
                if number in deaths:
                    deaths.discard(number)  # it died before it could write down that this one is told
                elif isinstance(sent, Sent):
                    break
        clock.advance(120)
        await service.pipeline.close()
        return outcome(peer, alerts, crashes)


async def _rendered(service, promised, now):
    from brandmelder.pipeline.render import render

    return await render(service.pipeline.parts, promised, now)
