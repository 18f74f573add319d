"""The demo's evening: real sources poll the played sites, and the real pipeline raises the alarm in the terminal."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from brandmelder import wiring
from brandmelder.clock import PacedClock
from brandmelder.demo import scenario as stories
from brandmelder.demo.simulator import Simulator
from brandmelder.demo.workspace import SPEED, Desk, with_slack
from brandmelder.model import Act, ChannelId, DeliveryState, Incident, State
from brandmelder.notify.channels.console import ConsoleNotifier
from brandmelder.pipeline.act import Wish, do
from brandmelder.settings import Settings, parse_settings
from brandmelder.store import deliveries, incidents, mentions, sources
from brandmelder.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console
    from sqlalchemy import Connection

    from brandmelder.demo.scenario import Scenario
    from brandmelder.options import ChannelOptions
    from brandmelder.pipeline import Pipeline
    from brandmelder.pipeline.parts import Parts

QUIET_SPEED, STORM_SPEED = 1200.0, 1800.0
"""Seconds of the story per second of the wall, before and after the alarm."""
UNPACED = 1e9
ON_CALL, REACTION = "Kim Brandt", timedelta(minutes=7)
"""Who takes the alert in the terminal, and how long after it; in a real workspace people click themselves."""
PATIENCE = timedelta(hours=4)
"""How long after the story's end the incident may still take to end."""


class Page(Protocol):
    """A page in the browser that is served while the story is told."""

    port: int

    async def beside(self, work: Awaitable[None]) -> None:
        """Serve until some work has ended."""
        ...


OpensPage = Callable[[Settings, "Parts", Callable[[], datetime]], Page]


class Play:
    """One showing of the demo."""

    page: OpensPage | None = None
    """Opens the page, where the storm is to be watched in a browser, too."""

    def __init__(self, console: Console, *, language: str, seed: int, slack: Mapping[str, str] | None = None) -> None:
        """Prepare a showing; `slack` is the environment from which a real workspace is told as well."""
        self.console, self.language, self.slack = console, language, slack
        self.scenario: Scenario = stories.build(seed)
        self.clock = PacedClock(self.scenario.evening, UNPACED)

    async def run(self, *, is_paced: bool, keep: bool) -> None:
        """Show the evening from its last quiet hours to its end; `keep` then leaves the sites running."""
        reach, database = wiring.outside(), Database("sqlite://")
        database.prepare()
        async with Simulator(self.scenario, self.clock) as sites:
            text = stories.config(sites.url).replace("language: de", f"language: {self.language}")
            environment = os.environ if self.slack is None else self.slack
            text = text if self.slack is None else with_slack(text, self.slack)
            settings = parse_settings(text, Path("demo.yaml"), environment)
            console = ConsoleNotifier(*_console_of(settings.channels), console=self.console)
            notifiers = wiring.build_notifiers(settings, reach) | {console.id: console}
            pipeline = wiring.build(
                settings,
                database=database,
                sources=wiring.build_sources(settings, reach),
                notifiers=notifiers,
                on_failure=self._say,
            )
            self._introduce(sites.url)
            desk = Desk(pipeline, self.clock, self._say)
            desk.open()
            page = self.page(settings, pipeline.parts, self.clock.now) if self.page is not None else None
            story = self._story(pipeline, sites.url, is_paced=is_paced, keep=keep)
            try:
                if page is None:
                    await story
                else:
                    self._say(f"The same in a browser, while it lasts: [bold]http://127.0.0.1:{page.port}[/]")
                    await page.beside(story)
            finally:
                await desk.close()
                await reach.close()
                await pipeline.close()

    async def _story(self, pipeline: Pipeline, url: str, *, is_paced: bool, keep: bool) -> None:
        await self._evening(pipeline, is_paced=is_paced)
        await self._close(pipeline)
        if keep:
            await self._stay(pipeline, url)

    def _say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True)

    def _introduce(self, url: str) -> None:
        local = self.scenario.evening.astimezone(stories.ZONE)
        self._say(
            f"[bold]Nordfunk[/], an invented provider, {local:%A %d %B %Y}, {local:%H:%M}. "
            f"Its blog and a newspaper are played at {url}."
        )

    async def _evening(self, pipeline: Pipeline, *, is_paced: bool) -> None:
        await pipeline.start(self.clock.now())
        self.clock.speed = QUIET_SPEED if is_paced else UNPACED
        spot_shown = history_told = False
        while self.clock.now() < self.scenario.end + PATIENCE:
            now = self.clock.now()
            following = await pipeline.tick(now)
            count = 0 if history_told else await pipeline.parts.database.run(_history)
            if count:
                history_told = True
                self._say(f"Eight quiet weeks are read: {count} posts. They teach what is usual, silently.")
            if not spot_shown and now >= self.scenario.onset:
                spot_shown = True
                local = self.scenario.onset.astimezone(stories.ZONE)
                self._say(f"[bold]{local:%H:%M}[/] The TV spot runs.")
            if is_paced and await pipeline.parts.database.run(_has_begun):
                self.clock.speed = STORM_SPEED if self.slack is None else SPEED
            if spot_shown and await pipeline.parts.database.run(_is_over):
                return
            if self.slack is None and (taken := await pipeline.parts.database.run(_taken, pipeline.parts, now)):
                self._say(f"[bold]{_local(now)}[/] {ON_CALL} acknowledges {taken}.")
            await self.clock.reach(max(following, now + timedelta(seconds=1)))

    async def _close(self, pipeline: Pipeline) -> None:
        found, posts, sent = await pipeline.parts.database.run(_result)
        onset = self.scenario.onset
        if found is None:
            self._say("No alert was raised.")
            raise SystemExit(1)
        delay = _minute(found.opened_at) - _minute(onset)  # of what is printed beside it
        self._say(
            f"Onset {_local(onset)}, alert {_local(found.opened_at)} ({delay} min later), "
            f"end {_local(found.closed_at) if found.closed_at else 'not yet'}; {posts} posts read, {sent} deliveries."
        )

    async def _stay(self, pipeline: Pipeline, url: str) -> None:
        self._say(f"The sites stay at {url} until Ctrl-C; the service goes on polling them.")
        self.clock.speed = 1.0
        while True:
            following = await pipeline.tick(self.clock.now())
            await self.clock.reach(max(following, self.clock.now() + timedelta(seconds=1)))


def _console_of(channels: dict[ChannelId, ChannelOptions]) -> tuple[ChannelId, ChannelOptions]:
    return next((ident, options) for ident, options in channels.items() if options.type == "console")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(stories.ZONE):%H:%M}"


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _history(connection: Connection) -> int:
    """Return how many mentions the first contact brought, once every source has had it."""
    rows = sources.read_sources(connection)
    return mentions.count(connection) if all(row.history_done for row in rows.values()) else 0


def _has_begun(connection: Connection) -> bool:
    return bool(incidents.all_incidents(connection))


def _taken(connection: Connection, parts: Parts, now: datetime) -> str | None:
    """Let the person on call acknowledge what has been open for as long as it takes them; returns its id."""
    for incident, _ in incidents.all_incidents(connection, running_only=True):
        if incident.state is State.OPEN and now - incident.opened_at >= REACTION:
            return do(connection, parts, Wish(incident=incident.id, act=Act.ACKNOWLEDGE, by=ON_CALL), now).id
    return None


def _is_over(connection: Connection) -> bool:
    """Whether an incident has ended and all that was to be told of it is told."""
    found = incidents.all_incidents(connection)
    waiting = deliveries.next_attention(connection)
    return bool(found) and all(one.closed_at is not None for one, _ in found) and waiting is None


def _result(connection: Connection) -> tuple[Incident | None, int, int]:
    found = incidents.all_incidents(connection)
    sent = sum(one.state is DeliveryState.SENT for one in deliveries.all_deliveries(connection))
    return (found[-1][0] if found else None), mentions.count(connection), sent
