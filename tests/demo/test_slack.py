"""The demo in a workspace of one's own: an alert with buttons that work, and a clear word on what is missing."""

from __future__ import annotations

import asyncio
import io

import pytest
from rich.console import Console

from brandmelder.demo import play as showing
from brandmelder.demo.play import Play
from brandmelder.demo.workspace import NEEDED, with_slack
from brandmelder.errors import BrandmelderError
from peers.slack import SlackPeer, buttons

ENVIRONMENT = {"SLACK_BOT_TOKEN": "xoxb-test", "SLACK_APP_TOKEN": "xapp-test", "SLACK_CHANNEL": "C0123456789"}


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_missing_is_named(name):
    environment = {key: value for key, value in ENVIRONMENT.items() if key != name}
    with pytest.raises(BrandmelderError, match=f"needs {name} in the environment"):
        with_slack("channels:\n", environment)


async def test_a_button_pressed_in_the_workspace_shows_in_the_story(monkeypatch):
    monkeypatch.setattr(showing, "QUIET_SPEED", showing.UNPACED)
    file = io.StringIO()
    async with SlackPeer() as peer:
        environment = ENVIRONMENT | {"SLACK_API_URL": peer.url}
        play = Play(Console(file=file, width=200, highlight=False), language="de", seed=1, slack=environment)
        running = asyncio.ensure_future(play.run(is_paced=True, keep=False))
        try:
            async with asyncio.timeout(90):
                alert = await _first(peer, running)
                await peer.people.presses("U0ANNA", "acknowledge", alert.ts)
                while "resolve" not in buttons(peer.visible()[0].blocks):
                    assert not running.done()
                    await asyncio.sleep(0.05)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert "Anna" in str(peer.visible()[0].blocks)
        assert peer.sockets.complaints == []


async def _first(peer, running):
    while not (peer.visible() and peer.sockets.open):
        assert not running.done(), running.result()
        await asyncio.sleep(0.05)
    return peer.visible()[0]
