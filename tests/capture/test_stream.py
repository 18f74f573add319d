"""A stream that is heard by one task and read by polls: whatever breaks, dies or is not committed, nothing is lost."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest

from brandmelder.capture import jetstream, stream
from brandmelder.capture.source import Answer, Tools
from brandmelder.capture.sources.bluesky import BlueskyOptions, BlueskySource
from brandmelder.errors import SourceError, Transient
from brandmelder.model import SourceId

START = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SERVER = "https://stream.example"


class Sky:
    """A network in memory, whose time goes on with everything that happens."""

    def __init__(self, chance):
        self.chance = chance
        self.now = START
        self.log = []
        self.posts = {}
        self.is_broken = False

    def happens(self, **told):
        self.now += timedelta(seconds=self.chance.choice((0.01, 1, 30)))
        self.log.append({"did": "did:plc:a", "time_us": (self.now - EPOCH) // timedelta(microseconds=1), **told})

    def commit(self, operation, number, text=""):
        record = {"text": text, "createdAt": f"{self.now:%Y-%m-%dT%H:%M:%S}Z"}
        told = {"operation": operation, "collection": "app.bsky.feed.post", "rkey": str(number), "record": record}
        self.happens(kind="commit", commit=told)

    def step(self):
        """Let something happen: mostly somebody writes."""
        number = len(self.log)
        kind = self.chance.random()
        if kind < 0.5:
            self.posts[number] = f"Nordfunk {number}"
            self.commit("create", number, self.posts[number])
        elif kind < 0.6 and self.posts:
            gone = self.chance.choice(list(self.posts))
            del self.posts[gone]
            self.commit("delete", gone)
        elif kind < 0.7 and self.posts:
            changed = self.chance.choice(list(self.posts))
            self.posts[changed] += ", anders"
            self.commit("update", changed, self.posts[changed])
        else:
            self.happens(kind="identity")

    @asynccontextmanager
    async def connect(self, url, *, now, protocol="", takes=frozenset()):
        if self.is_broken:
            raise Transient("no connection")
        if "/subscribe?" not in url:
            yield Line(self, 0, Answer(url=url, status=404, headers={}, body=b""))
            return
        yield Line(self, int(parse_qs(urlsplit(url).query)["cursor"][0]))


class Line:
    def __init__(self, sky, cursor, refused=None):
        self.sky, self.refused = sky, refused
        self.at = next((n for n, one in enumerate(sky.log) if one["time_us"] >= cursor), len(sky.log))

    async def hear(self, patience):
        await asyncio.sleep(0)
        if self.sky.is_broken:
            raise Transient("broken")
        until = min(len(self.sky.log), self.at + self.sky.chance.randint(1, 9))
        said, self.at = self.sky.log[self.at : until], until
        return [json.dumps(one).encode() for one in said]


class Service:
    """The source as the service runs it: listening beside polls, over a database that may refuse; and it may die."""

    def __init__(self, sky):
        self.sky = sky
        self.cursor, self.stored, self.gaps = None, {}, []
        self.listening = None
        self.backups = []

    async def start(self):
        async def fetch(url, **_):
            return Answer(url=url, status=200, headers={"content-type": "application/json"}, body=b'{"profiles":[]}')

        options = BlueskyOptions(type="bluesky", through="jetstream", servers=(SERVER,), searches=("nordfunk",))
        tools = Tools(fetch=fetch, parse_feed=None, connect=self.sky.connect)
        self.source = BlueskySource(SourceId("one"), options, tools)
        self.listening = asyncio.create_task(self.source.listen(lambda: None))
        await self.poll()

    async def die(self):
        self.listening.cancel()
        await asyncio.gather(self.listening, return_exceptions=True)

    async def poll(self, *, is_committed=True):
        await asyncio.sleep(0)
        try:
            poll = await self.source.poll(self.cursor, self.sky.now)
        except SourceError:
            return None
        if is_committed:
            self.cursor = poll.cursor
            self.stored |= {one.external_id: one.text for one in poll.mentions}
            for one in poll.removals:
                self.stored.pop(one.external_id, None)
            self.gaps += poll.gaps
            self.backups.append((self.cursor, dict(self.stored)))
        return poll

    def restore(self):
        """Go back to what the database held some polls ago."""
        if self.backups:
            self.cursor, stored = self.sky.chance.choice(self.backups[-9:])
            self.stored = dict(stored)


async def act(chance, sky, service):
    """Let one thing happen: in the network, to the service, to its database."""
    what = chance.random()
    if what < 0.55:
        sky.step()
    elif what < 0.75:
        await service.poll()
    elif what < 0.85:
        await service.poll(is_committed=False)
    elif what < 0.9:
        await service.die()
        await service.start()
    elif what < 0.93:
        service.restore()
    elif what < 0.97:
        sky.is_broken = not sky.is_broken


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_breaks_dies_or_is_not_committed_everything_is_read(seed, monkeypatch):
    monkeypatch.setattr(stream, "SHORTEST_PAUSE", 0.0)
    monkeypatch.setattr(stream, "PER_POLL", 7)
    monkeypatch.setattr(stream, "MOST", 20)
    chance = Random(seed)
    sky = Sky(chance)
    service = Service(sky)
    await service.start()
    for _ in range(300):
        await act(chance, sky, service)
        for _ in range(chance.randint(0, 6)):
            await asyncio.sleep(0)
    sky.is_broken = False
    for _ in range(200):
        if chance.random() < 0.1:
            sky.happens(kind="identity")
        await service.poll()
        for _ in range(5):
            await asyncio.sleep(0)
    await service.die()
    wanted = {f"at://did:plc:a/app.bsky.feed.post/{number}": text for number, text in sky.posts.items()}
    assert service.stored == wanted
    assert service.gaps == []


async def test_when_nobody_listens_any_more_polls_hear_for_themselves():
    sky = Sky(Random(1))
    service = Service(sky)
    await service.start()
    await service.die()
    for _ in range(20):
        sky.step()
    while (await service.poll()).more:
        pass
    assert set(service.stored.values()) == set(sky.posts.values())


@pytest.mark.parametrize(
    "record",
    [
        '{"text": "x", "nest": ' + "[" * 5_000 + "]" * 5_000 + "}",
        '{"text": "x \\ud83d"}',
        '{"text": "x", "\\ud800": 1}',
        '{"text": 5}',
    ],
)
@pytest.mark.parametrize("wire", [1, 2])
def test_nobody_s_record_ends_the_stream_for_all(wire, record):
    def told(number, record):
        commit = f'"operation": "create", "collection": "app.bsky.feed.post", "rkey": "r", "record": {record}'
        if wire == 1:
            return f'{{"did": "d", "time_us": {number}, "kind": "commit", "commit": {{{commit}}}}}'.encode()
        about = f'"$type": "n#commit", "seq": {number}, "time": "2026-11-20T13:00:00Z", "did": "d"'
        return f'{{"$type": "message", "payload": {{{about}, {commit}}}}}'.encode()

    found = jetstream.read([told(1, '{"text": "vor"}'), told(2, record), told(3, '{"text": "nach"}')], wire)
    assert [one.record.text for one in found if one.number != 2] == ["vor", "nach"]
