"""The bad days: a cold start, an outage with its backlog, a slow poisoning; real tweets; and what a bin costs."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import engine
import numpy as np
from families import CLEAN, WARM_UP, Family, sample
from score import false_pages, silenced

from brandmelder.detect.memory import fresh

SEED = 2201


def cold_start(*, series: int) -> None:
    """Print false pages seen / asked in each of the first eight weeks, hourly and five-minute bins."""
    print("\ncold start: false pages seen / asked, week by week")
    for family in CLEAN:
        clean = sample(family, series=series, days=56, seed=SEED)
        weeks = silenced(engine.run(clean.counts, clean.cells)).reshape(series, 8, -1).sum(axis=(0, 2))
        print(f"  {family.name:12s} hourly " + "  ".join(f"{week:5.2f}" for week in weeks / series * 30 / 7))
    for family in CLEAN:
        few = max(10, series // 5)
        clean = sample(family, series=few, days=42, seed=SEED)
        split = np.random.default_rng(SEED).multinomial(clean.counts.astype(int), [1 / 12] * 12)
        fine = split.reshape(few, -1).astype(float)
        crossings = engine.run(fine, clean.cells, parts=12)
        weeks = silenced(crossings.reshape(few, -1, 12).any(axis=2)).reshape(few, 6, -1).sum(axis=(0, 2))
        print(f"  {family.name:12s} 5 min  " + "  ".join(f"{week:5.2f}" for week in weeks / few * 30 / 7))


SHORT = (
    (Family("5 min 8/day", 8), "gamma"),
    (Family("5 min 80/day", 80), "gamma"),
    (Family("5 min 800/day", 800), "gamma"),
    (Family("5 min 8000/day", 8000), "gamma"),
    (Family("5 min log-normal", 300), "lognormal"),
    (Family("5 min threads", 60), "threads"),
    (Family("5 min nothing", 150), "nothing"),
    (Family("5 min growth", 40, growth=0.012), "gamma"),
)
"""Five-minute bins: the parts of an hour waver by themselves."""


def short_bins(*, series: int) -> None:
    """Print false pages seen / asked in five-minute bins, after six weeks, one budget for all families."""
    drawn = [_parts(family, kind, series=series) for family, kind in SHORT]
    cells = sample(SHORT[0][0], series=1, days=100, seed=SEED + 4).cells
    crossings = engine.run(np.concatenate(drawn), cells, parts=12)
    hourly = crossings.reshape(len(crossings), -1, 12).any(axis=2)
    print("\nfive-minute bins: false pages seen / asked, and the most of any series")
    for place, (family, _) in enumerate(SHORT):
        rows = hourly[place * series : (place + 1) * series]
        most = silenced(rows)[:, WARM_UP * 24 :].sum(axis=1).max()
        print(f"  {family.name:18s} {false_pages(rows):5.2f}   {most:3d} in {100 - WARM_UP} days")


def _parts(family: Family, kind: str, *, series: int) -> np.ndarray:
    """Draw an hourly series and spread its hours over twelve parts that waver."""
    rng = np.random.default_rng([SEED + 4, int.from_bytes(family.name.encode(), "little") % 2**32])
    mean = np.repeat(sample(family, series=series, days=100, seed=SEED + 4).counts / 12, 12, axis=1)
    if kind == "lognormal":
        mean = mean * rng.lognormal(-0.5, 1.0, mean.shape)
    else:
        mean = mean * rng.gamma(1 / 0.3, 0.3, mean.shape)
    counts = rng.poisson(mean).astype(float)
    if kind == "threads":  # every third day one thread of a few dozen posts
        counts += (rng.random(mean.shape) < 0.35 / 288) * np.round(rng.lognormal(2.7, 0.8, mean.shape))
    if kind == "nothing":  # a quarter of all quarter days bring nothing
        counts *= np.repeat(rng.random((series, 400)) >= 0.25, 72, axis=1)
    return counts


def outages(*, series: int) -> None:
    """Print false pages of outages whose backlog comes by event time, against the same series without an outage."""
    rng = np.random.default_rng(SEED)
    whole, blind = 0, 0
    for family in CLEAN:
        clean = sample(family, series=series, days=90, seed=SEED + 1)
        seen = np.ones_like(clean.counts)
        for row in range(series):
            for start in rng.integers(45 * 24, 85 * 24, 3):
                seen[row, start : start + int(rng.integers(2, 48))] = 0.0
        whole += silenced(engine.run(clean.counts, clean.cells))[:, 45 * 24 :].sum()
        blind += silenced(engine.run(clean.counts * seen, clean.cells, seen=seen))[:, 45 * 24 :].sum()
    print(f"\n{series * 12} outages: {blind} pages, {whole} on the same series without an outage")


def late(*, series: int) -> None:
    """Print what becomes of bursts of which four fifths come three hours late, by event time and by arrival."""
    found = []
    for family in CLEAN[1:]:
        clean = sample(family, series=series, days=70, seed=SEED + 3)
        rng = np.random.default_rng(SEED + 3)
        start = rng.integers(50 * 24, 65 * 24, series)
        extra = np.zeros_like(clean.counts)
        for row, hour in enumerate(start):
            extra[row, hour : hour + 3] = rng.poisson(4 + 3 * np.sqrt(clean.mean[row, hour] * 4), 3)
        delayed = 0.2 * extra
        delayed[:, 3:] += 0.8 * extra[:, :-3]
        near = np.arange(clean.counts.shape[1])[None, :] - start[:, None]
        for counts in (clean.counts + extra, clean.counts + delayed):
            crossings = engine.run(counts, clean.cells) & (near >= 0) & (near < 8)
            found.append(crossings.any(axis=1).mean())
    on_time, tardy = np.mean(found[::2]), np.mean(found[1::2])
    print(f"\nbursts of three hours found: {on_time:.1%} on time, {tardy:.1%} where four fifths come three hours late")


def poison(*, series: int) -> None:
    """Print how soon a ramp of 1 % an hour, up to twenty times the usual, pages."""
    print("\npoisoning ramp of +1 % an hour to 20x")
    for family in CLEAN:
        clean = sample(family, series=series, days=70, seed=SEED + 2)
        ramp = np.minimum(20.0, 1.01 ** np.maximum(0, np.arange(clean.mean.shape[1]) - 45 * 24))
        extra = np.random.default_rng(SEED).poisson(clean.mean * (ramp - 1))
        crossings = engine.run(clean.counts + extra, clean.cells)[:, 45 * 24 :]
        first = np.where(crossings.any(axis=1), crossings.argmax(axis=1), 10**6)
        level = 1.01 ** np.median(first)
        print(
            f"  {family.name:12s} paged {np.mean(first < 10**6):.1%}, median {np.median(first):.0f} h, at {level:.1f}x"
        )


def cost() -> None:
    """Print the time per series-bin by length of history and by number of series."""
    print("\ncost")
    for series, days in ((1000, 30), (1000, 60), (1000, 120), (10_000, 10)):
        counts = np.random.default_rng(1).poisson(5.0, (series, days * 24)).astype(float)
        began = process_time()
        engine.run(counts, np.arange(days * 24) % 168)
        spent = (process_time() - began) / counts.size * 1e6
        print(f"  {series} series, {days} days: {spent:.2f} µs of processor time per series-bin")
    memory = fresh(10_000)
    counts = np.random.default_rng(1).poisson(0.4, (10_000, 60)).astype(float)
    engine.run(counts[:, :48], np.arange(200) % 168, parts=12, memory=memory)
    began = process_time()
    engine.run(counts[:, 48:], np.arange(200) % 168, parts=12, memory=memory, first=48)
    print(
        f"  a tick of 10,000 monitors, five-minute bins: {(process_time() - began) / 12 * 1e3:.0f} ms of processor time"
    )


# --------------------------------------------------------------------- tweets


def tweets(folder: Path) -> None:
    """Print NAB's score on its realTweets: the entry comes from the other nine files (leave one out)."""
    windows = json.loads((folder / "windows.json").read_text("utf-8"))
    files = sorted((folder / "realTweets").glob("*.csv.gz"))
    entries = np.arange(0.4, 4.1, 0.2)
    series = [_read(path) for path in files]
    pages = _loud(series, entries)
    gains, counts = [], []
    for path, (times, _), found in zip(files, series, pages, strict=True):
        spans = next(spans for name, spans in windows.items() if path.name.startswith(Path(name).name))
        spans = [[_seconds(end) for end in span] for span in spans]
        gains.append([_nab(times, one, spans) for one in found])
        counts.append(len(spans))
    table = np.array(gains)
    total = np.array(counts)
    scores = []
    for place in range(len(files)):
        others = np.delete(np.arange(len(files)), place)
        best = int(table[others].sum(axis=0).argmax())
        scores.append(table[place, best])
    left_out = 100 * (sum(scores) + total.sum()) / (2 * total.sum())
    fixed = 100 * (table.sum(axis=0) + total.sum()) / (2 * total.sum())
    print("\nrealTweets, NAB's standard profile (null 0, perfect 100)")
    print(f"  leave one series out: {left_out:.1f}")
    print(
        "  one entry for all: "
        + "  ".join(f"{entry:.1f}:{score:.0f}" for entry, score in zip(entries, fixed, strict=True))
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return np.array([_seconds(row["timestamp"]) for row in rows]), np.array([float(row["value"]) for row in rows])


def _loud(series: list[tuple[np.ndarray, np.ndarray]], entries: np.ndarray) -> list[list[np.ndarray]]:
    """Return by file and entry the times at which the engine pages, 24 h of silence after each; all in one replay."""
    first = min(int(times[0] // 300) for times, _ in series) // 12 * 12
    bins = max(int(times[-1] // 300) for times, _ in series) - first + 1
    counts, seen = np.zeros((2, len(series), bins))
    for row, (times, values) in enumerate(series):
        place = (times // 300).astype(int) - first
        counts[row, place], seen[row, place] = values, 1.0
    cells = (np.arange(first // 12, first // 12 + bins // 12 + 2) + 72) % 168  # the epoch was a Thursday
    rows = np.repeat(np.arange(len(series)), entries.size)
    crossings = engine.run(counts[rows], cells, seen=seen[rows], parts=12, entry=np.tile(entries, len(series))).reshape(
        len(series), entries.size, bins
    )
    return [[_silenced((np.flatnonzero(one) + first) * 300) for one in file] for file in crossings]


def _silenced(moments: np.ndarray) -> np.ndarray:
    kept: list[float] = []
    for moment in moments:
        if not kept or moment >= kept[-1] + 86400:
            kept.append(float(moment))
    return np.array(kept)


def _nab(times: np.ndarray, found: np.ndarray, spans: list[list[float]]) -> float:
    """Return the raw score of one file under the standard profile (1, 0.11, 1)."""
    start = times[min(int(0.15 * len(times)), 750)]
    score, hit = 0.0, set()
    for moment in found[found >= start]:
        inside = [place for place, (left, right) in enumerate(spans) if left <= moment <= right]
        if inside:
            place = inside[0]
            if place not in hit:
                left, right = spans[place]
                score += _sigmoid(-(right - moment) / (right - left)) / _sigmoid(-1.0)
                hit.add(place)
            continue
        before = [(left, right) for left, right in spans if right < moment]
        if not before:
            score -= 0.11
            continue
        left, right = before[-1]
        position = (moment - right) / (right - left)
        score += 0.11 * (-1.0 if position > 3 else _sigmoid(position))
    return score - (len(spans) - len(hit))


def _sigmoid(position: float) -> float:
    return 2.0 / (1.0 + np.exp(5.0 * position)) - 1.0


__all__ = ["Family", "cold_start", "cost", "late", "outages", "poison", "short_bins", "tweets"]
