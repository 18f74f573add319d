"""Labels of staff become what the judge uses: chat, page and command line all come here."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.classify import adapt
from brandmelder.classify.adapt import Correction
from brandmelder.classify.linear import LinearClassifier, load
from brandmelder.classify.transformer import TransformerClassifier
from brandmelder.model import Label, Mention, MentionId, Origin, StaffLabel
from brandmelder.store import incidents, labels, mentions
from brandmelder.store.labels import Version

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.labels import Candidate

log = structlog.get_logger()

RECENT = timedelta(days=28)
"""From how far back mentions are asked about."""
COMPARED = 1000
"""So many recent mentions are judged with and without, to say what changes."""
NOTICEABLE = 0.1


class Lesson(Struct, frozen=True, kw_only=True):
    """What came of learning: the version in use from now on (None: as before), and a report for people."""

    version: int | None
    report: tuple[str, ...]


class Material(Struct, frozen=True, kw_only=True):
    """All that is learnt from: the labels, what is used until now, and recent mentions to say what changes."""

    known: Sequence[StaffLabel]
    used: Mapping[str, Correction]
    recent: Sequence[Mention]


class Learnt(Struct, frozen=True, kw_only=True):
    """What was fitted, and what people are told of it; `lesson` is None if nothing changes."""

    lesson: Version | None
    report: tuple[str, ...]


def learn(connection: Connection, brand: str, now: datetime) -> Lesson:
    """Fit the corrections to all labels, in the transaction of a command that has nothing else to do."""
    return keep(connection, fit(read_material(connection, now), brand, now))


async def learn_beside(parts: Parts, now: datetime) -> Lesson:
    """Fit the corrections to all labels in a thread of its own: seconds, for which no transaction has to wait.

    What is said meanwhile is learnt from by whoever said it; so that the newest labels win, one learns at a time.
    """
    async with parts.lessons:
        material = await parts.database.look(read_material, now)
        learnt = await asyncio.to_thread(fit, material, parts.brand, now)
        return await parts.database.run(keep, learnt)


def read_material(connection: Connection, now: datetime) -> Material:
    """Read all that is learnt from."""
    before = labels.active(connection)
    used = corrections_of(before.body) if before is not None and before.model == load().version else {}
    recent = [one for _, one, _ in mentions.newest(connection, None, now - RECENT, COMPARED)]
    return Material(known=labels.read(connection), used=used, recent=recent)


def keep(connection: Connection, learnt: Learnt) -> Lesson:
    """Use from now on what was learnt."""
    if learnt.lesson is None:
        return Lesson(version=None, report=(*learnt.report, "nothing changes"))
    version = labels.teach(connection, learnt.lesson)
    return Lesson(version=version, report=(*learnt.report, f"version {version} judges what comes from now on"))


def fit(material: Material, brand: str, now: datetime) -> Learnt:
    """Fit the corrections to all labels. One is used only if it wins on labels it was not fitted to."""
    known, used = material.known, material.used
    base = LinearClassifier(brand)
    examples = base.examples(
        [one.text or "" for one in known],
        [one.label is Label.NEGATIVE for one in known],
        random=[one.origin is Origin.RANDOM for one in known],
    )
    learnt = {key: found for key, ones in examples.items() if (found := adapt.learn(ones)) is not None}
    report = [told(key, ones, learnt.get(key)) for key, ones in sorted(examples.items())]
    if {key: one.version for key, one in learnt.items()} == {key: one.version for key, one in used.items()}:
        return Learnt(lesson=None, report=tuple(report))
    old, new = LinearClassifier(brand, corrections=used), LinearClassifier(brand, corrections=learnt)
    report.append(_difference(material.recent, old, new))
    lesson = Version(
        version=0,
        at=now,
        after_mention=MentionId(0),
        model=load().version,
        active=True,
        labels=len(known),
        body=msgspec.json.encode(learnt),
        report="\n".join(report),
    )
    return Learnt(lesson=lesson, report=tuple(report))


def corrections_of(body: bytes) -> dict[str, Correction]:
    """Read the corrections of a version."""
    return msgspec.json.decode(body, type=dict[str, adapt.Correction])


def told(language: str, examples: Sequence[adapt.Example], found: Correction | None) -> str:
    """Say what came of the labels of one language."""
    drawn = sum(one.is_random for one in examples)
    begin = f"{language}: {len(examples)} labels, {drawn} of them drawn at random"
    if found is None:
        return f"{begin}; nothing learnt: too few, or the judge as it is does as well"
    kind = f"{len(found.slots)} n-grams and calibration" if found.slots else "calibration only"
    return f"{begin}; {kind}; log loss on left-out labels {found.loss_before:.3f} -> {found.loss_after:.3f}"


def _difference(found: Sequence[Mention], old: LinearClassifier, new: LinearClassifier) -> str:
    pairs = list(zip(old.classify(found), new.classify(found), strict=True))
    moved = sum(abs(one.p_negative - other.p_negative) > NOTICEABLE for one, other in pairs)
    turned = [(one.label, other.label) for one, other in pairs if one.label is not other.label]
    more = sum(after is Label.NEGATIVE for _, after in turned)
    fewer = sum(before is Label.NEGATIVE for before, _ in turned)
    return (
        f"of the newest {len(found)} mentions {moved} would be judged noticeably otherwise:"
        f" {more} become negative, {fewer} no longer are"
    )


# --------------------------------------------------------------- in the service


async def follow(parts: Parts) -> None:
    """Judge with what staff taught last; a version for another model is learnt anew from the labels."""
    if not isinstance(parts.classifier, LinearClassifier | TransformerClassifier):
        return
    version = await parts.database.run(labels.active_version)
    if version == parts.taught:
        return
    active = await parts.database.run(labels.active)
    used: Mapping[str, Correction] = {}
    if active is not None and active.model == load().version:
        used = corrections_of(active.body)
    elif active is not None:
        log.warning("judge.taught_for_another_model", version=active.version)
    if isinstance(parts.classifier, TransformerClassifier):
        known = await parts.database.run(labels.read) if used else []
        await asyncio.to_thread(
            parts.classifier.learn,
            used,
            [one.text or "" for one in known],
            [one.label is Label.NEGATIVE for one in known],
            random=[one.origin is Origin.RANDOM for one in known],
        )
    else:
        parts.classifier = LinearClassifier(parts.brand, corrections=used)
    parts.taught = version
    log.info("judge.taught", version=version, corrections=sorted(used))


# ----------------------------------------------------------------- what to ask


def ask(connection: Connection, count: int, now: datetime) -> list[Candidate]:
    """Return mentions whose labels help most: two thirds unsure ones inside spikes, a third drawn at random.

    It is remembered why each was asked about: only labels drawn at random tell how frequent something is.
    """
    everything = labels.unlabelled(connection, now - RECENT, now)
    inside: dict[int, Candidate] = {}
    for incident, _ in incidents.all_incidents(connection, limit=20):
        until = incident.closed_at or now
        if until >= now - RECENT:
            for one in labels.unlabelled(connection, incident.onset, until, monitor=incident.monitor):
                inside[one.mention] = one
    drawn = sorted(everything, key=lambda one: _lot(one, now))[: max(1, count // 3)]
    taken = {one.mention for one in drawn}
    unsure = sorted(
        (one for one in everything if one.mention not in taken),
        key=lambda one: (one.mention not in inside, abs(one.p_negative - 0.5), one.mention),
    )
    chosen = [replace(one, origin=Origin.UNSURE) for one in unsure[: count - len(drawn)]] + drawn
    labels.asked(connection, chosen, now)
    return sorted(chosen, key=lambda one: one.mention)


def _lot(one: Candidate, now: datetime) -> bytes:
    """Draw by lot: nobody can choose a mention's place, and the same moment draws the same."""
    return hashlib.sha256(f"{one.mention} {now.isoformat()}".encode()).digest()
