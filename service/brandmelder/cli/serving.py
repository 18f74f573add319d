"""One service from its start to its end: built from its configuration, and built anew when that is to be read again.

SIGHUP reads the configuration again. What is wrong with it is said, and the one that runs stays. What is right takes
over between two polls: the work in hand ends first, what is due stands in the database, and no alert is lost or told
twice.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import structlog

from brandmelder import __version__, wiring
from brandmelder.cli import acting
from brandmelder.cli.terminal import say
from brandmelder.clock import SystemClock
from brandmelder.errors import BrandmelderError
from brandmelder.health import files
from brandmelder.health.systemd import Systemd, Watchdog
from brandmelder.pipeline.timer import Regular, Timer
from brandmelder.settings import read_settings
from brandmelder.store import audit
from brandmelder.store.database import Database
from brandmelder.web.api.operation import Door
from brandmelder.web.opening import open_page
from brandmelder.wiring.health import Lookout
from brandmelder.wiring.subscriptions import attach, detach

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.pipeline import Pipeline
    from brandmelder.settings import Settings
    from brandmelder.wiring import Outside

log = structlog.get_logger()

PATIENCE = timedelta(seconds=3)


async def to_the_end(work: Awaitable[None], *, patience: timedelta = PATIENCE) -> None:
    """Await all work, then end whatever was left, also what swallows its cancellation: a plug-in may.

    That is left to the system: everything of ours has been written and let go of by then.
    """
    await work
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for one in left:
        one.cancel()
    if left:
        _, left = await asyncio.wait(left, timeout=patience.total_seconds())
    if left:
        log.warning("stop.forced", tasks=len(left))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


class Service:
    """Holds the database from its making on; `run` runs until a signal ends it."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        """Take the database. Raises StoreError, or StoreBusy if another service holds it."""
        self._settings, self._environment = settings, environment
        self._systemd, self._clock = Systemd(environment), SystemClock()
        self._database = Database(settings.database, exclusive=True)
        self._database.prepare()
        self._timer: Timer | None = None
        self._next: Settings | None = None
        self._reading: asyncio.Task[None] | None = None
        self._is_asked = self._is_stopped = False
        self._refusal = ""

    async def run(self) -> None:
        """Run until SIGINT or SIGTERM; SIGHUP reads the configuration again."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._read_again)
        loop.set_exception_handler(self._unforeseen)
        files.allow_many()
        before: Settings | None = None
        via = "run"
        try:
            while not self._is_stopped:
                self._next = None
                try:
                    await self._live(self._settings, via=via)
                except BrandmelderError as error:
                    if before is None:
                        raise
                    self._keep(str(error))
                    self._settings = self._following(before)
                    # The one before gets a single try: what fails twice is no matter of the configuration.
                    before = None if self._settings is before else before
                else:
                    before, self._settings = self._settings, self._following(self._settings)
                via = "reload"
        finally:
            self._systemd.stopping()
            self._database.close()

    def _unforeseen(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Say in a sentence, once, what the loop would say a hundred times a second: that no caller can be taken."""
        if not files.is_want(context.get("exception")):
            loop.default_exception_handler(context)
        elif self._timer is not None:
            self._timer.notice(files.want())

    def _following(self, otherwise: Settings) -> Settings:
        """Return the configuration that is to take over, if one was read meanwhile."""
        return self._next or otherwise

    def _stop(self) -> None:
        self._is_stopped = True
        if self._timer is not None:
            self._timer.stop()

    async def _live(self, settings: Settings, *, via: str) -> None:
        """Run one configuration until it is stopped or another one takes over."""
        async with AsyncExitStack() as held:
            reach = wiring.outside()
            held.push_async_callback(reach.close)
            pipeline = wiring.build(
                settings,
                database=self._database,
                sources=wiring.build_sources(settings, reach),
                notifiers=wiring.build_notifiers(settings, reach),
                on_failure=lambda text: say(text, to_stderr=True),
            )
            held.push_async_callback(pipeline.let_go)
            pipeline.parts.meter = reach.http.meter
            pipeline.parts.second = wiring.second_opinion(settings, reach)
            pipeline.parts.calendars = wiring.build_calendars(settings, reach)
            lookout = Lookout(settings, pipeline, reach, self._clock)
            lookout.start()
            held.callback(lookout.close)
            self._timer = Timer(pipeline, self._clock, regular=(*lookout.regular, *self._watchdog()))
            try:
                await self._serve(settings, pipeline, self._timer, reach, via=via)
            finally:
                self._timer = None

    async def _serve(self, settings: Settings, pipeline: Pipeline, timer: Timer, reach: Outside, *, via: str) -> None:
        exchange = wiring.sign_in_exchange(settings, reach)
        door = Door(
            parts=pipeline.parts,
            now=self._clock.now,
            wake=timer.wake,
            brought=timer.brought,
            subscribe=attach(pipeline.parts, reach),
            unsubscribe=partial(detach, pipeline.parts),
        )
        page = open_page(settings, pipeline.parts, now=self._clock.now, wake=timer.wake, exchange=exchange, door=door)
        await pipeline.start(self._clock.now())
        await self._database.run(_note_start, settings, self._clock.now(), via=via)
        monitors, sources = len(settings.monitors), len(settings.sources)
        watched = f"{monitors} monitor{'s' * (monitors != 1)} over {sources} source{'s' * (sources != 1)}"
        click.echo(f"watching {watched}; the first poll of a source reads its past and stays silent", err=True)
        self._systemd.ready()
        if self._refusal:
            self._systemd.status(self._refusal)
        if self._is_stopped or self._next is not None:
            timer.stop()
        if page is None:
            await timer.run()
            return
        click.echo(f"the page: {settings.web.base_url if settings.web else ''}", err=True)
        await page.beside(timer.run())

    def _watchdog(self) -> list[Regular]:
        every = self._systemd.watches_every
        if every is None:
            return []
        return [Regular(name="watchdog", every=every, work=Watchdog(self._systemd, self._database).beat)]

    # --------------------------------------------------------------- read again

    def _read_again(self) -> None:
        self._is_asked = True
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._read_while_asked())

    async def _read_while_asked(self) -> None:
        """Read until nobody asked meanwhile: the file may have changed again since it was read."""
        while self._is_asked:
            self._is_asked = False
            await self._reload()

    async def _reload(self) -> None:
        self._systemd.reloading()
        self._refusal = ""
        try:
            found = await asyncio.to_thread(read_settings, self._settings.path, self._environment)
        except BrandmelderError as error:
            self._keep(str(error))
            return
        if found.database != self._settings.database:
            self._keep("another database needs a restart")
        elif await self._is_buildable(found):
            self._next = found
            if self._timer is not None:  # else one is just taking over, and looks for a next one itself
                self._timer.stop()

    async def _is_buildable(self, settings: Settings) -> bool:
        """Say whether sources, channels and judge can be made of a configuration; says what is wrong."""
        reach = wiring.outside()
        try:
            wiring.build_sources(settings, reach)
            notifiers = wiring.build_notifiers(settings, reach)
            wiring.build_classifier(settings, settings.brand)
        except BrandmelderError as error:
            self._keep(str(error))
            return False
        finally:
            await reach.close()
        for one in notifiers.values():
            await one.close()
        return True

    def _keep(self, reason: str) -> None:
        """Say why the configuration that runs goes on running."""
        log.error("configuration.refused", reason=reason)
        click.echo(f"the configuration was not taken over, the one that runs stays:\n{reason}", err=True)
        self._refusal = f"the configuration was not taken over: {reason}"
        self._systemd.ready()
        self._systemd.status(self._refusal)


def _note_start(connection: Connection, settings: Settings, now: datetime, *, via: str) -> None:
    """Keep which configuration took over, and log the audit's head: a copy of it stands elsewhere then."""
    audit.record(
        connection, "configuration.load", by=acting().name, subject=settings.path.name, now=now,
        sha256=settings.digest, version=__version__, via=via,
    )  # fmt: skip
    log.info("audit.head", digest=audit.head(connection), rows=audit.count(connection))
