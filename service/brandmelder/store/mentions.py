"""Mentions and their verdicts, kept once each: insert-or-update on (source, external_id)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, false, func, select, true, update
from sqlalchemy.dialects.sqlite import insert

from brandmelder.model import Mention, MentionId, Removal, SourceId, Verdict
from brandmelder.store import unreadable
from brandmelder.store.bulk import Bulk
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import match, mention, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.store.unreadable import AnyRow

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Verdict).decode
_CHUNK = 400

_EDITABLE = ("text", "context", "url", "author", "language", "reach", "fingerprint")
_COLUMNS = tuple(
    mention.c[name]
    for name in (
        "source", "external_id", "text", "context", "url", "author", "language", "reach", "parent_id", "own",
        "history", "flags", "published_at", "captured_at",
    )
)  # fmt: skip
"""What a mention is made of, in the order in which `_mention` takes it."""

_LAST = select(func.max(mention.c.id))
_INSERT = Bulk(
    insert(mention).on_conflict_do_nothing(index_elements=["source", "external_id"]),
    ["id", *(column.name for column in _COLUMNS), "fingerprint", "judged"],
)
_LANDED = select(mention.c.id).where(mention.c.id >= bindparam("first"), mention.c.id < bindparam("end"))
_KNOWN = select(mention.c.external_id, mention.c.id, mention.c.fingerprint).where(
    mention.c.source == bindparam("of"),
    mention.c.external_id.in_(bindparam("idents", expanding=True)),
    mention.c.forgotten_at.is_(None),
)
"""By the constraint mention_identity: for a list of pairs, SQLite 3.40 reads every mention there is.

What was forgotten is known and not followed any more: an edit would bring it back.
"""
_TOLD: dict[str, Any] = {name: func.coalesce(bindparam(name), mention.c[name]) for name in ("language", "reach")} | {
    name: func.coalesce(func.nullif(bindparam(name), ""), mention.c[name]) for name in ("context", "url")
}
"""What is not told with every answer, and is kept where it is not."""
_EDIT = (
    update(mention)
    .where(mention.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in _EDITABLE} | _TOLD | {"judged": False, "removed_at": None})
)
TO_JUDGE = (
    select(mention.c.id, verdict.c.mention.is_not(None), *_COLUMNS)
    .select_from(mention.outerjoin(verdict, verdict.c.mention == mention.c.id))
    .where(mention.c.judged == false())
    .order_by(mention.c.id)
    .limit(bindparam("limit"))
)
"""In the words of the index mention_to_judge: `judged IS 0` would read every mention there is."""
_NEW_VERDICT = insert(verdict)
_SAVE_VERDICTS = Bulk(
    _NEW_VERDICT.on_conflict_do_update(
        index_elements=["mention"],
        set_={name: _NEW_VERDICT.excluded[name] for name in ("label", "p_negative", "body")},
    )
)
_MARK_JUDGED = Bulk(update(mention).where(mention.c.id == bindparam("key")).values(judged=true()))
_IN_SPAN = (
    match.c.monitor == bindparam("monitor"),
    match.c.published_at >= bindparam("since"),
    match.c.published_at < bindparam("until"),
)
_JUDGED_BETWEEN = (
    select(mention.c.id, verdict.c.body, *_COLUMNS)
    .select_from(
        match.join(mention, mention.c.id == match.c.mention).join(verdict, verdict.c.mention == match.c.mention)
    )
    .where(*_IN_SPAN)
    .order_by(match.c.published_at.desc(), match.c.mention.desc())
    .limit(bindparam("limit"))
)
HEAVY = 0.5
"""From this weight on a mention is one of its own, and not one more copy."""
_HEAVY_BETWEEN = _JUDGED_BETWEEN.where(match.c.total >= HEAVY)
_LIGHT_BETWEEN = _JUDGED_BETWEEN.where(match.c.total < HEAVY)
_READ = (
    select(mention.c.id, verdict.c.body, *_COLUMNS)
    .select_from(mention.outerjoin(verdict, verdict.c.mention == mention.c.id))
    .where(mention.c.removed_at.is_(None), mention.c.id.in_(bindparam("idents", expanding=True)))
    .order_by(mention.c.id.desc())
)


class Stored(Struct, frozen=True):
    """What became of a batch: how many were new, edited, seen before."""

    new: int
    edited: int
    repeated: int


def insert_mentions(connection: Connection, mentions: Sequence[Mention], prints: Sequence[str]) -> Stored:
    """Store each mention once; `prints` are the content fingerprints that tell an edit from a repeat.

    An edit keeps identity, event time and what was counted; its text is judged again.
    """
    if not mentions:
        return Stored(0, 0, 0)
    first = (connection.scalar(_LAST) or 0) + 1
    rows = [
        _row(first + n, one, fingerprint) for n, (one, fingerprint) in enumerate(zip(mentions, prints, strict=True))
    ]
    if _INSERT.run(connection, rows) == len(rows):
        return Stored(len(rows), 0, 0)
    landed = set(connection.scalars(_LANDED, {"first": first, "end": first + len(rows)}))
    repeats = [row for row in rows if row["id"] not in landed]
    edited = _edit(connection, repeats)
    return Stored(len(landed), edited, len(repeats) - edited)


def _row(ident: int, one: Mention, fingerprint: str) -> dict[str, Any]:
    return {
        "id": ident,
        "source": one.source,
        "external_id": one.external_id,
        "text": one.text,
        "context": one.context,
        "url": one.url,
        "author": one.author,
        "language": one.language,
        "reach": one.reach,
        "parent_id": one.parent_id,
        "own": one.own,
        "history": one.history,
        "flags": " ".join(one.flags),
        "fingerprint": fingerprint,
        "published_at": seconds(one.published_at),
        "captured_at": seconds(one.captured_at),
        "judged": False,
    }


def _edit(connection: Connection, repeats: Sequence[dict[str, Any]]) -> int:
    known: dict[tuple[str, str], tuple[int, str]] = {}
    for source in dict.fromkeys(row["source"] for row in repeats):
        idents = [row["external_id"] for row in repeats if row["source"] == source]
        for start in range(0, len(idents), _CHUNK):
            found = connection.execute(_KNOWN, {"of": source, "idents": idents[start : start + _CHUNK]})
            known |= {(source, row.external_id): (row.id, row.fingerprint) for row in found}
    changed: dict[int, dict[str, Any]] = {}
    for row in repeats:
        ident, fingerprint = known.get((row["source"], row["external_id"]), (0, row["fingerprint"]))
        if fingerprint == row["fingerprint"]:
            changed.pop(ident, None)
        else:
            changed[ident] = {"key": ident} | {name: row[name] for name in _EDITABLE}
    if changed:
        connection.execute(_EDIT, list(changed.values()))
    return len(changed)


def edit_mentions(connection: Connection, mentions: Sequence[Mention], prints: Sequence[str]) -> int:
    """Follow edits of mentions that are stored; others are left out. Returns how many differed."""
    return _edit(connection, [_row(0, one, fingerprint) for one, fingerprint in zip(mentions, prints, strict=True)])


def remove_mentions(connection: Connection, removals: Iterable[Removal], now: datetime) -> list[MentionId]:
    """Follow deletions: text and author go, what was counted stays. Returns whose were there until now."""
    gone: list[MentionId] = []
    for one in removals:
        ident = connection.scalar(
            update(mention)
            .where(
                mention.c.source == one.source,
                mention.c.external_id == one.external_id,
                mention.c.removed_at.is_(None),
            )
            .values(text="", context="", author="", fingerprint="", removed_at=seconds(now), judged=True)
            .returning(mention.c.id)
        )
        gone += [] if ident is None else [MentionId(ident)]
    return gone


def to_judge(connection: Connection, limit: int) -> list[tuple[MentionId, Mention, bool]]:
    """Return the oldest unjudged mentions (index mention_to_judge) and whether each had a verdict before."""
    rows = connection.execute(TO_JUDGE, {"limit": limit}).all()
    return [(MentionId(ident), _mention(columns), bool(again)) for ident, again, *columns in rows]


def _mention(columns: Sequence[Any]) -> Mention:
    (
        source, external_id, text, context, url, author, language, reach, parent_id, own, history, flags,
        published_at, captured_at,
    ) = columns  # fmt: skip
    return Mention(
        source=SourceId(source),
        external_id=external_id,
        text=text,
        context=context,
        url=url,
        author=author,
        language=language,
        reach=reach,
        parent_id=parent_id,
        own=own,
        history=history,
        flags=tuple(flags.split()),
        published_at=moment(published_at),
        captured_at=moment(captured_at),
    )


def save_verdicts(connection: Connection, verdicts: Mapping[MentionId, Verdict]) -> None:
    """Keep the latest verdict of each mention and mark it judged."""
    rows = [
        {"mention": ident, "label": one.label.value, "p_negative": one.p_negative, "body": _encode(one)}
        for ident, one in verdicts.items()
    ]
    _SAVE_VERDICTS.run(connection, rows)


def weights_of(connection: Connection, idents: Sequence[MentionId]) -> dict[MentionId, float]:
    """Return how much each of the mentions weighed when it was last judged."""
    found: dict[MentionId, float] = {}
    for start in range(0, len(idents), _CHUNK):
        rows = connection.execute(
            select(verdict.c.mention, verdict.c.body).where(verdict.c.mention.in_(idents[start : start + _CHUNK]))
        )
        found |= dict(
            unreadable.readable(connection, "verdict", rows, lambda row: (row.mention, _decode(row.body).weight))
        )
    return found


def mark_judged(connection: Connection, idents: Sequence[MentionId]) -> None:
    """Take mentions off the list of those to judge."""
    _MARK_JUDGED.run(connection, [{"key": ident} for ident in idents])


def judged_between(
    connection: Connection, monitor: str, since: datetime, until: datetime, *, limit: int = 5000
) -> list[tuple[MentionId, Mention, Verdict]]:
    """Return a monitor's judged mentions of [since, until), newest first (primary key of match).

    Where there are more than `limit`, further copies are left out first: they must not hide what others say.
    """
    span = {"monitor": monitor, "since": seconds(since), "until": seconds(until)}
    rows = connection.execute(_HEAVY_BETWEEN, span | {"limit": limit}).all()
    if len(rows) < limit:
        rows = [*rows, *connection.execute(_LIGHT_BETWEEN, span | {"limit": limit - len(rows)})]
    return unreadable.readable(connection, "verdict", rows, _judged)


def responses_to(connection: Connection, source: str, parents: Sequence[str]) -> list[Mention]:
    """Return our own answers below the given mentions of one source (index mention_reply)."""
    found: list[Mention] = []
    for start in range(0, len(parents), _CHUNK):
        rows = connection.execute(
            select(*_COLUMNS).where(
                mention.c.source == source,
                mention.c.parent_id.in_(parents[start : start + _CHUNK]),
                mention.c.own.is_(True),
            )
        )
        found += [_mention(row) for row in rows]
    return found


def own_sources(connection: Connection) -> frozenset[SourceId]:
    """Return the sources where our own accounts were ever seen to write; reads the whole table, once for a digest."""
    rows = connection.scalars(select(mention.c.source).where(mention.c.own.is_(True)).distinct())
    return frozenset(SourceId(source) for source in rows)


def texts_of(connection: Connection, idents: Iterable[MentionId]) -> dict[MentionId, Mention]:
    """Return the mentions as they stand now; removed ones are left out."""
    rows = connection.execute(
        select(mention.c.id, *_COLUMNS).where(
            mention.c.id.in_([int(one) for one in idents]), mention.c.removed_at.is_(None)
        )
    )
    return {MentionId(ident): _mention(columns) for ident, *columns in rows}


def count(connection: Connection, source: SourceId | None = None) -> int:
    """Return how many mentions are stored, of one source or of all."""
    statement = select(func.count()).select_from(mention)
    return connection.scalar(statement if source is None else statement.where(mention.c.source == source)) or 0


def _with_verdict(connection: Connection, row: AnyRow) -> tuple[MentionId, Mention, Verdict | None]:
    """Return a mention with its verdict; None for one that there is not, or that nobody can read."""
    ident, body, *columns = row
    found = unreadable.readable(connection, "verdict", [row], lambda _: _decode(body)) if body else []
    return MentionId(ident), _mention(columns), found[0] if found else None


def _judged(row: AnyRow) -> tuple[MentionId, Mention, Verdict]:
    ident, body, *columns = row
    return MentionId(ident), _mention(columns), _decode(body)


def read(connection: Connection, idents: Iterable[MentionId]) -> list[tuple[MentionId, Mention, Verdict | None]]:
    """Return mentions with their verdicts, newest first; removed ones are left out (primary key)."""
    rows = connection.execute(_READ, {"idents": [int(one) for one in idents]})
    return [_with_verdict(connection, row) for row in rows]


def newest(
    connection: Connection, before: MentionId | None, since: datetime, limit: int
) -> list[tuple[MentionId, Mention, Verdict | None]]:
    """Return mentions stored before `before` and captured at `since` or later, newest first (primary key)."""
    rows = connection.execute(
        select(mention.c.id, verdict.c.body, *_COLUMNS)
        .select_from(mention.outerjoin(verdict, verdict.c.mention == mention.c.id))
        .where(mention.c.removed_at.is_(None), *([] if before is None else [mention.c.id < before]))
        .order_by(mention.c.id.desc())
        .limit(limit)
    )
    found = [_with_verdict(connection, row) for row in rows]
    return [row for row in found if row[1].captured_at >= since]


def page(connection: Connection, after: MentionId, limit: int) -> list[tuple[MentionId, Mention, Verdict | None]]:
    """Return the mentions after `after` that have their text, with their verdicts, in stored order: for a recount."""
    rows = connection.execute(
        select(mention.c.id, verdict.c.body, *_COLUMNS)
        .select_from(mention.outerjoin(verdict, verdict.c.mention == mention.c.id))
        .where(mention.c.id > after, mention.c.removed_at.is_(None))
        .order_by(mention.c.id)
        .limit(limit)
    )
    return [_with_verdict(connection, row) for row in rows]
