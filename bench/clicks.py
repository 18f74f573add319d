"""How soon is a click acknowledged? Clicks over the socket, alone and while the service counts, stores and delivers.

Slack gives 3 s; the aim is 300 ms at the 99th percentile. The peer beside it is the same socket acknowledging at once,
without writing anything down: what of the time is the network's and the event loop's.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import structlog

# Instead of this folder, whose pipeline.py would hide the tests' folder of that name.
sys.path[0] = str(Path(__file__).parents[1] / "tests")

CLICKS = int(os.environ.get("CLICKS", "300"))
PER_SECOND = float(os.environ.get("PER_SECOND", "20"))
BATCH = 500
AIM = 0.300


async def bare() -> list[float]:
    """Acknowledge at once."""
    from brandmelder.notify.channels.slack_socket import SlackSocket
    from brandmelder.options import Secret
    from peers.slack import SlackPeer

    class Nothing:
        async def take(self, _click: object) -> bool:
            return True

        def notice(self, text: str) -> None:
            print(text)

    async with SlackPeer() as peer:
        running = asyncio.ensure_future(SlackSocket(Secret("xapp-test"), peer.url).run(Nothing()))
        await peer.sockets.until(lambda: peer.sockets.open)
        ts = peer.workspace.person_posts("Alarm")
        stamps = [peer.workspace.stamp() for _ in range(CLICKS)]
        said = [peer.people.saying("message", "U0ANNA", "ack", stamp, thread=ts) for stamp in stamps]
        found = await clicked(peer, [("events_api", payload) for payload in said])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return found


async def service(folder: Path, *, loaded: bool) -> list[float]:
    """Click on the alert of a running service, which may have its hands full meanwhile."""
    from pipeline.duty import duty

    async with duty(folder / f"{loaded}.db") as scene:
        ts = await scene.alert()
        work = asyncio.ensure_future(busy(scene)) if loaded else None
        payloads = [
            ("interactive", scene.peer.people.press(("U0ANNA", "U0BEN", "U0CEM")[n % 3], "snooze", ts))
            for n in range(CLICKS)
        ]
        found = await clicked(scene.peer, payloads)
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        return found


async def busy(scene) -> None:
    """Write batches of mentions as a catch-up does, one after another, and judge and count them."""
    from brandmelder.pipeline.judge import judge
    from brandmelder.store import mentions
    from pipeline.world import mention

    number, now = 0, scene.clock.now()
    while True:
        batch = [mention(number + n, now - timedelta(seconds=n), angry=n % 5 == 0) for n in range(BATCH)]
        number += BATCH
        await scene.database.run(mentions.insert_mentions, batch, [one.external_id for one in batch])
        await judge(scene.pipeline.parts)


async def clicked(peer, payloads) -> list[float]:
    sent = []
    for kind, payload in payloads:
        sent.append(await peer.sockets.deliver(kind, payload))
        await asyncio.sleep(1 / PER_SECOND)
    answered = await asyncio.gather(*map(peer.sockets.answered, sent))
    assert all(answered), f"{answered.count(False)} clicks were not acknowledged within 3 s"
    return [one.seconds for one in sent]


async def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    print(f"{CLICKS} clicks, {PER_SECOND:.0f} a second, aim p99 <= {AIM * 1000:.0f} ms")
    print(f"{'':<34} {'p50 ms':>8} {'p99 ms':>8} {'worst':>8}")
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, trial in (
            ("peer: acknowledged unwritten", bare()),
            ("service at rest", service(folder, loaded=False)),
            (f"service storing {BATCH} at a time", service(folder, loaded=True)),
        ):
            found = await trial
            cuts = statistics.quantiles(found, n=100)
            print(f"{title:<34} {cuts[49] * 1000:>8.1f} {cuts[98] * 1000:>8.1f} {max(found) * 1000:>8.1f}", flush=True)
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    asyncio.run(main())
