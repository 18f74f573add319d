"""What a query would have brought lately: held against the stored mentions, whatever they were matched with before."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.capture.match import Matcher
from brandmelder.model import Label, Mention, MentionId, MonitorId, SourceId
from brandmelder.pipeline.judge import read_by
from brandmelder.store import mentions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import Connection

    from brandmelder.capture.query import Query

PAGE = 2_000
EXAMPLES = 5
_ASKED = MonitorId("asked")


class Tally(Struct):
    """How many mentions of a source were written, matched, and of these judged negative (if they were judged)."""

    read: int = 0
    matched: int = 0
    judged: int = 0
    negative: int = 0


class Preview(Struct, frozen=True, kw_only=True):
    """What a query brings since `since`, by source, with the newest examples."""

    since: datetime
    by_source: dict[SourceId, Tally]
    examples: tuple[Mention, ...]


def preview(
    connection: Connection,
    query: Query,
    sources: Collection[SourceId],
    *,
    since: datetime,
    named: Callable[[str], str],
) -> Preview:
    """Hold `query` against every mention of `sources` that was published at `since` or later."""
    matcher = Matcher({_ASKED: query}, named=named)
    tallies = {source: Tally() for source in sources}
    examples: list[Mention] = []
    before: MentionId | None = None
    while page := mentions.newest(connection, before, since, PAGE):
        before = page[-1][0]
        mine = [(one, verdict) for _, one, verdict in page if one.source in tallies and one.published_at >= since]
        found = read_by(matcher, [one for one, _ in mine])
        for (one, verdict), names in zip(mine, found, strict=True):
            tally = tallies[one.source]
            tally.read += 1
            tally.matched += bool(names)
            tally.judged += bool(names and verdict)
            tally.negative += bool(names and verdict and verdict.label is Label.NEGATIVE)
            if names and len(examples) < EXAMPLES:
                examples.append(one)
    return Preview(since=since, by_source=tallies, examples=tuple(examples))
