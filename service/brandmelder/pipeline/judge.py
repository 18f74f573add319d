"""Judge, and commit 2: verdicts, the ledger and its bins in one transaction; each verdict is counted once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from brandmelder.capture.match import Particulars
from brandmelder.capture.tree import FieldName
from brandmelder.classify.language import identify
from brandmelder.errors import BrandmelderError
from brandmelder.model import Label, Mention, MentionId, MonitorId, Verdict
from brandmelder.pipeline.teach import follow
from brandmelder.pipeline.weigh import save
from brandmelder.store import mentions, series
from brandmelder.store.series import Entry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from brandmelder.capture.match import Matcher
    from brandmelder.classify.weigh import Changes
    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.search import Worded

log = structlog.get_logger()

BATCH = 1000
HANDFUL = 20
FEW = 3
"""So many mentions of a batch may be odd; where more are, and most, something else is."""

Waiting = tuple[MentionId, Mention, bool]
"""A mention to judge, and whether it had a verdict before (it was edited)."""


async def judge(parts: Parts) -> set[MonitorId]:
    """Judge and count everything that waits; returns the monitors it concerns."""
    await follow(parts)
    touched: set[MonitorId] = set()
    is_more = True
    while is_more:
        batch = await parts.database.run(mentions.to_judge, BATCH)
        if not batch:  # at a start, mostly: what the weighing remembers need not be read for nothing
            break
        is_more = len(batch) == BATCH
        concerned = concerns(parts, [one for _, one, _ in batch])
        asked = [
            (ident, one, monitors)
            for (ident, one, again), monitors in zip(batch, concerned, strict=True)
            if monitors or again
        ]
        judged = await verdicts_on(parts, asked)
        verdicts, changes = await parts.scales.weigh(judged, [ident for ident, _, again in batch if again])
        if parts.second is not None:
            verdicts |= await parts.second.give(
                parts.database,
                parts.brand,
                {ident: (one, verdicts[ident]) for ident, one, _ in judged},
                {ident: monitors for ident, _, monitors in asked},
            )
        entries = [
            entry(monitor, ident, one, verdicts[ident])
            for ident, one, monitors in asked
            for monitor in monitors
            if ident in verdicts and verdicts[ident].weight > 0
        ]
        try:
            await parts.database.run(_commit_verdicts, batch, verdicts, entries, changes)
        except BaseException:
            parts.scales.lose()
            raise
        touched.update(one.monitor for one in entries)
    return touched


async def verdicts_on(
    parts: Parts, asked: Sequence[tuple[MentionId, Mention, Collection[MonitorId]]]
) -> list[tuple[MentionId, Mention, Verdict]]:
    """Return each mention, given with the monitors it concerns, with the verdict on it; weights are not settled yet.

    One that cannot be judged is said and left out: it must not blind us to all others. Where most cannot, all wait.
    """
    try:
        return await _verdicts_on(parts, asked)
    except BrandmelderError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a judge stumbles over
        return await _verdicts_one_by_one(parts, asked, error)


async def _verdicts_one_by_one(
    parts: Parts, asked: Sequence[tuple[MentionId, Mention, Collection[MonitorId]]], trouble: Exception
) -> list[tuple[MentionId, Mention, Verdict]]:
    found: list[tuple[MentionId, Mention, Verdict]] = []
    failed: list[tuple[MentionId, Mention, Exception]] = []
    for ident, one, monitors in asked:
        try:
            found += await _verdicts_on(parts, [(ident, one, monitors)])
        except BrandmelderError:
            raise
        except Exception as error:  # noqa: BLE001
            failed.append((ident, one, error))
    if len(failed) > max(FEW, len(found)) or not (found or await _is_well(parts, asked[0][1])):
        raise trouble
    for ident, one, why in failed:
        log.error("mention.unjudged", mention=ident, source=one.source, exc_info=why)
        what = f'mention {ident} of source "{one.source}" cannot be judged: {type(why).__name__}, please report it'
        parts.on_failure(f"{what}; it is not counted, all others are")
    return found


async def _is_well(parts: Parts, one: Mention) -> bool:
    """Whether the judge knows what to say of a word: then it is the texts that it stumbles over."""
    try:
        await _verdicts_on(parts, [(MentionId(0), replace(one, text="ok", context=""), ())])
    except Exception:  # noqa: BLE001
        return False
    return True


async def _verdicts_on(
    parts: Parts, asked: Sequence[tuple[MentionId, Mention, Collection[MonitorId]]]
) -> list[tuple[MentionId, Mention, Verdict]]:
    texts = [one for _, one, _ in asked]
    if parts.classifier.is_quick and len(texts) <= HANDFUL:
        found = parts.classifier.classify(texts)
    else:  # a large model takes seconds, a large batch tenths of one: chat is answered meanwhile
        found = await asyncio.to_thread(parts.classifier.classify, texts)
    read = parts.topics.read(found, [one.text for _, one, _ in asked], [monitors for _, _, monitors in asked])
    return [(ident, one, verdict) for (ident, one, _), verdict in zip(asked, read, strict=True)]


def concerns(parts: Parts, found: Sequence[Mention | Worded]) -> list[tuple[MonitorId, ...]]:
    """Return for each mention the monitors that read its source and whose query it meets."""
    return [
        tuple(name for name in names if one.source in parts.watches[name].sources)
        for one, names in zip(found, read_by(parts.matcher, found), strict=True)
    ]


def read_by(matcher: Matcher, found: Sequence[Mention | Worded]) -> list[tuple[MonitorId, ...]]:
    """Return for each mention the monitors whose query it meets, whatever its source."""
    texts = [f"{one.text}\n{one.context}" if one.context else one.text for one in found]
    return matcher.monitors(texts, [_particulars(matcher, one) for one in found] if matcher.asks_for else ())


def _particulars(matcher: Matcher, one: Mention | Worded) -> Particulars:
    """Return what the fields of a query are held against; its language is recognised only where some query asks."""
    language = one.language or (identify(one.text) if FieldName.LANGUAGE in matcher.asks_for else "")
    return Particulars(author=one.author, source=one.source, language=language, url=one.url, reach=one.reach)


def entry(monitor: MonitorId, ident: MentionId, one: Mention, verdict: Verdict) -> Entry:
    """Return what a mention counts for a monitor."""
    return Entry(
        monitor=monitor,
        mention=ident,
        source=one.source,
        published_at=one.published_at,
        history=one.history,
        total=verdict.weight,
        negative=verdict.weight * verdict.p_negative,
        labelled=verdict.weight * ((verdict.counted_as or verdict.label) is Label.NEGATIVE),
        reach=verdict.weight * verdict.p_negative * (one.reach or 0),
    )


def _commit_verdicts(
    connection: Connection,
    batch: Sequence[Waiting],
    verdicts: Mapping[MentionId, Verdict],
    entries: Sequence[Entry],
    changes: Changes,
) -> None:
    mentions.save_verdicts(connection, verdicts)
    edited = {ident for ident, _, again in batch if again}
    known = series.counted(connection, [one for one in entries if one.mention in edited])
    series.enter(connection, [one for one in entries if (one.monitor, one.mention) not in known])
    mentions.mark_judged(connection, [ident for ident, _, _ in batch])
    save(connection, changes)
