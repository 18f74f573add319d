"""Print the whole table: the engine and its peers, in one run, under one rule. `--short` is for every change."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "service"))

import engine
import noufaily
import packages
import suites
from families import CLEAN, DURATIONS, SHAPES, SIZES, TEST, Family, Sample, inject, sample
from references import REFERENCES
from score import Outcome, false_pages, judge, threshold_for

from brandmelder.detect.calibrate import ENTRY
from peers import PEERS

CALIBRATION, NULLS, BURSTS = 2101, 2102, 2103
"""Seeds: thresholds of the peers, fresh nulls, fresh bursts. The development families use 100-102."""
ENTRIES = (1.2, 1.5, 1.8)
FEW = 8
"""So many series of the clean four are given to packages that take one number at a time."""


@dataclass
class Row:
    """What one detector did with one family."""

    family: str
    false_alarms: float
    """Per 30 days, where one was asked, with one threshold for all families."""
    at_one: float
    """Detection in %, with the family's own threshold for one false page per 30 days."""
    outcome: Outcome
    """With one threshold for all families (the engine), or the family's own (peers)."""


def measure(families: tuple[Family, ...], *, series: int, days: int) -> dict[str, list[Row]]:
    """Run every detector over every family."""
    tables: dict[str, list[Row]] = {}
    sets = [
        [sample(family, series=series, days=days, seed=seed) for family in families] for seed in (CALIBRATION, NULLS)
    ]
    tests = [inject(sample(family, series=series, days=days, seed=BURSTS), seed=BURSTS) for family in families]
    for name, peer in PEERS.items():
        tables[name] = _peer(peer, *sets, tests)
        began = process_time()
        peer(tests[0].counts)
        _tell(name, tables[name], process_time() - began, tests[0].counts.size)
    for name, reference in REFERENCES.items():
        tables[name] = _reference(reference, *sets, tests)
        _tell(name, tables[name], 0.0, 1)
    began = process_time()
    tables["Brandmelder"] = _engine(sets[1], tests)
    size = len(ENTRIES) * 2 * sum(test.counts.size for test in tests)
    _tell("Brandmelder", tables["Brandmelder"], process_time() - began, size)
    return tables


def _peer(peer, calibration: list[Sample], nulls: list[Sample], tests: list[Sample]) -> list[Row]:
    scores = [peer(one.counts) for one in calibration]
    fresh = [peer(one.counts) for one in nulls]
    bounds = (0.0, 400.0)
    known = {id(one): score for one, score in zip([*calibration, *nulls], [*scores, *fresh], strict=True)}
    one_for_all = threshold_for(lambda one, level: known[id(one)] > level, calibration, bounds=bounds)
    rows = []
    for place, test in enumerate(tests):
        own = threshold_for(lambda one, level: known[id(one)] > level, [calibration[place]], bounds=bounds)
        outcome = judge(peer(test.counts) > own, test.bursts)
        rows.append(Row(test.family.name, false_pages(fresh[place] > one_for_all), 100 * outcome.rate, outcome))
    return rows


def _reference(score, calibration: list[Sample], nulls: list[Sample], tests: list[Sample]) -> list[Row]:
    """Judge what knows the truth: at its own threshold per family."""
    rows = []
    for known, fresh, test in zip(calibration, nulls, tests, strict=True):
        reach = {id(one): score(one) for one in (known, fresh, test)}
        own = threshold_for(lambda one, level, reach=reach: reach[id(one)] > level, [known], bounds=(0.0, 60.0))
        outcome = judge(reach[id(test)] > own, test.bursts)
        rows.append(Row(test.family.name, false_pages(reach[id(fresh)] > own), 100 * outcome.rate, outcome))
    return rows


def _packages(*, days: int) -> None:
    """Give the packages a few series of the clean four."""
    sets = [[sample(one, series=FEW, days=days, seed=seed) for one in CLEAN] for seed in (CALIBRATION, NULLS)]
    tests = [inject(sample(one, series=FEW, days=days, seed=BURSTS), seed=BURSTS) for one in CLEAN]
    for name, peer in packages.installed().items():
        began = process_time()
        rows = _peer(peer, *sets, tests)
        _tell(name, rows, process_time() - began, 4 * sum(one.counts.size for one in tests))


def _engine(nulls: list[Sample], tests: list[Sample], entries: tuple[float, ...] = ENTRIES) -> list[Row]:
    groups: dict[bytes, list[int]] = {}
    for place, one in enumerate(nulls):
        groups.setdefault(one.cells.tobytes(), []).append(place)
    found: dict[int, list[tuple[float, Outcome]]] = {place: [] for place in range(len(nulls))}
    for places in groups.values():
        counts = np.concatenate([sets[place].counts for sets in (nulls, tests) for place in places])
        rows = len(nulls[0].counts)
        for entry in entries:
            crossings = engine.run(counts, nulls[places[0]].cells, entry=entry)
            for turn, place in enumerate(places):
                null = crossings[turn * rows : (turn + 1) * rows]
                test = crossings[(len(places) + turn) * rows : (len(places) + turn + 1) * rows]
                found[place].append((false_pages(null), judge(test, tests[place].bursts)))
    rows_of = []
    for place, results in found.items():
        rates = np.log([max(rate, 0.02) for rate, _ in results])
        hits = [100 * outcome.rate for _, outcome in results]
        rate, outcome = results[entries.index(ENTRY)]
        at_one = float(np.polyfit(rates, hits, 1)[1]) if len(entries) > 1 else 100 * outcome.rate
        rows_of.append(Row(nulls[place].family.name, rate, at_one, outcome))
    return rows_of


def _tell(name: str, rows: list[Row], seconds: float, bins: int) -> None:
    print(f"\n{name}: {seconds / bins * 1e6:.2f} µs of processor time per series-bin")
    print("  family            false pages   detection at one   delay of 24-h bursts")
    for row in rows:
        long = [
            delay for burst, delay in zip(row.outcome.bursts, row.outcome.delay, strict=True) if burst.duration == 24
        ]
        print(f"  {row.family:16s} {row.false_alarms:8.2f} {row.at_one:15.1f} % {np.mean(long):15.1f} h")
    clean = [row.at_one for row in rows if row.family in {family.name for family in CLEAN}]
    spread = np.exp(np.abs(np.log([max(row.false_alarms, 0.01) for row in rows])).mean())
    every = np.mean([row.at_one for row in rows])
    print(f"  clean four {np.mean(clean):.1f} %, all {every:.1f} %, rate off by x{spread:.2f}")


def _by(rows: list[Row], key) -> dict[str, float]:
    hits: dict[str, list[bool]] = {}
    for row in rows:
        for burst, hit in zip(row.outcome.bursts, row.outcome.hit, strict=True):
            hits.setdefault(str(key(burst)), []).append(bool(hit))
    return {name: 100 * float(np.mean(values)) for name, values in hits.items()}


def _details(tables: dict[str, list[Row]]) -> None:
    for title, key, order in (
        ("duration in h", lambda burst: burst.duration, DURATIONS),
        ("size in sd", lambda burst: burst.size, SIZES),
        ("shape", lambda burst: burst.shape, SHAPES),
    ):
        print(f"\ndetection in % by {title}: " + "  ".join(f"{one!s:>9}" for one in order))
        for name, rows in tables.items():
            shares = _by(rows, key)
            print(f"  {name:22s} " + "  ".join(f"{shares.get(str(one), float('nan')):9.1f}" for one in order))


def check(rows: list[Row], reference: Path) -> list[str]:
    """Return what is worse than the reference: detection by more than its standard error, rates outside 0.5-1.5."""
    wanted = json.loads(reference.read_text("utf-8"))
    problems: list[str] = []
    hits = np.concatenate([row.outcome.hit for row in rows])
    error = float(np.sqrt(hits.mean() * (1 - hits.mean()) / hits.size))
    print(f"\ndetection with the engine's own budget: {hits.mean():.4f} (standard error {error:.4f})")
    if hits.mean() < wanted["detection"] - error:
        problems.append(f"detection fell to {hits.mean():.3f} from {wanted['detection']:.3f} (error {error:.3f})")
    rate = float(np.mean([row.false_alarms for row in rows]))
    print(f"false pages seen where one was asked: {rate:.2f}")
    if not 0.5 <= rate <= 1.5:
        problems.append(f"{rate:.2f} false pages were seen where 1 was asked")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer series, and fail if the engine got worse")
    parser.add_argument("--series", type=int, default=40, help="series of each family")
    parser.add_argument("--tweets", type=Path, help="folder with NAB's realTweets and windows.json")
    options = parser.parse_args()
    if options.short:
        return _short()
    tables = measure(TEST, series=options.series, days=170)
    _details(tables)
    _packages(days=110)
    suites.cold_start(series=5 * options.series)
    suites.short_bins(series=options.series // 2)
    suites.outages(series=3 * options.series)
    suites.late(series=options.series)
    suites.poison(series=options.series)
    suites.cost()
    if options.tweets and options.tweets.is_dir():
        suites.tweets(options.tweets)
    else:
        print("\nrealTweets: the data are not here; give their folder with --tweets")
    noufaily.noufaily(repeats=1)
    return 0


def _short() -> int:
    sets = [sample(one, series=12, days=110, seed=NULLS) for one in TEST[:7]]
    tests = [inject(sample(one, series=12, days=110, seed=BURSTS), seed=BURSTS) for one in TEST[:7]]
    rows = _engine(sets, tests, entries=(ENTRY,))
    for row in rows:
        print(f"  {row.family:16s} false pages {row.false_alarms:.2f}, found {100 * row.outcome.rate:.0f} %")
    problems = check(rows, Path(__file__).with_name("short.json"))
    print("\n".join(problems) or "not worse than the reference")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
