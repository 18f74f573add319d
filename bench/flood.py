"""What does the door of a `webhook` source do under 2,000 messages a second? All that it acknowledged must be there.

The installed service, and a sender in this process over 250 kept connections, each of which waits for its answer;
beside it what must not suffer: a feed that is polled every second, and the probe. Before it the same calmly.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from e2e.service import wait_until
from faults.desk import Desk, Feed

RATE, SECONDS = 2000, 60
_HEAD = "POST /in/desk HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer from-the-desk\r\nContent-Length: {size}\r\n\r\n"


class Flood:
    """A sender: who is acknowledged is remembered."""

    def __init__(self, port, rate, seconds):
        self.port, self.rate, self.seconds = port, rate, seconds
        self.answers, self.acknowledged, self.took = Counter(), set(), []
        self._number, self._begins = 0, 0.0

    async def run(self):
        self._begins = time.monotonic()
        await asyncio.gather(*(self._send() for _ in range(max(1, self.rate // 8))))

    async def _send(self):
        line = None
        while time.monotonic() - self._begins < self.seconds:
            self._number += 1
            number = self._number
            ahead = number / self.rate - (time.monotonic() - self._begins)
            if ahead > 0:
                await asyncio.sleep(ahead)
            began = time.monotonic()
            try:
                line = line or await asyncio.open_connection("127.0.0.1", self.port)
                status = await self._ask(*line, number)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                line = None
                self.answers["cut"] += 1
                continue
            self.answers[status] += 1
            if status == 204:
                self.took.append(time.monotonic() - began)
                self.acknowledged.add(f"f-{self.rate}-{number}")

    async def _ask(self, reader, writer, number):
        row = {"external_id": f"f-{self.rate}-{number}", "text": f"Nordfunk, Frage {number}?"}
        row["published_at"] = datetime.now(UTC).isoformat()
        body = json.dumps({"type": "mention.created", "data": row})
        writer.write((_HEAD.format(size=len(body)) + body).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length: ")[2].partition("\r")[0] or 0)
        await reader.readexactly(size)
        return int(head.split(" ", 2)[1])


def _memory(process, what):
    return int(Path(f"/proc/{process}/status").read_text().partition(what)[2].split()[0]) >> 10


async def _watch(service, found):
    """Ask the probe twice a second how late the loop is; a probe that is slow to answer is late, too."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.probe}") as probe:
        while True:
            began = time.monotonic()
            answer = await probe.get("/livez", timeout=30)
            found.append((answer.json()["lag_seconds"], time.monotonic() - began, answer.status_code))
            await asyncio.sleep(0.5)


async def _measure(service, feed, rate, seconds):
    flood, seen = Flood(service.door, rate, seconds), []
    watching = asyncio.ensure_future(_watch(service, seen))
    flooding = asyncio.ensure_future(flood.run())
    await asyncio.sleep(seconds / 2)
    entry, began = f"entry-{rate}", time.monotonic()
    feed.entries.insert(0, entry)
    await asyncio.to_thread(wait_until, lambda: entry in service.kept(), 60, "the feed's entry")
    late = time.monotonic() - began
    await flooding
    watching.cancel()
    lost = flood.acknowledged - await asyncio.to_thread(service.kept)
    took = sorted(flood.took) or [0.0]
    return {
        "answered": sum(flood.answers.values()),
        "answered a second": f"{sum(flood.answers.values()) / seconds:.0f}",
        "204": flood.answers[204],
        "429": flood.answers[429],
        "503": flood.answers[503],
        "others": sum(count for status, count in flood.answers.items() if status not in {204, 429, 503}),
        "204 after s, p99": f"{took[int(0.99 * len(took))]:.2f}",
        "lost": len(lost),
        "loop late by s, at most": f"{max(lag for lag, _, _ in seen):.2f}",
        "probe answers after s, at most": f"{max(span for _, span, _ in seen):.2f}",
        "feed's entry kept after s": f"{late:.1f}",
        "memory MB": _memory(service.process, "VmRSS:"),
    }


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as home, Feed() as feed:
        more = f'  press: {{type: feed, url: "{feed.url}", every: 1s, allow_private: true}}\n'
        with Desk(Path(home), more=more) as service:
            service.begin()
            before = _memory(service.process, "VmRSS:")
            for rate, seconds in ((50, 10), (RATE, SECONDS)):
                rows.append(asyncio.run(_measure(service, feed, rate, seconds)))
            peak = _memory(service.process, "VmHWM:")
    table = Table(title=f"the door of a webhook source; memory {before} MB before, {peak} MB at most")
    for name in ("", "calm", "flood"):
        table.add_column(name, justify="right" if name else "left")
    for name in rows[0]:
        table.add_row(name, *(str(row[name]) for row in rows))
    Console().print(table)
    sys.exit(any(row["lost"] for row in rows))


if __name__ == "__main__":
    main()
