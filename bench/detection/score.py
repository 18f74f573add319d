"""The rule: a first crossing pages, 24 h of silence follow; a page inside a burst hits it; a miss costs all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from families import WARM_UP, Burst, Sample

SILENCE = 24
Pages = Callable[[Sample, float], np.ndarray]
"""(sample, threshold) -> crossings, boolean, series × hours."""


@dataclass(frozen=True)
class Outcome:
    """What became of each burst, in the order of the sample."""

    bursts: list[Burst]
    hit: np.ndarray
    delay: np.ndarray
    """Hours from the burst's start to the end of the bin that paged; the duration for a miss."""

    @property
    def rate(self) -> float:
        return float(self.hit.mean())


def silenced(crossings: np.ndarray) -> np.ndarray:
    """Keep a page, drop crossings within 24 h after it."""
    pages = np.zeros_like(crossings)
    until = np.zeros(crossings.shape[0], dtype=int)
    for hour in range(crossings.shape[1]):
        now = crossings[:, hour] & (hour >= until)
        pages[:, hour] = now
        until[now] = hour + SILENCE
    return pages


def false_pages(crossings: np.ndarray) -> float:
    """Pages per 30 days after the warm-up, on series without bursts."""
    pages = silenced(crossings)[:, WARM_UP * 24 :]
    return float(pages.sum() / (pages.size / 24 / 30))


def judge(crossings: np.ndarray, bursts: list[Burst]) -> Outcome:
    """Score the bursts of one sample."""
    pages = silenced(crossings)
    hit, delay = np.zeros(len(bursts), dtype=bool), np.zeros(len(bursts))
    for place, burst in enumerate(bursts):
        inside = np.flatnonzero(pages[burst.series, burst.start : burst.start + burst.duration])
        hit[place] = inside.size > 0
        delay[place] = inside[0] + 1 if inside.size else burst.duration
    return Outcome(bursts, hit, delay)


def threshold_for(pages: Pages, nulls: list[Sample], *, asked: float = 1.0, bounds: tuple[float, float]) -> float:
    """Return the threshold that gives `asked` false pages per 30 days on the nulls, by bisection."""
    low, high = bounds
    for _ in range(18):
        middle = (low + high) / 2
        seen = float(np.mean([false_pages(pages(null, middle)) for null in nulls]))
        low, high = (middle, high) if seen > asked else (low, middle)
    return (low + high) / 2
