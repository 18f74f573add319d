"""What a window says to people: how many were seen, how many are usual, over which time, and how rare that is."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from brandmelder.detect.advance import fine_lengths
from brandmelder.detect.calibrate import rarity
from brandmelder.detect.memory import REACH, SHORT, SUMS, WINDOWS
from brandmelder.detect.tail import central_range
from brandmelder.model import Finding, Spike, SpikeKind

if TYPE_CHECKING:
    from brandmelder.detect.advance import Judged, Moment
    from brandmelder.detect.memory import Memory

_ESTIMATE = 0.7


def found(memory: Memory, moment: Moment, judged: Judged, *, width: int, kind: SpikeKind) -> Finding:
    """Return the finding of the only series in `memory` for bins of `width` seconds."""
    best = int(judged.best[0])
    negative, labelled, seen, bins = _window(memory, moment, best)
    until = (moment.bin + 1) * width
    is_estimate = labelled < _ESTIMATE * negative
    scale = 1.0 if is_estimate else labelled_share(memory)
    mean, variance = float(judged.mean[best, 0]), float(judged.variance[best, 0])
    whole = mean / max(seen, 1e-3) if seen > 0 else 0.0
    relative = (variance - mean) / max(mean * mean, 1e-12)
    low, high = central_range(scale * whole, scale * whole + relative * (scale * whole) ** 2)
    history = float(memory["seen"][0]) / moment.pace
    chance = float(judged.chance[0])
    spike = Spike(
        kind=kind,
        since=datetime.fromtimestamp(until - bins * width, UTC),
        until=datetime.fromtimestamp(until, UTC),
        window=timedelta(seconds=bins * width),
        observed=round(negative if is_estimate else labelled),
        usual_low=low,
        usual_high=high,
        expected=scale * whole,
        score=chance,
        is_estimate=is_estimate,
        rarity=rarity(chance),
        learning=history < 1.0,
        history=timedelta(days=history),
        is_partial=seen < 0.999,
    )
    return Finding(
        start=datetime.fromtimestamp(moment.bin * width, UTC),
        spike=spike,
        pages=bool(judged.pages[0]),
        is_high=bool(judged.high[0]),
        flagged=bool(judged.flagged[0]),
        seen=min(1.0, seen),
        hour=_last_hour(memory, moment, is_estimate=is_estimate),
    )


def _last_hour(memory: Memory, moment: Moment, *, is_estimate: bool) -> int | None:
    """Return how many there were in the last hour, counted as what is shown; None of bins of an hour or longer."""
    if moment.parts == 1:
        return None
    rows = np.arange(moment.bin - moment.parts + 1, moment.bin + 1) % SHORT
    return round(math.fsum(memory["part_count" if is_estimate else "part_labelled"][rows, 0]))


def labelled_share(memory: Memory) -> float:
    """Return how many mentions are labelled negative for each unit of Σ P(negative)."""
    labelled, summed = float(memory["labelled"][0]), float(memory["summed"][0])
    return min(2.0, max(0.3, labelled / summed)) if summed > 0 else 1.0


def _window(memory: Memory, moment: Moment, best: int) -> tuple[float, float, float, int]:
    """Return Σ P(negative), labelled, the share seen and the length in bins of a window."""
    if best >= len(WINDOWS):
        bins = fine_lengths(moment.parts)[best - len(WINDOWS)]
        rows = np.arange(moment.bin - bins + 1, moment.bin + 1) % SHORT
        mean = memory["part_mean"][rows, 0]
        seen = memory["part_seen"][rows, 0]
        names = ("part_count", "part_labelled")
        negative, labelled = (math.fsum(memory[name][rows, 0]) for name in names)
        return negative, labelled, _share(mean, seen), bins
    length = WINDOWS[best]
    rows = np.arange(moment.unit - min(length, REACH) + 1, moment.unit + 1) % REACH
    begin = (moment.unit - length) % SUMS
    end = (moment.unit - 1) % SUMS
    row = moment.unit % REACH
    negative, labelled = (
        float(memory[total][end, 0] - memory[total][begin, 0] + memory[running][row, 0])
        for total, running in (("sum_count", "unit_count"), ("sum_labelled", "unit_labelled"))
    )
    mean, seen = memory["unit_mean"][rows, 0], memory["unit_seen"][rows, 0].copy()
    run = (moment.part + 1) / moment.parts
    seen[-1] /= run
    mean = np.append(mean[:-1], mean[-1] * run)
    return negative, labelled, _share(mean, seen), (length - 1) * moment.parts + moment.part + 1


def _share(mean: object, seen: object) -> float:
    means, eyes = np.asarray(mean), np.asarray(seen)
    return float((means * eyes).sum() / max(float(means.sum()), 1e-12))
