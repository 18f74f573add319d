"""The strict Slack peer as a process of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from peers.wordpress.processes import Server

if TYPE_CHECKING:
    from types import TracebackType

TESTS = Path(__file__).parents[1]
CHANNEL = "C0123456789"
TOKEN = "xoxb-test"


class Slack:
    """What people see in the channel, read from outside; entered, it serves at `url`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = ""

    def __enter__(self) -> Self:
        log = self.home / "slack.log"
        command = [sys.executable, "-m", "peers.slack", "--port", "0", "--state", str(self.home / "slack.jsonl")]
        self._server = Server(command, log=log, env={**os.environ, "PYTHONPATH": str(TESTS)})
        self._server.wait_for(lambda: "http" in log.read_text() and log.read_text().endswith("\n"))
        self.url = next(line for line in log.read_text().splitlines() if line.startswith("http"))
        self._client = httpx.Client(base_url=self.url.removesuffix("api/"), timeout=30, trust_env=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._server.stop()

    def visible(self) -> list[dict[str, Any]]:
        """Return everything that stands in the channel, replies included, oldest first."""
        answer = self._client.get(f"/_peer/visible/{CHANNEL}").raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Return the messages of the channel itself, without the replies in threads."""
        return [one for one in self.visible() if not one["thread_ts"]]

    def plan(self, method: str, **fault: Any) -> None:
        """Let the next call of `method` go wrong (peers/slack/faults.py)."""
        self._client.post(f"/_peer/faults/{method}", content=json.dumps([fault])).raise_for_status()
