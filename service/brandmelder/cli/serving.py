"""One service from its start to its end: built from its configuration, and built anew when that is to be read again.

SIGHUP reads the configuration again. What is wrong with it is said, and the one that runs stays. What is right takes
over between two polls: the work in hand ends first, what is due stands in the database, and no alert is lost or told
twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import signal
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
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.pipeline import Pipeline
    from brandmelder.settings import Settings
    from brandmelder.wiring import Outside

log = structlog.get_logger()


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
        self._is_stopped = self._is_asked = False

    async def run(self) -> None:
        """Run until SIGINT or SIGTERM; SIGHUP reads the configuration again."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._read_again)
        loop.set_exception_handler(self._unforeseen)
        files.allow_many()
        before: Settings | None = None
        try:
            while not self._is_stopped:
                try:
                    await self._live(self._settings, via="run" if before is None else "reload")
                except BrandmelderError as error:
                    if before is None:
                        raise
                    self._keep(str(error))
                    self._next = self._next or before
                before, self._settings = self._settings, self._next or self._settings
        finally:
            self._systemd.stopping()
            self._database.close()

    def _unforeseen(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Say in a sentence, once, what the loop would say a hundred times a second: that no caller can be taken."""
        if not files.is_want(context.get("exception")):
            loop.default_exception_handler(context)
        elif self._timer is not None:
            self._timer.notice(files.want())

    def _stop(self) -> None:
        self._is_stopped = True
        if self._timer is not None:
            self._timer.stop()

    async def _live(self, settings: Settings, *, via: str) -> None:
        """Run one configuration until it is stopped or another one takes over."""
        self._next = None
        reach = wiring.outside()
        pipeline = wiring.build(
            settings,
            database=self._database,
            sources=wiring.build_sources(settings, reach),
            notifiers=wiring.build_notifiers(settings, reach),
            on_failure=lambda text: say(text, to_stderr=True),
        )
        pipeline.parts.meter = reach.http.meter
        pipeline.parts.second = wiring.second_opinion(settings, reach)
        pipeline.parts.calendars = wiring.build_calendars(settings, reach)
        await self._database.run(_note_start, settings, self._clock.now(), via=via)
        lookout = Lookout(settings, pipeline, reach, self._clock)
        try:
            lookout.start()
            self._timer = Timer(pipeline, self._clock, regular=(*lookout.regular, *self._watchdog()))
            await self._serve(settings, pipeline, self._timer, reach)
        finally:
            self._timer = None
            lookout.close()
            await reach.close()
            await pipeline.let_go()

    async def _serve(self, settings: Settings, pipeline: Pipeline, timer: Timer, reach: Outside) -> None:
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
        monitors, sources = len(settings.monitors), len(settings.sources)
        watched = f"{monitors} monitor{'s' * (monitors != 1)} over {sources} source{'s' * (sources != 1)}"
        click.echo(f"watching {watched}; the first poll of a source reads its past and stays silent", err=True)
        self._systemd.ready()
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
            self._reading = asyncio.ensure_future(self._reload())

    async def _reload(self) -> None:
        """Read until nobody asked meanwhile: what was asked during a reading may have been written after it."""
        while self._is_asked:
            self._is_asked = False
            await self._read_once()

    async def _read_once(self) -> None:
        self._systemd.reloading()
        try:
            found = await asyncio.to_thread(read_settings, self._settings.path, self._environment)
        except BrandmelderError as error:
            self._keep(str(error))
            return
        if found.database != self._settings.database:
            self._keep("another database needs a restart")
        elif await self._is_buildable(found):
            self._next = found
            if self._timer is not None:  # else the one that begins ends at once
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
        self._systemd.ready()
        self._systemd.status(f"the configuration was not taken over: {reason}")


def _note_start(connection: Connection, settings: Settings, now: datetime, *, via: str) -> None:
    """Keep with which configuration the service began, and log the audit's head: a copy of it stands elsewhere then."""
    digest = hashlib.sha256(settings.path.read_bytes()).hexdigest()
    audit.record(
        connection, "configuration.load", by=acting().name, subject=settings.path.name, now=now,
        sha256=digest, version=__version__, via=via,
    )  # fmt: skip
    log.info("audit.head", digest=audit.head(connection), rows=audit.count(connection))
