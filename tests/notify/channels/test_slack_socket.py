"""The socket itself: trouble is told once, ghosts are noticed, an address that leads nowhere is renewed."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from brandmelder.errors import StoreBusy
from brandmelder.notify.channels import slack_socket
from brandmelder.notify.channels.slack_blocks import render
from brandmelder.notify.channels.slack_socket import SlackSocket
from brandmelder.options import Secret
from notify.channels.samples import ALERT
from peers.slack import SlackPeer
from peers.slack.workspace import Seen


class Inbox:
    """Keeps what was handed over; `trouble` is what its disk says."""

    def __init__(self):
        self.clicks, self.notices, self.trouble = [], [], None
        self.changed = asyncio.Event()

    async def take(self, click):
        if self.trouble:
            raise self.trouble
        self.clicks.append(click)
        return True

    def notice(self, text):
        self.notices.append(text)
        self.changed.set()

    async def noticed(self):
        async with asyncio.timeout(10):
            await self.changed.wait()
        return self.notices


@asynccontextmanager
async def listening(peer, *, token="xapp-test", look_again=0.05):
    inbox = Inbox()
    socket = SlackSocket(Secret(token), peer.url, look_again=timedelta(seconds=look_again), beat=0.1)
    running = asyncio.ensure_future(socket.run(inbox))
    try:
        yield inbox
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert peer.sockets.complaints == []


async def test_a_ghost_is_told_after_a_second_look():
    async with SlackPeer() as peer:
        peer.sockets.ghosts = 1
        async with listening(peer) as inbox:
            (notice,) = await inbox.noticed()
        assert notice.startswith("Slack counts 2 connections of this app and we hold 1")
        assert peer.sockets.greeted == 2


async def test_a_connection_that_slack_forgets_soon_is_no_ghost():
    async with SlackPeer() as peer:
        peer.sockets.ghosts = 1
        async with listening(peer) as inbox:
            await peer.sockets.until(lambda: peer.sockets.greeted == 1)
            peer.sockets.ghosts = 0
            await peer.sockets.until(lambda: peer.sockets.greeted == 2)
            await peer.sockets.disconnect()
            await peer.sockets.until(lambda: peer.sockets.greeted == 3)
            assert await peer.sockets.answered(await peer.sockets.deliver("interactive", {"type": "shortcut"}))
        assert inbox.notices == []


@pytest.mark.parametrize(
    ("token", "says"),
    [("xapp-other", "does not know `app_token`"), ("xoxb-test", "begins with xapp-")],
)
async def test_a_wrong_token_is_told_once_in_words(token, says):
    async with SlackPeer() as peer, listening(peer, token=token) as inbox:
        (notice,) = await inbox.noticed()
        assert says in notice
        assert peer.sockets.greeted == 0


async def test_what_cannot_be_written_down_is_not_acknowledged():
    async with SlackPeer() as peer, listening(peer) as inbox:
        await peer.sockets.until(lambda: peer.sockets.open)
        ts = peer.workspace.person_posts("Alarm")
        inbox.trouble = StoreBusy("locked by another program")
        peer.sockets.deadline = 0.3
        spoken = peer.people.saying("message", "U0ANNA", "ack", peer.workspace.stamp(), thread=ts)
        lost = await peer.sockets.deliver("events_api", spoken)
        assert not await peer.sockets.answered(lost)
        assert inbox.notices == ["a click was not taken: locked by another program"]
        inbox.trouble = None
        await peer.sockets.again(lost)
        assert await peer.sockets.answered(lost)
        assert [click.act for click in inbox.clicks] == ["acknowledge"]


async def test_what_is_no_click_is_acknowledged_and_forgotten():
    async with SlackPeer() as peer, listening(peer) as inbox:
        await peer.sockets.until(lambda: peer.sockets.open)
        for kind, payload in (("slash_commands", {"command": "/x"}), ("interactive", {"type": "shortcut"})):
            assert await peer.sockets.answered(await peer.sockets.deliver(kind, payload))
        assert inbox.clicks == []


async def test_opening_the_page_is_acknowledged_and_is_no_click_of_staff():
    blocks = render(ALERT, receives_clicks=True)[1]
    (row,) = [block for block in blocks if block["type"] == "actions"]
    (details,) = [button for button in row["elements"] if "url" in button]
    async with SlackPeer() as peer, listening(peer) as inbox:
        await peer.sockets.until(lambda: peer.sockets.open)
        seen = Seen(channel="C0123456789", ts="1795000000.000001", text="x", user="U0BRANDMELD")
        pressed = peer.people.pressing("U0ANNA", details, seen)
        assert await peer.sockets.answered(await peer.sockets.deliver("interactive", pressed))
        acted = peer.people.pressing("U0ANNA", row["elements"][0], seen)
        assert await peer.sockets.answered(await peer.sockets.deliver("interactive", acted))
        assert [click.act for click in inbox.clicks] == ["acknowledge"]
        assert inbox.notices == []


async def test_an_address_that_leads_nowhere_is_renewed(monkeypatch):
    monkeypatch.setattr(slack_socket, "RENEW", timedelta(seconds=0.3))
    async with SlackPeer() as peer:
        good, addresses = peer.api.connect_url, iter(["ws://127.0.0.1:9/"])
        peer.api.connect_url = lambda: next(addresses, None) or good()
        async with listening(peer):
            await peer.sockets.until(lambda: peer.sockets.open)
