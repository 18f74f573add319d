"""False pages of the kinds beside the negative volume, seen against asked, on clean simulated series.

Prints for each kind and rate: median and mean excess of the daily maxima (what the priors hold) and pages seen / asked;
then what all kinds but the negative volume spend of the monitor's budget together. Two worlds: an even one, on which
the priors were made, and a lively one, in which the tone of days wavers, reach has a heavier tail and a topic that
nobody spoke of comes up every three weeks. Run `.venv/bin/python bench/detection/kinds.py [--days 240] [--series 12]`;
seeds are fixed, nothing is injected.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from brandmelder.detect.kinds.budget import PARTS
from brandmelder.detect.kinds.watching import KindRules, SeenBin, new_kinds, step
from brandmelder.detect.scan import DetectorRules
from brandmelder.model import Bin, SpikeKind

START = datetime(2025, 1, 6, tzinfo=UTC)
WIDTH = timedelta(minutes=15)
RATES = (3.0, 30.0, 300.0)
BUDGET = 1 / 10
"""False pages a day for all kinds together: enough to count some of each within months."""
BURN_IN = 60
NEGATIVE = PARTS[SpikeKind.NEGATIVE]
SOURCES = ("blog", "forum", "press", "rare")
WEIGHTS = (0.6, 0.3, 0.0995, 0.0005)


@dataclass(frozen=True)
class World:
    """How a quiet world wavers."""

    name: str
    tone: float = 0.0
    """Standard deviation of the log odds of a negative from day to day, with a memory of two days."""
    reach: float = 1.6
    """Standard deviation of the logarithm of a mention's reach."""
    topics: float = 0.0
    """New topics a day."""


WORLDS = (World("even"), World("lively", tone=0.25, reach=2.0, topics=1 / 21))


def series(world: World, rate: float, days: int, seed: int):
    """Yield bins: a day's shape, gamma-Poisson hours, one share in five negative and wavering, log-normal reach."""
    draw = np.random.default_rng(seed)
    names = random.Random(seed)
    mood, topic, born = 0.0, "", 0
    for hour in range(days * 24):
        if hour % 24 == 0:
            mood = 0.6 * mood + 0.8 * world.tone * draw.standard_normal()
            if draw.random() < world.topics:
                topic, born = f"topic:{hour}", hour
        local = (hour + 1) % 24
        shape = 0.25 if local < 7 else 1.3
        level = rate / 24 * shape * draw.gamma(1 / 0.15) * 0.15
        share = draw.beta(0.2 * 40, 0.8 * 40)
        share = share * math.exp(mood) / (1 - share + share * math.exp(mood))
        for part in range(4):
            total = int(draw.poisson(level / 4))
            negative = int(draw.binomial(total, share))
            reach = float(np.exp(draw.normal(5.5, world.reach, negative)).sum()) if negative else 0.0
            named = names.choices(SOURCES, WEIGHTS, k=total)
            brought = {name: float(named.count(name)) for name in sorted(set(named))}
            critical = {f"source:{name}": float(named[:negative].count(name)) for name in sorted(set(named[:negative]))}
            if topic and negative and hour - born < 72:
                critical[topic] = float(draw.binomial(negative, 0.15))
            one = Bin(
                start=START + timedelta(hours=hour) + part * WIDTH,
                width=WIDTH,
                total=total,
                negative=negative,
                labelled=negative,
                reach=reach,
            )
            yield SeenBin(bin=one, brought=brought, critical=critical, sources=SOURCES)


def run(world: World, rate: float, days: int, seed: int):
    """Return maxima by name, and pages by kind; a page silences its kind for a day."""
    state, rules = new_kinds(), KindRules(volume=DetectorRules(budget=BUDGET))
    pages: dict[str, int] = {}
    silent: dict[str, datetime] = {}
    for seen in series(world, rate, days, seed):
        state, findings = step(state, seen, rules, flagged=False)
        for one in findings:
            kind = one.spike.kind.value
            if one.pages and one.start >= silent.get(kind, START + timedelta(days=BURN_IN)):
                pages[kind] = pages.get(kind, 0) + 1
                silent[kind] = one.start + timedelta(days=1)
    return {name: known.maxima for name, known in state.days.items()}, pages


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=240)
    parser.add_argument("--series", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--rates", type=float, nargs="*", default=RATES, help="mentions a day")
    asked = parser.parse_args()
    parts = {kind: BUDGET * part for kind, part in PARTS.items()}
    with ProcessPoolExecutor(2) as pool:
        for world, rate in ((world, rate) for world in WORLDS for rate in asked.rates):
            waiting = [pool.submit(run, world, rate, asked.days, asked.seed + number) for number in range(asked.series)]
            results = [one.result() for one in waiting]
            days = asked.series * (asked.days - BURN_IN)
            print(f"\n{rate:g} mentions a day, {world.name} world", flush=True)
            spent = 0.0
            for name in sorted({name for maxima, _ in results for name in maxima}):
                every = [value for maxima, _ in results for value in maxima.get(name, ())]
                middle = statistics.median(every)
                over = [value - middle for value in every if value > middle]
                print(f"  {name:<14} median {middle:6.2f}  excess {statistics.fmean(over) if over else 0:5.2f}")
            for kind, part in parts.items():
                seen = sum(pages.get(kind.value, 0) for _, pages in results)
                if kind.value != "negative":
                    spent += seen / (BUDGET * days)
                    told = f"pages {seen:4d}  asked {part * days:6.1f}  ratio {seen / (part * days):5.2f}"
                    print(f"  {kind.value:<14} {told}")
            print(f"  all of these spend {spent:.2f} of the monitor's budget; they were given {1 - NEGATIVE:.2f}")


if __name__ == "__main__":
    main()
