"""What is wrong with a Slack channel, its token or its block of the configuration, and that it is said."""

import dataclasses
import logging

import pytest
from pydantic import ValidationError

from brandmelder.notify.channels.slack_options import SlackOptions
from brandmelder.notify.notifier import Found, NotDelivered, RefusedPlace, Sent, Unreadable
from notify.channels.scene import CHANNEL, scene
from peers.slack import Fault

# -------------------------------------------------------------------------- check


async def test_a_channel_in_order_has_nothing_to_say():
    async with scene() as here:
        assert list(await here.notifier.check()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.change_bot(refused="token_revoked"), "the token was revoked"),
        (lambda w: w.change_bot(refused="invalid_auth"), "Slack does not know the token"),
        (lambda w: w.change_bot(refused="account_inactive"), "the app was removed from the workspace"),
        (lambda w: w.change_bot(refused="two_factor_setup_required"), "two_factor_setup_required"),
        (lambda w: w.channels.clear(), f"there is no channel {CHANNEL}"),
        (lambda w: w.channels[CHANNEL].members.clear(), "the app is not in #krise; write there: /invite @brandmelder"),
        (lambda w: setattr(w.channels[CHANNEL], "is_archived", True), "#krise is archived"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(change, said):
    async with scene() as here:
        change(here.workspace)
        (sentence,) = await here.notifier.check()
        assert said in sentence


@pytest.mark.parametrize("method", ["conversations.info", "conversations.history"])
async def test_what_slack_does_not_say_is_passed_on(method):
    async with scene() as here:
        here.peer.faults.plan(method, Fault.named("internal_error"))
        (sentence,) = await here.notifier.check()
        assert sentence.endswith("Slack answers internal_error")


@pytest.mark.parametrize("scope", ["chat:write", "channels:read", "channels:history"])
async def test_a_scope_that_is_missing_is_named(scope):
    async with scene() as here:
        here.workspace.change_bot(scopes=here.workspace.bots["xoxb-test"].scopes - {scope})
        (sentence,) = await here.notifier.check()
        assert f"the token lacks the scope {scope}" in sentence
        assert "install the app again" in sentence


async def test_a_slack_that_cannot_be_reached_is_said_and_not_raised():
    async with scene(url="http://127.0.0.1:1/api/") as here:
        (sentence,) = await here.notifier.check()
        assert "cannot be asked: ClientConnectorError" in sentence


# ------------------------------------------------------------------------- tokens


async def test_a_token_from_a_file_is_read_for_each_call_and_a_rotated_one_still_finds(tmp_path):
    file = tmp_path / "token"
    file.write_text("xoxb-test\n")
    async with scene(token=None, token_file=file) as here:
        alert = await here.push()
        here.workspace.bots["xoxb-next"] = dataclasses.replace(here.workspace.bots.pop("xoxb-test"), token="xoxb-next")
        assert isinstance(await here.push(), RefusedPlace)
        file.write_text("xoxb-next\n")
        assert await here.find() == Found((alert.ref,))


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
async def test_a_token_that_cannot_be_read_was_not_delivered(tmp_path, content):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    async with scene(token=None, token_file=file) as here:
        outcome = await here.push()
        assert isinstance(outcome, NotDelivered)
        assert str(file) in outcome.reason
        assert isinstance(await here.find(), Unreadable)
        assert str(file) in (await here.notifier.check())[0]
        assert here.peer.api.requests == []


async def test_neither_token_nor_texts_reach_a_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with scene() as here:
        here.peer.faults.plan("chat.postMessage", None, Fault(answer="cut"), Fault.named("fatal_error"))
        for _ in range(3):
            await here.push()
        await here.find()
    assert "xoxb-test" not in caplog.text
    assert "kein Netz" not in caplog.text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "exactly one of `token` and `token_file`"),
        ({"token": "x", "token_file": "/x"}, "exactly one of `token` and `token_file`"),
        ({"token": "x", "channel": "#krise"}, "'#krise' is no channel id"),
        ({"token": "x", "channel": "c0123456789"}, "is no channel id"),
        ({"token": "x", "api_url": "http://slack.example/api/"}, "would carry the token in clear"),
        ({"token": "x", "api_url": "slack.com/api"}, "write https://"),
        ({"token": "x", "chanel": "C0123456789"}, "chanel"),
    ],
)
def test_options_that_would_not_do_say_why(options, said):
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        SlackOptions(**{"type": "slack", "channel": "C0123456789"} | options)


def test_an_address_gets_its_slash():
    options = SlackOptions(type="slack", token="x", channel="C0123456789", api_url="https://slack.example/api")
    assert options.api_url == "https://slack.example/api/"
    assert "x" not in repr(options.token)


async def test_closing_twice_is_no_error():
    async with scene() as here:
        await here.push()
        await here.notifier.close()
        await here.notifier.close()
        assert isinstance(await here.push(), Sent)
