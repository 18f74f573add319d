"""Clicks when things go wrong: the service dies, Slack's connections lie, people may not, requests are forged."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import aiohttp
import pytest
from msgspec.structs import replace
from slack_sdk.signature import SignatureVerifier

from brandmelder.model import Act, State
from brandmelder.notify.channels.slack_clicks import from_interaction
from peers.slack import SlackPeer
from peers.wordpress.processes import free_port
from pipeline.duty import Duty, duty

# ------------------------------------------------------------------------ crashes


class PowerCut(BaseException):
    """The process dies here."""


def cut(database, at, *, after):
    """Pull the plug before or after the `at`-th transaction."""
    run, seen = database.run, [0]

    async def counted(function, *arguments, **named):
        seen[0] += 1
        if seen[0] == at and not after:
            raise PowerCut
        result = await run(function, *arguments, **named)
        if seen[0] == at and after:
            raise PowerCut
        return result

    database.run = counted


async def hear(scene, payload):
    """What a socket does with an envelope, then all that the timer does with the inbox."""
    await scene.timer.take(from_interaction(payload, "e1"))
    now = scene.clock.now()
    await scene.pipeline.hearer.apply(now)
    await scene.pipeline.deliver(now)
    await scene.pipeline.hearer.answer(now)


async def alerted(peer, folder):
    """Return somebody on duty before whose eyes an alert stands."""
    scene = Duty(peer, folder / "a.db")
    scene.begin()
    scene.burns()
    await scene.pipeline.start(scene.clock.now())
    await scene.pipeline.deliver(scene.clock.now())
    return scene


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 10))
async def test_a_crash_between_any_two_commits_loses_no_click_and_does_nothing_twice(tmp_path, at, after):
    async with SlackPeer() as peer:
        scene = await alerted(peer, tmp_path)
        payload = peer.people.press("U0ANNA", "snooze", peer.visible()[0].ts)
        cut(scene.database, at, after=after)
        try:
            await hear(scene, payload)
        except PowerCut:
            pass
        else:
            assert at > 6, "nothing died"
        await scene.pipeline.close()
        scene.begin()
        try:
            await hear(scene, payload)  # Slack sends again what was not acknowledged; else it is a repetition
            assert scene.acts() == [Act.OPEN, Act.SNOOZE]
            assert scene.is_settled()
            assert 1 <= len(scene.told("U0ANNA")) <= 2
        finally:
            await scene.pipeline.close()


async def test_what_was_written_down_is_done_at_the_next_start(tmp_path):
    async with SlackPeer() as peer:
        scene = await alerted(peer, tmp_path)
        payload = peer.people.press("U0ANNA", "acknowledge", peer.visible()[0].ts)
        await scene.pipeline.hearer.take(from_interaction(payload, "e1"), scene.clock.now())
        await scene.pipeline.close()
        scene.begin()
        await scene.run()
        try:
            await scene.until(lambda: scene.incident().state is State.ACKNOWLEDGED)
            await scene.until(lambda: "resolve" in scene.shown())
        finally:
            await scene.stop()


async def test_a_click_that_cannot_be_done_is_answered_and_keeps_no_other_from_being_done(tmp_path):
    async with SlackPeer() as peer:
        scene = await alerted(peer, tmp_path)
        for number, (person, act) in enumerate((("U0BEN", "acknowledge"), ("U0ANNA", "acknowledge"))):
            payload = peer.people.press(person, act, peer.visible()[0].ts)
            click = from_interaction(payload, f"e{number}")
            if person == "U0BEN":  # as a newer version wrote it, before this one was put back
                click = replace(click, act="applaud")
            await scene.pipeline.hearer.take(click, scene.clock.now())
        await scene.run()
        try:
            await scene.until(lambda: scene.incident().acknowledged_by == "Anna")
            (whisper,) = await scene.until(lambda: peer.workspace.whispered("U0BEN"))
            assert "Das ging nicht" in str(whisper)
            await scene.until(scene.is_settled)
        finally:
            await scene.stop()


async def test_a_form_that_cannot_be_opened_any_more_names_the_other_way(tmp_path):
    async with duty(tmp_path / "a.db") as scene:
        ts = await scene.alert()
        payload = scene.peer.people.press("U0ANNA", "dismiss", ts)
        scene.peer.workspace.triggers.clear()
        await scene.peer.sockets.deliver("interactive", payload)
        (text,) = await scene.until(lambda: scene.told("U0ANNA"))
        assert text == "Das Fenster ließ sich nicht öffnen. Schreib es in den Faden: keine krise sarkasmus"


# -------------------------------------------------------------------------- roles


async def test_only_listed_people_act_and_viewers_only_look(tmp_path):
    hears = 'app_token: "${SLACK_APP_TOKEN}"\n    roles: {U0ANNA: responder, U0BEN: viewer}'
    async with duty(tmp_path / "a.db", hears=hears, language="en") as scene:
        ts = await scene.alert()
        for person in ("U0BEN", "U0CEM"):
            await scene.peer.people.presses(person, "acknowledge", ts)
            assert (await scene.until(lambda person=person: scene.told(person)))[0].startswith("You may not do that")
        await scene.peer.people.says("U0BEN", "status", ts)
        await scene.until(lambda: len(scene.told("U0BEN")) == 2)
        assert scene.told("U0BEN")[1].startswith("NF-2026-042 is open")
        await scene.peer.people.presses("U0ANNA", "acknowledge", ts)
        await scene.until(lambda: scene.incident().state is State.ACKNOWLEDGED)
        assert scene.acts() == [Act.OPEN, Act.ACKNOWLEDGE]


async def test_without_the_right_to_names_the_handle_is_written_down(tmp_path):
    async with duty(tmp_path / "a.db") as scene:
        ts = await scene.alert()
        scene.peer.workspace.change_bot(scopes=frozenset({"chat:write", "channels:history"}))
        await scene.peer.people.presses("U0ANNA", "acknowledge", ts)
        await scene.until(lambda: scene.incident().acknowledged_by == "anna.schmidt")


# ------------------------------------------------------------------------ over HTTP

SECRET = "shh"


@asynccontextmanager
async def over_http(tmp_path):
    port = free_port()
    hears = f'signing_secret: "${{SLACK_SIGNING_SECRET}}"\n    listen: 127.0.0.1:{port}'
    async with (
        duty(tmp_path / "a.db", hears=hears) as scene,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        ts = await scene.alert()
        await scene.until(lambda: _is_open(port))
        yield scene, client, ts


def _is_open(port):
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def signed(body, *, secret=SECRET, skew=0, kind="application/x-www-form-urlencoded"):
    """Sign as Slack does, by slack-sdk's own function."""
    stamp = str(int(time.time()) + skew)
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature, "Content-Type": kind}


def form(payload):
    return urlencode({"payload": json.dumps(payload)}).encode()


async def posted(client, body, headers):
    async with client.post("/slack", data=body, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_signed_requests_do_the_same(tmp_path):
    async with over_http(tmp_path) as (scene, client, ts):
        body = form(scene.peer.people.press("U0ANNA", "acknowledge", ts))
        assert await posted(client, body, signed(body)) == (200, "")
        await scene.until(lambda: "resolve" in scene.shown())
        seen = scene.peer.workspace.person_posts("<@U0BRANDMELD> resolve", thread_ts=ts)
        saying = scene.peer.people.saying("app_mention", "U0ANNA", "<@U0BRANDMELD> resolve", seen, thread=ts)
        body = json.dumps(saying).encode()
        assert await posted(client, body, signed(body, kind="application/json")) == (200, "")
        await scene.until(lambda: scene.incident().state is State.RESOLVED)
        body = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
        assert await posted(client, body, signed(body, kind="application/json")) == (200, '{"challenge":"abc"}')


async def test_a_hundred_signed_clicks_at_once_are_one_change(tmp_path):
    async with over_http(tmp_path) as (scene, client, ts):
        bodies = [form(scene.peer.people.press("U0ANNA", "acknowledge", ts)) for _ in range(100)]
        answers = await asyncio.gather(*(posted(client, body, signed(body)) for body in bodies))
        assert {status for status, _ in answers} == {200}
        await scene.until(scene.is_settled, within=60)
        assert scene.acts() == [Act.OPEN, Act.ACKNOWLEDGE]


async def test_what_is_forged_old_or_replayed_is_refused(tmp_path):
    async with over_http(tmp_path) as (scene, client, ts):
        body = form(scene.peer.people.press("U0ANNA", "acknowledge", ts))
        proper = signed(body)
        refused = [
            (body + b" ", proper),
            (b"x" + body[1:], proper),
            (b"", proper),
            (body, signed(body, secret="other")),
            (body, signed(body, skew=-301)),
            (body, signed(body, skew=302)),
            *((body, proper | {"X-Slack-Signature": wrong}) for wrong in _mutations(proper["X-Slack-Signature"])),
            *((body, proper | {"X-Slack-Request-Timestamp": wrong}) for wrong in ("", "x", "1e9", "-1", "٣", "9" * 40)),
            *(
                (body, {key: value for key, value in proper.items() if key != name})
                for name in proper
                if "Slack" in name
            ),
        ]
        for one, headers in refused:
            assert (await posted(client, one, headers))[0] == 401
        assert scene.acts() == [Act.OPEN]
        assert await posted(client, body, proper) == (200, "")
        assert (await posted(client, body, proper))[0] == 401, "a replay"
        await scene.until(lambda: scene.acts() == [Act.OPEN, Act.ACKNOWLEDGE])


def _mutations(signature):
    return ["", "v0=", "v1" + signature[2:], signature[:-1], signature + "0", "v0=ü", signature.upper()] + [
        signature[:place] + ("0" if signature[place] != "0" else "1") + signature[place + 1 :]
        for place in range(3, len(signature))
    ]


async def test_signed_nonsense_is_a_bad_request_and_a_flood_is_cut_off(tmp_path):
    async with over_http(tmp_path) as (scene, client, _):
        for body, kind in (
            (b"payload=%7Bno", "application/x-www-form-urlencoded"),
            (b"nothing", "application/x-www-form-urlencoded"),
            (b"\xff\xfe", "application/x-www-form-urlencoded"),
            (b"payload=[]", "application/x-www-form-urlencoded"),
            (b"[" * 100_000, "application/json"),
        ):
            assert (await posted(client, body, signed_raw(body, kind)))[0] == 400
        large = b"payload=" + b"x" * 300_000
        assert (await posted(client, large, signed(large)))[0] == 413
        async with client.get("/slack") as answer:
            assert answer.status == 405
        assert scene.acts() == [Act.OPEN]


def signed_raw(body, kind):
    """Sign bytes that are no text, which slack-sdk's function does not take."""
    import hashlib
    import hmac

    stamp = str(int(time.time()))
    mark = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mark}", "Content-Type": kind}
