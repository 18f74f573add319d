"""Bring in what people have in files: it teaches what is usual and can never open an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.pipeline.judge import judge
from brandmelder.pipeline.poll import Visit, commit_poll, ready, watchers
from brandmelder.pipeline.sound import sound
from brandmelder.pipeline.states import first_poll
from brandmelder.store import series, sources

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.capture.source import Poll, Source
    from brandmelder.model import Cursor, SourceId
    from brandmelder.pipeline.parts import Parts


SHOWN = 10
"""So many stretches of a file with rows that cannot be read are told of."""


class Brought(Struct, frozen=True, kw_only=True):
    """What came of an import."""

    read: int
    new: int
    """The others were known; where they differed, they were changed."""
    note: str
    """What could not be read; empty if all could."""


async def bring_in(parts: Parts, ident: SourceId, files: Source, now: datetime) -> Brought:
    """Read files as the history of a source, batch by batch, and judge it. Raises SourceError, StoreError."""
    due = {ident: first_poll(ident, parts.places[ident].every, now)}
    await parts.database.run(sources.register, due)
    cursor: Cursor | None = None
    read = new = 0
    notes: list[str] = []
    has_more = True
    while has_more:
        poll = sound(await files.poll(cursor, now))
        new += await parts.database.run(_commit, parts, ident, poll, now)
        read += len(poll.mentions)
        notes += [poll.degraded] if poll.degraded else []
        cursor, has_more = poll.cursor, poll.more
    await judge(parts)
    await parts.database.run(series.forget_state, watchers(parts, ident))
    more = [f"and so on, in {len(notes) - SHOWN} further stretches"] if len(notes) > SHOWN else []
    return Brought(read=read, new=new, note="\n".join([*notes[:SHOWN], *more]))


def _commit(connection: Connection, parts: Parts, ident: SourceId, poll: Poll, now: datetime) -> int:
    found = [ready(replace(one, source=ident, history=True), parts.author_key) for one in poll.mentions]
    gone = tuple(replace(one, source=ident) for one in poll.removals)
    row = sources.read_source(connection, ident)
    return commit_poll(
        connection,
        parts,
        Visit(
            poll=replace(poll, removals=gone),
            mentions=found,
            after=row,
            watchers=watchers(parts, ident),
            now=now,
        ),
    )
