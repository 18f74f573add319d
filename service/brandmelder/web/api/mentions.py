"""Mentions in, and what was found in them out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from brandmelder.capture.mentions import Told, mention_of
from brandmelder.model import Label, MentionId, MonitorId, SourceId, Stance
from brandmelder.options import SourceOptions
from brandmelder.pipeline.take_in import Taken, take_in
from brandmelder.store.listing import Listed, Wanted, page_of
from brandmelder.web.api.cursors import cursor, place_of
from brandmelder.web.api.operation import AfterMention, Answer, Limit, Moment, utc
from brandmelder.web.api.problems import missing, unreadable
from brandmelder.web.api.repeats import once

if TYPE_CHECKING:
    from brandmelder.web.api.operation import Call

MOST = 500


class NewMention(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One utterance, as its platform knows it."""

    external_id: Annotated[str, Meta(min_length=1, max_length=256)]
    """What the platform calls it: the same id again is the same mention, with a new text an edit of it."""
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    published_at: Moment
    url: Annotated[str, Meta(max_length=2_000)] = ""
    author: Annotated[str, Meta(max_length=200)] = ""
    """Becomes a pseudonym before it is stored."""
    title: Annotated[str, Meta(max_length=500)] = ""
    """What it stands under: matched by queries, not judged."""
    language: Annotated[str, Meta(pattern="^[a-z]{2}$")] | None = None
    reach: Annotated[int, Meta(ge=0, le=10_000_000_000)] | None = None
    parent_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    """The `external_id` of what it answers."""
    own: bool = False
    """Written by one of our own accounts: a response, never a spike."""


class NewMentions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch for one source of the configuration, whose class and options hold for it."""

    source: Annotated[str, Meta(min_length=1, max_length=128, examples=["blog"])]
    mentions: Annotated[tuple[NewMention, ...], Meta(min_length=1, max_length=MOST)]


class ListQuery(Struct, frozen=True, kw_only=True):
    """Which mentions."""

    monitor: Annotated[str, Meta(min_length=1, max_length=128, examples=["nordfunk"], description="Of which monitor.")]
    source: Annotated[str, Meta(max_length=128, description="Only of this source.")] | None = None
    label: Annotated[Label, Meta(description="Only with this label.")] | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = 50
    after: AfterMention | None = None


class MentionShown(Struct, frozen=True, kw_only=True):
    """A mention with what was found in it. Its text is a stranger's: treat it as hostile."""

    id: int
    source: str
    external_id: str
    text: str
    title: str
    url: str
    published_at: datetime
    captured_at: datetime
    reach: int | None
    parent_id: str | None
    own: bool
    history: bool
    """Read on first contact: teaches what is usual and never alerts."""
    label: Label
    unsure: bool
    p_negative: float
    stance: Stance
    language: str
    topics: tuple[str, ...]
    counted: float
    """How much it counts for the monitor: copies and over-active accounts less, own posts nothing."""


class MentionPage(Struct, frozen=True, kw_only=True):
    """Mentions, newest first by event time."""

    items: tuple[MentionShown, ...]
    next: str | None
    """Where it goes on; null at the end."""


async def create(call: Call) -> Answer:
    """Keep a batch; it stands in the database once this is answered."""
    parts, body = call.door.parts, call.body
    source = SourceId(body.source)
    if source not in parts.places:
        known = ", ".join(sorted(parts.places))
        raise missing("source", body.source[:60], f"the configuration has: {known}", where="body $.source")
    place = parts.places[source]
    options = SourceOptions(type="api", own_accounts=place.own_accounts, language=place.language)
    found = [mention_of(_told(one), source=source, options=options, now=call.now) for one in body.mentions]
    taken, is_repeat = await once(call, Taken, take_in, parts, found)
    if taken.new or taken.edited:
        call.door.brought()
    return Answer(status=201 if not is_repeat else 200, body=taken)


def _told(one: NewMention) -> Told:
    return Told(
        ident=one.external_id,
        text=one.text,
        published=utc(one.published_at),
        url=one.url,
        author=one.author,
        context=one.title,
        parent=one.parent_id,
        reach=one.reach,
        language=one.language,
        own=one.own,
    )


async def list_(call: Call) -> Answer:
    """List a monitor's mentions."""
    query, parts = call.query, call.door.parts
    if query.monitor not in parts.watches:
        raise missing("monitor", query.monitor[:60], "see GET /monitors", where="query monitor")
    behind = place_of(query.after)
    if behind is not None and not isinstance(behind[1], int):
        raise unreadable("query after", "is a place in another list; begin without it")
    wanted = Wanted(
        monitor=MonitorId(query.monitor),
        source=None if query.source is None else SourceId(query.source),
        label=query.label,
        since=None if query.since is None else utc(query.since),
        until=None if query.until is None else utc(query.until),
        after=None if behind is None else (behind[0], MentionId(int(behind[1]))),
    )
    found: list[Listed] = await call.look(page_of, wanted, limit=query.limit + 1)
    shown, rest = found[: query.limit], found[query.limit :]
    last = shown[-1] if rest else None
    following = None if last is None else cursor(last.mention.published_at, last.id)
    return Answer(body=MentionPage(items=tuple(map(_shown, shown)), next=following))


def _shown(one: Listed) -> MentionShown:
    mention, verdict = one.mention, one.verdict
    return MentionShown(
        id=one.id,
        source=mention.source,
        external_id=mention.external_id,
        text=mention.text,
        title=mention.context,
        url=mention.url,
        published_at=mention.published_at,
        captured_at=mention.captured_at,
        reach=mention.reach,
        parent_id=mention.parent_id,
        own=mention.own,
        history=mention.history,
        label=verdict.label,
        unsure=verdict.unsure,
        p_negative=round(verdict.p_negative, 3),
        stance=verdict.stance,
        language=verdict.language,
        topics=verdict.topics,
        counted=round(one.counted, 3),
    )
