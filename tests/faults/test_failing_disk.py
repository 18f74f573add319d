"""A disk that fails to sync, to read, or takes seconds, under the running service: said, survived, nothing lost."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime

import httpx
import pytest

from e2e.service import Brandmelder, wait_until
from faults.failing_disk import made_in
from peers.wordpress.processes import free_port

pytestmark = pytest.mark.e2e

CONFIG = """\
brand: Nordfunk
database: sqlite:///{home}/brandmelder.db
health: {{listen: "127.0.0.1:{probe}"}}
sources:
  desk: {{type: webhook, token: "${{DESK_TOKEN}}", listen: "127.0.0.1:{door}"}}
monitors:
  nordfunk: {{query: nordfunk}}
channels:
  console: {{type: console}}
alerts:
  - {{monitors: all, to: [console]}}
"""
STORED = "select count(*) from mention"


class Sick(Brandmelder):
    """The service on a disk that can be made to fail; what is sent to it is counted where it is acknowledged."""

    def __init__(self, home, **more):
        self.probe, self.door = free_port(), free_port()
        self.disk = made_in(home, files="brandmelder.db")
        self.acknowledged, self._sent = set(), 0
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(home / "notify"))
        self.manager.settimeout(30)
        environment = {"NOTIFY_SOCKET": str(home / "notify"), "WATCHDOG_USEC": "2000000", "DESK_TOKEN": "from-the-desk", **self.disk.environment}
        super().__init__(home, CONFIG.format(home=home, probe=self.probe, door=self.door), environment | more)

    def __exit__(self, *error):
        self.disk.be_well()
        self.manager.close()
        super().__exit__(*error)

    def send(self):
        """Send a mention; returns the status, and remembers what was acknowledged."""
        self._sent += 1
        written = datetime.now(UTC).isoformat()
        row = {"external_id": f"t-{self._sent}", "text": f"Nordfunk, Frage {self._sent}?", "published_at": written}
        answer = httpx.post(
            f"http://127.0.0.1:{self.door}/in/desk",
            content=json.dumps({"type": "mention.created", "data": row}),
            headers={"authorization": "Bearer from-the-desk"},
            timeout=60,
        )
        if answer.status_code == 204:
            self.acknowledged.add(row["external_id"])
        return answer.status_code

    def ask_probe(self, what):
        """Return whether it says that it is well, and what it says besides."""
        answer = httpx.get(f"http://127.0.0.1:{self.probe}/{what}", timeout=5)
        return answer.status_code == 200, answer.json()

    def begin(self):
        self.start()
        wait_until(self._hears, 30, "the door")

    def _hears(self):
        try:
            return self.send() == 204
        except httpx.TransportError:
            return False

    def kept(self):
        return {ident for (ident,) in self.rows("select external_id from mention")}
