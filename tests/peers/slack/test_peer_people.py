"""The peer's people and sockets behave as Slack's documentation says, seen through the real slack-sdk."""

import asyncio
import json
import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from peers.slack import SlackPeer, views

CHANNEL = "C0123456789"
VIEW = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Keine Krise"},
    "submit": {"type": "plain_text", "text": "Senden"},
    "blocks": [
        {
            "type": "input",
            "block_id": "person",
            "label": {"type": "plain_text", "text": "Wer?"},
            "element": {"type": "users_select", "action_id": "person"},
        }
    ],
}
BUTTONS = [
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "A"}, "value": "v"}],
    }
]


async def refused(call):
    with pytest.raises(SlackApiError) as error:
        await call
    return error.value.response["error"]


@pytest.fixture
async def peer():
    async with SlackPeer() as found:
        yield found


@pytest.fixture
async def client(peer):
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(token="xoxb-test", base_url=peer.url, session=session, retry_handlers=[])


async def test_only_an_app_token_opens_a_connection_and_each_address_one(peer, client):
    assert await refused(client.apps_connections_open(app_token="xoxb-test")) == "not_allowed_token_type"
    assert await refused(client.apps_connections_open(app_token="xapp-none")) == "invalid_auth"
    url = (await client.apps_connections_open(app_token="xapp-test"))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            hello = json.loads((await socket.receive()).data)
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_an_envelope_waits_for_its_acknowledgement_and_a_wrong_one_is_a_complaint(peer, client):
    sdk = SocketModeClient(app_token="xapp-test", web_client=client)
    heard = []

    async def hear(socket, request):
        heard.append(request.envelope_id)
        if len(heard) > 1:
            await socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    sdk.socket_mode_request_listeners.append(hear)
    await sdk.connect()
    await peer.sockets.until(lambda: peer.sockets.open)
    peer.sockets.deadline = 0.2
    one = await peer.sockets.deliver("events_api", {"type": "event_callback"})
    assert not await peer.sockets.answered(one)
    await peer.sockets.again(one)
    assert await peer.sockets.answered(one)
    assert heard == [one.id, one.id]
    await sdk.send_message(json.dumps({"envelope_id": "none"}))
    await peer.sockets.again(one)
    await peer.sockets.until(lambda: peer.sockets.complaints)
    await sdk.close()


async def test_a_ghost_swallows_its_share(peer, client):
    peer.sockets.ghosts = 1
    sdk = SocketModeClient(app_token="xapp-test", web_client=client)
    heard, half = [], asyncio.Event()

    async def hear(_socket, request):
        heard.append(request.envelope_id)
        if len(heard) == 5:
            half.set()

    sdk.socket_mode_request_listeners.append(hear)
    await sdk.connect()
    await peer.sockets.until(lambda: peer.sockets.open)
    sent = [(await peer.sockets.deliver("interactive", {"type": "x"})).id for _ in range(10)]
    async with asyncio.timeout(5):
        await half.wait()
    assert len(heard) == 5
    assert set(heard) < set(sent)
    await sdk.close()


async def test_a_form_is_opened_once_within_three_seconds_of_a_click(peer, client):
    ts = (await client.chat_postMessage(channel=CHANNEL, text="x", blocks=BUTTONS))["ts"]
    trigger = peer.people.press("U0ANNA", "a", ts)["trigger_id"]
    assert (await client.views_open(trigger_id=trigger, view=VIEW))["view"]["id"].startswith("V")
    assert await refused(client.views_open(trigger_id=trigger, view=VIEW)) == "invalid_trigger_id"
    late = peer.people.press("U0ANNA", "a", ts)["trigger_id"]
    peer.workspace.triggers[late] = (time.monotonic() - 3.1, "U0ANNA")
    assert await refused(client.views_open(trigger_id=late, view=VIEW)) == "expired_trigger_id"
    with pytest.raises(AssertionError, match="does not send a form without person"):
        peer.people.submission("U0ANNA")


async def test_what_nobody_sees_nobody_presses(peer, client):
    ts = (await client.chat_postMessage(channel=CHANNEL, text="x", blocks=BUTTONS))["ts"]
    with pytest.raises(AssertionError, match="no button b"):
        peer.people.press("U0ANNA", "b", ts)
    with pytest.raises(AssertionError, match="sees no message"):
        peer.people.press("U0ANNA", "a", "1.0")


async def test_names_need_their_right(peer, client):
    assert (await client.users_info(user="U0ANNA"))["user"]["profile"]["display_name"] == "Anna"
    assert await refused(client.users_info(user="U0NOBODY")) == "user_not_found"
    peer.workspace.change_bot(scopes=frozenset({"chat:write"}))
    assert await refused(client.users_info(user="U0ANNA")) == "missing_scope"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"title": {"type": "plain_text", "text": "x" * 25}}, "1 to 24 characters"),
        ({"title": {"type": "mrkdwn", "text": "x"}}, "plain_text"),
        ({"private_metadata": "x" * 3001}, "1 to 3000"),
        ({"type": "home"}, "must be modal"),
        ({"submit": None}, "submit is required"),
        ({"colour": "red"}, "invalid additional property"),
        ({"blocks": [{"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": {"type": "x"}}]}, "un"),
    ],
)
def test_a_form_that_slack_would_not_open_is_refused(changes, why):
    view = {key: value for key, value in (VIEW | changes).items() if value is not None}
    assert any(why in one for one in views.refusals(view))
    assert views.refusals(VIEW) == []
