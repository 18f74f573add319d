"""How often an unusual silence or few mentions are told of for nothing, and how soon a real one is told.

    python bench/silences.py [--years 20] [--seed 1]

Sources of several rates and kinds (even, by the hours of a day, in bursts, with restless days, after a storm, in
decline) are simulated hour by hour for years; the rhythm is learnt anew each day from the last 28, as in the service.
Then each is cut off at ten random moments, or thinned to a twentieth. Prints notices a source and year, and the median
delay.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from brandmelder.detect.rhythm import Hour, few, is_back, learn, silent_at

ZONE = "Europe/Berlin"
FIRST = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) // 3600
DAY = np.array([0.2] * 6 + [0.8] * 3 + [1.5] * 9 + [1.8] * 4 + [0.6] * 2)
DAY = DAY / DAY.mean()
MEMORY = 28 * 24
LOCAL = np.array(
    [
        (local := datetime.fromtimestamp((FIRST + at) * 3600, ZoneInfo(ZONE))).weekday() * 24 + local.hour
        for at in range(21 * 8766)
    ]
)
"""The hour of the local week: people write by their own clocks, also on the days on which those are changed."""
Rates = Callable[[np.random.Generator, int], np.ndarray]


def even(rate: float) -> Rates:
    return lambda rng, hours: rng.poisson(rate, hours)


def daily(rate: float) -> Rates:
    return lambda rng, hours: rng.poisson(rate * DAY[LOCAL[:hours] % 24])


def office(rate: float) -> Rates:
    shape = np.zeros((7, 24))
    shape[:5, 8:17] = 168 / 45
    return lambda rng, hours: rng.poisson(rate * shape.reshape(-1)[LOCAL[:hours]])


def bursts(rate: float, size: float) -> Rates:
    def make(rng: np.random.Generator, hours: int) -> np.ndarray:
        starts = rng.poisson(rate / size * DAY[LOCAL[:hours] % 24])
        counts = np.zeros(hours + 6)
        for at in np.flatnonzero(starts):
            for _ in range(starts[at]):
                many = rng.geometric(1 / size)
                np.add.at(counts, at + rng.integers(0, 3, many), 1)
        return counts[:hours]

    return make


def restless(rate: float, sigma: float) -> Rates:
    def make(rng: np.random.Generator, hours: int) -> np.ndarray:
        days = np.exp(rng.normal(-sigma * sigma / 2, sigma, hours // 24 + 1))
        return rng.poisson(rate * DAY[LOCAL[:hours] % 24] * np.repeat(days, 24)[:hours])

    return make


def stormy(rate: float) -> Rates:
    """A storm of forty times the usual for two days, each fortieth day."""

    def make(rng: np.random.Generator, hours: int) -> np.ndarray:
        lift = np.ones(hours)
        for at in range(500, hours, 960):
            lift[at : at + 48] = 40 * np.exp(-np.arange(len(lift[at : at + 48])) / 12)
        return rng.poisson(rate * DAY[LOCAL[:hours] % 24] * np.maximum(lift, 1))

    return make


def declining(rate: float) -> Rates:
    """Half of it is lost every quarter, then it begins anew."""
    return lambda rng, hours: rng.poisson(rate * DAY[LOCAL[:hours] % 24] * 0.5 ** (np.arange(hours) % 2190 / 2190))


SOURCES: dict[str, Rates] = {
    **{f"even {rate}/h": even(rate) for rate in (0.05, 0.3, 2, 12, 100)},
    **{f"daily {rate}/h": daily(rate) for rate in (0.05, 0.5, 3, 12, 60)},
    **{f"office {rate}/h": office(rate) for rate in (0.5, 5)},
    "bursts 0.5/h of 5": bursts(0.5, 5),
    "bursts 3/h of 5": bursts(3, 5),
    "bursts 12/h of 8": bursts(12, 8),
    **{f"restless {rate}/h": restless(rate, 0.7) for rate in (1, 12)},
    **{f"stormy {rate}/h": stormy(rate) for rate in (1, 12)},
    "declining 3/h": declining(3),
}


def notices(hours: list[Hour], rng: np.random.Generator) -> tuple[int, int, int]:
    """Return how often silence, and how often few mentions, were told of, and in how many days a rhythm was known."""
    silent = thin = days = since = 0
    last, told, is_few = None, False, False
    for day in range(MEMORY, len(hours) - 24, 24):
        rhythm = learn(hours[day - MEMORY : day], ZONE)
        days += rhythm is not None
        for at in range(day, day + 24):
            now = datetime.fromtimestamp(hours[at].at * 3600, UTC)
            begin = 1 - rng.random() ** (1 / max(1, hours[at].came))  # the least of so many evenly drawn
            if rhythm is not None and last is not None and not told:
                seen = range(int(last.timestamp()) // 3600, hours[at].at)
                first = now + timedelta(hours=begin if hours[at].came else 1)
                due = silent_at(rhythm, last, seen, now)
                told = due is not None and due < first
                silent += told
            if hours[at].came:
                rest = rng.random() ** (1 / (hours[at].came - 1)) if hours[at].came > 1 else 0.0
                last, told = now + timedelta(hours=begin + (1 - begin) * rest), False
            if rhythm is None:
                continue
            recent = hours[at - 71 : at + 1]
            if is_few:
                is_few = not is_back(rhythm, [one for one in recent if one.at >= since])
            elif few(rhythm, recent) is not None and not told:
                is_few, thin, since = True, thin + 1, hours[at].at - 6
    return silent, thin, days


def delays(hours: list[Hour], rng: np.random.Generator, share: float) -> list[float]:
    """Return after how many hours a cut-off (share 0) or thinned source is told of; 336 if never."""
    found = []
    for _ in range(10):
        cut = int(rng.integers(MEMORY, len(hours) - 400))
        rhythm = learn(hours[cut - cut % 24 - MEMORY : cut - cut % 24], ZONE)
        if rhythm is None:
            continue
        if not share:
            before = next(at for at in range(cut - 1, 0, -1) if hours[at].came)
            last = datetime.fromtimestamp(hours[before].at * 3600 + 3599, UTC)
            now = datetime.fromtimestamp(hours[cut].at * 3600, UTC)
            due = silent_at(rhythm, last, range(hours[before].at, hours[cut].at), now)
            found.append(336.0 if due is None else max(0.0, (due - now) / timedelta(hours=1)))
            continue
        after = [Hour(one.at, int(rng.binomial(int(one.came), share))) for one in hours[cut : cut + 336]]
        whole = [*hours[cut - 72 : cut], *after]
        told = (at for at in range(1, len(after)) if few(rhythm, whole[at : at + 72]) is not None)
        found.append(float(next(told, 336)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    print(f"{'source':22s} silent/year   few/year  known   cut off told after   thinned to 1/20 told after")
    for name, make in SOURCES.items():
        if asked.only not in name:
            continue
        rng = np.random.default_rng(asked.seed)
        counts = make(rng, min(asked.years, 20) * 8760 + MEMORY)
        hours = [Hour(FIRST + at, int(count)) for at, count in enumerate(counts)]
        silent, thin, days = notices(hours, rng)
        years = max(days / 365, 0.01)
        cut, thinned = (delays(hours, rng, share) for share in (0.0, 0.05))
        said = [f"{statistics.median(some):6.1f} h" if some else "      –" for some in (cut, thinned)]
        known = days / 365 / asked.years
        told = f"{silent / years:11.2f} {thin / years:10.2f} {known:6.0%}"
        print(f"{name:22s} {told}   {said[0]:>18s}   {said[1]:>26s}", flush=True)


if __name__ == "__main__":
    main()
