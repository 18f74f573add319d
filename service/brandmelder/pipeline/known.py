"""What is known beforehand of a monitor: its events with the lift they taught, periods to learn nothing from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.detect.occasions import REMEMBERED, Brought, around, event_of, learnt_lift, occasions
from brandmelder.store import marked

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.detect.kinds.watching import KindRules
    from brandmelder.detect.occasions import Occasion, Planned
    from brandmelder.pipeline.parts import Watch

BACK, AHEAD = timedelta(days=120), timedelta(days=3)
"""How far back events are kept out of learning, and how far ahead they are expected."""
_LEARNT = timedelta(days=800)
"""How far back earlier events of a kind are looked for: last year's Christmas among them."""


def rules_of(connection: Connection, watch: Watch, now: datetime) -> KindRules:
    """Return the monitor's rules with the events and marked periods as they are known at `now`."""
    rules = watch.kinds
    kept = tuple((one.since, one.until) for one in marked.marked_periods(connection, watch.id))
    lifts = {one.kind: _lift(connection, watch, one, now) for one in reversed(watch.planned)}
    events = tuple(
        event_of(one, planned.lift or lifts[planned.kind])
        for planned in watch.planned
        for one in occasions(planned, rules.volume.zone, now - BACK, now + AHEAD)
    )
    return replace(rules, volume=replace(rules.volume, events=events), marked=(*watch.marked, *kept))


def _lift(connection: Connection, watch: Watch, planned: Planned, now: datetime) -> float:
    """Return what the events of a kind lift, from what earlier ones brought; marked ones teach nothing."""
    first = marked.first_counted(connection, watch.id)
    if first is None:
        return learnt_lift(planned, ())
    alike = [one for one in watch.planned if one.kind == planned.kind]
    zone = watch.kinds.volume.zone
    begin = max(first, now - _LEARNT)
    past = (one for kind in alike for one in occasions(kind, zone, begin, now))
    held = sorted((one for one in past if begin <= one.since and one.until <= now), key=lambda one: one.since)
    return learnt_lift(
        replace(planned, lift=None),
        [_brought(connection, watch, one, first=first, now=now) for one in held[-REMEMBERED:]],
    )


def _brought(connection: Connection, watch: Watch, occasion: Occasion, *, first: datetime, now: datetime) -> Brought:
    count = marked.negatives(connection, watch.id, occasion.since, occasion.until)
    usual = [
        marked.negatives(connection, watch.id, since, until)
        for since, until in around(occasion)
        if since >= first and until <= now and not _is_special(watch, since, until)
    ]
    return Brought(count, sum(usual) / len(usual) if usual else count)


def _is_special(watch: Watch, since: datetime, until: datetime) -> bool:
    """Whether some event of the monitor falls into the stretch: it tells nothing of the usual."""
    zone = watch.kinds.volume.zone
    return any(occasions(one, zone, since, until) for one in watch.planned)
