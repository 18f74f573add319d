"""How fast is the whole way? Prints mentions/s of a backtest, the cost of --help, and the idle cost of the service.

Every figure stands beside a peer of the same run, because machines are noisy: reading the same file with json alone,
`python -c pass`, and an asyncio loop that only sleeps.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

MENTIONS = int(os.environ.get("MENTIONS", "20000"))
SOURCES = int(os.environ.get("SOURCES", "200"))
IDLE_SECONDS = int(os.environ.get("IDLE_SECONDS", "40"))
SPANS = (("dense, 6 hours", 0.25), ("two days", 2.0), ("four days", 4.0))

CALM, ANGRY, STORMY = ("quiet", "neutral", "positive"), ("quiet", "negative"), ("storm", "critic", "sarcasm", "spot")
"""What the demo's people write: chapters of its book, and moods."""
NEGATIVE = 0.15
"""The share of negative mentions on a usual day."""
STORM = 0.05
"""The share of all mentions that belong to the one storm: all negative, at two thirds of the time."""

CONFIG = """
brand: Nordfunk
database: sqlite:///bench.db
sources:
  blog: {type: archive, path: mentions.jsonl, every: 1m}
monitors:
  nordfunk: {query: 'nordfunk -stellenanzeige', false_alarms: balanced}
channels:
  console: {type: console}
alerts:
  - {monitors: all, to: [console]}
"""


def archive(path: Path, count: int, days: float) -> None:
    """Write `count` mentions over `days`, by day twice as many as by night, and one storm of two hours or less."""
    from brandmelder.demo.voices import Voices

    voices = Voices(random.Random(11))
    rng, start, span = random.Random(7), datetime(2026, 10, 1, tzinfo=UTC), days * 86400
    onset, lasts = span * 2 / 3, min(7200.0, span / 12)
    rows = [(onset + lasts * rng.random(), True) for _ in range(round(count * STORM))]
    while len(rows) < count:
        at = rng.uniform(0, span)
        if days < 1 or rng.random() < (1.0 if 6 <= at % 86400 / 3600 < 23 else 0.5):
            rows.append((at, rng.random() < NEGATIVE))
    with path.open("w") as out:
        for number, (seconds, is_angry) in enumerate(sorted(rows)):
            at = (start + timedelta(seconds=int(seconds))).isoformat()
            mood = CALM if not is_angry else STORMY if onset <= seconds <= onset + lasts else ANGRY
            text = f"Nordfunk: {voices.say(*mood).text} {number}"
            row = {"id": str(number), "source": "blog", "author": f"a{number % 977}", "text": text, "published_at": at}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def throughput(folder: Path) -> None:
    from brandmelder.backtest.replay import replay
    from brandmelder.capture.sources.archive import read_mentions
    from brandmelder.settings import parse_settings

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    settings = parse_settings(CONFIG, folder / "bench.yaml", {})
    head = f"{'archive':16} {'mentions':>8} {'incidents':>9} {'wall s':>7} {'CPU s':>7} {'/wall s':>8} {'/CPU s':>8}"
    print(f"{head} | json.loads alone")
    for name, days in SPANS:
        path = folder / "mentions.jsonl"
        archive(path, MENTIONS, days)
        began = time.process_time()
        for line in path.read_bytes().splitlines():
            json.loads(line)
        alone = time.process_time() - began
        wall, cpu = time.perf_counter(), time.process_time()
        found = asyncio.run(replay(settings, list(read_mentions(path))))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(
            f"{name:16} {found.mentions:8} {len(found.told):9} {wall:7.1f} {cpu:7.1f} {found.mentions / wall:8.0f}"
            f" {found.mentions / cpu:8.0f} | {MENTIONS / alone:.0f}/CPU s",
            flush=True,
        )


def cpu_of(*command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start_up() -> None:
    binary = str(Path(sys.executable).parent / "brandmelder")
    helps = min(cpu_of(binary, "--help") for _ in range(5))
    alone = min(cpu_of(sys.executable, "-c", "pass") for _ in range(5))
    print(f"\nbrandmelder --help {helps * 1000:.0f} ms CPU, python -c pass {alone * 1000:.0f} ms, {helps / alone:.1f}x")


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>"""
ITEM = "<item><guid>{n}</guid><title>Nordfunk {n}</title><pubDate>Fri, 20 Nov 2026 13:05:11 GMT</pubDate></item>"


ASKED: list[str] = []
"""The paths that the service asked for."""


async def _serve(stop: asyncio.Event, port: asyncio.Future[int]) -> None:
    from aiohttp import web

    body = FEED.format(items="".join(ITEM.format(n=n) for n in range(30)))

    async def answer(request: web.Request) -> web.Response:
        ASKED.append(request.path)
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(text=body, content_type="application/rss+xml", headers={"ETag": '"1"'})

    application = web.Application()
    application.router.add_get("/{n}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port.set_result(runner.addresses[0][1])
    await stop.wait()
    await runner.cleanup()


def _proc(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return cpu, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def idle(folder: Path) -> None:
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    server = asyncio.create_task(_serve(stop, port))
    number = await port
    sources = "\n".join(
        f'  s{n}: {{type: feed, url: "http://127.0.0.1:{number}/{n}", every: 60s, allow_private: true}}'
        for n in range(SOURCES)
    )
    path = folder / "idle.yaml"
    text = CONFIG.replace("  blog: {type: archive, path: mentions.jsonl, every: 1m}", sources)
    path.write_text(text.replace("bench.db", str(folder / "idle.db")))
    binary = str(Path(sys.executable).parent / "brandmelder")
    service = await asyncio.create_subprocess_exec(
        binary, "run", "--config", str(path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await asyncio.sleep(75)
        before, _ = _proc(service.pid)
        ASKED.clear()
        began = time.monotonic()
        await asyncio.sleep(IDLE_SECONDS)
        after, memory = _proc(service.pid)
        share = (after - before) / (time.monotonic() - began)
        print(
            f"\nrun, {SOURCES} sources a minute: {share:.1%} of a core, {memory:.0f} MB beside the parser child; "
            f"{len(ASKED)} polls in {IDLE_SECONDS} s"
        )
    finally:
        service.terminate()
        await service.wait()
        stop.set()
        await server


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        throughput(folder)
        start_up()
        asyncio.run(idle(folder))


if __name__ == "__main__":
    main()
