"""What the page costs: 50 monitors, many mentions, a running incident; server time, size, query plans, live viewers.

    python bench/page.py [MENTIONS]

Rows are written straight into the tables, as judge and ledger would; the page is asked in process, without a network.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import resource
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import event, insert
from starlette.testclient import TestClient

from brandmelder import wiring
from brandmelder.count.bins import start_of
from brandmelder.incident.transitions import Draft
from brandmelder.model import (
    Act,
    Course,
    Evidence,
    Incident,
    IncidentId,
    Label,
    MonitorId,
    Spike,
    SpikeKind,
    State,
    Verdict,
)  # fmt: skip
from brandmelder.settings import parse_settings
from brandmelder.store import incidents, schema, series, sources
from brandmelder.store.database import Database, seconds
from brandmelder.store.series import MonitorRow
from brandmelder.web.app import app
from brandmelder.web.live import Pulse
from brandmelder.web.site import Site

NOW = datetime(2026, 12, 15, 20, 47, tzinfo=UTC)
MONITORS, ROUNDS, VIEWERS = 50, 40, 100
MENTIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
YAML = """
brand: Nordfunk
sources:
  blog: {type: feed, url: "https://blog.example/feed", every: 2m}
  social: {type: feed, url: "https://social.example/feed", every: 2m}
monitors:
{monitors}
channels: {console: {type: console}}
alerts: [{monitors: all, to: [console]}]
web: {sign_in: open}
""".replace(
    "{monitors}", "\n".join(f"  m{number}: {{query: 'nordfunk AND thema{number}'}}" for number in range(MONITORS))
)


def fill(connection) -> None:
    rng, span = random.Random(1), 56 * 86_400
    verdict = msgspec.msgpack.encode(
        Verdict(
            p_negative=0.9,
            p_neutral=0.05,
            p_positive=0.05,
            label=Label.NEGATIVE,
            unsure=False,
            language="de",
            classifier="bench",
            model_version="1",
        )
    )
    bins: dict[tuple[str, int, str], list[float]] = {}
    for begin in range(0, MENTIONS, 20_000):
        rows, verdicts, entries = [], [], []
        for ident in range(begin + 1, min(begin + 20_000, MENTIONS) + 1):
            recent = ident > MENTIONS - 3_000
            at = seconds(NOW) - rng.randrange(4_000 if recent else span)
            source, monitor = ("blog", "social")[ident % 2], f"m{0 if recent else rng.randrange(MONITORS)}"
            negative = float(recent or rng.random() < 0.2)
            rows.append({
                "id": ident, "source": source, "external_id": str(ident), "published_at": at, "captured_at": at,
                "text": f"Nordfunk, die Leitung {ident} ist seit {ident % 31} Tagen tot, niemand meldet sich.",
                "fingerprint": "", "judged": True, "reach": rng.randrange(20_000) if ident % 5 == 0 else None,
            })  # fmt: skip
            verdicts.append({"mention": ident, "label": "negative", "p_negative": 0.9, "body": verdict})
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
        for (name, start, source), (total, negative) in bins.items()
    ])  # fmt: skip


def burn(connection, parts) -> None:
    sources.register(connection, dict.fromkeys(parts.places, NOW))
    for row in sources.read_sources(connection).values():
        changed = {"read_until": NOW, "first_contact": NOW - timedelta(days=56), "history_done": True}
        sources.save_source(connection, msgspec.structs.replace(row, **changed))
    for ident in parts.watches:
        series.save_monitor(connection, MonitorRow(id=ident, rules="", news_since=NOW - timedelta(days=56)))
    spike = Spike(kind=SpikeKind.NEGATIVE, since=NOW - timedelta(hours=1), until=start_of(NOW), observed=2_700,
                  window=timedelta(hours=1), usual_low=2, usual_high=9, expected=5.0, score=30.0)  # fmt: skip
    first = Incident(
        id=IncidentId("NF-2026-001"),
        monitor=MonitorId("m0"),
        kind=SpikeKind.NEGATIVE,
        state=State.PENDING,
        revision=0,
        onset=NOW - timedelta(hours=1),
        opened_at=NOW,
        changed_at=NOW,
        spike=spike,
        peak=2_700,
        total=3_000,
        severity=5,
        first_severity=3,
        course=Course.RISING,
    )
    change = Draft(first).then(Act.OPEN, at=NOW).change
    evidence = Evidence(critics=2_000, negatives=2_900, mentions=3_000)
    incidents.save_incident(connection, change.incident, evidence, change.transitions, expected_revision=None)


def asked(database) -> list[tuple[str, object]]:
    """Return a list into which every statement goes from now on."""
    said: list[tuple[str, object]] = []
    event.listen(database._engine, "before_cursor_execute", lambda *one: said.append((one[2], one[3])))  # noqa: SLF001
    return said


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/page.db")
        database.prepare()
        settings = parse_settings(YAML, Path("bench.yaml"), {})
        parts = wiring.build(settings, database=database, sources={}, notifiers={}).parts
        began = time.perf_counter()
        database.run_now(fill)
        database.run_now(burn, parts)
        print(f"{MENTIONS:,} mentions, {MONITORS} monitors; filled in {time.perf_counter() - began:.0f} s")
        site = Site(parts=parts, settings=settings, web=settings.web, now=lambda: NOW)
        site.rates.allows = lambda *_, **__: True
        browser = TestClient(app(site), base_url="http://127.0.0.1:8470", headers={"accept-encoding": "identity"})
        said = asked(database)
        print(f"{'page':<34}{'p50 ms':>8}{'p95 ms':>8}{'kB':>7}{'gzip':>7}")
        for path in ("/", "/incidents/NF-2026-001", "/incidents/NF-2026-001?range=8w", "/incidents", "/sources",
                     "/monitors", "/mentions", "/wall"):  # fmt: skip
            browser.get(path)  # what is read once a day
            times = []
            for _ in range(ROUNDS):
                at = time.perf_counter()
                page = browser.get(path)
                times.append(1000 * (time.perf_counter() - at))
                assert page.status_code == 200, path
            cut = statistics.quantiles(times, n=20)
            sizes = len(page.content) / 1000, len(gzip.compress(page.content)) / 1000
            print(f"{path:<34}{statistics.median(times):>8.0f}{cut[18]:>8.0f}{sizes[0]:>7.0f}{sizes[1]:>7.1f}")
        print("\nplans of what the first page and the incident ask:")
        said.clear()
        browser.get("/")
        browser.get("/incidents/NF-2026-001")
        for text in dict.fromkeys(one for one, _ in said if one.lstrip().startswith("SELECT")):
            known = next(value for one, value in said if one == text)
            rows = database.run_now(lambda c, t=text, v=known: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {t}", v).all())
            print("  " + "; ".join(row[3] for row in rows))
        asyncio.run(watch(site))
        database.close()


async def watch(site) -> None:
    """Hold a hundred viewers for ten seconds and say what the looks cost."""
    pulse = Pulse()
    events = [pulse.watch("incident:NF-2026-001", site) for _ in range(VIEWERS)]
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    await asyncio.sleep(10.0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    share = spent / (time.perf_counter() - began)
    print(f"\n{VIEWERS} live viewers, nothing new: {100 * share:.2f} % of a core")
    for one in events:
        pulse.leave("incident:NF-2026-001", one)


if __name__ == "__main__":
    main()
