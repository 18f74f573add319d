"""Rebuilds the ledger and its bins from mentions and verdicts: when a query changed, or on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog
from msgspec.structs import replace

from brandmelder.model import MentionId, MonitorId, Verdict
from brandmelder.pipeline.judge import concerns, entry, verdicts_on
from brandmelder.pipeline.weigh import save
from brandmelder.store import mentions, meta, series

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from brandmelder.classify.weigh import Changes
    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.series import Entry

log = structlog.get_logger()

PAGE = 2000
_MARK = "recount"


class _Begun(msgspec.Struct, frozen=True):
    """A recount under way: under which rules of which monitors, and behind which mention it goes on."""

    rules: dict[MonitorId, str]
    after: int


async def recount_changed(parts: Parts) -> None:
    """Recount the monitors whose query or sources are not those they were counted under."""
    rows = await parts.database.run(series.read_monitors)
    changed = {
        ident for ident, watch in parts.watches.items() if ident in rows and rows[ident].rules != watch.fingerprint
    }
    if changed:
        log.info("monitors.recounted", monitors=sorted(changed))
        await recount(parts, changed, goes_on=True)


async def recount(parts: Parts, monitors: Collection[MonitorId], *, goes_on: bool = False) -> int:
    """Match every stored mention anew, write the ledger of the given monitors and rebuild all bins.

    Mentions that were never judged because they concerned nobody are judged now. Returns the number of bins. A crash
    on the way leaves the monitors marked as changed, and the next start `goes_on` behind the last page.
    """
    rules = {ident: parts.watches[ident].fingerprint for ident in sorted(monitors)}
    after = await parts.database.run(_strike, rules, goes_on=goes_on)
    while page := await parts.database.run(mentions.page, after, PAGE):
        after = page[-1][0]
        verdicts = {ident: verdict for ident, _, verdict in page if verdict is not None}
        concerned = concerns(parts, [one for _, one, _ in page])
        wanted = [
            (ident, one, names)
            for (ident, one, _), names in zip(page, concerned, strict=True)
            if ident not in verdicts and set(names) & set(monitors)
        ]
        fresh, changes = await parts.scales.weigh(await verdicts_on(parts, wanted))
        verdicts |= fresh
        entries = [
            entry(name, ident, one, verdicts[ident])
            for (ident, one, _), names in zip(page, concerned, strict=True)
            for name in names
            if name in monitors and ident in verdicts and verdicts[ident].weight > 0
        ]
        try:
            await parts.database.run(_write, fresh, entries, changes, mark=_Begun({**rules}, after))
        except BaseException:
            parts.scales.lose()
            raise
    return await parts.database.run(_finish, parts, sorted(monitors))


def _strike(connection: Connection, rules: Mapping[MonitorId, str], *, goes_on: bool) -> MentionId:
    """Empty what is to be counted anew; returns behind which mention."""
    after = MentionId(0)
    noted = meta.read(connection, _MARK)
    if goes_on and noted:
        begun = msgspec.json.decode(noted, type=_Begun)
        after = MentionId(begun.after if begun.rules == rules else 0)
    rows = series.read_monitors(connection)
    for ident in rules:
        series.strike(connection, ident, after=after)
        if ident in rows:
            series.save_monitor(connection, replace(rows[ident], rules=""))
    _note(connection, _Begun({**rules}, after))
    return after


def _note(connection: Connection, begun: _Begun) -> None:
    meta.write(connection, _MARK, msgspec.json.encode(begun).decode())


def _write(
    connection: Connection,
    fresh: dict[MentionId, Verdict],
    entries: Sequence[Entry],
    changes: Changes,
    *,
    mark: _Begun,
) -> None:
    mentions.save_verdicts(connection, fresh)
    series.enter(connection, entries)
    save(connection, changes)
    _note(connection, mark)


def _finish(connection: Connection, parts: Parts, monitors: Sequence[MonitorId]) -> int:
    bins = series.rebuild_bins(connection)
    rows = series.read_monitors(connection)
    for ident in monitors:
        if ident in rows:
            series.save_monitor(connection, replace(rows[ident], rules=parts.watches[ident].fingerprint))
    series.forget_state(connection, monitors)
    meta.write(connection, _MARK, "")
    return bins
