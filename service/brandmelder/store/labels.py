"""What staff say of mentions, and the versions of what the judge learnt from it."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from brandmelder.model import Label, MentionId, Origin, StaffLabel
from brandmelder.store import unreadable
from brandmelder.store.database import moment, seconds
from brandmelder.store.schema import match, mention, staff_label, taught, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from brandmelder.store.unreadable import AnyRow

KEPT = 3
"""Versions of what was learnt that are kept, so that the last ones can be undone."""

_SAVE = upsert(staff_label)
_SAVE = _SAVE.on_conflict_do_update(
    index_elements=["key"], set_={name: _SAVE.excluded[name] for name in ("label", "by", "at")}
)
_ASK = upsert(staff_label).on_conflict_do_nothing(index_elements=["key"])
_ALL = (
    select(staff_label, func.coalesce(mention.c.text, staff_label.c.text).label("said"))
    .select_from(staff_label.outerjoin(mention, mention.c.id == staff_label.c.mention))
    .where(staff_label.c.label.is_not(None))
    .order_by(staff_label.c.key)
)
_ACTIVE = select(taught).where(taught.c.active.is_(True)).order_by(taught.c.version.desc()).limit(1)
_ACTIVE_VERSION = select(taught.c.version).where(taught.c.active.is_(True)).order_by(taught.c.version.desc()).limit(1)


class Version(Struct, frozen=True, kw_only=True):
    """What was learnt at a time. Mentions up to `after_mention` were judged without it and stay so."""

    version: int
    at: datetime
    after_mention: MentionId
    model: str
    active: bool
    labels: int
    body: bytes
    report: str


class Candidate(Struct, frozen=True, kw_only=True):
    """A mention that could be labelled."""

    mention: MentionId
    text: str
    p_negative: float
    origin: Origin


def save(connection: Connection, labels: Sequence[StaffLabel]) -> None:
    """Keep labels; a later one of the same mention or text replaces the earlier, and the first origin stays."""
    if labels:
        connection.execute(
            _SAVE,
            [
                {
                    "key": _key(one.mention, one.text),
                    "mention": one.mention,
                    "text": one.text,
                    "label": one.label.value,
                    "origin": one.origin.value,
                    "by": one.by,
                    "at": seconds(one.at),
                }
                for one in labels
            ],
        )


def take_back(connection: Connection, ident: MentionId) -> bool:
    """Remove the label of a mention; says whether there was one."""
    return connection.execute(delete(staff_label).where(staff_label.c.key == _key(ident, None))).rowcount > 0


def _key(ident: MentionId | None, text: str | None) -> str:
    return f"m{ident}" if ident is not None else f"t{sha256((text or '').encode('utf-8', 'surrogatepass')).hexdigest()}"


def asked(connection: Connection, candidates: Iterable[Candidate], now: datetime) -> None:
    """Remember why we asked about a mention: its label will have that origin."""
    rows = [
        {
            "key": _key(one.mention, None),
            "mention": one.mention,
            "origin": one.origin.value,
            "by": "",
            "at": seconds(now),
        }
        for one in candidates
    ]
    if rows:
        connection.execute(_ASK, rows)


def read(connection: Connection) -> list[StaffLabel]:
    """Return every label with its text; mentions that their platform took away are left out."""
    rows = [row for row in connection.execute(_ALL) if row.said]
    return unreadable.readable(connection, "staff_label", rows, lambda row: _label(row, row.said))


def of_mentions(connection: Connection, idents: Sequence[MentionId]) -> dict[MentionId, StaffLabel]:
    """Return what staff say of the given mentions (primary key)."""
    found: dict[MentionId, StaffLabel] = {}
    for start in range(0, len(idents), 400):
        keys = [_key(ident, None) for ident in idents[start : start + 400]]
        rows = connection.execute(
            select(staff_label).where(staff_label.c.key.in_(keys), staff_label.c.label.is_not(None))
        )
        said = unreadable.readable(connection, "staff_label", rows, lambda row: _label(row, None))
        found |= {one.mention: one for one in said if one.mention is not None}
    return found


def _label(row: AnyRow, text: str | None) -> StaffLabel:
    return StaffLabel(
        label=Label(row.label),
        at=moment(row.at),
        mention=None if row.mention is None else MentionId(row.mention),
        text=text,
        origin=Origin(row.origin),
        by=row.by,
    )


def find_mention(connection: Connection, name: str) -> MentionId | None:
    """Return the mention with that number, `source/external_id` or address."""
    source, _, external = name.partition("/")
    wanted: list[Any] = [mention.c.url == name, (mention.c.source == source) & (mention.c.external_id == external)]
    if name.isdecimal():
        wanted.insert(0, mention.c.id == int(name))
    for condition in wanted:
        found = connection.scalar(select(mention.c.id).where(condition).limit(1))
        if found is not None:
            return MentionId(found)
    return None


def unlabelled(
    connection: Connection, since: datetime, until: datetime, *, monitor: str | None = None, limit: int = 5000
) -> list[Candidate]:
    """Return counted mentions of [since, until) that nobody labelled or was asked about; copies are left out."""
    query = (
        select(mention.c.id, mention.c.text, verdict.c.p_negative)
        .distinct()
        .select_from(
            match.join(mention, mention.c.id == match.c.mention).join(verdict, verdict.c.mention == mention.c.id)
        )
        .where(
            match.c.published_at >= seconds(since),
            match.c.published_at < seconds(until),
            match.c.total >= 0.5,
            mention.c.text != "",
            ~select(staff_label.c.key).where(staff_label.c.mention == mention.c.id).exists(),
        )
        .order_by(mention.c.id.desc())
        .limit(limit)
    )
    if monitor is not None:
        query = query.where(match.c.monitor == monitor)
    return [
        Candidate(mention=MentionId(ident), text=text, p_negative=negative, origin=Origin.RANDOM)
        for ident, text, negative in connection.execute(query)
    ]


def active(connection: Connection) -> Version | None:
    """Return what the judge uses now."""
    row = connection.execute(_ACTIVE).one_or_none()
    return None if row is None else _version(row)


def active_version(connection: Connection) -> int:
    """Return the number of what the judge uses now; 0 for nothing."""
    return connection.scalar(_ACTIVE_VERSION) or 0


def versions(connection: Connection) -> list[Version]:
    """Return what is kept, the newest first."""
    return [_version(row) for row in connection.execute(select(taught).order_by(taught.c.version.desc()))]


def _version(row: Any) -> Version:
    return Version(
        version=row.version,
        at=moment(row.at),
        after_mention=MentionId(row.after_mention),
        model=row.model,
        active=row.active,
        labels=row.labels,
        body=row.body,
        report=row.report,
    )


def teach(connection: Connection, lesson: Version) -> int:
    """Keep what was learnt and use it from the next mention on; returns its version, which is given here."""
    last = connection.scalar(select(func.max(mention.c.id))) or 0
    done = connection.execute(
        insert(taught).values(
            at=seconds(lesson.at),
            after_mention=last,
            model=lesson.model,
            active=lesson.active,
            labels=lesson.labels,
            body=lesson.body,
            report=lesson.report,
        )
    )
    version = int(done.inserted_primary_key[0]) if done.inserted_primary_key else 0
    kept = connection.scalars(select(taught.c.version).order_by(taught.c.version.desc()).limit(KEPT)).all()
    connection.execute(delete(taught).where(taught.c.version.not_in(kept)))
    return version


def undo(connection: Connection) -> int | None:
    """Use the version before the active one, or the judge as it came; returns what was taken out of use."""
    version = active_version(connection)
    if not version:
        return None
    connection.execute(
        update(taught).where(taught.c.version == bindparam("ident")).values(active=False), {"ident": version}
    )
    return version
