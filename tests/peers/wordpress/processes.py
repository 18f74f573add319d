"""Servers of a test: each in a process group that dies with the test, even if the test is killed."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

READY_WITHIN = 90.0
# The keeper holds the group: when its stdin closes (by us, or because we died), everything in the group is killed.
KEEPER = '"$@" & child=$!; read -r _; kill -KILL $child; wait $child; kill -KILL 0'


def free_port() -> int:
    """Return a port on loopback that nobody holds at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One command and its children in their own process group."""

    def __init__(self, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as out:
            self._keeper = subprocess.Popen(
                ["/bin/sh", "-c", KEEPER, "keeper", *command],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env=env,
                start_new_session=True,
            )

    def wait_for(self, is_ready: Callable[[], bool]) -> None:
        """Return when `is_ready`; raises RuntimeError with the end of the log when it takes too long."""
        deadline = time.monotonic() + READY_WITHIN
        while not is_ready():
            if time.monotonic() > deadline:
                self.stop()
                tail = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.log.name}: not ready after {READY_WITHIN:.0f} s\n{tail}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill the whole group; do nothing the second time."""
        if self._keeper.stdin is not None and not self._keeper.stdin.closed:
            self._keeper.stdin.close()
        self._keeper.wait(timeout=10)
