"""How long does a backlog take after three days? All of it polled, stored, judged, counted and evaluated.

MENTIONS=… sets how many came meanwhile (1,000,000), SOURCES=… over how many sources (4, by the thousand), MONITORS=…
how many monitors read them (1; from the second on each watches for one product, in two of a hundred mentions). The
baselines know WEEKS=… (4) of the same days: a backlog of calm days must raise nothing. SEED=… (0) draws other weeks and
mentions. AWAY=… says who was away: the `sources`, which answered 503 while the service ran on, or the `service`.
Afterwards the database is held against what the sources gave: everything stored once, everything counted once, by
mention and by bin.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import structlog

MENTIONS = int(os.environ.get("MENTIONS", "1000000"))
SOURCES = int(os.environ.get("SOURCES", "4"))
MONITORS = int(os.environ.get("MONITORS", "1"))
WEEKS = int(os.environ.get("WEEKS", "4"))
SEED = int(os.environ.get("SEED", "0"))
IS_SERVICE_UP = os.environ.get("AWAY", "sources") != "service"
OUTAGE = timedelta(hours=72)
BEGIN = datetime(2026, 12, 15, 0, 0, tzinfo=UTC)
PAGE = 1000
BIN = timedelta(minutes=5)
NEGATIVE = 0.2
PRODUCTS = 50
"""Every mention in fifty names a given product."""
REPOSTS = 0.05
"""The share of mentions that repeat, word for word, one of the last hundred."""

HEAD = """
brand: Nordfunk
short: NF
language: de
timezone: Europe/Berlin
sources:
"""
TAIL = """
channels:
  crisis: {type: console}
alerts:
  - {monitors: all, to: [crisis]}
"""


def configuration() -> str:
    lines = [f'  s{n}: {{type: feed, url: "https://s{n}.example/feed", every: 2m}}' for n in range(SOURCES)] + [
        "monitors:",
        "  nordfunk: {query: '(nordfunk OR \"nord funk\") -stellenanzeige', false_alarms: 1 per 30 days}",
    ]
    lines += [
        f"  product{n}: {{query: 'nordfunk tarif{n:02}', false_alarms: 1 per 30 days}}" for n in range(1, MONITORS)
    ]
    return HEAD + "\n".join(lines) + TAIL


class Backlog:
    """A source that was away for three days and gives all of them, a thousand mentions a page."""

    def __init__(self, ident, seed):
        from brandmelder.options import SourceOptions
        from pipeline.world import ANGRY

        self.Options, self.id = SourceOptions, ident
        self.count = MENTIONS // SOURCES
        self._rng, self._parts = random.Random(seed), ANGRY
        self._at = np.sort(moments(self.count, seed)).astype(np.int64).tolist()
        self._last: list[str] = []

    async def poll(self, cursor, now):
        from brandmelder.capture.source import Poll
        from brandmelder.errors import Transient
        from brandmelder.model import Cursor

        if cursor is None:
            return Poll(cursor=Cursor("0"), read_until=BEGIN)
        if now < BEGIN + OUTAGE:
            raise Transient(f'source "{self.id}": answers 503; it is asked again')
        first = int(cursor)
        found = tuple(self._of(number, now) for number in range(first, min(first + PAGE, self.count)))
        more = first + PAGE < self.count
        read = found[-1].published_at if more else now
        return Poll(mentions=found, cursor=Cursor(str(first + len(found))), read_until=read, more=more)

    def _of(self, number, now):
        from brandmelder.model import Mention

        return Mention(
            source=self.id,
            external_id=str(number),
            url=f"https://{self.id}.example/#comment-{number}",
            text=self._text(number),
            author=f"author-{self._rng.randrange(50_000)}",
            published_at=datetime.fromtimestamp(self._at[number], UTC),
            captured_at=now,
        )

    def _text(self, number):
        draw = self._rng.random
        if draw() < REPOSTS and self._last:
            return self._last[int(draw() * len(self._last))]
        product = f" (Tarif{int(draw() * PRODUCTS):02})"
        one, two = ([part[int(draw() * len(part))] for part in self._parts] for _ in range(2))
        if draw() < NEGATIVE:
            text = f"{' '.join(one)} {' '.join(two)}{product}"
        else:
            words = [self._word(n) for n in range(6 + number % 20)]
            text = f"{' '.join(words[:4])} Nordfunk {' '.join(words[4:])}{product}"
        self._last = [*self._last[-99:], text]
        return text

    def _word(self, place):
        words = SMALL if place % 2 else WORDS
        return words[int(self._rng.random() ** 2 * len(words))]


def vocabulary(count):
    """Return words that nobody has ever said, German to the ear: what says nothing bad is put together of them."""
    rng = random.Random(5)
    parts = [
        part.split() for part in ("b bl d dr f fl g k kl l m n p r s sch st t tr w z", "a e i o u ei au", "n l r st")
    ]
    return ["".join(rng.choice(part) for _ in range(rng.choice((1, 2, 2, 3))) for part in parts) for _ in range(count)]


SMALL = """
    der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass
    sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch
""".split()  # noqa: SIM905 -- a list of sixty words is no easier to read
WORDS = vocabulary(5000)
"""A few are frequent and many rare, as in any language."""


def moments(count, seed):
    """When `count` mentions of the outage were written: by day four times as many as at four at night, by chance."""
    rng = np.random.default_rng(seed)
    hours = np.arange(int(OUTAGE / BIN)) * (BIN / timedelta(hours=1))
    weights = shape(hours)
    bins = rng.choice(len(weights), size=count, p=weights / weights.sum())
    return BEGIN.timestamp() + (bins + rng.random(count)) * BIN.total_seconds()


def shape(hours):
    """How much is written at an hour of the day, 1 on average."""
    return 1 + 0.6 * np.sin((hours - 10) * np.pi / 12)


def world(path):
    from brandmelder import wiring
    from brandmelder.backtest.recorder import Recorder
    from brandmelder.settings import parse_settings
    from brandmelder.store.database import Database

    settings = parse_settings(configuration(), Path("brandmelder.yaml"), {})
    sources = {ident: Backlog(ident, 1000 * SEED + number) for number, ident in enumerate(settings.sources)}
    database = Database(f"sqlite:///{path}")
    database.prepare()
    recorder = Recorder()
    pipeline = wiring.build(
        settings,
        database=database,
        sources=sources,
        notifiers=recorder.channels(settings.channels),
        on_failure=str,
    )
    return pipeline, sources


class Cost:
    """Seconds and CPU seconds since it was made."""

    def __init__(self):
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __call__(self):
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


async def measure(path):
    pipeline, sources = world(path)
    database = pipeline.parts.database
    database.run_now(past, list(pipeline.parts.watches), list(sources), apart(usual))
    await pipeline.start(BEGIN)
    now = BEGIN
    learnt = Cost()
    while now <= BEGIN + timedelta(minutes=1):
        now = max(await pipeline.tick(now), now + timedelta(seconds=1))
    learnt = learnt()
    while IS_SERVICE_UP and now < BEGIN + OUTAGE:
        now = max(await pipeline.tick(now), now + timedelta(seconds=1))
    now, caught_up = max(now, BEGIN + OUTAGE), Cost()
    while database.run_now(stored) < sum(one.count for one in sources.values()):
        now = max(await pipeline.tick(now), now + timedelta(seconds=1))
    await pipeline.tick(now + timedelta(minutes=6))
    caught_up = caught_up()
    faults = database.run_now(audit, sources, len(pipeline.parts.watches))
    incidents = database.run_now(opened)
    await pipeline.close()
    return learnt, caught_up, incidents, faults


def stored(connection):
    from brandmelder.store import mentions

    return mentions.count(connection)


def opened(connection):
    """Return the incidents of which somebody was told; a suspicion that was discarded is none."""
    from brandmelder.store import deliveries, incidents

    told = {one.incident for one in deliveries.all_deliveries(connection)}
    return [one for one, _ in incidents.all_incidents(connection) if one.id in told]


class Usual(NamedTuple):
    """What a mention of this kind comes to: what it weighs, how likely it is negative, how often it is called so.

    `spread` is the standard deviation of what it adds to the sum of probabilities.
    """

    weight: float
    negative: float
    labelled: float
    spread: float


def apart(question):
    """Have a process of its own answer, so that what it takes of memory is not counted as the service's."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(question).result()


def usual() -> Usual:
    """Have the real judge and the real scales say it, of mentions of another time."""
    from brandmelder.classify.linear import LinearClassifier
    from brandmelder.classify.weigh import Weigher
    from brandmelder.model import Label

    others = [Backlog("other", 100 + number) for number in range(4)]
    found = [one._of(number, BEGIN) for one in others for number in range(min(50_000, one.count))]  # noqa: SLF001
    verdicts = LinearClassifier("Nordfunk").classify(found)
    weights = Weigher().weigh([(number, *one) for number, one in enumerate(zip(found, verdicts, strict=True))])
    weighed, whole = list(zip(verdicts, weights, strict=True)), sum(weights)
    negative = sum(weight * one.p_negative for one, weight in weighed)
    labelled = sum(weight for one, weight in weighed if one.label is Label.NEGATIVE)
    spread = float(np.std([weight * one.p_negative for one, weight in weighed]))
    return Usual(whole / len(weights), negative / whole, labelled / whole, spread)


def past(connection, monitors, sources, kind):
    """Write what the bins would hold of weeks of the same days."""
    rng = np.random.default_rng(1000 * SEED + 1)
    hours = np.arange(WEEKS * 7 * 288) / 12
    start = int((BEGIN - timedelta(weeks=WEEKS)).timestamp())
    for name in monitors:
        for source in sources:
            mean = MENTIONS / SOURCES / (OUTAGE / BIN) * (1 if name == "nordfunk" else 1 / PRODUCTS)
            totals = rng.poisson(mean * shape(hours) * kind.weight)
            labelled = rng.binomial(totals, kind.labelled)
            sums = rng.normal(kind.negative * totals, kind.spread * np.sqrt(totals / kind.weight)).clip(0.0, totals)
            rows = [
                (name, start + 300 * number, source, True, float(total), float(negative), float(called), 0.0)
                for number, (total, negative, called) in enumerate(zip(totals, sums, labelled, strict=True))
                if total
            ]
            connection.connection.driver_connection.executemany("INSERT INTO bin VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def audit(connection, sources, monitors):
    """Return what is wrong: mentions not stored once, not judged, not counted once, or bins that say otherwise."""
    raw = connection.connection.driver_connection
    since = int(BEGIN.timestamp())
    expected = sum(one.count for one in sources.values())
    one = lambda sql, *args: raw.execute(sql, args).fetchone()[0]  # noqa: E731 -- five questions below
    found = {
        "stored": (one("SELECT count(*) FROM mention"), expected),
        "identities": (one("SELECT count(*) FROM (SELECT DISTINCT source, external_id FROM mention)"), expected),
        "judged": (one("SELECT count(*) FROM mention WHERE judged"), expected),
        "verdicts": (one("SELECT count(*) FROM verdict"), expected),
        "counted for the brand": (one("SELECT count(*) FROM match WHERE monitor = 'nordfunk'"), expected),
    }
    ledger = raw.execute(
        "SELECT monitor, published_at / 300 * 300, source, sum(total), sum(labelled) FROM match GROUP BY 1, 2, 3"
    )
    sums = {tuple(row[:3]): row[3:] for row in ledger}
    bins = {
        tuple(row[:3]): row[3:]
        for row in raw.execute("SELECT monitor, start, source, total, labelled FROM bin WHERE start >= ?", (since,))
    }
    faults = [f"{name}: {have}, not {want}" for name, (have, want) in found.items() if have != want]
    if sums.keys() != bins.keys() or not all(np.allclose(sums[key], bins[key]) for key in sums):
        faults.append("bins and ledger differ")
    if len({key[0] for key in sums}) != monitors:
        faults.append("a monitor counted nothing")
    return faults


def main() -> int:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        learnt, caught_up, incidents, faults = asyncio.run(measure(path))
        size = path.stat().st_size / 1e6
    wall, cpu = caught_up
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print("mentions  sources  monitors   wall s    CPU s  /wall s   /CPU s  false alerts  learnt in  file MB   peak MB")
    print(
        f"{MENTIONS:>8}{SOURCES:>9}{MONITORS:>10}{wall:>9.1f}{cpu:>9.1f}{MENTIONS / wall:>9.0f}{MENTIONS / cpu:>9.0f}"
        f"{len(incidents):>14}{learnt[1]:>9.1f} s{size:>9.0f}{peak:>10.0f}"
    )
    for one in incidents:
        spike = one.spike
        usual_range = f"{spike.usual_low}-{spike.usual_high}, mean {spike.expected:.1f}"
        print(f"false: {one.monitor} {spike.kind.value} {spike.since} + {spike.window}: {spike.observed}")
        print(f"       usual {usual_range}; once in {spike.rarity} by chance")
        print(f"       opened {one.opened_at}, {one.state.value}, peak {one.peak}")
    allowed = MONITORS * OUTAGE / timedelta(days=30)
    print(f"by chance the budget of one alert in thirty days and monitor allows {allowed:.1f} in these three days")
    print("stored, judged and counted once each" if not faults else "\n".join(faults))
    return 1 if incidents or faults else 0


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1] / "tests")
    raise SystemExit(main())
