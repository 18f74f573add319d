"""Keep what was sent to us: in one transaction with the note that it came, and only then is its sender told so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from brandmelder.capture.source import Receives
from brandmelder.pipeline.poll import Visit, commit_poll, ready, watchers
from brandmelder.pipeline.sound import sound
from brandmelder.pipeline.states import after_poll
from brandmelder.store import arrivals, sources

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.capture.source import Arrival, Sent
    from brandmelder.model import SourceId
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()


def receivers(parts: Parts) -> dict[str, list[SourceId]]:
    """Return the places that are to be listened on, and which sources are sent something there."""
    places: dict[str, list[SourceId]] = {}
    for ident, source in parts.sources.items():
        if isinstance(source, Receives):
            places.setdefault(source.place, []).append(ident)
    return places


async def receive(parts: Parts, ident: SourceId, sent: Sent, now: datetime) -> bool:
    """Take one message; says whether there is something to judge. Raises SourceError, StoreError."""
    source = parts.sources[ident]
    if not isinstance(source, Receives):
        raise TypeError(f"source {ident} takes no messages")
    arrival = source.receive(sent, now)
    is_new = await parts.database.run(_commit, parts, ident, arrival, now)
    log.info("source.received", source=ident, mentions=len(arrival.poll.mentions), is_new=is_new)
    return is_new and bool(arrival.poll.mentions)


def _commit(connection: Connection, parts: Parts, ident: SourceId, arrival: Arrival, now: datetime) -> bool:
    if not arrivals.take(connection, ident, arrival.ident, now):
        return False
    poll = sound(arrival.poll)
    found = [ready(one, parts.author_key) for one in poll.mentions]
    row = sources.read_source(connection, ident)
    after = after_poll(row, poll, now, parts.places[ident])
    after = replace(after, next_poll_at=row.next_poll_at, history_done=row.history_done)
    visit = Visit(poll=poll, mentions=found, after=after, watchers=watchers(parts, ident), now=now)
    commit_poll(connection, parts, visit)
    return True
