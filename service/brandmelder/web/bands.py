"""What is usual, bar by bar: asked of the detector's memory once and remembered, since the past changes slowly."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.detect import scan
from brandmelder.detect.scan import DetectorRules
from brandmelder.incident.picture import YOUNG
from brandmelder.pipeline.known import rules_of
from brandmelder.pipeline.sense import decode
from brandmelder.pipeline.view import Usual, read_usual

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.detect.scan import DetectorState
    from brandmelder.model import MonitorId
    from brandmelder.pipeline.parts import Watch
    from brandmelder.store.series import MonitorRow

MOST: Final = 50_000
"""So many bars are remembered; 50 monitors on every range are 7,000."""


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a monitor for a day."""

    day: date
    usual: Usual
    rules: DetectorRules

    def age(self, now: datetime) -> timedelta:
        """How far back its oldest bin lies."""
        return now - min(self.usual.first_bin.values(), default=now)


class Bands:
    """Remembers what is usual for each monitor and bar; asked from several threads."""

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self._known: dict[MonitorId, Known] = {}
        self._states: dict[MonitorId, tuple[int, DetectorState | None]] = {}
        self._bars: dict[tuple[MonitorId, datetime, timedelta], tuple[int, int]] = {}

    def known(self, connection: Connection, watch: Watch, now: datetime) -> Known:
        """Return what is known of a monitor today; read once a day, and anew until its first bins are there."""
        with self._turn:
            found = self._known.get(watch.id)
            if found is None or found.day != now.date() or not found.usual.first_bin:
                day = now.replace(hour=0, minute=0, second=0, microsecond=0)
                usual, rules = read_usual(connection, watch, day), rules_of(connection, watch, now)
                found = self._known[watch.id] = Known(day=now.date(), usual=usual, rules=rules.volume)
                self._bars = {key: value for key, value in self._bars.items() if key[0] != watch.id}
            return found

    def usual(
        self, watch: Watch, row: MonitorRow | None, ends: tuple[datetime, ...], width: timedelta, *, now: datetime
    ) -> tuple[tuple[int, int], ...]:
        """Return the usual range of each bar; nothing while too little is known to draw an edge."""
        with self._turn:
            return self._usual(watch, row, ends, width, now=now)

    def _usual(
        self, watch: Watch, row: MonitorRow | None, ends: tuple[datetime, ...], width: timedelta, *, now: datetime
    ) -> tuple[tuple[int, int], ...]:
        known, state = self._known.get(watch.id), self._state(watch, row)
        if known is None or state is None or known.age(now) < YOUNG:
            return ()
        if len(self._bars) > MOST:
            self._bars.clear()
        keys = [(watch.id, end, width) for end in ends]
        missing = [key for key in keys if key not in self._bars]
        if missing:
            self._bars.update(
                zip(missing, scan.usuals(state, [end for _, end, _ in missing], width, known.rules), strict=True)
            )
        return tuple(self._bars[key] for key in keys)

    def _state(self, watch: Watch, row: MonitorRow | None) -> DetectorState | None:
        if row is None or row.state is None:
            return None
        kept = self._states.get(watch.id)
        if kept is None or kept[0] != row.revision:
            try:
                state = decode(row.state, watch.kinds).volume
            except ValueError:
                state = None  # it is seeded anew at the next evaluation
            kept = self._states[watch.id] = (row.revision, state)
        return kept[1]
