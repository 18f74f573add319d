"""Do 500 sources, and a judge ten times slower, hold anything up? The loop, the polls, and one alert are timed.

The real pipeline, timer and store on the wall clock; the sources are scripted, so that nothing but the service is
measured. Every source is polled once a minute and brings chatter; in one a storm begins. Four cases: few or many
sources, the judge as it is or doing its work ten times.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import structlog
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from brandmelder.clock import SystemClock
from brandmelder.model import DeliveryKind
from brandmelder.pipeline.timer import Timer

sys.path[0] = str(Path(__file__).parents[1] / "tests")

SPAN, STORM_AFTER = timedelta(minutes=4), timedelta(seconds=70)
CASES = ((20, 1), (20, 10), (500, 1), (500, 10))
TICK = 0.02
HEAD = """
brand: Nordfunk
short: NF
language: de
timezone: Europe/Berlin
sources:
"""
TAIL = """
monitors:
  nordfunk: {query: nordfunk, false_alarms: 1 per 30 days}
channels:
  crisis: {type: console}
alerts:
  - {monitors: all, to: [crisis]}
"""


class Slow:
    """A judge that does its work several times over."""

    def __init__(self, inner, times):
        self._inner, self._times = inner, times
        self.name, self.version, self.is_quick = inner.name, inner.version, inner.is_quick

    def classify(self, mentions):
        for _ in range(self._times - 1):
            self._inner.classify(mentions)
        return self._inner.classify(mentions)


class Timed:
    """A source that notes when it was asked."""

    def __init__(self, inner):
        self.id, self._inner, self.asked = inner.id, inner, []

    async def poll(self, cursor, now):
        self.asked.append(time.monotonic())
        return await self._inner.poll(cursor, now)


def world_of(count, times, now, path):
    from pipeline.world import World, mention, quiet_weeks, storm

    rows = "".join(f'  s{n}: {{type: feed, url: "https://s{n}.example/feed", every: 1m}}\n' for n in range(count))
    rng, numbers = random.Random(1), itertools.count(1_000_000)
    chatter = [
        mention(next(numbers), now + rng.random() * SPAN, angry=False, source=f"s{n}")
        for n in range(1, count)
        for _ in range(4)
    ]
    burning = storm(now + STORM_AFTER, 120, spread=timedelta(minutes=2))
    ours = [replace(one, source="s0") for one in (*quiet_weeks(now, days=20), *burning)]
    world = World(ours + chatter, yaml=HEAD + rows + TAIL, path=path)
    parts = world.pipeline.parts
    parts.classifier = Slow(parts.classifier, times)
    for ident, source in parts.sources.items():
        parts.sources[ident] = Timed(source)
    return world


async def _measure_loop(late):
    while True:
        began = time.monotonic()
        await asyncio.sleep(TICK)
        late.append(time.monotonic() - began - TICK)


async def _case(count, times, path):
    clock, late = SystemClock(), []
    now = clock.now()
    world = world_of(count, times, now, path)
    await world.pipeline.start(now)
    timer = Timer(world.pipeline, clock)
    running, measuring = asyncio.create_task(timer.run()), asyncio.create_task(_measure_loop(late))
    await asyncio.sleep(SPAN.total_seconds())
    measuring.cancel()
    timer.stop()
    await running
    gaps = sorted(
        later - earlier
        for source in world.pipeline.parts.sources.values()
        for earlier, later in itertools.pairwise(source.asked)
    )
    opened = [one for one in world.deliveries() if one.kind is DeliveryKind.OPEN and one.confirmed_at]
    told = min((one.confirmed_at for one in opened), default=None)
    world.database.close()
    late.sort()
    return (
        f"{count}",
        f"{times}",
        f"{late[int(0.99 * len(late))]:.3f}",
        f"{late[-1]:.2f}",
        f"{gaps[int(0.99 * len(gaps))] - 60:.1f}",
        f"{gaps[-1] - 60:.1f}",
        "never" if told is None else f"{(told - now - STORM_AFTER).total_seconds():.0f}",
    )


def main() -> None:
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # as in the service
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    table = Table(title="polls every 60 s; seconds")
    for name in ("sources", "judge x", "loop p99", "loop max", "poll late p99", "poll late max", "storm to alert"):
        table.add_column(name, justify="right")
    cases = CASES[-1:] if "--worst" in sys.argv else CASES
    for count, times in cases:
        with tempfile.TemporaryDirectory() as home:
            table.add_row(*asyncio.run(_case(count, times, Path(home) / "a.db")))
    Console().print(table)


if __name__ == "__main__":
    main()
