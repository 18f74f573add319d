"""One picture of an incident: SVG for the page and for chat, drawn by section 4 of the design and by nothing else.

Zero baseline, linear; bars beyond the usual in the accent as a whole; what was not seen is hatched and never a zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.notify.chart_ink import FONTS, Label, escape, hatching, line, number, path, rectangle
from brandmelder.notify.chart_labels import ROW, band_label, mark_labels, value_labels
from brandmelder.notify.chart_plot import BAR, CHAT, UNSEEN, Blind, Chart, Look, Mark, Plot
from brandmelder.notify.chart_scale import Box, axis_height, cut_to, grid_lines, hours, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CHAT", "UNSEEN", "Blind", "Chart", "Look", "Mark", "svg"]

_THINNEST = 4.0
_HEAD, _LEAST_HEAD = 31.0, 23.0
_HEAD_FROM, _NOTE_FROM = 41.0, 72.0
_SLACK = 1.04
"""A reader's font may be a little wider than ours."""


def svg(chart: Chart, look: Look = CHAT) -> str:
    """Return the chart as SVG that needs nothing from anywhere. Raises ValueError for a chart without bars."""
    if not chart.counts:
        raise ValueError("a chart needs at least one bar")
    plot = _laid_out(chart, look)
    marks = mark_labels(plot)
    values = value_labels(plot)
    named = band_label(plot, [label.box for label in marks])
    taken = [label.box for label in (*marks, *values, *named)]
    parts = [
        rectangle(Box(0, 0, look.width, look.height), fill=look.palette.bg),
        *_head(chart, look),
        *_grid(plot, taken),
        *_band(plot),
        *_bars(plot),
        *_axis(plot),
        *_mark_lines(plot, marks),
        *_coverage(plot),
        *(label.svg(look.palette.bg) for label in (*named, *values, *marks)),
    ]
    return f"{_opening(chart, look)}<defs>{_patterns(look)}</defs>{''.join(parts)}</svg>"


def _opening(chart: Chart, look: Look) -> str:
    box = f'viewBox="0 0 {number(look.width)} {number(look.height)}" role="img" aria-label="{escape(chart.alt)}"'
    if look.is_inline:
        return f'<svg class="chart" {box}>'
    size = f'width="{number(look.width * look.factor)}" height="{number(look.height * look.factor)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} font-family="{FONTS}" '
        f'style="font-variant-numeric: tabular-nums lining-nums">'
    )


def _patterns(look: Look) -> str:
    inks = {"unseen": look.palette.ink3, "counting": look.palette.neg, "usual": look.palette.bar}
    return "".join(hatching(f"{look.prefix}{name}", ink, look.unit) for name, ink in inks.items())


# --------------------------------------------------------------------- room


def _laid_out(chart: Chart, look: Look) -> Plot:
    size = look.size
    below = 1.9 * size + (1.35 * size if chart.blind else 0.0) + look.bottom
    base = look.height - below
    height = axis_height(chart.counts, chart.usual)
    plot = Plot(chart=chart, look=look, height=height, top=look.top + 1.5 * size, base=base)
    labels = mark_labels(plot)
    if not any(_stands_under(plot, label) for label in labels):
        return plot
    more = max(0, len({label.y for label in labels}) - 2)
    room = (3.3 + ROW * more) * size
    return Plot(chart=chart, look=look, height=height, top=min(look.top + room, base - 2 * size), base=base)


def _stands_under(plot: Plot, label: Label) -> bool:
    """Return whether a bar, with its own label, would reach up into another."""
    for place in range(len(plot.chart.counts)):
        bar = plot.bar(place)
        own = 1.4 * plot.look.size if plot.is_beyond(place) else 0.0
        if Box(bar.left, bar.top - own, bar.right, bar.bottom).meets(label.box):
            return True
    return False


# ------------------------------------------------------------------ head, grid


def _head(chart: Chart, look: Look) -> list[str]:
    """Write headline and note; what is too wide is first written smaller, then the name is cut."""
    if not chart.title:
        return []
    room, palette = look.width - 2 * look.margin, look.palette
    after = "".join(text for text, _ in chart.title)
    whole = width_of(chart.name + after, _HEAD, bold=True)
    size = max(_LEAST_HEAD, min(_HEAD, _HEAD * room / (_SLACK * whole)))
    name = cut_to(chart.name, 1.0 + room / _SLACK - width_of(after, size, bold=True), size, bold=True)
    runs = "".join(
        f'<tspan fill="{palette.neg if is_accent else palette.ink}">{escape(text)}</tspan>'
        for text, is_accent in ((name, False), *chart.title)
    )
    note = Label(
        x=look.margin, y=_NOTE_FROM, text=cut_to(chart.note, room, look.size), size=look.size, fill=palette.ink2
    )
    return [
        (
            f'<text x="{number(look.margin)}" y="{number(_HEAD_FROM)}" font-size="{number(size)}" font-weight="700" '
            f'xml:space="preserve">{runs}</text>'
        ),
        note.svg(palette.bg),
    ]


def _grid(plot: Plot, taken: Sequence[Box]) -> list[str]:
    """Draw one or two lines at round values; one that meets a label is left out."""
    palette, size, parts = plot.look.palette, plot.look.size, []
    for value in grid_lines(plot.height):
        y = plot.y(value)
        label = Label(x=plot.left, y=y - 0.38 * size, text=plot.chart.voice.number(value), size=size, fill=palette.ink3)
        own = Box(plot.left, y - 1, plot.right, y + 1)
        if any(own.meets(box) or label.box.meets(box) for box in taken):
            continue
        parts += [
            line((plot.left, y), (plot.right, y), stroke=palette.line, thick=plot.look.unit),
            label.svg(palette.bg),
        ]
    return parts


def _axis(plot: Plot) -> list[str]:
    palette, size, unit = plot.look.palette, plot.look.size, plot.look.unit
    named = hours(
        plot.chart.since,
        plot.chart.until,
        width=plot.right - plot.left,
        size=size,
        voice=plot.chart.voice,
        most=plot.look.most_hours,
    )
    ink = palette.ink
    below = plot.base + 0.75 * unit  # the line lies below zero, so that a bar of one mention is not hidden by it
    parts = [line((plot.left, below), (plot.right, below), stroke=ink, thick=1.5 * unit)]
    taken = float("-inf")
    for moment, name in named:
        x, half = plot.x(moment), width_of(name, size) / 2
        parts.append(line((x, plot.base), (x, plot.base + 0.35 * size), stroke=ink, thick=unit))
        middle = min(max(x, plot.left + half), plot.right - half)
        if middle - half < taken:  # moved in from the edge, it would stand on its neighbour
            continue
        taken = middle + half + 0.3 * size
        label = Label(x=middle, y=plot.base + 1.55 * size, text=name, size=size, fill=palette.ink2, anchor="middle")
        parts.append(label.svg(palette.bg))
    return parts


# ------------------------------------------------------------------- band, bars


def _band(plot: Plot) -> list[str]:
    """Draw what is usual: stepped per bar from low to high, with its upper edge."""
    if not plot.chart.usual:
        return []
    palette = plot.look.palette
    upper = _steps(plot, [high for _, high in plot.chart.usual])
    lower = _steps(plot, [low for low, _ in plot.chart.usual])
    return [
        path([*upper, *reversed(lower)], fill=palette.band),
        path(upper, stroke=palette.band_edge, thick=1.5 * plot.look.unit),
    ]


def _steps(plot: Plot, values: Sequence[int]) -> list[tuple[float, float]]:
    return [
        (plot.left + (place + side) * plot.slot, plot.y(value)) for place, value in enumerate(values) for side in (0, 1)
    ]


def _bars(plot: Plot) -> list[str]:
    parts = [_unseen(plot, place) for place, count in enumerate(plot.chart.counts) if count == UNSEEN]
    if BAR * plot.slot < _THINNEST:
        return parts + _stepped(plot)
    last = len(plot.chart.counts) - 1
    for place, count in enumerate(plot.chart.counts):
        if plot.chart.is_running and place == last and count != UNSEEN:
            parts.append(_running(plot, place))
        elif count > 0:
            parts.append(rectangle(plot.bar(place), fill=_colour(plot, place)))
    return parts


def _colour(plot: Plot, place: int) -> str:
    return plot.look.palette.neg if plot.is_beyond(place) else plot.look.palette.bar


def _running(plot: Plot, place: int) -> str:
    """Draw the bar that still counts: an outline, hatched once it is beyond the edge."""
    bar, half = plot.bar(place), 0.75 * plot.look.unit
    inside = Box(bar.left + half, min(bar.top + half, bar.bottom), bar.right - half, bar.bottom)
    fill = f"url(#{plot.look.prefix}counting)" if plot.is_beyond(place) else plot.look.palette.bg
    return rectangle(inside, fill=fill, stroke=_colour(plot, place), thick=1.5 * plot.look.unit)


def _unseen(plot: Plot, place: int) -> str:
    left = plot.left + place * plot.slot
    return rectangle(Box(left, plot.top, left + plot.slot, plot.base), fill=f"url(#{plot.look.prefix}unseen)")


def _stepped(plot: Plot) -> list[str]:
    """Draw a stepped line where bars would be thinner than they can be seen; nothing is drawn over a gap."""
    parts = []
    for place, count in enumerate(plot.chart.counts):
        if count == UNSEEN:
            continue
        left, y = plot.left + place * plot.slot, plot.y(count)
        before = plot.chart.counts[place - 1] if place else UNSEEN
        start = [(left, plot.y(before))] if before != UNSEEN else []
        points = [*start, (left, y), (left + plot.slot, y)]
        parts.append(path(points, stroke=_colour(plot, place), thick=1.5 * plot.look.unit))
    return parts


# ------------------------------------------------------------ markers, coverage


def _mark_lines(plot: Plot, labels: Sequence[Label]) -> list[str]:
    parts, size, unit = [], plot.look.size, plot.look.unit
    lowest = max((label.y for label in labels), default=plot.look.top)
    for mark in plot.chart.marks:
        x = plot.x(mark.at)
        beside = (label.y for label in labels if abs(abs(label.x - x) - 0.5 * size) < 1.0)
        top = min(beside, default=lowest + 1.1 * size) - 0.83 * size
        dash = 0.0 if mark.is_alert else 3 * unit
        parts.append(line((x, top), (x, plot.base), stroke=plot.look.palette.ink, thick=1.5 * unit, dash=dash))
    return parts


def _coverage(plot: Plot) -> list[str]:
    """Say below the hours what could not be read, and hatch from when to when."""
    if not plot.chart.blind:
        return []
    size, palette = plot.look.size, plot.look.palette
    y = plot.base + (1.55 + 1.35) * size
    parts, first = [], plot.right
    for blind in plot.chart.blind:
        left, right = plot.x(blind.since), plot.x(blind.until)
        first = min(first, left)
        strip = Box(left, y - 0.62 * size, max(right, left + 0.5 * size), y - 0.02 * size)
        parts.append(rectangle(strip, fill=f"url(#{plot.look.prefix}unseen)"))
    text = plot.chart.blind[0].label
    fits = first - 0.5 * size - width_of(text, size) >= plot.left
    label = Label(
        x=first - 0.5 * size if fits else plot.left,
        y=y,
        text=cut_to(text, plot.right - plot.left, size),
        size=size,
        fill=palette.ink2,
        anchor="end" if fits else "start",
    )
    if not fits:  # the halo alone would leave hatching between the words
        wide = plot.left + width_of(text, size) + 0.3 * size
        parts.append(rectangle(Box(plot.left, y - 0.9 * size, wide, y + 0.2 * size), fill=palette.bg))
    return [*parts, label.svg(palette.bg)]
