"""The tables that are exported: mentions of monitors and incidents, a row each, under columns that do not change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from brandmelder.model import Act
from brandmelder.store import incidents
from brandmelder.store.listing import Listed, Wanted, page_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from brandmelder.model import Evidence, Incident, MentionId, MonitorId, Transition
    from brandmelder.pipeline.parts import Parts
    from brandmelder.report.sheet import Cell

MENTIONS: Final = {
    "monitor": "the monitor that it counts for; a mention of two monitors has two rows",
    "published_at": "when it was written, on the clock of `timezone`",
    "captured_at": "when it was read",
    "source": "the source's name in the configuration",
    "class": "own, social, forum, news, mail, review",
    "label": "negative, neutral, positive",
    "unsure": "1 if the judge is not sure",
    "negative_percent": "how likely it is negative",
    "stance": "critic, defender, neutral",
    "language": "as the judge takes it; und is unknown",
    "topics": "what it is about, parted by blanks",
    "counted_percent": "how much it counts: copies and over-active accounts count less, own posts nothing",
    "reach": "followers of its account, where the platform tells",
    "own": "1 if an account of ours wrote it",
    "history": "1 if it was read on first contact and never alerts",
    "url": "where it stands",
    "text": "what it says, as far as it is kept",
    "title": "what it stands under",
}
"""Columns and what they hold. Authors are not exported, not even as pseudonyms."""

INCIDENTS: Final = {
    "id": "its number",
    "monitor": "the monitor",
    "kind": "the kind of spike",
    "state": "open, acknowledged, resolved, dismissed",
    "onset": "where its first loud window begins, on the clock of `timezone`",
    "opened_at": "when it was told",
    "closed_at": "when it ended",
    "minutes_open": "from opening to end",
    "minutes_to_acknowledge": "from opening to the first acknowledgement",
    "reopened": "how often it was opened again",
    "peak": "mentions in its loudest window",
    "peak_minutes": "how long that window is",
    "total": "negative mentions since the onset",
    "mentions": "all mentions since the onset",
    "answered": "negative mentions that our accounts answered",
    "critics": "distinct critics",
    "defenders": "distinct defenders",
    "first_severity": "1 (slight) to 5 (very high), when it was told",
    "severity": "the last",
    "skala_community": "level on the Shitstorm-Skala",
    "skala_media": "the same for the media",
    "label": "why it was dismissed",
    "told_with": "the incident whose alert told of this one",
}
"""Columns and what they hold. Nobody of the staff is named."""

_PAGE = 500
_MOST = 100_000


def mention_rows(parts: Parts, monitor: MonitorId, since: datetime, until: datetime) -> Iterator[tuple[Cell, ...]]:
    """Yield a monitor's mentions of [since, until), newest first; a running service is let in between pages."""
    after: tuple[datetime, MentionId] | None = None
    while True:
        wanted = Wanted(monitor=monitor, since=since, until=until, after=after)
        found = parts.database.run_now(page_of, wanted, limit=_PAGE)
        yield from (_mention(one, parts, monitor) for one in found)
        if len(found) < _PAGE:
            return
        after = found[-1].mention.published_at, found[-1].id


def _mention(one: Listed, parts: Parts, monitor: MonitorId) -> tuple[Cell, ...]:
    mention, verdict, place = one.mention, one.verdict, parts.places.get(one.mention.source)
    return (
        monitor,
        mention.published_at,
        mention.captured_at,
        mention.source,
        place.source_class.value if place else "",
        verdict.label.value,
        verdict.unsure,
        round(100 * verdict.p_negative),
        verdict.stance.value,
        verdict.language,
        " ".join(verdict.topics),
        round(100 * one.counted),
        mention.reach,
        mention.own,
        mention.history,
        mention.url,
        mention.text,
        mention.context,
    )


def incident_rows(parts: Parts, since: datetime, until: datetime) -> Iterator[tuple[Cell, ...]]:
    """Yield the incidents that opened in [since, until), newest first."""
    for one, evidence in parts.database.run_now(incidents.all_incidents, since=since, limit=_MOST):
        if one.opened_at < until:
            yield _incident(one, evidence, parts.database.run_now(incidents.timeline, one.id))


def _incident(one: Incident, evidence: Evidence, timeline: list[Transition]) -> tuple[Cell, ...]:
    taken = next((step.at for step in timeline if step.act is Act.ACKNOWLEDGE), None)
    return (
        one.id,
        one.monitor,
        one.kind.value,
        one.state.value,
        one.onset,
        one.opened_at,
        one.closed_at,
        None if one.closed_at is None else _minutes(one.closed_at - one.opened_at),
        None if taken is None else _minutes(taken - one.opened_at),
        sum(step.act in {Act.REOPEN, Act.UNDO} for step in timeline),
        one.peak,
        _minutes(one.peak_window),
        max(one.total, evidence.negatives),
        evidence.mentions,
        evidence.answered,
        evidence.critics,
        evidence.defenders,
        one.first_severity,
        one.severity,
        evidence.community,
        evidence.media,
        one.label or "",
        one.under or "",
    )


def _minutes(span: timedelta) -> int:
    return round(span / timedelta(minutes=1))
