"""What systemd is told: that the service is ready, reads its configuration anew, gets through, stops (sd_notify(3))."""

from __future__ import annotations

import asyncio
import socket
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from brandmelder.store import meta

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brandmelder.store.database import Database

log = structlog.get_logger()

LEAST = timedelta(seconds=1)
STANDSTILL = timedelta(seconds=30)
"""A transaction that takes longer is stuck. A slow disk, before which many wait, is not: a restart would add to it."""
_ANSWERS = timedelta(seconds=5)


class Systemd:
    """Speaks to the manager that started this process; without one, says nothing."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take `NOTIFY_SOCKET` and `WATCHDOG_USEC` from the environment, as systemd sets them."""
        self._address = environment.get("NOTIFY_SOCKET", "")
        asked = environment.get("WATCHDOG_USEC", "")
        span = timedelta(microseconds=int(asked)) if asked.isdecimal() else timedelta(0)
        self.watches_every = max(span / 2, LEAST) if span else None
        """How often systemd wants a sign of life: half of what it waits for; None if it wants none."""

    def ready(self) -> None:
        """Say that the service is up, or that a reload has ended."""
        self._say("READY=1", "STATUS=")

    def reloading(self) -> None:
        """Say that the configuration is read anew."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def status(self, text: str) -> None:
        """Put one line into what `systemctl status` shows."""
        self._say("STATUS=" + " ".join(text.split())[:200])

    def stopping(self) -> None:
        """Say that the service ends."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """Give the sign of life that the watchdog waits for."""
        self._say("WATCHDOG=1")

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        path = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.settimeout(0)  # a manager that does not listen must not stop the loop
                line.sendto("\n".join(lines).encode(), path)
        except OSError as error:
            log.warning("systemd.deaf", reason=error.strerror)


class Watchdog:
    """Gives systemd its signs of life while the loop turns and the database gets on; more is no reason to restart."""

    def __init__(self, systemd: Systemd, database: Database) -> None:
        self._systemd, self._database = systemd, database

    async def beat(self, _now: datetime) -> None:
        """Give one. Raises StoreError if the database answers that it cannot."""
        try:
            async with asyncio.timeout(_ANSWERS.total_seconds()):
                await self._database.run(meta.last_progress)
        except TimeoutError:
            if self._database.commits.under_way() > STANDSTILL:
                return
        self._systemd.alive()
