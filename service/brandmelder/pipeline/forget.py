"""A person asks what is stored of them, or to be forgotten: both in one transaction, with a row in the audit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from brandmelder.capture.normalise import canonical_url, pseudonym
from brandmelder.count.bins import EPOCH
from brandmelder.errors import BrandmelderError
from brandmelder.model import ChannelId, MentionId
from brandmelder.notify.routing import channels_of
from brandmelder.pipeline.correct import correct_alerts
from brandmelder.pipeline.duty import Scene
from brandmelder.store import audit, deliveries, forgetting, incidents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import Incident
    from brandmelder.pipeline.parts import Parts
    from brandmelder.pipeline.staff import Actor
    from brandmelder.store.database import Database
    from brandmelder.store.forgetting import Traces

_SNIPPET = 24
"""So many characters of a text are looked for in the file: enough to be nobody else's."""
_NAME = re.compile(r"[\w.@-][\w.@ -]{3,}[\w.@-]")
"""Names shorter than this stand in every other text. Those that people show have blanks."""


class Person(Struct, frozen=True, kw_only=True):
    """Whom it is about: an account, as their platform writes it, or addresses of what they wrote."""

    author: str = ""
    urls: tuple[str, ...] = ()
    source: str | None = None
    objects: bool = False
    """Whether nothing they write shall be stored in future either (Art. 21)."""

    def found_in(self, connection: Connection, parts: Parts) -> list[Traces]:
        """Return what is stored of them. Raises BrandmelderError for a source that there is not: nobody is in it."""
        if self.source and self.source not in parts.places and not forgetting.is_source(connection, self.source):
            raise BrandmelderError(f"there is no source {self.source}; one of {', '.join(parts.places)}")
        places = {form for url in self.urls for form in (url, canonical_url(url))}
        name = pseudonym(self.author, parts.author_key) if self.author else None
        return forgetting.traces(connection, author=name, urls=places, source=self.source)


class Erased(Struct, frozen=True, kw_only=True):
    """What was done, and what a person has to do still."""

    mentions: tuple[MentionId, ...]
    incidents: tuple[str, ...] = ()
    """Whose alerts quoted them; they are edited."""
    uneditable: tuple[ChannelId, ...] = ()
    """Channels whose messages cannot be taken back: mail, terminals."""
    naming: tuple[tuple[MentionId, str], ...] = ()
    """Mentions of others that hold the name, with their addresses."""
    marks: tuple[bytes, ...] = ()
    """What must not stand in the file any more."""


def erase(connection: Connection, parts: Parts, person: Person, actor: Actor, now: datetime) -> Erased:
    """Empty everything of a person, keep it from coming back, have alerts edited; counts stay.

    Of an author, nothing published until now comes back; with `objects` nothing ever.
    """
    found = person.found_in(connection, parts)
    name = pseudonym(person.author, parts.author_key) if person.author else ""
    if name:
        until = None if person.objects else now
        forgetting.bury(connection, [forgetting.of_author(parts.author_key, name)], now, until)
    quoting = correct_alerts(Scene(connection, parts, now), [one.id for one in found], since=EPOCH)
    forgetting.erase(connection, found, parts.author_key, now)
    said = {"via": actor.via, "login": actor.login, "mentions": len(found), "objects": person.objects or None}
    subject = name or ", ".join(str(one.id) for one in found[:20])
    audit.record(connection, "privacy.erase", by=actor.name, subject=subject, now=now, **said)
    return Erased(
        mentions=tuple(one.id for one in found),
        incidents=tuple(one.id for one in quoting),
        uneditable=_uneditable(connection, parts, quoting),
        naming=tuple(forgetting.naming(connection, person.author)) if _NAME.fullmatch(person.author) else (),
        marks=tuple(_marks(found)),
    )


def export(connection: Connection, parts: Parts, person: Person, actor: Actor, now: datetime) -> bytes:
    """Return all that is stored of a person, as JSON for them (Art. 15)."""
    found = person.found_in(connection, parts)
    quoting = {
        incident.id: [quote.mention for quote in evidence.quotes]
        for incident, evidence in incidents.all_incidents(connection, limit=1_000_000)
    }
    answer: dict[str, Any] = {
        "asked_at": now.isoformat(),
        "author": person.author,
        "pseudonym": pseudonym(person.author, parts.author_key) if person.author else "",
        "addresses": list(person.urls),
        "mentions": [
            msgspec.to_builtins(one)
            | {
                "verdict": forgetting.verdict_of(connection, one.id),
                "quoted_in": [ident for ident, quoted in quoting.items() if one.id in quoted],
            }
            for one in found
        ],
    }
    audit.record(
        connection,
        "privacy.export",
        by=actor.name,
        subject=str(answer["pseudonym"]),
        now=now,
        mentions=len(found),
        **actor.said(),
    )
    return msgspec.json.format(msgspec.json.encode(answer), indent=2)


def _uneditable(connection: Connection, parts: Parts, quoting: Sequence[Incident]) -> tuple[ChannelId, ...]:
    reached: dict[ChannelId, None] = {}
    for incident in quoting:
        told = {one.channel for one in deliveries.of_incident(connection, incident.id)}
        reached |= dict.fromkeys(sorted(told | set(channels_of(incident.monitor, parts.routes))))
    return tuple(
        channel for channel in reached if channel not in parts.notifiers or not parts.notifiers[channel].can_update
    )


def _marks(found: Sequence[Traces]) -> Iterator[bytes]:
    """Yield pieces of what was erased that are nobody else's: the beginning, the middle and the end of each text."""
    for one in found:
        for start in (0, max(0, len(one.text) // 2 - _SNIPPET), max(0, len(one.text) - _SNIPPET)):
            piece = one.text[start : start + _SNIPPET]
            if len(piece) == _SNIPPET:
                yield piece.encode()
        if one.url:
            yield one.url.encode()


def left_in(database: Database, marks: Sequence[bytes]) -> list[bytes]:
    """Return which marks stand in the database's files, and not only in what others wrote and is kept."""
    if database.path is None:
        return []
    there = still_there(database.path, marks)
    kept = database.run_now(forgetting.held_by_others, there)
    return [mark for mark in there if mark not in kept]


def still_there(path: Path, marks: Sequence[bytes]) -> list[bytes]:
    """Return which marks stand anywhere in the database's files: in rows, in free pages, in the journal."""
    held = [one.read_bytes() for one in (path, Path(f"{path}-wal")) if one.exists()]
    return [mark for mark in dict.fromkeys(marks) if any(mark in content for content in held)]
