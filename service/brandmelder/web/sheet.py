"""Reads what an incident's page shows: it as the alert tells it, its posts with their answers, its picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.incident.copies import first_of_kind
from brandmelder.model import BIN, DeliveryState, Label, Mention, MentionId, SpikeKind, Verdict
from brandmelder.notify.story import Story
from brandmelder.pipeline.duty import Scene
from brandmelder.pipeline.next_call import NextCall, next_call
from brandmelder.pipeline.render import Facts, context_of, read_facts
from brandmelder.store import incidents, labels, mentions, notes
from brandmelder.store.notes import Note
from brandmelder.web.bars import RANGES, Bars, frame_at, read_bars, read_behind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts
    from brandmelder.web.bands import Bands

MOST_POSTS: Final = 400
"""So many of an incident's mentions are looked through; copies are left out first."""
_AFTER: Final = timedelta(hours=1)
"""How far behind its end the picture of an ended incident reaches."""
_RANGE_OF: Final = (("6h", timedelta(hours=4)), ("24h", timedelta(hours=20)), ("7d", timedelta(days=6)))


class Post(Struct, frozen=True, kw_only=True):
    """One mention of an incident, with what became of it."""

    id: MentionId
    mention: Mention
    verdict: Verdict
    copies: int = 0
    answered_at: datetime | None = None
    staff: Label | None = None
    """What staff said of it, if they did."""

    @property
    def label(self) -> Label:
        """What it says of the brand: what staff say goes before what was judged."""
        return self.staff or self.verdict.label


class Sheet(Struct, frozen=True, kw_only=True):
    """All that the page of one incident shows."""

    story: Story
    facts: Facts
    range: str
    bars: Bars | None
    posts: tuple[Post, ...] = ()
    """Newest first, copies folded into their first."""
    notes: tuple[Note, ...] = ()
    confirmed: Mapping[str, datetime] = {}
    """Whom an alert has reached, and when: a person's id, or a channel's."""
    next: NextCall | None = None
    """What happens next if nobody does anything."""


def read_sheet(  # noqa: PLR0913 -- what a reader asks for
    connection: Connection,
    parts: Parts,
    ident: str,
    *,
    bands: Bands,
    now: datetime,
    language: str,
    zone: ZoneInfo,
    wish: str = "",
    is_brief: bool = False,
) -> Sheet | None:
    """Read an incident's page, without its posts if it is to be brief; None if there is no such incident."""
    if incidents.find(connection, ident) is None:
        return None
    facts = read_facts(connection, ident, parts, now)
    context = context_of(parts, facts, now, language=language, zone=zone)
    story = Story(facts.incident, facts.evidence, context)
    watch = parts.watches.get(facts.incident.monitor)
    at = min(now, facts.incident.closed_at + _AFTER) if facts.incident.closed_at else now
    name = wish if wish in RANGES else _fitting(at - facts.incident.onset)
    bars = None
    if watch is not None:
        frame = frame_at(name, at, zone)
        bars = read_bars(
            connection,
            watch,
            frame,
            bands=bands,
            behind=read_behind(connection, frame.since),
            now=now,
            total=facts.incident.kind is SpikeKind.TOTAL,
        )
    return Sheet(
        story=story,
        facts=facts,
        range=name,
        bars=bars,
        posts=() if is_brief else _posts(connection, facts, at),
        notes=tuple(notes.of_incident(connection, ident)),
        confirmed=_confirmed(facts),
        next=next_call(Scene(connection, parts, now), facts),
    )


def _fitting(lasted: timedelta) -> str:
    return next((name for name, most in _RANGE_OF if lasted <= most), "8w")


def _confirmed(facts: Facts) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for one in facts.told:
        if one.confirmed_at is None or one.state is not DeliveryState.SENT:
            continue
        for person in one.persons:
            found[person] = min(found.get(person, one.confirmed_at), one.confirmed_at)
    return found


def _posts(connection: Connection, facts: Facts, at: datetime) -> tuple[Post, ...]:
    """Return the mentions since the onset; a copy is counted at the first that says the same."""
    onset, until = facts.incident.onset, max(at, facts.incident.onset) + BIN
    found = [
        one
        for one in mentions.judged_between(connection, facts.incident.monitor, onset, until, limit=MOST_POSTS)
        if not one[1].history and not one[1].own
    ]
    found.reverse()
    firsts = first_of_kind([mention.text for _, mention, _ in found])
    alike = Counter(firsts)
    answered = _answered(connection, [mention for _, mention, _ in found])
    said = labels.of_mentions(connection, [ident for ident, _, _ in found])
    posts = []
    for place, (ident, mention, verdict) in enumerate(found):
        if firsts[place] == place:
            staff = said.get(ident)
            posts.append(
                Post(
                    id=ident,
                    mention=mention,
                    verdict=verdict,
                    copies=alike[place] - 1,
                    answered_at=answered.get((mention.source, mention.external_id)),
                    staff=staff.label if staff else None,
                )
            )
    return tuple(reversed(posts))


def _answered(connection: Connection, found: Sequence[Mention]) -> dict[tuple[str, str], datetime]:
    """Return when each mention got its first answer of ours."""
    first: dict[tuple[str, str], datetime] = {}
    for source in sorted({one.source for one in found}):
        asked = [one.external_id for one in found if one.source == source]
        for answer in mentions.responses_to(connection, source, asked):
            key = (source, answer.parent_id or "")
            first[key] = min(first.get(key, answer.published_at), answer.published_at)
    return first
