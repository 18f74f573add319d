"""How long does a backlog take after three days without its source? Every mention polled, judged, counted, evaluated.

MENTIONS=… sets how many came meanwhile (1,000,000). The baseline knows four weeks of the same volume: a backlog of calm
days must raise nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import structlog

sys.path[0] = str(Path(__file__).parents[1] / "tests")

MENTIONS = int(os.environ.get("MENTIONS", "1000000"))
OUTAGE = timedelta(hours=72)
PAGE = 1000
BIN = timedelta(minutes=5)


class Backlog:
    """A source that was away for three days and gives all of them, a thousand mentions a page."""

    def __init__(self, ident, begin):
        from brandmelder.options import SourceOptions
        from pipeline.world import mention

        self.Options, self.id, self.begin, self._mention = SourceOptions, ident, begin, mention

    async def poll(self, cursor, now):
        from brandmelder.capture.source import Poll
        from brandmelder.model import Cursor

        if cursor is None:
            return Poll(cursor=Cursor("0"), read_until=self.begin)
        first = int(cursor)
        numbers = range(first, min(first + PAGE, MENTIONS))
        found = tuple(self._of(number) for number in numbers)
        more = first + PAGE < MENTIONS
        read = found[-1].published_at if more else now
        return Poll(mentions=found, cursor=Cursor(str(first + len(found))), read_until=read, more=more)

    def _of(self, number):
        at = (self.begin + OUTAGE * number / MENTIONS).replace(microsecond=0)
        return self._mention(number, at, angry=number % 5 == 0, source=self.id)


async def measure(path):
    from pipeline.world import STORM, YAML, World

    yaml = YAML.replace("sources: [blog, press]", "sources: [blog]")
    world = World([], path=path, yaml=yaml)
    world._sources["blog"] = Backlog("blog", STORM)  # noqa: SLF001 -- the tests' world has no other door
    world.pipeline = world._wire()  # noqa: SLF001
    world.database.run_now(_four_weeks, STORM)
    await world.begin(STORM)
    await world.run_until(STORM + timedelta(minutes=1))
    world.clock.move_to(STORM + OUTAGE)
    begun = time.perf_counter()
    while world.database.run_now(_stored) < MENTIONS:
        following = await world.pipeline.tick(world.clock.now())
        world.clock.move_to(max(following, world.clock.now() + timedelta(seconds=1)))
    await world.pipeline.tick(world.clock.now() + timedelta(minutes=6))
    took = time.perf_counter() - begun
    incidents = len(world.incidents())
    world.database.close()
    return took, incidents


def _stored(connection):
    from brandmelder.store import mentions

    return mentions.count(connection)


def _four_weeks(connection, until):
    per_bin = MENTIONS / (OUTAGE / BIN)
    start = int((until - timedelta(days=28)).timestamp())
    rows = [
        ("nordfunk", start + 300 * number, "blog", True, per_bin, per_bin * 0.2, per_bin * 0.2, 0.0)
        for number in range(28 * 288)
    ]
    connection.connection.driver_connection.executemany("INSERT INTO bin VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def main() -> int:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as folder:
        took, incidents = asyncio.run(measure(Path(folder) / "a.db"))
    print("mentions   seconds  per second  false alerts")
    print(f"{MENTIONS:>8}{took:>10.1f}{MENTIONS / took:>12.0f}{incidents:>14}")
    return 1 if incidents else 0


if __name__ == "__main__":
    raise SystemExit(main())
