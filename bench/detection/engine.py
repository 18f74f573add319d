"""The engine as the benchmark drives it: hourly columns in, crossings out."""

from __future__ import annotations

import numpy as np

from brandmelder.detect.advance import Moment, advance
from brandmelder.detect.calibrate import ENTRY
from brandmelder.detect.memory import fresh


def run(counts, cells, *, entry=ENTRY, seen=None, floor=3.0, watch=None, memory=None, parts=1, first=0):
    """Return crossings (series × bins). `watch(judged, bin)` is called after every bin; Monday first."""
    series, bins = counts.shape
    memory = memory or fresh(series)
    columns = np.ascontiguousarray(counts.T)
    eyes = np.ones_like(columns) if seen is None else np.ascontiguousarray(seen.T)
    pages = np.zeros((bins, series), dtype=bool)
    for place in range(bins):
        hour, part = divmod(first + place, parts)
        cell, past = int(cells[hour]), int(cells[hour - 24] if hour >= 24 else cells[hour])
        moment = Moment(unit=96 + hour, part=part, parts=parts, pace=24, cells=(cell, cell), past_cells=(past, past))
        column = columns[place]
        judged = advance(memory, moment, (column, column, eyes[place]), entry=entry, floor=floor)
        pages[place] = judged.pages
        if watch is not None:
            watch(judged, place)
    return pages.T


def pages(sample, entry):
    """For score.Pages."""
    return run(sample.counts, sample.cells, entry=entry)
