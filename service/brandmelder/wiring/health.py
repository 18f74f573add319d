"""What watches the service itself, built from its configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from brandmelder.health import files
from brandmelder.health.pulse import Pulse
from brandmelder.pipeline.canary import Canary
from brandmelder.pipeline.heartbeat import Heartbeat
from brandmelder.pipeline.retain import Retainer, Retention
from brandmelder.pipeline.timer import Regular
from brandmelder.pipeline.vitals import Vitals, deaf

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.clock import Clock
    from brandmelder.health.server import HealthServer
    from brandmelder.pipeline import Pipeline
    from brandmelder.settings import Settings
    from brandmelder.wiring.outside import Outside

SOON, AFTER_START = timedelta(seconds=3), timedelta(minutes=1)
"""When the first look is taken, and when what can wait for a first poll is done."""


class Lookout:
    """Everything that watches one running service; `regular` is what its timer does at fixed intervals."""

    def __init__(self, settings: Settings, pipeline: Pipeline, reach: Outside, clock: Clock) -> None:
        """Build it, and open the socket for probes. Raises BrandmelderError if that is taken."""
        self._pipeline, self._clock = pipeline, clock
        self._pulse = Pulse()
        self._vitals = Vitals(pipeline.parts, pipeline.hearer.listeners)
        self.server = self._server(settings)
        self._canary = Canary(pipeline.parts, reach.child.parse_feed, began=clock.now())
        self.regular = [
            Regular(name="vitals", every=self._vitals.every, first=SOON, work=self._vitals.read),
            Regular(name="canary", every=self._canary.every, first=AFTER_START, work=self._canary.fly),
        ]
        rules = Retention(text=settings.retention.text, evidence=settings.retention.evidence)
        retainer = Retainer(pipeline.parts, rules)
        self.regular.append(Regular(name="retention", every=retainer.every, first=2 * AFTER_START, work=retainer.tidy))
        self.regular += self._heartbeat(settings, reach)

    def start(self) -> None:
        """Begin to watch, in the running loop and beside it."""
        self._pulse.start()
        if self.server is not None:
            self.server.start()

    def close(self) -> None:
        """Let go of the socket and watch no more."""
        if self.server is not None:
            self.server.close()
        self._pulse.stop()

    def _server(self, settings: Settings) -> HealthServer | None:
        block = settings.health
        if block is None:
            return None
        from brandmelder.health.server import HealthServer

        host, port = block.place
        return HealthServer(
            host,
            port,
            pulse=self._pulse,
            troubles=self._troubles,
            has_metrics=block.metrics,
        )

    def _heartbeat(self, settings: Settings, reach: Outside) -> list[Regular]:
        block = settings.heartbeat
        if block is None:
            return []
        exchange = reach.http.exchange(allow_private=block.allow_private)
        heart = Heartbeat(
            self._pipeline.parts, exchange, url=block.url.reveal(), every=block.every, more=self._kept_away
        )
        return [Regular(name="heartbeat", every=heart.every, work=heart.beat)]

    def _kept_away(self, now: datetime) -> list[str]:
        return [*deaf(self._pipeline.hearer.listeners, now), *self._canary.complaint(now)]

    def _troubles(self) -> list[str]:
        """Return what keeps the service from its work, for any thread."""
        now = self._clock.now()
        return [*self._vitals.troubles(now), *files.complaint(), *self._canary.complaint(now)]
