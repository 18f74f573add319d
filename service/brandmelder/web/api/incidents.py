"""Incidents: read page by page, and acted on by the same path as a click in chat."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from brandmelder.errors import Conflict
from brandmelder.incident.transitions import Illegal
from brandmelder.model import Act, Course, IncidentId, MonitorId, SpikeKind, State
from brandmelder.notify.excerpt import excerpt, safe_url
from brandmelder.notify.inert import inert
from brandmelder.pipeline.act import Unknown, Wish, fulfil
from brandmelder.store import incidents, mentions
from brandmelder.store.incident_pages import Sought, page_of
from brandmelder.web.api.cursors import cursor, place_of
from brandmelder.web.api.operation import AfterIncident, Answer, Limit, Moment, utc
from brandmelder.web.api.problems import Refused, conflict, missing, unreadable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.model import Evidence, Incident, Transition
    from brandmelder.pipeline.parts import Parts
    from brandmelder.web.api.operation import Call

RETRIES = 3
ENGINE = "brandmelder"
ROLE = "on call"
"""Stands in the place of a name where `people_in_figures` is false."""
Ident = Annotated[str, Meta(min_length=1, max_length=64, examples=["NF-2026-001"])]
_RUNNING = frozenset({State.PENDING, State.OPEN, State.ACKNOWLEDGED})


class ListQuery(Struct, frozen=True, kw_only=True):
    """Which incidents."""

    monitor: Annotated[str, Meta(max_length=128, description="Only of this monitor.")] | None = None
    state: Annotated[
        Literal["running", "ended", "open", "acknowledged", "resolved", "dismissed"],
        Meta(description="Only in this state; `running` and `ended` stand for several."),
    ] | None = None  # fmt: skip
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = 50
    after: AfterIncident | None = None


class IncidentShown(Struct, frozen=True, kw_only=True):
    """An incident in numbers."""

    id: str
    revision: int
    """Goes up with every change of state."""
    monitor: str
    kind: SpikeKind
    state: State
    severity: Annotated[int, Meta(ge=1, le=5)]
    first_severity: Annotated[int, Meta(ge=1, le=5)]
    course: Course
    onset: datetime
    opened_at: datetime
    closed_at: datetime | None
    observed: int
    """In the newest window…"""
    window_minutes: int
    usual_low: int
    usual_high: int
    is_provisional: bool
    peak: int
    peak_window_minutes: int
    total: int
    critics: int
    defenders: int
    answered: int
    negatives: int
    skala_community: int
    skala_media: int
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    closed_by: str | None
    label: str | None
    """Why it was dismissed."""
    snoozed_until: datetime | None
    under: str | None
    """The incident whose alert tells of this one."""


class IncidentPage(Struct, frozen=True, kw_only=True):
    """Incidents, newest first."""

    items: tuple[IncidentShown, ...]
    next: str | None


class QuoteShown(Struct, frozen=True, kw_only=True):
    """What a stranger wrote, shortened and without control characters; treat it as hostile."""

    text: str
    source: str
    url: str
    published_at: datetime


class PhraseShown(Struct, frozen=True, kw_only=True):
    """A phrase that is new against the usual; strangers' words."""

    text: str
    count: int


class IncidentWhole(IncidentShown, frozen=True, kw_only=True):
    """An incident with what stands behind it."""

    phrases: tuple[PhraseShown, ...]
    topics: dict[str, int]
    sources: dict[str, int]
    quotes: tuple[QuoteShown, ...]
    similar: tuple[str, ...]
    blind: tuple[str, ...]
    """Sources that cannot be seen: where they are named, the figures are a floor."""


class Step(Struct, frozen=True, kw_only=True):
    """One change of an incident."""

    revision: int
    at: datetime
    act: Act
    before: State | None
    after: State
    by: str
    note: str


class Timeline(Struct, frozen=True, kw_only=True):
    """All changes, oldest first."""

    items: tuple[Step, ...]


class Acknowledge(Struct, frozen=True, forbid_unknown_fields=True, tag_field="act", tag="acknowledge"):
    """Say that somebody is on it."""


class Resolve(Struct, frozen=True, forbid_unknown_fields=True, tag_field="act", tag="resolve"):
    """It is over."""


class Reopen(Struct, frozen=True, forbid_unknown_fields=True, tag_field="act", tag="reopen"):
    """It is not over."""


class Undo(Struct, frozen=True, forbid_unknown_fields=True, tag_field="act", tag="undo"):
    """Take a dismissal of the last ten minutes back."""


class HandOver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="act", tag="hand_over"):
    """Somebody else takes it."""

    to: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\w")]


class Snooze(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="act", tag="snooze"):
    """No news for a while, unless it doubles or another class of source joins."""

    minutes: Annotated[int, Meta(ge=1, le=1440)] = 60


class Dismiss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="act", tag="dismiss"):
    """It is no crisis."""

    reason: Literal["sarcasm", "own_campaign", "sports_result", "bots", "wrong_brand", "other"] = "other"
    words: Annotated[str, Meta(max_length=200)] = ""


Asked = Acknowledge | Resolve | Reopen | Undo | HandOver | Snooze | Dismiss


async def list_(call: Call) -> Answer:
    """List incidents."""
    query = call.query
    if query.monitor is not None and query.monitor not in call.door.parts.watches:
        raise missing("monitor", query.monitor[:60], "see GET /monitors", where="query monitor")
    behind = place_of(query.after)
    if behind is not None and not isinstance(behind[1], str):
        raise unreadable("query after", "is a place in another list; begin without it")
    sought = Sought(
        monitor=None if query.monitor is None else MonitorId(query.monitor),
        states=_states(query.state),
        since=None if query.since is None else utc(query.since),
        until=None if query.until is None else utc(query.until),
        after=None if behind is None else (behind[0], str(behind[1])),
    )
    found: list[tuple[Incident, Evidence]] = await call.look(page_of, sought, limit=query.limit + 1)
    shown, rest = found[: query.limit], found[query.limit :]
    following = cursor(shown[-1][0].opened_at, shown[-1][0].id) if rest else None
    items = tuple(_shown(one, evidence, call.door.parts) for one, evidence in shown)
    return Answer(body=IncidentPage(items=items, next=following))


def _states(asked: str | None) -> frozenset[State]:
    told = frozenset(State) - {State.DISCARDED}
    if asked is None:
        return told
    if asked == "running":
        return _RUNNING
    return told - _RUNNING if asked == "ended" else frozenset({State(asked)})


async def read(call: Call) -> Answer:
    """Show one incident, with its entity tag; nothing but that if the caller has this revision."""
    whole = await call.look(_whole, call.path["id"], call.door.parts)
    if whole is None:
        raise _missing(call.path["id"])
    tag = _tag(whole)
    if tag.strip('"') in _tags(call.headers.get("if-none-match", "")):
        return Answer(status=304, headers={"etag": tag})
    return Answer(body=whole, headers={"etag": tag})


async def timeline(call: Call) -> Answer:
    """Show what happened to one incident."""
    ident = call.path["id"]
    if await call.look(incidents.find, ident) is None:
        raise _missing(ident)
    steps: list[Transition] = await call.look(incidents.timeline, IncidentId(ident))
    masked = not call.door.parts.duty.people_in_figures
    return Answer(body=Timeline(items=tuple(_step(one, masked=masked) for one in steps)))


def _step(one: Transition, *, masked: bool) -> Step:
    return Step(
        revision=one.revision,
        at=one.at,
        act=one.act,
        before=one.before,
        after=one.after,
        by=_who(one.by, masked=masked) or ENGINE,
        note="" if masked else inert(one.note, 300),
    )


async def act(call: Call) -> Answer:
    """Do something to an incident; a revision that is out of date is refused before anything is done."""
    ident, wanted = call.path["id"], _tags(call.headers.get("if-match", ""))
    wish = _wish(ident, call)
    for attempt in range(RETRIES):
        try:
            outcome = await call.run(_fulfil, call.door.parts, wish, wanted, call.now)
            break
        except Conflict as error:
            if attempt == RETRIES - 1:
                raise conflict("overtaken", f"incident {ident} changes too fast; read it and decide anew") from error
    if isinstance(outcome, Unknown):
        raise _missing(ident)
    if isinstance(outcome, Illegal):
        raise conflict("illegal", f"{ident}: {outcome.text} Read the incident and decide anew.")
    call.door.wake()
    whole = await call.run(_whole, ident, call.door.parts)
    return Answer(body=whole, headers={"etag": _tag(whole)})


def _fulfil(
    connection: Connection, parts: Parts, wish: Wish, wanted: frozenset[str], now: datetime
) -> Incident | Illegal | Unknown:
    """Act if the incident stands where the caller saw it, in one transaction."""
    found = incidents.find(connection, wish.incident)
    if found is not None and wanted and "*" not in wanted and str(found[0].revision) not in map(_revision, wanted):
        raise Refused(
            HTTPStatus.PRECONDITION_FAILED,
            "stale",
            f"incident {wish.incident} stands at revision {found[0].revision}; read it and decide anew",
            where="header if-match",
        )
    return fulfil(connection, parts, wish, now)


def _wish(ident: str, call: Call) -> Wish:
    asked: Any = call.body
    wish = Wish(
        incident=ident,
        act=Act(asked.__struct_config__.tag),
        by=inert(call.token.name, 60),
        person=f"token:{call.token.id}",
    )
    match asked:
        case HandOver():
            return replace(wish, note=inert(asked.to, 80) or "?")
        case Snooze():
            return replace(wish, span=timedelta(minutes=asked.minutes))
        case Dismiss():
            words = inert(asked.words, 200)
            return replace(wish, note=f"{asked.reason}: {words}" if words else asked.reason)
        case _:
            return wish


def _whole(connection: Connection, ident: str, parts: Parts) -> IncidentWhole | None:
    found = incidents.find(connection, ident)
    if found is None:
        return None
    incident, evidence = found
    texts = mentions.texts_of(connection, [quote.mention for quote in evidence.quotes])
    shown = _shown(incident, evidence, parts)
    return IncidentWhole(
        **{name: getattr(shown, name) for name in shown.__struct_fields__},
        phrases=tuple(PhraseShown(text=excerpt(one.text, 60), count=one.count) for one in evidence.phrases),
        topics=dict(evidence.topics),
        sources={str(source): count for source, count in evidence.sources},
        quotes=tuple(
            QuoteShown(
                text=excerpt(texts[quote.mention].text),
                source=quote.source,
                url=safe_url(quote.url),
                published_at=quote.published_at,
            )
            for quote in evidence.quotes
            if quote.mention in texts and texts[quote.mention].text
        ),
        similar=evidence.similar,
        blind=tuple(one.source for one in evidence.sight if one.blind_since is not None),
    )


def _shown(one: Incident, evidence: Evidence, parts: Parts) -> IncidentShown:
    masked = not parts.duty.people_in_figures
    spike = one.spike
    return IncidentShown(
        id=one.id,
        revision=one.revision,
        monitor=one.monitor,
        kind=one.kind,
        state=one.state,
        severity=one.severity,
        first_severity=one.first_severity,
        course=one.course,
        onset=one.onset,
        opened_at=one.opened_at,
        closed_at=one.closed_at,
        observed=spike.observed,
        window_minutes=_minutes(spike.window),
        usual_low=spike.usual_low,
        usual_high=spike.usual_high,
        is_provisional=one.is_provisional,
        peak=one.peak,
        peak_window_minutes=_minutes(one.peak_window),
        total=max(one.total, evidence.negatives),
        critics=evidence.critics,
        defenders=evidence.defenders,
        answered=evidence.answered,
        negatives=evidence.negatives,
        skala_community=evidence.community,
        skala_media=evidence.media,
        acknowledged_by=_who(one.acknowledged_by, masked=masked),
        acknowledged_at=one.acknowledged_at,
        closed_by=_who(one.closed_by, masked=masked),
        label=one.label,
        snoozed_until=None if one.snooze is None else one.snooze.until,
        under=one.under,
    )


def _who(name: str | None, *, masked: bool) -> str | None:
    return name if not masked or name in {None, ENGINE} else ROLE


def _minutes(span: timedelta) -> int:
    return round(span / timedelta(minutes=1))


def _tag(whole: IncidentWhole) -> str:
    """Return an entity tag: the revision, and a mark of the figures, which grow without one."""
    mark = zlib.crc32(msgspec.json.encode(whole))
    return f'"{whole.revision}-{mark:08x}"'


def _revision(tag: str) -> str:
    """Return the revision that a tag names: newer figures alone are no reason to refuse an act."""
    return tag.partition("-")[0]


def _tags(header: str) -> frozenset[str]:
    """Return what a header names, without the quotes."""
    return frozenset(part.strip().removeprefix("W/").strip('"') for part in header.split(",") if part.strip())


def _missing(ident: str) -> Refused:
    return missing("incident", ident[:64], "see GET /incidents", where="path id")
