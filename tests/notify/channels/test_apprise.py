"""The long tail: Apprise itself, posting to a receiver on this machine."""

import importlib.util

import pytest
from msgspec.structs import replace

from brandmelder.errors import PluginError
from brandmelder.model import ChannelId, Form
from brandmelder.notify.channels.apprise import AppriseNotifier
from brandmelder.notify.channels.apprise_options import AppriseOptions
from brandmelder.notify.message import QuoteText
from brandmelder.notify.notifier import RefusedPlace, Sent, Unclear, Uneditable, Unreadable
from brandmelder.options import Secret
from notify.channels.samples import ALERT, START
from peers.receiver import Answer, Receiver

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Apprise imports


def notifier(url):
    return AppriseNotifier(ChannelId("tail"), AppriseOptions(type="apprise", url=Secret(url)), tools=None)


async def push(channel, message=ALERT):
    return await channel.push(message, key="k", thread=None, form=Form.FULL)


async def test_apprise_sends_the_alert_and_no_at_sign_rings():
    async with Receiver() as peer:
        channel = notifier(f"json://127.0.0.1:{peer.port}/hook")
        assert list(await channel.check()) == []
        quote = QuoteText(text="@all wacht auf", label="blog", url="https://social.example/@anna/1")
        assert await push(channel, replace(ALERT, quotes=(quote,))) == Sent("k")
        (request,) = peer.requests
        assert request.json["title"] == ALERT.headline
        assert "＠all wacht auf" in request.json["message"]
        assert "https://social.example/@anna/1" in request.json["message"]
        await channel.close()


@pytest.mark.parametrize("answer", [Answer(500), Answer(403), Answer(broken="close")])
async def test_what_apprise_says_failed_may_have_arrived(answer):
    async with Receiver() as peer:
        peer.plan(answer)
        assert isinstance(await push(notifier(f"json://127.0.0.1:{peer.port}/hook")), Unclear)


async def test_an_address_that_apprise_does_not_know_is_said_without_showing_it():
    channel = notifier("nonsense://s3cret")
    (trouble,) = await channel.check()
    assert "s3cret" not in trouble
    assert isinstance(await push(channel), RefusedPlace)


async def test_nothing_is_edited_found_or_taken_back():
    channel = notifier("json://127.0.0.1/")
    assert isinstance(await channel.update("k", ALERT, key="k", form=Form.FULL), Uneditable)
    assert isinstance(await channel.find("k", since=START, thread=None), Unreadable)
    assert isinstance(await channel.delete("k"), RefusedPlace)


def test_without_apprise_the_service_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(PluginError, match='the extra "apprise"'):
        notifier("json://127.0.0.1/")
