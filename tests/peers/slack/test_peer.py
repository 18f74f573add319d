"""The peer behaves as Slack's documentation says, seen through the real slack-sdk."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from peers.slack import Channel, Fault, SlackPeer, Workspace, read_state

CHANNEL, TOKEN = "C0123456789", "xoxb-test"
RICH = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}]
LONG = {"type": "section", "text": {"type": "plain_text", "text": "x" * 2900}}
METADATA = {"event_type": "brandmelder_alert", "event_payload": {"key": "k1"}}


class Clock:
    def __init__(self):
        self.seconds = 1_795_000_000.0

    def __call__(self):
        return self.seconds


@asynccontextmanager
async def slack(**workspace):
    clock = Clock()
    async with SlackPeer(workspace=Workspace(clock=clock, **workspace)) as peer, aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=TOKEN, base_url=peer.url, session=session, retry_handlers=[])
        yield peer, client, clock


async def refused(call):
    with pytest.raises(SlackApiError) as error:
        await call
    return error.value.response


async def post(client, clock, **arguments):
    clock.seconds += 1
    # Not chat_postMessage: it warns of an empty text before Slack can refuse it.
    return await client.api_call("chat.postMessage", json={"channel": CHANNEL, "text": "x"} | arguments)


async def test_it_knows_its_tokens():
    async with slack() as (peer, client, _):
        assert (await client.api_test(foo="bar"))["args"] == {"foo": "bar"}
        who = await client.auth_test()
        assert who["bot_id"] == "B0BRANDMELD"
        assert "chat:write" in who.headers["X-OAuth-Scopes"]
        assert (await refused(client.auth_test(token="xoxb-other")))["error"] == "invalid_auth"
        assert (await refused(client.api_call("chat.meMessage")))["error"] == "unknown_method"
        peer.workspace.change_bot(refused="token_revoked")
        assert (await refused(client.auth_test()))["error"] == "token_revoked"
        client.token = None
        assert (await refused(client.auth_test()))["error"] == "not_authed"


async def test_what_is_posted_is_seen_with_its_metadata_only_if_asked_for():
    async with slack() as (peer, client, clock):
        sent = await post(client, clock, metadata=METADATA, blocks=RICH)
        assert [(seen.ts, seen.key) for seen in peer.visible()] == [(sent["ts"], "k1")]
        plain = await client.conversations_history(channel=CHANNEL)
        assert plain["messages"][0]["metadata"] == {"event_type": "brandmelder_alert"}
        full = await client.conversations_history(channel=CHANNEL, include_all_metadata=True)
        assert full["messages"][0]["metadata"] == METADATA


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x" * 4001}, "msg_too_long"),
        ({"blocks": [{"type": "marquee"}]}, "invalid_blocks"),
        (
            {"blocks": [{"type": "section", "text": {"type": "plain_text", "text": "x" * 2900}}] * 5},
            "msg_blocks_too_long",
        ),
        ({"metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"metadata": {"event_type": "a b", "event_payload": {}}}, "invalid_metadata_schema"),
        ({"metadata": {"event_type": "x", "event_payload": {"k": "x" * 9000}}}, "metadata_too_large"),
        ({"channel": "C0000000000"}, "channel_not_found"),
        ({"thread_ts": "1.0"}, "thread_not_found"),
        ({"reply_broadcast": True}, "invalid_arguments"),
        ({"client_msg_id": "x"}, "invalid_arguments"),
    ],
)
async def test_a_bad_post_is_refused_by_name_and_leaves_nothing(arguments, error):
    async with slack() as (peer, client, clock):
        assert (await refused(post(client, clock, **arguments)))["error"] == error
        assert peer.visible() == ()


async def test_rights_are_asked_for():
    async with slack() as (peer, client, clock):
        channel = peer.workspace.channels[CHANNEL]
        channel.members.clear()
        assert (await refused(post(client, clock)))["error"] == "not_in_channel"
        channel.members.add("U0BRANDMELD")
        channel.is_archived = True
        assert (await refused(post(client, clock)))["error"] == "is_archived"
        channel.is_archived = False
        peer.workspace.change_bot(scopes=frozenset({"chat:write"}))
        for call in (client.conversations_history(channel=CHANNEL), client.conversations_info(channel=CHANNEL)):
            assert (await refused(call))["error"] == "missing_scope"
        peer.workspace.change_bot(scopes=frozenset())
        assert (await refused(post(client, clock)))["needed"] == "chat:write"
        peer.workspace.channels["G0PRIVATE00"] = Channel(id="G0PRIVATE00", is_private=True, members=set())
        assert (await refused(client.conversations_info(channel="G0PRIVATE00")))["error"] == "channel_not_found"


async def test_one_message_a_second_and_fifty_histories_a_minute():
    async with slack() as (_, client, clock):
        await post(client, clock)
        limited = await refused(client.chat_postMessage(channel=CHANNEL, text="x"))
        assert (limited.status_code, limited.headers["Retry-After"]) == (429, "1")
        for _ in range(50):
            await client.conversations_history(channel=CHANNEL)
        clock.seconds += 20
        limited = await refused(client.conversations_history(channel=CHANNEL))
        assert limited.headers["Retry-After"] == "41"
        clock.seconds += 41
        await client.conversations_history(channel=CHANNEL)


async def test_history_comes_in_pages_newest_first_without_replies():
    async with slack(page=3) as (peer, client, clock):
        sent = [(await post(client, clock))["ts"] for _ in range(7)]
        await post(client, clock, thread_ts=sent[0])
        aloud = (await post(client, clock, thread_ts=sent[0], reply_broadcast=True))["ts"]
        seen, cursor = [], None
        while cursor != "":
            page = await client.conversations_history(channel=CHANNEL, cursor=cursor, limit=100)
            seen += [message["ts"] for message in page["messages"]]
            cursor = page["response_metadata"]["next_cursor"]
        assert seen == [aloud, *reversed(sent)]
        since = await client.conversations_history(channel=CHANNEL, oldest=sent[5])
        assert [message["ts"] for message in since["messages"]] == [aloud, sent[6]]
        since = await client.conversations_history(channel=CHANNEL, oldest=sent[5], inclusive=True)
        assert since["messages"][-1]["ts"] == sent[5]
        thread = await client.conversations_replies(channel=CHANNEL, ts=sent[0])
        assert [message["ts"] for message in thread["messages"]][::2] == [sent[0], aloud]
        assert thread["messages"][0]["reply_count"] == 2
        assert (await refused(client.conversations_replies(channel=CHANNEL, ts="1.0")))["error"] == "thread_not_found"
        assert len(peer.visible()) == 9


async def test_an_edit_replaces_keeps_metadata_and_needs_rich_text_again():
    async with slack() as (peer, client, clock):
        ts = (await post(client, clock, blocks=RICH, metadata=METADATA))["ts"]
        assert (await refused(client.chat_update(channel=CHANNEL, ts=ts, text="y")))["error"] == "block_mismatch"
        await client.chat_update(channel=CHANNEL, ts=ts, text="y", blocks=RICH)
        (seen,) = peer.visible()
        assert (seen.text, seen.key, bool(seen.edited)) == ("y", "k1", True)
        await client.chat_update(channel=CHANNEL, ts=ts, text="z", blocks=RICH, metadata={})
        assert peer.visible()[0].key == ""
        plain = (await post(client, clock))["ts"]
        await client.chat_update(channel=CHANNEL, ts=plain, text="nur Text")
        assert peer.visible()[1].blocks == ()


async def test_an_edit_may_be_refused():
    async with slack() as (peer, client, clock):
        ts = (await post(client, clock))["ts"]
        foreign = peer.workspace.person_posts("hallo")
        edit = lambda ts: client.chat_update(channel=CHANNEL, ts=ts, text="y")  # noqa: E731
        assert (await refused(edit("1.0")))["error"] == "message_not_found"
        assert (await refused(edit(foreign)))["error"] == "cant_update_message"
        assert (await refused(client.chat_delete(channel=CHANNEL, ts=foreign)))["error"] == "cant_delete_message"
        peer.workspace.edit_window = False
        assert (await refused(edit(ts)))["error"] == "edit_window_closed"
        peer.workspace.channels[CHANNEL].is_archived = True
        assert (await refused(edit(ts)))["error"] == "is_inactive"


async def test_a_changed_block_that_keeps_its_id_is_complained_of():
    async with slack() as (peer, client, clock):
        header = {"type": "header", "text": {"type": "plain_text", "text": "a"}, "block_id": "one"}
        ts = (await post(client, clock, blocks=[header]))["ts"]
        changed = header | {"text": {"type": "plain_text", "text": "b"}}
        await client.chat_update(channel=CHANNEL, ts=ts, text="x", blocks=[changed])
        assert peer.api.complaints == ["block_id one was kept although its block changed"]


async def test_what_is_deleted_is_gone():
    async with slack() as (peer, client, clock):
        ts = (await post(client, clock))["ts"]
        await client.chat_delete(channel=CHANNEL, ts=ts)
        assert peer.visible() == ()
        assert (await refused(client.chat_delete(channel=CHANNEL, ts=ts)))["error"] == "message_not_found"


async def test_only_a_member_sees_an_ephemeral_message_and_history_does_not():
    async with slack() as (peer, client, _):
        peer.workspace.channels[CHANNEL].members.discard("U0BEN")
        assert (await client.chat_postEphemeral(channel=CHANNEL, user="U0ANNA", text="x"))["ok"]
        assert (await refused(client.chat_postEphemeral(channel=CHANNEL, user="U0BEN", text="x")))["ok"] is False
        assert peer.visible() == ()


# ----------------------------------------------------------------------- faults

LANDS = [Fault.lost(), Fault(answer="reset", lands=True), Fault(answer="status", lands=True)]
LANDS += [Fault(answer=name, lands=True) for name in ("html", "plain", "list", "cut", "short")]
DOES_NOT = [Fault(answer=name) for name in ("close", "reset", "reset_early", "status", "html", "plain", "cut", "short")]
DOES_NOT += [Fault.named("channel_not_found"), Fault.limited("7")]


@pytest.mark.parametrize(
    ("fault", "stands"), [*((fault, 1) for fault in LANDS), *((fault, 0) for fault in DOES_NOT)], ids=str
)
async def test_a_fault_hides_whether_the_call_was_carried_out(fault, stands):
    async with slack() as (peer, client, clock):
        peer.faults.plan("chat.postMessage", fault)
        with pytest.raises((SlackApiError, aiohttp.ClientError, AttributeError)):
            await post(client, clock)
        assert len(peer.visible()) == stands
        assert (await post(client, clock))["ok"]


async def test_a_late_message_appears_when_its_time_has_come():
    async with slack() as (peer, client, clock):
        peer.faults.plan("chat.postMessage", None, Fault.lost(late=55.0))
        first = (await post(client, clock))["ts"]
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await post(client, clock)
        clock.seconds += 54
        assert len(peer.visible()) == 1
        clock.seconds += 1
        late = peer.visible()[1]
        assert float(late.ts) - float(first) == pytest.approx(56.0)


async def test_faults_by_chance_are_the_same_for_the_same_seed_and_can_be_stopped():
    async with slack() as (peer, client, clock):
        peer.faults.chance("chat.postMessage", Fault.named("fatal_error"), 0.5)
        failed = 0
        for _ in range(20):
            try:
                await post(client, clock)
            except SlackApiError:
                failed += 1
        assert failed == peer.faults.count == 20 - len(peer.visible())
        assert 0 < failed < 20
        peer.faults.stop()
        await post(client, clock)


async def test_it_runs_on_its_own_and_remembers_over_a_restart(tmp_path):
    state = tmp_path / "seen.jsonl"
    for texts in (["eins"], ["eins", "zwei"]):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "peers.slack", "--port", "0", "--state", str(state)),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        try:
            url = (await process.stdout.readline()).decode().strip()
            async with aiohttp.ClientSession() as session:
                client = AsyncWebClient(token=TOKEN, base_url=url, session=session, retry_handlers=[])
                fault = [{"answer": "close", "lands": True}] if texts[-1] == "zwei" else []
                root = url.removesuffix("api/")
                await session.post(f"{root}_peer/faults/chat.postMessage", json=fault)
                try:
                    await client.chat_postMessage(channel=CHANNEL, text=texts[-1], metadata=METADATA)
                except aiohttp.ServerDisconnectedError:
                    assert fault
                seen = json.loads(await (await session.get(f"{root}_peer/visible/{CHANNEL}")).text())
        finally:
            process.terminate()
            await process.wait()
        assert [one["text"] for one in seen] == texts
        assert [one.text for one in read_state(state)] == texts
    assert {one["key"] for one in seen} == {"k1"}
