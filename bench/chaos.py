"""Is an alert ever lost or doubled? 3 × 400 alerts, a fifth of the posts failing, 30 crashes; beside a naive sender.

Run it by `make chaos`: the strict Slack of the tests is the other side.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import structlog

# Instead of this folder, whose pipeline.py would hide the tests' folder of that name.
sys.path[0] = str(Path(__file__).parents[1] / "tests")

ALERTS = int(os.environ.get("ALERTS", "400"))
CRASHES = int(os.environ.get("CRASHES", "30"))
SEEDS = (1, 2, 3)


async def main() -> int:
    from pipeline.chaos import by_protocol, naively

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    print("sender     seed  alerts  faults  crashes  lost  twins  seconds")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            for name, tell in (("protocol", by_protocol), ("naive", naively)):
                begun = time.perf_counter()
                path = Path(folder) / f"{name}-{seed}.db"
                found = await tell(path, alerts=ALERTS, crashes=CRASHES, seed=seed)
                took = time.perf_counter() - begun
                print(
                    f"{name:<10} {seed:>4} {ALERTS:>7} {found.faults:>7} {found.crashes:>8} {found.lost:>5} "
                    f"{found.twins:>6} {took:>8.1f}",
                    flush=True,
                )
                failed += name == "protocol" and (found.lost + found.twins) > 0
    return failed


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
