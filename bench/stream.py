"""How many posts a second of Bluesky's stream does one core hear and sort out? The network writes some 36 a second.

A server in a process of its own says posts as the second wire does, as fast as they are taken, over loopback. What is
counted is this process's CPU time: the guarded connection, the protocol, reading, cleaning, matching. Beside it what a
program would do that only parses: websockets' own client with json. In the end the same with a reader that does not
come back: how much waits, and whether anything is lost when it does.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import re
import time
from datetime import UTC, datetime, timedelta

from aiohttp import web
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect as plainly

from brandmelder.capture.http import HttpClient
from brandmelder.capture.query import parse
from brandmelder.capture.source import Tools
from brandmelder.capture.sources.bluesky import BlueskyOptions, BlueskySource
from brandmelder.capture.stream import MOST
from brandmelder.capture.websocket import WebSockets
from brandmelder.demo.voices import Voices
from brandmelder.model import SourceId

COUNT = 30_000
WANTED_OF = 300
"""One in so many posts is asked for."""
FIRST = 24_708_718_469
START = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW = START + timedelta(seconds=COUNT / 36)


def frames(count: int) -> list[str]:
    voices, chance, said = Voices(random.Random(5)), random.Random(7), []
    texts = [voices.say(("quiet", "storm")[n % 2], ("neutral", "critic")[n % 2]).text for n in range(500)]
    for number in range(count):
        at = START + timedelta(seconds=number / 36)
        text = re.sub("nordfunk", "anbieter", texts[number % 500], flags=re.IGNORECASE)
        record = {
            "$type": "app.bsky.feed.post",
            "createdAt": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
            "embed": {
                "$type": "app.bsky.embed.external",
                "external": {"uri": "https://a.example/", "title": text[:60]},
            },
            "langs": ["de"],
            "text": f"{text} Nordfunk" if number % WANTED_OF == 0 else text,
        }
        payload = {
            "$type": "network.bsky.jetstream.subscribeEvents#commit",
            "seq": FIRST + number,
            "did": f"did:plc:{chance.randrange(36**12):024x}",
            "time": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
            "rev": "3l3qo2vutsw2b",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": f"3k{number:011d}",
            "cid": "bafyreidwaivazkwu67xztlmuobx35hs2lnfh3kolmgfmucldvhd3sgzcqi",
            "record": record,
        }
        said.append(json.dumps({"$type": "message", "payload": payload}))
    return said


def serve(pipe) -> None:
    said = frames(COUNT)

    async def answer(request):
        cursor = int(request.query.get("cursor", "0"))
        first = max(0, cursor - FIRST) if cursor < 10**15 else 0
        socket = web.WebSocketResponse(compress=False, protocols=("xrpc.v1.json",))
        await socket.prepare(request)
        try:
            for one in said[first:]:
                await socket.send_str(one)
            async for _ in socket:
                pass
        except ConnectionError:
            pass
        return socket

    async def main():
        application = web.Application()
        application.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())


def source(url: str, client: HttpClient, queries: int, *, everything: str = "nordfunk") -> BlueskySource:
    asked = [everything, *(f'(marke{n} OR "haus nummer {n}") -werbung' for n in range(queries - 1))]
    options = BlueskyOptions(type="bluesky", through="jetstream", servers=(url,), url=url)

    async def fetch(*_arguments, **_more):
        from brandmelder.capture.source import Answer

        return Answer(url=url, status=200, headers={"content-type": "application/json"}, body=b'{"profiles": []}')

    tools = Tools(
        fetch=fetch, parse_feed=None, connect=WebSockets(client).bind(source=SourceId("one"), allow_private=True)
    )
    return BlueskySource(SourceId("one"), options.asking([parse(one).tree for one in asked]), tools)


async def ours(url: str, queries: int) -> tuple[float, int]:
    client = HttpClient()
    one, cursor, found = source(url, client, queries), None, set()
    now, began = START + timedelta(seconds=1), time.process_time()
    while True:
        poll = await one.poll(cursor, now)
        cursor = poll.cursor
        found |= {mention.external_id for mention in poll.mentions}
        if not poll.more and now == NOW:
            break
        now = NOW
    spent = time.process_time() - began
    await client.close()
    return spent, len(found)


async def plain(url: str) -> tuple[float, int]:
    place = url.replace("http", "ws") + "xrpc/network.bsky.jetstream.subscribeEvents"
    began, found = time.process_time(), 0
    async with plainly(place, subprotocols=["xrpc.v1.json"], compression=None) as socket:
        for _ in range(COUNT):
            told = json.loads(await socket.recv())
            found += "Nordfunk" in told["payload"]["record"]["text"]
    return time.process_time() - began, found


async def held_up(url: str) -> str:
    """Everything is asked for, and for two seconds nobody takes it."""
    client = HttpClient()
    one = source(url, client, 1, everything="anbieter OR der OR die OR ich OR nicht OR ist OR seit OR heute")
    listening = asyncio.ensure_future(one.listen(lambda: None))
    await asyncio.sleep(0)
    poll, found, most = await one.poll(None, START), set(), 0
    await asyncio.sleep(2)
    most = one.waiting
    until = time.monotonic() + 60
    while len(found) < COUNT and time.monotonic() < until:
        poll = await one.poll(poll.cursor, NOW)
        found |= {mention.external_id for mention in poll.mentions}
        await asyncio.sleep(0)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await client.close()
    return f"held up for 2 s: {most:,} waited ({MOST:,} may), then {len(found):,} of {COUNT:,} came"


def main() -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{here.recv()}/"
    table = Table(title=f"{COUNT:,} posts of {len(frames(200)[100]):,} bytes, one in {WANTED_OF} asked for")
    for name in ("", "posts a CPU second", "found", "of a core at 36/s"):
        table.add_column(name, justify="left" if not name else "right")
    rows = [("brandmelder, 1 query", ours(url, 1)), ("brandmelder, 100 queries", ours(url, 100))]
    rows += [("websockets and json, no query language", plain(url))]
    for name, work in rows:
        spent, found = asyncio.run(work)
        table.add_row(name, f"{COUNT / spent:,.0f}", f"{found:,}", f"{36 * spent / COUNT:.2%}")
    Console(width=110).print(table)
    print(asyncio.run(held_up(url)))
    server.terminate()
    server.join()


if __name__ == "__main__":
    main()
