"""An evening on duty: a burning incident, the real service on a real database, a strict Slack, and people in it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from brandmelder import wiring
from brandmelder.clock import SystemClock
from brandmelder.model import (
    Act,
    Course,
    Evidence,
    Incident,
    IncidentId,
    MonitorId,
    SourceId,
    Spike,
    SpikeKind,
    State,
    Transition,
)
from brandmelder.notify.notifier import Tools
from brandmelder.pipeline.promise import promise_change
from brandmelder.pipeline.timer import Timer
from brandmelder.settings import parse_settings
from brandmelder.store import clicks, deliveries, incidents
from brandmelder.store.database import Database
from peers.slack import SlackPeer, buttons

IDENT = IncidentId("NF-2026-042")
HOUR = timedelta(hours=1)
CHANNEL = "C0123456789"
YAML = """
brand: Nordfunk
short: NF
language: {language}
timezone: Europe/Berlin
sources:
  blog: {{type: feed, url: "https://blog.example/feed", every: 60m}}
monitors:
  nordfunk: {{query: nordfunk, sources: [blog]}}
channels:
  crisis:
    type: slack
    token: "${{SLACK_BOT_TOKEN}}"
    channel: C0123456789
    api_url: {url}
    {hears}
alerts:
  - {{monitors: all, to: [crisis]}}
"""
SECRETS = {"SLACK_BOT_TOKEN": "xoxb-test", "SLACK_APP_TOKEN": "xapp-test", "SLACK_SIGNING_SECRET": "shh"}
BY_SOCKET = 'app_token: "${SLACK_APP_TOKEN}"'


def burning(now, ident=IDENT, **fields) -> Incident:
    spike = Spike(
        kind=SpikeKind.NEGATIVE,
        since=now - HOUR,
        until=now,
        window=HOUR,
        observed=38,
        usual_low=2,
        usual_high=6,
        expected=3.8,
        score=6.0,
    )
    known = {
        "id": ident,
        "monitor": MonitorId("nordfunk"),
        "kind": SpikeKind.NEGATIVE,
        "state": State.OPEN,
        "revision": 1,
        "onset": now - HOUR,
        "opened_at": now,
        "changed_at": now,
        "spike": spike,
        "peak": 38,
        "total": 38,
        "severity": 3,
        "first_severity": 3,
        "course": Course.RISING,
    }
    return Incident(**(known | fields))


def whole_seconds(moment):
    return moment.replace(microsecond=0)


class Duty:
    """The service and the people; every wait is for something to become true, with a limit for a broken test."""

    def __init__(self, peer, path: Path, *, hears: str = BY_SOCKET, language: str = "de") -> None:
        self.peer, self.path, self.clock = peer, path, SystemClock()
        text = YAML.format(url=peer.url, language=language, hears=hears)
        self.settings = parse_settings(text, Path("brandmelder.yaml"), SECRETS)
        self.said: list[str] = []
        self._running: asyncio.Task | None = None

    def begin(self) -> None:
        """Open the database and put the pipeline together, without running it."""
        self.database = Database(f"sqlite:///{self.path}")
        self.database.prepare()
        tools = Tools(exchange=_nowhere, now=self.clock.now)
        notifiers = {
            ident: wiring.plugins.load("notifiers", options.type)(ident, options, tools)
            for ident, options in self.settings.channels.items()
        }
        self.pipeline = wiring.build(
            self.settings, database=self.database, sources={}, notifiers=notifiers, on_failure=self.said.append
        )
        self.timer = Timer(self.pipeline, self.clock)

    async def run(self) -> None:
        """Run the service until `stop`."""
        await self.pipeline.start(self.clock.now())
        self._running = asyncio.ensure_future(self.timer.run())

    async def stop(self) -> None:
        if self._running is not None:
            self.timer.stop()
            await self._running
            self._running = None
        await self.pipeline.close()

    # ------------------------------------------------------------------ what happens

    def burns(self, ident=IDENT, *, at=None, **fields) -> None:
        """Write an incident and the promise to tell of it, as commit 3 does."""
        now = whole_seconds(at or self.clock.now())
        incident = burning(now, ident, **fields)
        first = Transition(
            incident=ident, revision=incident.revision, at=now, act=Act.OPEN, before=None, after=incident.state
        )
        evidence = Evidence(sources=((SourceId("blog"), 38),), mentions=80, negatives=38, unclear_share=0.1)

        def write(connection):
            incidents.save_incident(connection, incident, evidence, [first], expected_revision=None)
            promise_change(connection, self.pipeline.parts, incident, [first], now)

        self.database.run_now(write)

    async def until(self, condition, *, within=20.0):
        """Wait until something is true; say what is not."""
        deadline = time.monotonic() + within
        while not (found := condition()):
            assert time.monotonic() < deadline, "it did not become true"
            await asyncio.sleep(0.02)
        return found

    async def alert(self) -> str:
        """Return the ts of the alert, once it stands and the service knows where."""
        await self.until(lambda: self.peer.sockets.open or BY_SOCKET not in self.hears)
        await self.until(lambda: any(one.ref for one in self.deliveries()))
        return self.peer.visible()[0].ts

    @property
    def hears(self):
        return BY_SOCKET if self.settings.channels["crisis"].app_token else ""

    # ------------------------------------------------------------------ what is known

    def deliveries(self):
        return self.database.run_now(deliveries.all_deliveries)

    def incident(self, ident=IDENT) -> Incident:
        return self.database.run_now(incidents.find, ident)[0]

    def timeline(self, ident=IDENT):
        return self.database.run_now(incidents.timeline, ident)

    def acts(self, ident=IDENT):
        return [step.act for step in self.timeline(ident)]

    def inbox(self):
        return self.database.run_now(clicks.waiting), self.database.run_now(clicks.unanswered)

    def is_settled(self):
        return self.inbox() == ([], [])

    def shown(self):
        """Return the buttons of the alert as people see it now."""
        return list(buttons(self.peer.visible()[0].blocks))

    def told(self, person):
        """Return what one person alone was told."""
        return [seen.text for seen in self.peer.workspace.whispered(person)]


async def _nowhere(method, url, *, headers, body=b""):
    raise AssertionError("Slack has a client of its own")


@asynccontextmanager
async def duty(path, **options):
    """A service that runs, with an incident that burns."""
    async with SlackPeer() as peer:
        scene = Duty(peer, path, **options)
        scene.begin()
        scene.burns()
        await scene.run()
        try:
            yield scene
        finally:
            await scene.stop()
        assert peer.sockets.complaints == []
        assert peer.api.complaints == []
