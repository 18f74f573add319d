"""How much does one hostile source delay the others? Lateness and length of their polls, beside a run without it (G8).

Twenty honest feeds are polled every five seconds by the service's own timer, client and parser child. The hostile one
takes turns: it drips, hangs, answers garbage, a bomb, a feed that keeps the parser busy. p99 must stay within 5 s.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import logging
import os
import sys
import tempfile
from pathlib import Path

import structlog
from aiohttp import web
from rich.console import Console
from rich.table import Table

from brandmelder import wiring
from brandmelder.clock import SystemClock
from brandmelder.pipeline.timer import Timer
from brandmelder.settings import parse_settings
from brandmelder.store.database import Database

HONEST, SECONDS, EVERY = 20, int(os.environ.get("SECONDS", "60")), 5
FEED = "<rss version='2.0'><channel>{}</channel></rss>"
ITEM = "<item><guid>n{0}</guid><link>https://a.example/{0}</link><description>Nordfunk {0}</description></item>"
RSS = {"content-type": "application/rss+xml"}


async def honest(_request):
    return web.Response(text=FEED.format("".join(ITEM.format(n) for n in range(20))), headers=RSS)


def hostile():
    turns = itertools.cycle(("drip", "hang", "garbage", "bomb", "busy"))
    busy = FEED.format("<item><guid>1</guid>" + "<!-- " + "<!--" * 200_000 + "</item>").encode()
    bomb = gzip.compress(b" " * (40 << 20))

    async def answer(request):
        match next(turns):
            case "drip":
                response = web.StreamResponse(headers=RSS)
                await response.prepare(request)
                for _ in range(200):
                    await response.write(b" ")
                    await asyncio.sleep(0.2)
                return response
            case "hang":
                await asyncio.sleep(60)
            case "garbage":
                return web.Response(body=os.urandom(1 << 20), headers=RSS)
            case "bomb":
                return web.Response(body=bomb, headers={**RSS, "content-encoding": "gzip"})
        return web.Response(body=busy, headers=RSS)

    return answer


async def measure(folder: Path, *, is_hostile: bool) -> tuple[list[float], list[float]]:
    servers = []
    for handler in (honest, hostile()):
        application = web.Application()
        application.router.add_get("/{path:.*}", handler)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        servers.append(runner)
    good, bad = (f"http://127.0.0.1:{runner.addresses[0][1]}" for runner in servers)
    rows = [f'  s{n}: {{type: feed, url: "{good}/{n}", every: {EVERY}s, allow_private: true}}' for n in range(HONEST)]
    if is_hostile:
        rows.append(f'  bad: {{type: feed, url: "{bad}/", every: {EVERY}s, allow_private: true}}')
    settings = parse_settings(
        "brand: Nordfunk\ntimezone: Europe/Berlin\nsources:\n" + "\n".join(rows) + "\nmonitors:\n"
        "  nordfunk: {query: nordfunk, sources: [s0]}\nchannels:\n  crisis: {type: console}\n"
        "alerts:\n  - {monitors: all, to: [crisis]}\n",
        folder / "a.yaml",
        {},
    )
    database, clock, reach = Database(f"sqlite:///{folder}/{is_hostile}.db"), SystemClock(), wiring.outside()
    database.prepare()
    pipeline = wiring.build(settings, database=database, sources=wiring.build_sources(settings, reach), notifiers={})
    timer, due, late, took, poll = Timer(pipeline, clock), {}, [], [], pipeline.poll

    async def timed(source, now):
        began = clock.now()
        following = await poll(source, now)
        if source != "bad":
            if source in due:
                late.append((began - due[source]).total_seconds())
            took.append((clock.now() - began).total_seconds())
        due[source] = following
        return following

    pipeline.poll = timed
    await pipeline.start(clock.now())
    running = asyncio.ensure_future(timer.run())
    await asyncio.sleep(SECONDS)
    timer.stop()
    await running
    await reach.close()
    await pipeline.close()
    for runner in servers:
        await runner.cleanup()
    return late, took


def p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))]


def main() -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    table = Table(title=f"{HONEST} honest feeds every {EVERY} s, for {SECONDS} s")
    for column in ("beside them", "polls", "late p50", "late p99", "late max", "took p99"):
        table.add_column(column, justify="right")
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for is_hostile in (False, True):
            late, took = asyncio.run(measure(Path(folder), is_hostile=is_hostile))
            worst = p99([max(0.0, one) for one in late])
            figures = (sorted(late)[len(late) // 2], p99(late), max(late), p99(took))
            name = "a hostile source" if is_hostile else "nobody"
            table.add_row(name, str(len(took)), *(f"{one:.2f} s" for one in figures))
    Console(width=100).print(table)
    return 0 if worst <= 5.0 else 1


if __name__ == "__main__":
    sys.exit(main())
