"""Is anything lost or doubled when the process dies? kill -9 at every commit and send, and again in the recovery.

Run it by `make kills`: the service is a real process, Slack the strict peer of the tests. POINTS=… tries fewer.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import structlog

sys.path[0] = str(Path(__file__).parents[1] / "tests")


def main() -> int:
    from faults.kills import kill_everywhere

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    points = int(os.environ["POINTS"]) if "POINTS" in os.environ else None
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_everywhere(Path(folder), points=points)
    took = time.perf_counter() - begun
    print("points  kills  lost  doubled  unsound  seconds")
    print(
        f"{found.points:>6}{found.kills:>7}{found.lost:>6}{found.doubled:>9}{found.unsound:>9}{took:>9.0f}",
        *found.wrong,
        sep="\n",
    )
    return 1 if found.lost + found.doubled + found.unsound + len(found.wrong) else 0


if __name__ == "__main__":
    raise SystemExit(main())
