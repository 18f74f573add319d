"""A peer with a clock of its own, and the notifier that speaks to it."""

from contextlib import asynccontextmanager
from datetime import timedelta

from brandmelder.model import Form
from notify.channels.samples import ALERT, VirtualClock, slack_notifier
from peers.slack import SlackPeer, Workspace

KEY = "NF-2026-042:open:crisis"
CHANNEL = "C0123456789"


class Scene:
    """A peer with a clock of its own, and the notifier that speaks to it."""

    def __init__(self, peer, notifier, clock):
        self.peer, self.notifier, self.clock = peer, notifier, clock
        self.workspace = peer.workspace

    async def push(self, message=ALERT, *, key=KEY, thread=None, form=Form.FULL):
        self.clock.advance(1)
        return await self.notifier.push(message, key=key, thread=thread, form=form)

    async def find(self, key=KEY, *, thread=None, back=120):
        since = self.clock.moment - timedelta(seconds=back)
        return await self.notifier.find(key, since=since, thread=thread)

    def asked(self, method):
        return [arguments for called, arguments in self.peer.api.requests if called == method]


@asynccontextmanager
async def scene(*, page=999, **options):
    clock = VirtualClock()
    async with SlackPeer(workspace=Workspace(clock=clock, page=page)) as peer:
        async with slack_notifier(options.pop("url", peer.url), **options) as notifier:
            yield Scene(peer, notifier, clock)
        assert peer.api.complaints == []
