"""What goes wrong on the way: every request of a seed meets the same fault again, whenever it is replayed."""

from __future__ import annotations

import enum
import json
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.demo.storm.wire import Said

if TYPE_CHECKING:
    from brandmelder.demo.storm.posts import Storm


class Fault(enum.StrEnum):
    """A kind of fault."""

    RATE = "429"
    LIMIT = "the platform's own words for a spent limit"
    ABSURD = "429 for a very long time"
    SERVER = "5xx"
    REFUSED = "401"
    DRIP = "drip"
    CUT = "cut"
    HTML = "HTML in place of data"
    EMPTY = "an empty answer"
    HALF = "half of an answer"
    TWICE = "entries twice"
    SHUFFLED = "entries in another order"


_DAMAGE = (Fault.TWICE, Fault.SHUFFLED)
"""What leaves the answer readable."""
_LIMITS = (Fault.RATE, Fault.LIMIT)
_ORDINARY = (*_LIMITS, Fault.SERVER, Fault.DRIP, Fault.CUT, Fault.HTML, Fault.EMPTY, Fault.HALF, *_DAMAGE)
_LISTS = ("posts", "latest_posts", "data", "items", "children", "hits", "result")


_REPLACED = {
    Fault.ABSURD: Said(status=429, headers={"retry-after": "1000000000"}),
    Fault.REFUSED: Said(status=401, headers={"content-type": "application/json"}, body=b"{}"),
    Fault.HTML: Said(headers={"content-type": "text/html"}, body=b"<!DOCTYPE html><html>Checking your browser</html>"),
    Fault.EMPTY: Said(headers={"content-type": "application/json"}),
}


class Outage(Struct, frozen=True, kw_only=True):
    """A stretch of time in which nothing gets through."""

    since: datetime
    until: datetime
    fault: Fault


class Weather:
    """Faults by chance, and outages; fair from the storm's end on."""

    def __init__(self, storm: Storm, name: str) -> None:
        self._chance = Random(f"weather {storm.seed} {name}")  # noqa: S311 - chance plays faults
        self._rate = self._chance.choice((0.0, 0.02, 0.1, 0.25))
        self._end = storm.end
        self.outages = tuple(self._outage(storm) for _ in range(self._chance.choice((0, 1, 1, 2))))
        self.met: dict[str, int] = {}

    def _outage(self, storm: Storm) -> Outage:
        since = storm.start + (storm.end - storm.start) * self._chance.random()
        length = timedelta(minutes=self._chance.choice((3, 15, 60, 120)))
        kinds = (Fault.SERVER, Fault.HTML, Fault.CUT, Fault.REFUSED, Fault.ABSURD)
        return Outage(since=since, until=min(since + length, storm.end), fault=self._chance.choice(kinds))

    def fault(self, now: datetime) -> Fault | None:
        """Return what goes wrong with the next request."""
        found = next((one.fault for one in self.outages if one.since <= now < one.until), None)
        if found is None and now < self._end and self._chance.random() < self._rate:
            found = self._chance.choice(_ORDINARY)
        if found is not None:
            self.met[found.value] = self.met.get(found.value, 0) + 1
        return found

    def spoil(self, answer: Said, fault: Fault) -> Said:
        """Return what is left of an answer; a drip and a cut are for the wire to play."""
        if fault in _DAMAGE:
            return self._reordered(answer, fault)
        if fault is Fault.RATE:
            waits: tuple[dict[str, str], ...] = (
                {},
                {"retry-after": "120"},
                {"retry-after": "0"},
                {"retry-after": "-5"},
            )
            return Said(status=429, headers=self._chance.choice(waits))
        if fault is Fault.LIMIT:  # a face without words of its own says what most say
            return answer if answer.status >= 400 else Said(status=429)
        if fault is Fault.SERVER:
            return Said(status=self._chance.choice((500, 502, 503, 504, 520)))
        if fault is Fault.HALF:
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        return _REPLACED.get(fault, answer)

    def _reordered(self, answer: Said, fault: Fault) -> Said:
        if answer.status != 200 or "json" not in answer.headers.get("content-type", ""):
            return answer
        told: Any = json.loads(answer.body)
        rows = _rows(told)
        if len(rows) < 2:
            return answer
        rows[:] = [*rows[:3], *rows] if fault is Fault.TWICE else self._chance.sample(rows, len(rows))
        return replace(answer, body=json.dumps(told).encode())


def _rows(told: Any) -> list[Any]:
    """Return the list that an answer brings, itself, below a name, or below two."""
    for name in _LISTS:
        if isinstance(told, dict) and name in told:
            return _rows(told[name])
    return told if isinstance(told, list) else []
