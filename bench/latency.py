"""How long from an event to Slack's yes? The demo's storm, told anew by each seed, up to its first alert.

The event is the oldest mention of the poll that tips the scales. What passes until that poll is the story's time; the
tick from that poll to Slack's answer is the wall's, and nothing else would pass in between in a running service.
The peer beside it is one post to the same strict Slack: what of the tick is the network's. Aim: poll interval + 10 s.
"""

from __future__ import annotations

import asyncio
import logging
import os
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

import structlog

sys.path[0] = str(Path(__file__).parents[1] / "tests")

SEEDS = int(os.environ.get("SEEDS", "20"))
POLL, AIM = timedelta(minutes=1), timedelta(seconds=10)
ENVIRONMENT = {"SLACK_BOT_TOKEN": "xoxb-test", "SLACK_APP_TOKEN": "xapp-test", "SLACK_CHANNEL": "C0123456789"}


async def opening(seed: int) -> tuple[timedelta, float, float]:
    """Return how old the oldest mention of the poll was, the tick's seconds, and a bare post's seconds."""
    from brandmelder import wiring
    from brandmelder.clock import ReplayClock
    from brandmelder.demo import scenario as stories
    from brandmelder.demo.simulator import Simulator
    from brandmelder.demo.workspace import with_slack
    from brandmelder.settings import parse_settings
    from brandmelder.store import incidents, mentions
    from brandmelder.store.database import Database
    from peers.slack import SlackPeer

    scenario = stories.build(seed)
    clock, database = ReplayClock(scenario.evening), Database("sqlite://")
    database.prepare()
    async with SlackPeer() as peer, Simulator(scenario, clock) as sites:
        environment = ENVIRONMENT | {"SLACK_API_URL": peer.url}
        settings = parse_settings(with_slack(stories.config(sites.url), environment), Path("demo.yaml"), environment)
        reach = wiring.outside()
        notifiers = {ident: one for ident, one in wiring.build_notifiers(settings, reach).items() if ident == "crisis"}
        sources = wiring.build_sources(settings, reach)
        pipeline = wiring.build(settings, database=database, sources=sources, notifiers=notifiers)
        try:
            await pipeline.start(clock.now())
            while not peer.visible():
                assert clock.now() < scenario.end, "no alert"
                began, now = time.perf_counter(), clock.now()
                following = await pipeline.tick(now)
                took = time.perf_counter() - began
                clock.move_to(max(following, now + timedelta(seconds=1)))
            ((incident, _),) = await database.run(incidents.all_incidents)
            counted = await database.run(mentions.judged_between, incident.monitor, incident.onset, now, limit=5000)
            oldest = min(one.published_at for _, one, _ in counted if one.captured_at == now)
            began = time.perf_counter()
            await notifiers[next(iter(notifiers))].check()
            return now - oldest, took, time.perf_counter() - began
        finally:
            await reach.close()
            await pipeline.close()


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    found = [await opening(seed) for seed in range(1, SEEDS + 1)]
    total = sorted(age.total_seconds() + took for age, took, _ in found)
    ticks, bare = sorted(took for _, took, _ in found), sorted(post for _, _, post in found)
    print(f"{SEEDS} storms: event to Slack's yes: median {statistics.median(total):.1f} s, worst {total[-1]:.1f} s")
    print(f"of it poll to yes: median {statistics.median(ticks):.2f} s, worst {ticks[-1]:.2f} s")
    print(f"beside it a bare check of the channel: median {statistics.median(bare):.3f} s")
    limit = (POLL + AIM).total_seconds()
    print(f"aim {limit:.0f} s: {'met' if total[-1] <= limit else 'missed'}")


if __name__ == "__main__":
    asyncio.run(main())
