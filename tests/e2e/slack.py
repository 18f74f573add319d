"""The strict Slack peer as a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from peers.wordpress.processes import Server, free_port

if TYPE_CHECKING:
    from types import TracebackType

TESTS = Path(__file__).parents[1]
CHANNEL = "C0123456789"
TOKEN = "xoxb-test"


class Slack:
    """What people see in the channel, read from outside; entered, it serves at `url`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api/"

    def __enter__(self) -> Self:
        self.plug_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()

    def plug_in(self) -> None:
        """Start it (again) under the same address; what people saw before is still there."""
        log = self.home / f"slack-{len(list(self.home.glob('slack-*.log')))}.log"
        state = self.home / "slack.jsonl"
        command = [sys.executable, "-m", "peers.slack", "--port", str(self.port), "--state", str(state)]
        self._server = Server(command, log=log, env={**os.environ, "PYTHONPATH": str(TESTS)})
        self._server.wait_for(lambda: self.url in log.read_text())

    def unplug(self) -> None:
        """Stop it: connections are refused."""
        self._server.stop()

    def visible(self) -> list[dict[str, Any]]:
        """Return everything that stands in the channel, replies included, oldest first."""
        answer = httpx.get(f"http://127.0.0.1:{self.port}/_peer/visible/{CHANNEL}", timeout=30, trust_env=False)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Return the messages of the channel itself, without the replies in threads."""
        return [one for one in self.visible() if not one["thread_ts"]]

    def plan(self, method: str, *, times: int = 1, **fault: Any) -> None:
        """Let the next calls of `method` go wrong (peers/slack/faults.py)."""
        address = f"http://127.0.0.1:{self.port}/_peer/faults/{method}"
        httpx.post(address, json=[fault] * times, timeout=30, trust_env=False).raise_for_status()

    def revoke(self) -> None:
        """Let the token be worth nothing until the peer is started again."""
        for method in ("auth.test", "chat.postMessage", "chat.update", "conversations.info", "conversations.history"):
            self.plan(method, times=1000, answer="error", error="token_revoked")
