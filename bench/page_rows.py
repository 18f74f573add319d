"""A full database for bench/page.py: rows written straight into the tables, as judge, ledger and channels would."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import insert

from brandmelder.count.bins import EPOCH, start_of
from brandmelder.incident.transitions import Draft
from brandmelder.model import (
    Act,
    Course,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Evidence,
    Incident,
    IncidentId,
    Label,
    MonitorId,
    Origin,
    Reading,
    Scope,
    SourceId,
    Spike,
    SpikeKind,
    StaffLabel,
    State,
    Verdict,
)
from brandmelder.pipeline.known import rules_of
from brandmelder.pipeline.sense import encode, seed
from brandmelder.pipeline.view import read_usual, sights_of
from brandmelder.store import audit, deliveries, incidents, labels, readings, schema, series, sources, tokens
from brandmelder.store.database import seconds
from brandmelder.store.series import MonitorRow

NOW = datetime(2026, 12, 15, 20, 47, tzinfo=UTC)
MONITORS = 50
DAYS = 56
SECRET = "bm_" + "bench" * 8
BURNING = "NF-2026-900"
YAML = """
brand: Nordfunk
sources:
{sources}
monitors:
{monitors}
channels: {console: {type: console}}
alerts: [{monitors: all, to: [console]}]
web: {sign_in: open}
"""
SOURCES = tuple(f"s{number}" for number in range(8))
FILE = YAML.replace(
    "{monitors}", "\n".join(f"  m{number}: {{query: 'nordfunk AND thema{number}'}}" for number in range(MONITORS))
).replace(
    "{sources}", "\n".join(f'  {one}: {{type: feed, url: "https://{one}.example/feed", every: 2m}}' for one in SOURCES)
)
_SPIKE = Spike(
    kind=SpikeKind.NEGATIVE,
    since=NOW - timedelta(hours=1),
    until=start_of(NOW),
    observed=2_700,
    window=timedelta(hours=1),
    usual_low=2,
    usual_high=9,
    expected=5.0,
    score=30.0,
)


def fill(connection, mentions: int) -> None:
    """Write mentions of eight weeks, of which the newest 3,000 are one monitor's storm of an hour."""
    rng, span = random.Random(1), DAYS * 86_400
    topics = ("outage", "price", "service", "delivery")
    bodies = {
        label: [
            msgspec.msgpack.encode(
                Verdict(
                    p_negative=p,
                    p_neutral=0.05,
                    p_positive=0.95 - p,
                    label=label,
                    unsure=False,
                    language="de",
                    classifier="bench",
                    model_version="1",
                    topics=(topic,),
                )
            )
            for topic in topics
        ]
        for label, p in ((Label.NEGATIVE, 0.9), (Label.NEUTRAL, 0.1))
    }
    bins: dict[tuple[str, int, str], list[float]] = {}
    # Ids go up as time does, with an hour of disorder: sources are read one after another.
    for begin in range(0, mentions, 20_000):
        rows, verdicts, entries = [], [], []
        for ident in range(begin + 1, min(begin + 20_000, mentions) + 1):
            recent = ident > mentions - 3_000
            at = seconds(NOW) - rng.randrange(3_600)
            if not recent:
                at -= span - span * ident // mentions
            source = SOURCES[rng.randrange(8)]
            monitor = f"m{0 if recent else min(rng.randrange(MONITORS), rng.randrange(MONITORS))}"
            negative = float(recent or rng.random() < 0.2)
            rows.append({
                "id": ident, "source": source, "external_id": str(ident), "published_at": at,
                "captured_at": min(at + 120, seconds(NOW)), "author": f"a{ident % 40_000}",
                "text": f"Nordfunk, die Leitung {ident} ist seit {ident % 31} Tagen tot, niemand meldet sich. "
                        + "Wir warten immer noch auf den Rückruf. " * (ident % 4),
                "url": f"https://{source}.example/{ident}", "fingerprint": f"{ident:032x}", "judged": True,
                "reach": rng.randrange(20_000) if ident % 5 == 0 else None,
            })  # fmt: skip
            label = Label.NEGATIVE if negative else Label.NEUTRAL
            body = bodies[label][ident % 4]
            verdicts.append({"mention": ident, "label": label.value, "p_negative": 0.9, "body": body})
            entries.append({
                "monitor": monitor, "published_at": at, "mention": ident, "source": source, "history": False,
                "total": 1.0, "negative": negative, "labelled": negative, "reach": 0.0,
            })  # fmt: skip
            one = bins.setdefault((monitor, at - at % 300, source), [0.0, 0.0])
            one[0], one[1] = one[0] + 1, one[1] + negative
        connection.execute(insert(schema.mention), rows)
        connection.execute(insert(schema.verdict), verdicts)
        connection.execute(insert(schema.match), entries)
    connection.execute(insert(schema.bin_), [
        {"monitor": name, "start": start, "source": source, "history": False, "total": total, "negative": negative,
         "labelled": negative, "reach": 0.0}
        for (name, start, source), (total, negative) in sorted(bins.items())
    ])  # fmt: skip


def learn(connection, parts) -> None:
    """Have the sources read and every monitor know its usual; one is learnt, the others are drawn from alike."""
    sources.register(connection, dict.fromkeys(parts.places, NOW))
    begin = NOW - timedelta(days=DAYS)
    for row in sources.read_sources(connection).values():
        changed = {"read_until": NOW, "first_contact": begin, "history_done": True, "last_success_at": NOW}
        sources.save_source(connection, msgspec.structs.replace(row, **changed))
    watch = parts.watches[MonitorId("m25")]
    row = MonitorRow(id=watch.id, rules="", news_since=begin, evaluated_through=start_of(NOW))
    usual = read_usual(connection, watch, NOW.replace(hour=0, minute=0))
    sights = sights_of(sources.read_sources(connection), (), parts, usual=usual, news_since=begin)
    counts = series.counts(connection, watch.id, EPOCH, start_of(NOW))
    memory = encode(seed(counts, (), row, sights=sights, rules=rules_of(connection, watch, NOW)))
    for ident, one in parts.watches.items():
        made = {"id": ident, "rules": one.fingerprint, "state": memory}
        series.save_monitor(connection, msgspec.structs.replace(row, **made))


def burn(connection) -> None:
    """Write one incident that runs, a thousand that ended, and what channels were told of them."""
    rng = random.Random(2)
    for number in range(1_001):
        is_last = number == 1_000
        opened = NOW - timedelta(minutes=47) if is_last else NOW - timedelta(hours=8 * (1_000 - number), minutes=9)
        first = Incident(
            id=IncidentId(BURNING if is_last else f"NF-2025-{number:04}"),
            monitor=MonitorId("m0" if is_last else f"m{rng.randrange(MONITORS)}"),
            kind=SpikeKind.NEGATIVE,
            state=State.PENDING,
            revision=0,
            onset=opened - timedelta(minutes=12),
            opened_at=opened,
            changed_at=opened,
            spike=_SPIKE,
            peak=2_700,
            total=3_000,
            severity=5,
            first_severity=3,
            course=Course.RISING,
        )
        draft = Draft(first).then(Act.OPEN, at=opened)
        if not is_last:
            draft = draft.then(Act.RESOLVE, at=opened + timedelta(hours=3))
        evidence = Evidence(critics=2_000, negatives=2_900, mentions=3_000, answered=40)
        incidents.save_incident(
            connection, draft.change.incident, evidence, draft.change.transitions, expected_revision=None
        )
        told = Delivery(
            key=f"{first.id}:open:console",
            incident=first.id,
            channel="console",
            kind=DeliveryKind.OPEN,
            revision=1,
            state=DeliveryState.SENT if number % 20 else DeliveryState.DEAD,
            due_at=opened,
            created_at=opened,
            attempts=1,
            confirmed_at=opened if number % 20 else None,
        )
        deliveries.promise(connection, [(told, None)])


def keep(connection) -> None:
    """Write what lies beside: who did what, accounts' numbers, labels, a token."""
    for number in range(20_000):
        at = NOW - timedelta(minutes=20 * (20_000 - number))
        audit.record(connection, "incident.acknowledge", by="Anna Petersen", subject=f"NF-{number}", now=at, via="page")
    for account in range(20):
        points = [
            Reading(source=SourceId("s0"), account=f"@acc{account}", name=name, at=NOW - timedelta(hours=hours),
                    value=float(1_000 + hours), own=account < 5)
            for name in ("followers", "posts", "days_silent") for hours in range(DAYS * 24)
        ]  # fmt: skip
        readings.save_readings(connection, points)
    given = [
        StaffLabel(label=Label.NEUTRAL, at=NOW, mention=number * 50, origin=Origin.ALERT, by="Anna", text=f"{number}")
        for number in range(1, 400)
    ]  # fmt: skip
    labels.save(connection, given)
    made = tokens.Token(id="bench", name="bench", scopes=frozenset(Scope), made_at=NOW, made_by="bench", used_at=NOW)
    tokens.add(connection, made, SECRET)
