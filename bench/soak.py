"""Does anything grow in weeks without a restart? A month of the whole pipeline in virtual time, weighed every 5 days.

DAYS=… (30): a blog asked every two minutes and a press feed every fifteen, 80 mentions a day, a storm of 40 every third
day. Prints the process's memory, Python's objects, what the store holds and what an hour costs; the last line says by
how much memory grew since day ten, when everything that is kept for days is kept. Some of it is the bench's own: it
remembers every message that was sent.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import structlog

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # this folder has a pipeline of its own

from brandmelder.store import mentions  # noqa: E402
from pipeline.world import START, World, quiet_weeks, storm  # noqa: E402

DAYS = int(os.environ.get("DAYS", "30"))
DAY, STEP, SETTLED = timedelta(days=1), 5, 10


def resident() -> float:
    """Return the megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def main() -> None:
    """Live through the days."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    written = quiet_weeks(START + DAYS * DAY, days=DAYS + 28, per_day=80.0)
    for number, day in enumerate(range(1, DAYS, 3)):
        written += storm(START + day * DAY + timedelta(hours=19), 40, first=1_000_000 + 1000 * number)
    print(
        f"{'day':>4} {'MB':>7} {'objects':>9} {'mentions':>9} {'incidents':>10} {'deliveries':>11} {'ms an hour':>11}"
    )
    weights = {}
    with tempfile.TemporaryDirectory() as folder:
        world = World(written, path=Path(folder) / "soak.db")
        await world.begin(START)
        for day in range(0, DAYS + 1, STEP):
            began = time.process_time()
            await world.run_until(START + day * DAY)
            spent = time.process_time() - began
            gc.collect()
            weights[day] = resident()
            stored = world.database.run_now(mentions.count)
            print(
                f"{day:4} {weights[day]:7.1f} {len(gc.get_objects()):9} {stored:9} {len(world.incidents()):10} "
                f"{len(world.deliveries()):11} {spent / (STEP * 24) * 1000 if day else 0:11.1f}",
                flush=True,
            )
        world.database.close()
    settled = min(day for day in weights if day >= min(SETTLED, DAYS))
    print(f"since day {settled}: {weights[max(weights)] - weights[settled]:+.1f} MB in {max(weights) - settled} days")


if __name__ == "__main__":
    asyncio.run(main())
