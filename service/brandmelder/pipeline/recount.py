"""Rebuilds the ledger and its bins from mentions and verdicts: when a query changed, or on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from brandmelder.model import MentionId, MonitorId, Verdict
from brandmelder.pipeline.judge import concerns, entry, verdicts_on
from brandmelder.pipeline.weigh import save
from brandmelder.store import mentions, series

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from brandmelder.classify.weigh import Changes
    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.series import Entry

log = structlog.get_logger()

PAGE = 2000


async def recount_changed(parts: Parts) -> None:
    """Recount the monitors whose query or sources are not those they were counted under."""
    rows = await parts.database.run(series.read_monitors)
    changed = {
        ident for ident, watch in parts.watches.items() if ident in rows and rows[ident].rules != watch.fingerprint
    }
    if changed:
        log.info("monitors.recounted", monitors=sorted(changed))
        await recount(parts, changed)


async def recount(parts: Parts, monitors: Collection[MonitorId]) -> int:
    """Match every stored mention anew, write the ledger of the given monitors and rebuild all bins.

    Mentions that were never judged because they concerned nobody are judged now. Returns the number of bins. A crash
    on the way leaves the monitors marked as changed: the next start begins again.
    """
    await parts.database.run(_strike, sorted(monitors))
    after = MentionId(0)
    while page := await parts.database.run(mentions.page, after, PAGE):
        after = page[-1][0]
        verdicts = {ident: verdict for ident, _, verdict in page if verdict is not None}
        concerned = concerns(parts, [one for _, one, _ in page])
        wanted = [
            (ident, one, names)
            for (ident, one, _), names in zip(page, concerned, strict=True)
            if ident not in verdicts and set(names) & set(monitors)
        ]
        fresh, changes = await parts.scales.weigh(verdicts_on(parts, wanted))
        verdicts |= fresh
        entries = [
            entry(name, ident, one, verdicts[ident])
            for (ident, one, _), names in zip(page, concerned, strict=True)
            for name in names
            if name in monitors and verdicts[ident].weight > 0
        ]
        try:
            await parts.database.run(_write, fresh, entries, changes)
        except BaseException:
            parts.scales.lose()
            raise
    return await parts.database.run(_finish, parts, sorted(monitors))


def _strike(connection: Connection, monitors: Sequence[MonitorId]) -> None:
    rows = series.read_monitors(connection)
    for ident in monitors:
        series.strike(connection, ident)
        if ident in rows:
            series.save_monitor(connection, replace(rows[ident], rules=""))


def _write(connection: Connection, fresh: dict[MentionId, Verdict], entries: Sequence[Entry], changes: Changes) -> None:
    mentions.save_verdicts(connection, fresh)
    series.enter(connection, entries)
    save(connection, changes)


def _finish(connection: Connection, parts: Parts, monitors: Sequence[MonitorId]) -> int:
    bins = series.rebuild_bins(connection)
    rows = series.read_monitors(connection)
    for ident in monitors:
        if ident in rows:
            series.save_monitor(connection, replace(rows[ident], rules=parts.watches[ident].fingerprint))
    series.forget_state(connection, monitors)
    return bins
