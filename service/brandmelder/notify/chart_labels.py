"""Where a chart's own words stand: values on bars, the usual on its band, moments beside their lines."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from brandmelder.notify.chart_ink import Label
from brandmelder.notify.chart_plot import UNSEEN, Mark
from brandmelder.notify.chart_scale import cut_to, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.notify.chart_plot import Plot
    from brandmelder.notify.chart_scale import Box

ROW = 1.55
"""Label sizes from one row of marks to the next."""
_MOST_MARKS = 3


def value_labels(plot: Plot) -> list[Label]:
    """Name the bars beyond the usual; where there is no room for all, only the peak and the newest."""
    size, counts = plot.look.size, plot.chart.counts
    beyond = [place for place in range(len(counts)) if plot.is_beyond(place)]
    names = {place: plot.chart.voice.number(counts[place]) for place in beyond}
    if any(width_of(name, size, bold=True) > 0.95 * plot.slot for name in names.values()):
        peak = max(beyond, key=lambda place: (counts[place], place))
        beyond = [place for place in beyond if place in {peak, beyond[-1]}]
        if len(beyond) > 1 and width_of(names[peak], size, bold=True) > 0.9 * plot.slot * (beyond[-1] - peak):
            beyond = [peak]
    return [_value_label(plot, place, names[place]) for place in beyond]


def _value_label(plot: Plot, place: int, name: str) -> Label:
    bar, size = plot.bar(place), plot.look.size
    half = width_of(name, size, bold=True) / 2
    middle = min(max((bar.left + bar.right) / 2, plot.left + half), plot.right - half)
    fill = plot.look.palette.neg
    return Label(x=middle, y=bar.top - 0.38 * size, text=name, size=size, fill=fill, anchor="middle", bold=True)


def band_label(plot: Plot, taken: Sequence[Box]) -> list[Label]:
    """Name what is usual at the left, half a label above its edge; if bars stand there, over the widest quiet stretch.

    While learning there is no band, and that is said instead.
    """
    chart, look = plot.chart, plot.look
    if not chart.usual:
        text = chart.learning
        return [_at(plot, 0, plot.y(0) - 0.5 * look.size, text)] if text else []
    for since, until in _quiet(plot):
        label = _over(plot, since, until)
        needed = -int(-(label.box.right - label.box.left) // plot.slot)
        if needed <= until - since and not any(label.box.meets(box) for box in taken):
            return [label]
    return []


def _over(plot: Plot, since: int, until: int) -> Label:
    """Return the label of the bars that it stands over, as wide as the one of the whole stretch."""
    usual, size = plot.chart.usual, plot.look.size
    whole = plot.chart.voice.usual_range(*_span(usual[since:until]))
    under = usual[since : min(until, since + 1 + int(width_of(whole, size) / plot.slot))]
    low, high = _span(under)
    return _at(plot, since, plot.y(high) - 0.5 * size, plot.chart.voice.usual_range(low, high))


def _span(usual: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return min(low for low, _ in usual), max(high for _, high in usual)


def _at(plot: Plot, place: int, y: float, text: str) -> Label:
    return Label(x=plot.left + place * plot.slot, y=y, text=text, size=plot.look.size, fill=plot.look.palette.ink2)


def _quiet(plot: Plot) -> list[tuple[int, int]]:
    """Return stretches without a bar beyond the usual: the one at the left first, then the widest."""
    counts = plot.chart.counts
    loud = [place for place in range(len(counts)) if plot.is_beyond(place) or counts[place] == UNSEEN]
    edges = [-1, *loud, len(counts)]
    stretches = [(before + 1, after) for before, after in itertools.pairwise(edges) if after - before > 1]
    return sorted(stretches, key=lambda one: (one[0] != 0, one[0] - one[1]))


def mark_labels(plot: Plot) -> list[Label]:
    """Name the marked moments, the newest in the highest row; beyond three events, only how many they are."""
    events = [mark for mark in plot.chart.marks if not mark.is_alert]
    marks = list(plot.chart.marks)
    if len(events) > _MOST_MARKS:
        newest = max(events, key=lambda mark: mark.at)
        told = Mark(at=newest.at, label=plot.chart.voice.events(len(events)))
        marks = [*(mark for mark in plot.chart.marks if mark.is_alert), told]
    marks.sort(key=lambda mark: mark.at, reverse=True)
    return [_mark_label(plot, row, mark) for row, mark in enumerate(marks)]


def _mark_label(plot: Plot, row: int, mark: Mark) -> Label:
    size, x = plot.look.size, plot.x(mark.at)
    y = plot.look.top + (1.17 + ROW * row) * size
    room_left, room_right = x - 0.5 * size - plot.left, plot.right - x - 0.5 * size
    is_left = width_of(mark.label, size, bold=mark.is_alert) <= room_left or room_left >= room_right
    return Label(
        x=x - 0.5 * size if is_left else x + 0.5 * size,
        y=y,
        text=cut_to(mark.label, room_left if is_left else room_right, size, bold=mark.is_alert),
        size=size,
        fill=plot.look.palette.ink,
        anchor="end" if is_left else "start",
        bold=mark.is_alert,
    )
