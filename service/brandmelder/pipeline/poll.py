"""Poll, and commit 1: mentions, readings, removals, gap, cursor and the next poll in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct
from msgspec.structs import replace

from brandmelder import metrics
from brandmelder.capture.normalise import fingerprint, pseudonym
from brandmelder.capture.source import Poll
from brandmelder.errors import BrandmelderError, RateLimited, SourceError
from brandmelder.model import Mention, MonitorId, SourceId
from brandmelder.pipeline.accounts import follow_readings
from brandmelder.pipeline.apart import Apart
from brandmelder.pipeline.correct import correct_alerts
from brandmelder.pipeline.duty import Scene
from brandmelder.pipeline.signs import with_signs, write_intake
from brandmelder.pipeline.sound import sound
from brandmelder.pipeline.spend import Took, read_pace, write_usage
from brandmelder.pipeline.states import after_failure, after_poll, after_spending
from brandmelder.store import forgetting, mentions, series, sources
from brandmelder.store.sources import SourceRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.pipeline.pace import Limit
    from brandmelder.pipeline.parts import Parts

log = structlog.get_logger()

PAGES_PER_TURN = 20
LOOKBACK = timedelta(days=7)
"""What was published longer ago than this counts as history, never as news (T4)."""


async def poll_source(parts: Parts, row: SourceRow, now: datetime) -> tuple[SourceRow, bool]:
    """Visit one source, page by page; each page is committed before the next is asked for.

    Returns what is remembered of the source, and whether there is something to judge.
    """
    has_news = False
    place = parts.places[row.id]
    now_pace = await parts.database.run(read_pace, parts, row, now)
    parts.meter.allow(row.id, now_pace.dollars_left)
    parts.meter.begin(row.id)
    if now_pace.spent is not None:
        return await _spent(parts, row, now_pace.spent, now), False
    metrics.POLL_LATENESS.observe(max(0.0, (now - row.next_poll_at).total_seconds()))
    source = parts.sources[row.id]
    for _ in range(PAGES_PER_TURN):
        try:
            poll = sound(await source.poll(row.cursor, now))
        except SourceError as error:
            return await _fail(parts, row, error, now), has_news
        except Exception as error:
            log.exception("source.bug", source=row.id)
            return await _fail(parts, row, error, now), has_news
        after = with_signs(after_poll(row, poll, now, place, now_pace), poll, parts.meter.offset(row.id), now)
        try:
            found = [ready(one, parts.author_key) for one in poll.mentions]
            visit = Visit(poll=poll, mentions=found, after=after, watchers=watchers(parts, row.id), now=now)
            new = await parts.database.run(commit_poll, parts, visit)
        except BrandmelderError:  # the database's own trouble: the same is tried again
            raise
        except Exception as error:
            log.exception("source.bug", source=row.id)
            return await _fail(parts, row, error, now), has_news
        parts.meter.spend(row.id, poll.cost)
        parts.meter.hold(row.id, poll.not_before)
        if not parts.is_draft:
            _count(row.id, found, new)
        _tell_recovery(parts, row, after)
        row = after
        has_news = has_news or bool(found)
        if not poll.more:
            break
    return row, has_news


def ready(one: Mention, key: bytes) -> Mention:
    """Return a mention as it is stored: its author a pseudonym, what is old marked as history."""
    is_old = one.published_at < one.captured_at - LOOKBACK
    return replace(
        one,
        author=pseudonym(one.author, key) if one.author else "",
        history=one.history or is_old,
    )


def watchers(parts: Parts, source: SourceId) -> list[MonitorId]:
    """Return the monitors that watch a source."""
    return [watch.id for watch in parts.watches.values() if source in watch.sources]


class Visit(Struct, frozen=True, kw_only=True):
    """One answer of a source, ready for commit 1."""

    poll: Poll
    mentions: Sequence[Mention]
    after: SourceRow
    watchers: Sequence[MonitorId]
    now: datetime


def _print_of(one: Mention) -> str:
    return fingerprint(one.text, one.author, one.parent_id or "")


def _count(source: SourceId, found: Sequence[Mention], new: int) -> None:
    metrics.MENTIONS.labels(source).inc(new)
    if new:
        newest = max(one.published_at for one in found)
        metrics.SOURCE_LAST_ITEM.labels(source).set(newest.timestamp())


def commit_poll(connection: Connection, parts: Parts, visit: Visit) -> int:
    """Write one page of a poll; returns how many mentions were new."""
    before = sources.read_source(connection, visit.after.id)
    found = forgetting.wanted(connection, parts.author_key, visit.mentions)
    stored = mentions.insert_mentions(connection, found, [_print_of(one) for one in found])
    write_intake(connection, visit.after.id, found, stored.new, visit.now)
    gone = mentions.remove_mentions(connection, visit.poll.removals, visit.now)
    scene, apart = Scene(connection, parts, visit.now), Apart(connection, parts)
    correct_alerts(scene, gone, apart=apart)
    follow_readings(scene, visit.poll.readings, apart)
    for gap in visit.poll.gaps:
        sources.save_gap(connection, gap)
    sources.save_source(connection, visit.after)
    write_usage(
        connection, parts, visit.after.id, visit.now, Took(dollars=visit.poll.cost, polls=int(not visit.poll.more))
    )
    if before.blind_since is not None and before.read_until is not None:
        for monitor in visit.watchers:
            series.mark_dirty(connection, monitor, before.read_until)
    if visit.after.history_done and not before.history_done:
        series.forget_state(connection, visit.watchers)
        if not parts.is_draft:
            known = mentions.count(connection, visit.after.id)
            log.info("source.history_read", source=visit.after.id, mentions=known)
    return stored.new


async def _fail(parts: Parts, row: SourceRow, error: Exception, now: datetime) -> SourceRow:
    place = parts.places[row.id]
    after = after_failure(row, error, now, place)
    parts.meter.hold(row.id, error.until if isinstance(error, RateLimited) else None)
    await parts.database.run(_commit_failure, parts, after, now)
    log.warning(
        "source.failed", source=row.id, failures=after.failures, state=after.state.value, error=type(error).__name__
    )
    if row.failures == 0:
        parts.on_failure(f"{place.where}: {str(error) or type(error).__name__}")
    return after


def _commit_failure(connection: Connection, parts: Parts, after: SourceRow, now: datetime) -> None:
    sources.save_source(connection, after)
    write_usage(connection, parts, after.id, now, Took(polls=1))


async def _spent(parts: Parts, row: SourceRow, limit: Limit, now: datetime) -> SourceRow:
    after = after_spending(row, limit, now)
    await parts.database.run(sources.save_source, after)
    log.warning("source.spent", source=row.id, budget=limit.key)
    if row.fault != after.fault:
        parts.on_failure(f'{parts.places[row.id].where}: source "{row.id}": {after.note}')
    return after


def _tell_recovery(parts: Parts, before: SourceRow, after: SourceRow) -> None:
    if before.failures and not after.failures:
        log.info("source.recovered", source=after.id)
        parts.on_failure(f'source "{after.id}": answers again')
