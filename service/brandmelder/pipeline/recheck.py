"""Asks again for what was captured in the last seven days, in small rounds, and follows edits and deletions.

Where a platform tells them itself (events, sweeps), its source needs no `recheck`. A round in which nothing that was
asked for is there any more is not believed at once: a right that was lost, or an odd answer, looks like that, and what
is taken away does not come back. A round goes on after the mention at
which the last one stopped, and begins anew at its end: with ten questions an hour each mention of an ordinary source
comes up several times a day (rule 18 of sources.md).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from brandmelder.capture.normalise import fingerprint
from brandmelder.capture.source import Recheck, Rechecks
from brandmelder.errors import RateLimited, SourceError
from brandmelder.model import MentionId
from brandmelder.pipeline.apart import Apart
from brandmelder.pipeline.correct import correct_alerts
from brandmelder.pipeline.duty import Scene
from brandmelder.pipeline.poll import ready
from brandmelder.pipeline.spend import Took, write_usage
from brandmelder.store import mentions, meta, rechecks
from brandmelder.store.database import moment, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import SourceId
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

_ALL_GONE = "all_gone:"

SPAN = timedelta(days=7)
EVERY = timedelta(hours=1)
QUESTIONS = 10
"""How many questions one round asks of a source."""
ODD = 5
"""So many mentions, and not one of them still there, are odd."""
BELIEVED_AFTER = timedelta(hours=12)
"""When it is believed all the same: platforms want deletions followed within a day."""


async def recheck_source(parts: Parts, source: SourceId, now: datetime) -> bool:
    """Do the source's round if one is due, right behind a good poll; says whether there is something to judge."""
    asked = parts.sources[source]
    if not isinstance(asked, Rechecks):
        return False
    due, after = await parts.database.run(rechecks.next_round, source)
    if due is not None and due > now:
        return False
    has_news, following = False, now + EVERY
    withheld: list[Recheck] = []
    """The answers in which nothing was still there."""
    is_there = False
    for _ in range(QUESTIONS):
        known = await parts.database.run(rechecks.young, source, after, now - SPAN, asked.recheck_size)
        found = await _answer(asked, source, [external for _, external in known], now)
        if isinstance(found, SourceError):
            following = max(following, found.until) if isinstance(found, RateLimited) else following
            break
        after = known[-1][0] if known else after
        if found is None:
            break
        if found.removals and not found.mentions:
            withheld.append(found)
        elif known:
            is_there = is_there or bool(found.mentions)
            has_news = await parts.database.run(_commit, parts, source, found, now) or has_news
        if len(known) < asked.recheck_size:
            after = MentionId(0)
            break
    if withheld or is_there:
        await _follow_withheld(parts, source, withheld, now, is_there=is_there)
    await parts.database.run(rechecks.save_round, source, following, after)
    return has_news


async def _follow_withheld(
    parts: Parts, source: SourceId, withheld: Sequence[Recheck], now: datetime, *, is_there: bool
) -> None:
    """Follow the answers in which nothing was still there, if they are believed; what they cost is noted anyway."""
    gone = 0 if is_there else sum(len(one.removals) for one in withheld)
    is_believed = await parts.database.run(_believes, parts, source, gone, now)
    for one in withheld:
        told = one if is_believed else replace(one, removals=())
        await parts.database.run(_commit, parts, source, told, now)


async def _answer(
    asked: Rechecks, source: SourceId, known: Sequence[str], now: datetime
) -> Recheck | SourceError | None:
    """Return what a source says of mentions, or why it says nothing; None for a bug: the next round goes on behind."""
    if not known:
        return Recheck()
    try:
        return await asked.recheck(known, now)
    except SourceError as error:
        log.warning("recheck.failed", source=source, error=type(error).__name__)
        return error
    except Exception:
        log.exception("recheck.bug", source=source)
        return None


def _believes(connection: Connection, parts: Parts, source: SourceId, gone: int, now: datetime) -> bool:
    """Whether that so many were gone, and nothing else was still there, is followed: they are few, or it lasts."""
    since = meta.read(connection, f"{_ALL_GONE}{source}")
    if gone < ODD:
        if since:
            meta.write(connection, f"{_ALL_GONE}{source}", "")
        return True
    if not since:
        meta.write(connection, f"{_ALL_GONE}{source}", str(seconds(now)))
        log.warning("recheck.all_gone", source=source, mentions=gone)
        hours = BELIEVED_AFTER // timedelta(hours=1)
        parts.on_failure(
            f'source "{source}": all of {gone} mentions that it was asked for again are said to be gone; can it still '
            f"read them? If it says so for {hours} hours, their texts are taken away"
        )
        return False
    return now - moment(int(since)) >= BELIEVED_AFTER


def _commit(connection: Connection, parts: Parts, source: SourceId, found: Recheck, now: datetime) -> bool:
    """Follow what changed; what is not known here any more is not brought back."""
    parents = rechecks.parents_of(connection, source, [one.external_id for one in found.mentions])
    # Some services tell only in their lists what an answer belongs to: a parent that is not told is none that changed.
    changed = [
        ready(replace(one, parent_id=one.parent_id or parents.get(one.external_id)), parts.author_key)
        for one in found.mentions
    ]
    prints = [fingerprint(one.text, one.author, one.parent_id or "") for one in changed]
    edited = mentions.edit_mentions(connection, changed, prints)
    write_usage(connection, parts, source, now, Took(dollars=found.cost))
    gone = mentions.remove_mentions(connection, found.removals, now)
    correct_alerts(Scene(connection, parts, now), gone, apart=Apart(connection, parts))
    if edited or gone:
        log.info("recheck.followed", edited=edited, removed=len(gone))
    return edited > 0
