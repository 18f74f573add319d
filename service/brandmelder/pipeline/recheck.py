"""Asks again for what was captured in the last seven days, in small rounds, and follows edits and deletions.

Where a platform tells them itself (events, sweeps), its source needs no `recheck`. A round goes on after the mention at
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
from brandmelder.pipeline.correct import correct_alerts
from brandmelder.pipeline.poll import ready
from brandmelder.pipeline.spend import Took, write_usage
from brandmelder.store import mentions, rechecks

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import SourceId
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

SPAN = timedelta(days=7)
EVERY = timedelta(hours=1)
QUESTIONS = 10
"""How many questions one round asks of a source."""


async def recheck_source(parts: Parts, source: SourceId, now: datetime) -> bool:
    """Do the source's round if one is due, right behind a good poll; says whether there is something to judge."""
    asked = parts.sources[source]
    if not isinstance(asked, Rechecks):
        return False
    due, after = await parts.database.run(rechecks.next_round, source)
    if due is not None and due > now:
        return False
    has_news, following = False, now + EVERY
    for _ in range(QUESTIONS):
        known = await parts.database.run(rechecks.young, source, after, now - SPAN, asked.recheck_size)
        if known:
            try:
                found = await asked.recheck([external for _, external in known], now)
            except SourceError as error:
                log.warning("recheck.failed", source=source, error=type(error).__name__)
                following = max(following, error.until) if isinstance(error, RateLimited) else following
                break
            except Exception:
                log.exception("recheck.bug", source=source)
                after = known[-1][0]  # the others are asked for all the same
                break
            has_news = await parts.database.run(_commit, parts, source, found, now) or has_news
            after = known[-1][0]
        if len(known) < asked.recheck_size:
            after = MentionId(0)
            break
    await parts.database.run(rechecks.save_round, source, following, after)
    return has_news


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
    correct_alerts(connection, parts, gone, now)
    if edited or gone:
        log.info("recheck.followed", edited=edited, removed=len(gone))
    return edited > 0
