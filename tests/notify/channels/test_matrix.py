"""Messages in a room of a real homeserver; what only a peer can do wrong comes from one that is told to."""

import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import ValidationError

from brandmelder.capture.http import HttpClient
from brandmelder.model import ChannelId, Form
from brandmelder.notify.channels.matrix import MatrixNotifier
from brandmelder.notify.channels.matrix_content import content
from brandmelder.notify.channels.matrix_options import MatrixOptions
from brandmelder.notify.message import QuoteText, Span
from brandmelder.notify.notifier import Found, NotDelivered, RefusedForm, RefusedPlace, Sent, Tools, Unclear
from brandmelder.options import Secret
from notify.channels.samples import ALERT, START, a_subject
from peers.receiver import Answer, Receiver
from peers.synapse import IS_THERE, Synapse

KEY = "NF-2026-042:open:room"
TOLD = replace(ALERT, subject=a_subject())


@pytest.fixture(scope="module")
def synapse(tmp_path_factory):
    if not IS_THERE and os.environ.get("CI") != "true":
        pytest.skip("Synapse is not installed")
    with Synapse(tmp_path_factory.mktemp("synapse")) as peer:
        yield peer


@asynccontextmanager
async def talking(url, *, token="t", room="!room:peer.example"):
    client = HttpClient()
    options = MatrixOptions(type="matrix", homeserver=url, token=Secret(token), room=room, allow_private=True)
    tools = Tools(exchange=client.exchange(allow_private=True), now=lambda: datetime.now(UTC))
    notifier = MatrixNotifier(ChannelId("room"), options, tools)
    yield notifier
    await notifier.close()
    await client.close()


async def push(notifier, message=TOLD, *, key=KEY, thread=None, form=Form.FULL):
    return await notifier.push(message, key=key, thread=thread, form=form)


# ------------------------------------------------------------------ a real homeserver


async def test_an_alert_is_posted_edited_answered_and_taken_away(synapse):
    room = synapse.new_room()
    async with talking(synapse.url, token=synapse.token, room=room) as notifier:
        assert list(await notifier.check()) == []
        alert = await push(notifier)
        news = await push(notifier, key="NF-2026-042:thread:5:room", thread=alert.ref)
        calm = replace(TOLD, headline="Nordfunk – beruhigt")
        assert await notifier.update(alert.ref, calm, key="NF-2026-042:update:6:room", form=Form.FULL) == alert
        first, second, third = synapse.events(room)
        assert (first["event_id"], second["event_id"]) == (alert.ref, news.ref)
        assert first["content"]["body"].startswith(TOLD.lock_screen)
        assert first["content"]["m.mentions"] == {}
        assert second["content"]["m.relates_to"]["rel_type"] == "m.thread"
        assert second["content"]["m.relates_to"]["event_id"] == alert.ref
        assert third["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": alert.ref}
        assert "beruhigt" in third["content"]["m.new_content"]["body"]
        assert await notifier.delete(alert.ref) == Sent(alert.ref)
        assert await notifier.delete(alert.ref) == Sent(alert.ref)
        assert "body" not in synapse.events(room)[0]["content"]


async def test_the_same_key_is_shown_once_and_after_a_new_log_in_twice(synapse):
    room = synapse.new_room()
    async with talking(synapse.url, token=synapse.token, room=room) as notifier:
        assert await push(notifier) == await push(notifier)
        assert len(synapse.events(room)) == 1
    async with talking(synapse.url, token=synapse.login(), room=room) as notifier:
        await push(notifier)
    assert len(synapse.events(room)) == 2


async def test_what_a_homeserver_refuses(synapse):
    async with talking(synapse.url, token="wrong", room=synapse.room) as notifier:
        refused = await push(notifier)
        assert isinstance(refused, RefusedPlace)
        assert "M_UNKNOWN_TOKEN" in refused.reason
        assert "M_UNKNOWN_TOKEN" in (await notifier.check())[0]
    async with talking(synapse.url, token=synapse.token, room="!other:peer.example") as notifier:
        assert isinstance(await push(notifier), RefusedPlace)
        assert "is not in" in (await notifier.check())[0]
    async with talking(synapse.url, token=synapse.token, room=synapse.room) as notifier:
        huge = replace(TOLD, honest=tuple("ä" * 1000 for _ in range(40)))
        assert isinstance(await push(notifier, huge, key="huge"), RefusedForm)


async def test_a_room_that_is_encrypted_is_said(synapse):
    encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    room = synapse.new_room(initial_state=[encryption])
    async with talking(synapse.url, token=synapse.token, room=room) as notifier:
        (trouble,) = await notifier.check()
        assert "encrypted" in trouble


# ------------------------------------------------------------------------- a bad day


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(429, b'{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}'), timedelta(seconds=2.5)),
        (Answer(429, b'{"retry_after_ms": 9}', {"Retry-After": "4"}), timedelta(seconds=4)),
        (Answer(429, b"{}"), timedelta(seconds=30)),
    ],
)
async def test_being_asked_to_wait(answer, outcome):
    async with Receiver() as peer, talking(peer.url) as notifier:
        peer.plan(answer)
        refused = await push(notifier)
        assert isinstance(refused, NotDelivered)
        assert refused.retry_after == outcome


@pytest.mark.parametrize("answer", [Answer(200, b"<html>"), Answer(200, b"[]"), Answer(502), Answer(broken="reset")])
async def test_anything_else_is_unclear(answer):
    async with Receiver() as peer, talking(peer.url) as notifier:
        peer.plan(answer)
        assert isinstance(await push(notifier), Unclear)
        assert await notifier.find(KEY, since=START, thread=None) == Found(())


@given(st.one_of(st.text(max_size=60), st.sampled_from(["<b>x</b>", '"><img src=x>', "@room", "<a href=x>", "&lt;"])))
def test_strangers_words_make_no_tag_and_ring_nobody(words):
    said = replace(
        ALERT, sentence=(Span(text=words, foreign=True),), quotes=(QuoteText(text=words, label=words, url="x"),)
    )
    calm = replace(ALERT, sentence=(Span(text="x", foreign=True),), quotes=(QuoteText(text="x", label="x", url="x"),))
    html, expected = (content(one, key=KEY, form=Form.FULL)["formatted_body"] for one in (said, calm))
    assert html.count("<") == expected.count("<")
    assert content(said, key=KEY, form=Form.FULL)["m.mentions"] == {}
    assert "formatted_body" not in content(said, key=KEY, form=Form.PLAIN)


@pytest.mark.parametrize(
    "bad", [{"homeserver": "http://matrix.example"}, {"room": "#crisis:example"}, {"room": "!a/b"}]
)
def test_options_that_cannot_be_meant_are_refused(bad):
    fields = {"homeserver": "https://matrix.example", "token": Secret("t"), "room": "!a:example"} | bad
    with pytest.raises(ValidationError):
        MatrixOptions(type="matrix", **fields)
