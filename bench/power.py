"""Does a power cut take anything that was acknowledged? 2,000 cuts at every kind of write and sync.

Run it by `make power`. CUTS=… cuts another number of times.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import structlog

sys.path[0] = str(Path(__file__).parents[1] / "tests")

CUTS = int(os.environ.get("CUTS", "2000"))


def main() -> int:
    from faults.power import cut, recorded
    from faults.test_power import evening

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    transactions = recorded(evening)
    print(f"{len(transactions)} transactions of an evening\nsynchronous   cuts  unsynced  lost  corrupt  seconds")
    failed = 0
    for mode, times in (("FULL", CUTS), ("NORMAL", CUTS // 10)):
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            begun = time.perf_counter()
            found = cut(Path(folder), transactions, times=times, seed=2, synchronous=mode)
            took = time.perf_counter() - begun
        print(
            f"{mode:<12}{found.cuts:>6}{found.in_the_middle:>10}{found.lost:>6}{found.corrupt:>9}{took:>9.1f}",
            flush=True,
        )
        failed += mode == "FULL" and found.lost + found.corrupt > 0
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
