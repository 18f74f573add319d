"""Messages over HTTP, from the door to the database: kept before they are answered, each once, strangers sent away."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from brandmelder import wiring
from brandmelder.capture import reception
from brandmelder.capture.reception import MOST_BODY, Place, Reception
from brandmelder.capture.signatures import sign, signing_key
from brandmelder.capture.sources.webhook import WebhookSource
from brandmelder.errors import StoreFull
from brandmelder.model import SourceId, SourceState
from brandmelder.serving import Listening
from brandmelder.settings import parse_settings
from brandmelder.store import arrivals, sources
from brandmelder.store.database import Database
from brandmelder.store.schema import mention
from pipeline.world import STORM

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DESK = SourceId("desk")
YAML = """
brand: Nordfunk
sources:
  desk: {type: webhook, secret: "${DESK_SECRET}", expect: 1h}
monitors:
  nordfunk: {query: nordfunk}
channels:
  crisis: {type: console}
alerts:
  - {monitors: all, to: [crisis]}
"""


def signed(body, *, ident="msg_1", at=STORM):
    raw = json.dumps(body).encode()
    stamp = str(int(at.timestamp()))
    headers = {"webhook-id": ident, "webhook-timestamp": stamp}
    headers["webhook-signature"] = sign(signing_key(SECRET), ident, stamp, raw)
    return {"content": raw, "headers": headers}


def created(number=1, text="Nordfunk antwortet nicht"):
    return {"type": "mention.created",
            "data": {"external_id": f"t-{number}", "text": text, "published_at": STORM.isoformat()}}  # fmt: skip


class House:
    """A pipeline behind a door on loopback."""

    def __init__(self):
        settings = parse_settings(YAML, Path("house.yaml"), {"DESK_SECRET": SECRET})
        self.database, self.said = Database("sqlite://"), []
        self.database.prepare()
        source = WebhookSource(DESK, settings.sources[DESK], None)
        self.pipeline = wiring.build(
            settings, database=self.database, sources={DESK: source}, notifiers={},
            on_failure=self.said.append,
        )  # fmt: skip
        self.now = STORM

    async def take(self, source, sent):
        await self.pipeline.receive(source, sent, self.now)

    @asynccontextmanager
    async def open(self):
        await self.pipeline.start(self.now)
        await self.pipeline.tick(self.now + timedelta(seconds=10))
        listening = Listening(Reception([DESK], self.take).app, "127.0.0.1", 0)
        serving = asyncio.create_task(listening.run())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.port}", trust_env=False) as sender:
            yield sender
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        self.database.close()

    def texts(self):
        return self.database.run_now(lambda c: list(c.scalars(select(mention.c.text).order_by(mention.c.id))))


@pytest.fixture
def house():
    return House()


async def test_what_is_sent_is_kept_once_before_it_is_answered(house):
    async with house.open() as sender:
        for _ in range(2):
            assert (await sender.post("/in/desk", **signed(created()))).status_code == 204
        assert house.texts() == ["Nordfunk antwortet nicht"]
        edited = created(text="Nordfunk hat geantwortet") | {"type": "mention.updated"}
        await sender.post("/in/desk", **signed(edited, ident="msg_2"))
        assert house.texts() == ["Nordfunk hat geantwortet"]
        await sender.post("/in/desk", **signed(created(), ident="msg_1"))
        assert house.texts() == ["Nordfunk hat geantwortet"], "a repeated message undoes nothing"
        gone = {"type": "mention.deleted", "data": {"external_id": "t-1"}}
        await sender.post("/in/desk", **signed(gone, ident="msg_3"))
        assert house.texts() == [""]


async def test_what_is_sent_is_judged_and_counted(house):
    async with house.open() as sender:
        await sender.post("/in/desk", **signed(created()))
        await house.pipeline.tick(house.now + timedelta(minutes=10))
        assert house.database.run_now(lambda c: c.scalar(select(func.count()).where(mention.c.judged))) == 1


async def test_strangers_and_broken_messages_are_answered_as_what_they_are(house):
    async with house.open() as sender:
        stranger = signed(created()) | {"content": b"{}"}
        assert (await sender.post("/in/desk", **stranger)).status_code == 401
        assert (await sender.post("/in/desk", content=b"")).status_code == 401
        refused = await sender.post("/in/desk", **signed({"type": "mention.created", "data": {"text": "x"}}))
        assert (refused.status_code, "external_id finds nothing" in refused.text) == (422, True)
        assert (await sender.post("/in/press", **signed(created()))).status_code == 404
        assert (await sender.get("/in/desk")).status_code == 405
        assert (await sender.post("/in/desk", content=b"x" * (MOST_BODY + 1))).status_code == 413
        assert house.texts() == []
        assert (await sender.post("/in/desk", **signed(created()))).status_code == 204, "a refused id may come again"


async def test_a_message_the_disk_cannot_take_is_not_said_to_be_kept(house):
    async with house.open() as sender:
        run, full = house.database.run, True

        async def disk(function, *arguments, **named):
            if full:
                raise StoreFull("the disk is full")
            return await run(function, *arguments, **named)

        house.database.run = disk
        answer = await sender.post("/in/desk", **signed(created()))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        full = False
        assert (await sender.post("/in/desk", **signed(created()))).status_code == 204
        assert house.texts() == ["Nordfunk antwortet nicht"]


async def test_more_than_can_be_under_way_is_asked_to_come_again(house, monkeypatch):
    monkeypatch.setattr(reception, "AT_ONCE", 1)
    taken, go_on = asyncio.Event(), asyncio.Event()
    take = house.take

    async def slowly(source, sent):
        taken.set()
        await go_on.wait()
        await take(source, sent)

    house.take = slowly
    async with house.open() as sender:
        first = asyncio.create_task(sender.post("/in/desk", **signed(created())))
        await taken.wait()
        busy = await sender.post("/in/desk", **signed(created(2), ident="msg_2"))
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "5")
        go_on.set()
        assert (await first).status_code == 204


async def test_silence_is_told_as_blindness_and_a_message_ends_it(house):
    async with house.open() as sender:
        for minutes in (70, 90, 110):
            await house.pipeline.tick(house.now + timedelta(minutes=minutes))
        row = house.database.run_now(sources.read_source, DESK)
        assert (row.state, "nothing has come since" in row.note) == (SourceState.FAILING, True)
        house.now += timedelta(minutes=111)
        await sender.post("/in/desk", **signed({"type": "heartbeat"}, at=house.now))
        row = house.database.run_now(sources.read_source, DESK)
        assert (row.state, row.blind_since) == (SourceState.OK, None)


async def test_a_place_that_is_taken_is_said(house):
    async with house.open() as sender:
        assert (await sender.get("/in/desk")).status_code == 405, "the first one is there"
        port = sender.base_url.port
        await Reception([DESK], house.take).run(Place.of(f"127.0.0.1:{port}"), house.said.append)
        assert f"nothing arrives for desk: 127.0.0.1:{port} cannot be listened on" in house.said[-1]


def test_ids_are_kept_for_as_long_as_senders_repeat(house):
    for days, is_new in ((0, True), (3, False), (4.1, True)):
        assert house.database.run_now(arrivals.take, DESK, "msg_1", STORM + timedelta(days=days)) == is_new
    house.database.close()
