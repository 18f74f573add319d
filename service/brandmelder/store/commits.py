"""How long the database takes: for the transaction in hand, and for the writing down of those that have ended."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from brandmelder import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

REMEMBERED: Final = 60.0
"""Seconds for which a slow commit is remembered: the disk may be idle meanwhile."""


class Commits:
    """The times of one database's transactions; may be asked from any thread."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._writes_since: float | None = None
        self._slowest: tuple[float, float] = (0.0, 0.0)
        """Seconds, and when it ended."""

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Measure one transaction, its commit included."""
        began = self._began = time.monotonic()
        try:
            yield
            metrics.DB_COMMIT.observe(time.monotonic() - began)
        finally:
            if self._writes_since is not None:
                self._note(time.monotonic(), self._writes_since)
            self._began = self._writes_since = None

    def writes(self) -> None:
        """Note that the work of the transaction in hand is done, and its writing down begins."""
        self._writes_since = time.monotonic()

    def _note(self, now: float, since: float) -> None:
        took, at = self._slowest
        if now - since >= took or now - at > REMEMBERED:
            self._slowest = (now - since, now)

    def under_way(self) -> timedelta:
        """Return how long the transaction in hand takes so far; zero if there is none."""
        began = self._began
        return timedelta(seconds=0 if began is None else time.monotonic() - began)

    def slowest(self) -> timedelta:
        """Return how long the slowest commit of the last minute took, the one in hand included."""
        now, since = time.monotonic(), self._writes_since
        took, at = self._slowest
        recent = took if now - at <= REMEMBERED else 0.0
        return timedelta(seconds=max(recent, 0.0 if since is None else now - since))
