"""The 42 scenarios of Noufaily et al. 2013: Farrington flexible in R's `surveillance`, and the engine, at equal rates.

The engine takes no bins longer than a day: a week is fed as a day, so that it knows no season. It reads the same 624
weeks; both are judged on the last 49.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from brandmelder.detect.advance import Moment, advance
from brandmelder.detect.memory import fresh

SEED, WEEKS, JUDGED = 2301, 624, 49
ROWS = (
    (0.1, 0.0025, 0.6, 0.6, 1.5),
    (-2, 0.005, 0.1, 0.3, 2),
    (1.5, 0.003, 0.2, -0.4, 1),
    (0.5, 0.002, 0.5, 0.5, 5),
    (2.5, 0.001, 1, 0.1, 3),
    (3.75, 0.001, 0.1, -0.1, 1.1),
    (5, 0.0001, 0.05, 0.01, 1.2),
)
"""θ, β, γ1, γ2, φ; each with and without trend, and with 0, 1 or 2 seasonal terms."""
ALPHAS = (0.05, 0.01, 0.005, 0.001)


def scenarios(repeats: int) -> tuple[np.ndarray, np.ndarray]:
    """Return counts and outbreak weeks, (series, weeks)."""
    rng = np.random.default_rng(SEED)
    counts, sick = [], []
    week = np.arange(1, WEEKS + 1)
    for theta, beta, one, two, phi in ROWS * repeats:
        for trend in (0, 1):
            for terms in (0, 1, 2):
                turns = [2 * np.pi * term * week / 52 for term in range(1, terms + 1)]
                season = sum((one * np.cos(turn) + two * np.sin(turn) for turn in turns), np.zeros(WEEKS))
                mean = np.exp(theta + beta * trend * week + season)
                size = mean / (phi - 1) if phi > 1 else None
                series = rng.poisson(mean) if size is None else rng.negative_binomial(size, 1 / phi)
                marks = np.zeros(WEEKS, dtype=bool)
                starts = [(int(start), int(rng.choice([2, 3, 5, 10]))) for start in rng.choice(np.arange(313, 560), 4)]
                starts.append((int(rng.integers(WEEKS - JUDGED, WEEKS - 8)), int(rng.integers(1, 11))))
                for start, strength in starts:
                    cases = rng.poisson(strength * np.sqrt(phi * mean[start]))
                    weeks = start + np.floor(rng.lognormal(0, 0.5, cases)).astype(int)
                    np.add.at(series, weeks[weeks < WEEKS], 1)
                    marks[weeks[weeks < WEEKS]] = True
                counts.append(series)
                sick.append(marks)
    return np.array(counts), np.array(sick)


def engine_scores(counts: np.ndarray) -> np.ndarray:
    """Return −log10 of the daily chance of each of the judged weeks."""
    memory = fresh(len(counts))
    columns, seen, scores = counts.T.astype(float), np.ones(len(counts)), []
    for week, column in enumerate(columns):
        moment = Moment(unit=100 + week, part=0, parts=1, pace=1, cells=(0, 0), past_cells=(0, 0))
        judged = advance(memory, moment, (column, column, seen), entry=99.0, floor=1.0)
        scores.append(judged.chance)
    return np.array(scores[-JUDGED:]).T


def figures(alarms: np.ndarray, sick: np.ndarray) -> tuple[float, float, float]:
    """Return the share of calm weeks with an alarm, of outbreaks found, and of those found in their first week."""
    first = sick.argmax(axis=1)
    has = sick.any(axis=1)
    found = (alarms & sick).any(axis=1)[has].mean()
    return float(alarms[~sick].mean()), float(found), float(alarms[np.arange(len(sick)), first][has].mean())


def noufaily(*, repeats: int) -> None:
    """Print both at equal false-positive rates."""
    counts, sick = scenarios(repeats)
    scores, marks = engine_scores(counts), sick[:, -JUDGED:]
    print(f"\nNoufaily's 42 scenarios, {len(counts)} series: share of calm weeks alarmed, outbreaks found, in week one")
    if shutil.which("Rscript") is None:
        print("  R is not installed: Farrington flexible is left out (apt-get install r-cran-surveillance)")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        np.savetxt(
            path / "counts.csv",
            counts.T,
            fmt="%d",
            delimiter=",",
            header=",".join(f"s{n}" for n in range(len(counts))),
            comments="",
        )
        script = Path(__file__).with_name("farrington.R")
        subprocess.run(
            ["Rscript", str(script), str(path / "counts.csv"), str(path / "alarms"), ",".join(map(str, ALPHAS))],
            check=True,
        )
        for alpha in ALPHAS:
            alarms = np.loadtxt(path / f"alarms{alpha:g}.csv", delimiter=",", skiprows=1).T > 0
            rate, found, early = figures(alarms, marks)
            level = np.quantile(scores[~marks], 1 - rate)
            own = figures(scores > level, marks)
            print(
                f"  alpha {alpha:<6g} Farrington flexible {rate:.4f} {found:.3f} {early:.3f}   Brandmelder "
                + " ".join(f"{one:.3f}" for one in own)
            )


__all__ = ["noufaily"]
