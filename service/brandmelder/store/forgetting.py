"""What is forgotten of people: texts whose time has come, persons who asked for it, and what must not come back.

A forgotten mention keeps its number, its times and what it counted; nothing of it says who or what. A tombstone is a
keyed hash of what was forgotten: it recognises the same mention at the next poll, and tells nobody anything.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import Evidence, Incident, IncidentId, Mention, MentionId, SourceId
from brandmelder.store import unreadable
from brandmelder.store.database import maybe_seconds, moment, seconds
from brandmelder.store.schema import incident, mention, staff_label, tombstone, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

_encode = msgspec.msgpack.Encoder().encode
_incident = msgspec.msgpack.Decoder(Incident).decode
_evidence = msgspec.msgpack.Decoder(Evidence).decode
_CHUNK = 400
_ANY = select(tombstone.c.digest).limit(1)
_BURY = insert(tombstone)
_BURY = _BURY.on_conflict_do_update(
    index_elements=["digest"], set_={"at": _BURY.excluded.at, "until": _BURY.excluded.until}
)
_KNOWN = select(tombstone.c.digest, tombstone.c.until).where(
    tombstone.c.digest.in_(bindparam("digests", expanding=True))
)
_EMPTY = {"text": "", "context": "", "url": "", "author": "", "fingerprint": "", "parent_id": None, "judged": True}
_OLD = (
    select(mention.c.id, mention.c.captured_at, mention.c.forgotten_at)
    .where(mention.c.id > bindparam("after"))
    .order_by(mention.c.id)
    .limit(bindparam("limit"))
)


class Traces(Struct, frozen=True, kw_only=True):
    """One mention of a person as it is stored, for an answer to them or for its erasure."""

    id: MentionId
    source: SourceId
    external_id: str
    text: str
    url: str
    author: str
    published_at: datetime
    captured_at: datetime


def digest_of(key: bytes, *parts: str) -> str:
    """Return the keyed hash of what is forgotten; parts are written with their lengths, so no two look alike."""
    packed = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
    return hmac.digest(key, packed, "sha256").hex()


def of_mention(key: bytes, source: str, external_id: str) -> str:
    """Return the tombstone of a mention."""
    return digest_of(key, "mention", source, external_id)


def of_author(key: bytes, author: str) -> str:
    """Return the tombstone of an author, given as a pseudonym."""
    return digest_of(key, "author", author)


def bury(connection: Connection, digests: Iterable[str], now: datetime, until: datetime | None = None) -> None:
    """Write tombstones; `until` is the last moment of what an author wrote that must not come back, None for ever."""
    rows = [{"digest": one, "at": seconds(now), "until": maybe_seconds(until)} for one in digests]
    if rows:
        connection.execute(_BURY, rows)


def wanted(connection: Connection, key: bytes, found: Sequence[Mention]) -> list[Mention]:
    """Return the mentions that no tombstone keeps out; without any tombstone that costs one look."""
    if not found or connection.scalar(_ANY) is None:
        return list(found)
    digests = [of_mention(key, one.source, one.external_id) for one in found]
    authors = {one.author: of_author(key, one.author) for one in found if one.author}
    known: dict[str, int | None] = {}
    asked = [*digests, *authors.values()]
    for start in range(0, len(asked), _CHUNK):
        rows = connection.execute(_KNOWN, {"digests": asked[start : start + _CHUNK]})
        known |= {row.digest: row.until for row in rows}
    return [
        one
        for one, digest in zip(found, digests, strict=True)
        if digest not in known and not _is_kept_out(known, authors.get(one.author, ""), one.published_at)
    ]


def _is_kept_out(known: dict[str, int | None], author: str, published_at: datetime) -> bool:
    if author not in known:
        return False
    until = known[author]
    return until is None or seconds(published_at) <= until


def traces(
    connection: Connection, *, author: str | None = None, urls: Collection[str] = (), source: str | None = None
) -> list[Traces]:
    """Return what is stored of an author (a pseudonym) or of addresses, oldest first; reads the whole table."""
    places = [mention.c.url.in_(list(urls))] if urls else []
    people = [mention.c.author == author] if author else []
    statement = select(mention).where(or_(*places, *people)).order_by(mention.c.id)
    if source is not None:
        statement = statement.where(mention.c.source == source)
    return [
        Traces(
            id=MentionId(row.id),
            source=SourceId(row.source),
            external_id=row.external_id,
            text=row.text,
            url=row.url,
            author=row.author,
            published_at=moment(row.published_at),
            captured_at=moment(row.captured_at),
        )
        for row in connection.execute(statement)
    ]


def is_source(connection: Connection, name: str) -> bool:
    """Say whether anything of a source is stored, configured or not."""
    return connection.scalar(select(mention.c.id).where(mention.c.source == name).limit(1)) is not None


def held_by_others(connection: Connection, pieces: Collection[bytes]) -> set[bytes]:
    """Return which pieces stand in mentions that are kept: a copy by somebody else, an address that begins alike.

    Reads the whole table for each.
    """
    columns = (mention.c.text, mention.c.context, mention.c.url)
    return {
        piece
        for piece in pieces
        if connection.scalar(
            select(mention.c.id).where(or_(*(func.instr(one, piece.decode()) > 0 for one in columns))).limit(1)
        )
        is not None
    }


def naming(connection: Connection, name: str, limit: int = 20) -> list[tuple[MentionId, str]]:
    """Return mentions of others whose words hold a name, with their addresses: for a person to look at.

    Reads the whole table.
    """
    where = or_(
        mention.c.text.icontains(name, autoescape=True),
        mention.c.context.icontains(name, autoescape=True),
        mention.c.url.icontains(name, autoescape=True),
    )
    found = connection.execute(select(mention.c.id, mention.c.url).where(where).order_by(mention.c.id).limit(limit))
    return [(MentionId(row.id), row.url) for row in found]


def erase(connection: Connection, found: Sequence[Traces], key: bytes, now: datetime) -> None:
    """Empty mentions for good, put tombstones in their place, and take them out of labels and evidence.

    Clusters of copies know mentions by their numbers, and no words: they stay.
    """
    idents = [one.id for one in found]
    bury(connection, [of_mention(key, one.source, one.external_id) for one in found], now)
    for one in found:
        connection.execute(
            update(mention)
            .where(mention.c.id == one.id)
            .values(
                **_EMPTY,
                external_id=f"forgotten:{one.id}",
                removed_at=func.coalesce(mention.c.removed_at, seconds(now)),
                forgotten_at=seconds(now),
            )
        )
    for start in range(0, len(idents), _CHUNK):
        connection.execute(delete(staff_label).where(staff_label.c.mention.in_(idents[start : start + _CHUNK])))
    texts = {one.text for one in found if one.text}
    connection.execute(delete(staff_label).where(staff_label.c.text.in_(texts)))
    _unquote(connection, frozenset(idents))


def _unquote(connection: Connection, gone: frozenset[MentionId]) -> None:
    rows = connection.execute(select(incident.c.id, incident.c.evidence)).all()
    for ident, evidence in unreadable.readable(
        connection, "incident", rows, lambda row: (row.id, _evidence(row.evidence))
    ):
        left = tuple(quote for quote in evidence.quotes if quote.mention not in gone)
        if len(left) < len(evidence.quotes):
            save_evidence(connection, IncidentId(ident), msgspec.structs.replace(evidence, quotes=left))


def save_evidence(connection: Connection, ident: IncidentId, evidence: Evidence) -> None:
    """Write evidence of which something was forgotten; the incident stays as it is."""
    connection.execute(update(incident).where(incident.c.id == ident).values(evidence=_encode(evidence)))


# ------------------------------------------------------------------- what has had its time


def quoted(connection: Connection, since: datetime) -> tuple[frozenset[MentionId], list[tuple[Incident, Evidence]]]:
    """Return what incidents quote that run or ended at `since` or later; and the older incidents that still quote."""
    kept: set[MentionId] = set()
    old: list[tuple[Incident, Evidence]] = []
    rows = connection.execute(select(incident.c.id, incident.c.body, incident.c.evidence))
    found = unreadable.readable(
        connection, "incident", rows, lambda row: (_incident(row.body), _evidence(row.evidence))
    )
    for one, evidence in found:
        if one.closed_at is None or one.closed_at >= since:
            kept.update(quote.mention for quote in evidence.quotes)
        elif evidence.quotes or evidence.phrases:
            old.append((one, evidence))
    return frozenset(kept), old


class Due(Struct, frozen=True, kw_only=True):
    """Which mentions have had their time: those captured before a moment, but for those kept; `limit` are looked at."""

    before: datetime
    keep: Collection[MentionId]
    now: datetime
    limit: int


def expire(connection: Connection, after: MentionId, due: Due) -> tuple[int, MentionId]:
    """Empty the next mentions that are due; returns how many, and the last looked at.

    Mentions are looked at in the order in which they were stored (primary key). External ids stay: they let the next
    poll see that it knows the mention, and an edit of it is not followed any more.
    """
    rows = connection.execute(_OLD, {"after": after, "limit": due.limit}).all()
    last, gone = after, []
    for row in rows:
        if row.captured_at >= seconds(due.before):
            break
        last = MentionId(row.id)
        if row.forgotten_at is None and last not in due.keep:
            gone.append(last)
    empty(connection, gone, due.now)
    return len(gone), last


def empty(connection: Connection, idents: Sequence[MentionId], now: datetime) -> None:
    """Empty mentions whose time has come; labels of staff on them go, too."""
    for start in range(0, len(idents), _CHUNK):
        chunk = [int(one) for one in idents[start : start + _CHUNK]]
        connection.execute(
            update(mention)
            .where(mention.c.id.in_(chunk))
            .values(
                **_EMPTY,
                removed_at=func.coalesce(mention.c.removed_at, seconds(now)),
                forgotten_at=seconds(now),
            )
        )


def labelled(connection: Connection, since: datetime) -> frozenset[MentionId]:
    """Return the mentions that staff labelled at `since` or later: the judge learns from their texts."""
    rows = connection.execute(
        select(staff_label.c.mention).where(staff_label.c.mention.is_not(None), staff_label.c.at >= seconds(since))
    )
    return frozenset(MentionId(row.mention) for row in rows)


def forget_labels(connection: Connection, before: datetime, *, through: MentionId, now: datetime) -> None:
    """Let go of labels older than a moment: their texts were kept for them alone. What was learnt stays.

    Mentions up to `through` had their time already; only the label kept them.
    """
    old = select(staff_label.c.mention).where(
        staff_label.c.mention.is_not(None), staff_label.c.mention <= through, staff_label.c.at < seconds(before)
    )
    quotes, _ = quoted(connection, before)
    empty(connection, [MentionId(one) for one in connection.scalars(old) if one not in quotes], now)
    connection.execute(delete(staff_label).where(staff_label.c.at < seconds(before)))


def verdict_of(connection: Connection, ident: MentionId) -> dict[str, str | float] | None:
    """Return what was judged of a mention, in plain words."""
    row = connection.execute(select(verdict).where(verdict.c.mention == ident)).one_or_none()
    return None if row is None else {"label": row.label, "p_negative": round(row.p_negative, 3)}


def oldest_text(connection: Connection, since: datetime) -> datetime | None:
    """Return when the oldest mention was read that still has its text and is neither quoted nor labelled."""
    kept = quoted(connection, since)[0] | labelled(connection, since)
    rows = connection.execute(
        select(mention.c.id, mention.c.captured_at)
        .where(mention.c.text != "", mention.c.forgotten_at.is_(None))
        .order_by(mention.c.id)
        .limit(len(kept) + 1)
    )
    return next((moment(row.captured_at) for row in rows if row.id not in kept), None)
