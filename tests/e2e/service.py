"""The installed command as a process of its own, and the memory it leaves on the disk."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COMMAND = Path(sys.executable).parent / "brandmelder"


def wait_until(is_true: Callable[[], Any], within: float, what: str, *, every: float = 0.1) -> Any:
    """Return the first truth `is_true` gives; fails after `within` seconds with what was waited for."""
    deadline = time.monotonic() + within
    while not (found := is_true()):
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}"
        time.sleep(every)
    return found


class Brandmelder:
    """`brandmelder run` in `home`, started, killed and started again; entered, it is stopped at the end."""

    def __init__(self, home: Path, settings: str, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.config = home / "brandmelder.yaml"
        self.config.write_text(settings)
        self.log = home / "run.log"
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self.kill()
        if error[0] is not None:
            states = self.rows("select id, state, failures, note from source")
            sys.stderr.write(f"--- {self.log}\n{self.said()[-6000:]}\n{states}\n")

    def start(self) -> None:
        """Start the service; returns at once."""
        with self.log.open("ab") as out:
            command = [str(COMMAND), "run", "--config", str(self.config)]
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.home, env=self._environment
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)
        self._process = None

    def read_again(self) -> None:
        """Have the configuration read again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> int:
        """Ask it to end, as an operator does; returns its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout=30)
        self._process = None
        return code

    def ended(self, within: float = 30) -> int:
        """Wait until it ends by itself; returns its exit code."""
        assert self._process is not None
        code = self._process.wait(timeout=within)
        self._process = None
        return code

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """Return everything it wrote for people and machines."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def ask(self, *arguments: str, within: float = 60) -> subprocess.CompletedProcess[str]:
        """Run another command with the same configuration and return what became of it."""
        command = [str(COMMAND), *arguments, "--config", str(self.config)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=within, cwd=self.home, env=self._environment
        )

    # ----------------------------------------------------------------- memory

    @property
    def database(self) -> Path:
        """Where the store lies."""
        return self.home / "brandmelder.db"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the store beside the running process; no rows while there is no table yet."""
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            try:
                return connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def one(self, query: str, *values: object) -> Any:
        """Return the first value of the first row, None if there is none."""
        found = self.rows(query, *values)
        return found[0][0] if found else None
