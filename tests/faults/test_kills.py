"""kill -9 and kill -9 again: nothing is lost, nothing doubled. `make kills` does it at every point."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_service_killed_twice_loses_nothing_and_doubles_nothing(tmp_path):
    # In a process without threads: it forks.
    folders = os.pathsep.join(str(Path(__file__).parents[n] / name) for n, name in ((1, ""), (2, "service")))
    code = (
        "import sys, structlog; from pathlib import Path; from faults.kills import kill_everywhere\n"
        "structlog.configure(logger_factory=structlog.ReturnLoggerFactory())\n"
        "found = kill_everywhere(Path(sys.argv[1]), points=3)\n"
        "print(found); sys.exit(found.lost + found.doubled + found.unsound + len(found.wrong) + (found.kills < 3))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": folders},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr[-2000:]
