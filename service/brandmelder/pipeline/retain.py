"""Forgets what has had its time: texts, evidence, notices, what was promised to channels, the audit, names of staff.

Every round is a few short transactions, so that nothing waits for it; what it has not reached it reaches in the next.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import structlog
from msgspec import Struct
from msgspec.structs import replace

from brandmelder import metrics
from brandmelder.model import MentionId
from brandmelder.pipeline.apart import Apart
from brandmelder.pipeline.correct import correct_alerts
from brandmelder.pipeline.duty import Scene
from brandmelder.store import audit, calls, deliveries, forgetting, meta, staff

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger()

EVERY = timedelta(hours=1)
PAGE = 2000
PAGES = 50
"""So many mentions are looked at in one transaction, and so many transactions make a round."""
AT_ONCE = 20
"""So many incidents a round: each asks for edits in chat."""
_MARK = "forgotten_through"
_STAFF = {"de": "Bereitschaft", "en": "on-call staff"}
"""What stands in the place of names, as in reports without names."""


class Retention(Struct, frozen=True, kw_only=True):
    """How long what is kept."""

    text: timedelta = timedelta(days=30)
    evidence: timedelta = timedelta(days=180)


class Retainer:
    """Does a round every `EVERY`."""

    every = EVERY

    def __init__(self, parts: Parts, rules: Retention) -> None:
        self._parts, self._rules = parts, rules

    async def tidy(self, now: datetime) -> int:
        """Forget what is due; returns how many mentions were emptied."""
        emptied = 0
        for _ in range(PAGES):
            count, is_more = await self._do("texts", _expire_page, self._rules, now) or (0, False)
            emptied += count
            if not is_more:
                break
        evidence = await self._do("the evidence of incidents", _expire_evidence, self._parts, self._rules, now) or 0
        rows = await self._do("the audit", audit.forget, now) or 0
        await self._do("notices", calls.forget_notices, now - self._rules.evidence)
        told = await self._do("deliveries", _forget_deliveries, self._rules, now) or 0
        nameless = partial(staff.forget, anonymous=_STAFF[self._parts.language])
        acts = await self._do("names of staff", nameless, now - audit.KEPT) or 0
        if emptied or evidence or rows or acts or told:
            log.info(
                "retention.forgotten", mentions=emptied, incidents=evidence, audit=rows, acts=acts, deliveries=told
            )
        for what, count in (("mentions", emptied), ("incidents", evidence), ("audit", rows)):
            metrics.RETENTION_FORGOTTEN.labels(what).inc(count)
        return emptied

    async def _do(
        self, what: str, step: Callable[Concatenate[Connection, P], T], *args: P.args, **named: P.kwargs
    ) -> T | None:
        """Take one step, apart: what cannot be forgotten keeps nothing else from being forgotten."""

        def take(connection: Connection) -> T | None:
            return Apart(connection, self._parts).do(f"forgetting of {what}", step, connection, *args, **named)

        return await self._parts.database.run(take)


def _forget_deliveries(connection: Connection, rules: Retention, now: datetime) -> int:
    """Forget what was promised to channels; where an alert stands is known as long as quotes may be taken out of it."""
    known = max(audit.KEPT, rules.evidence + EVERY * 24)
    return deliveries.forget_ended(connection, now - known) + deliveries.forget_notices(connection)


def _expire_page(connection: Connection, rules: Retention, now: datetime) -> tuple[int, bool]:
    """Empty one page of mentions; says whether there may be more to look at.

    What is kept for longer is passed over, and emptied when its incident or its label has had its time.
    """
    kept, _ = forgetting.quoted(connection, now - rules.evidence)
    kept |= forgetting.labelled(connection, now - rules.evidence)
    after = MentionId(int(meta.read(connection, _MARK) or 0))
    count, last = forgetting.expire(
        connection, after, forgetting.Due(before=now - rules.text, keep=kept, now=now, limit=PAGE)
    )
    if last != after:
        meta.write(connection, _MARK, str(last))
    return count, last >= after + PAGE // 2


def _expire_evidence(connection: Connection, parts: Parts, rules: Retention, now: datetime) -> int:
    """Take quotes and phrases out of incidents that ended long ago, in the alerts, too; returns how many there were."""
    kept, old = forgetting.quoted(connection, now - rules.evidence)
    kept |= forgetting.labelled(connection, now - rules.evidence)
    through = int(meta.read(connection, _MARK) or 0)
    scene = Scene(connection, parts, now)
    for incident, evidence in old[:AT_ONCE]:
        quoted = [quote.mention for quote in evidence.quotes]
        due = [one for one in quoted if one not in kept and one <= through]
        correct_alerts(scene, quoted, since=incident.opened_at, apart=Apart.of(scene))
        forgetting.empty(connection, due, now)
        forgetting.save_evidence(connection, incident.id, replace(evidence, quotes=(), phrases=()))
    forgetting.forget_labels(connection, now - rules.evidence, through=MentionId(through), now=now)
    return len(old[:AT_ONCE])
