"""A series as a picture: what was counted, what was usual, what was not seen, and the incidents. Pure SVG."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from brandmelder.notify.chart_ink import escape, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from brandmelder.backtest.counts import Opened, Usual

WIDTH, HEIGHT = 1200, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 48, 40
_MOST_POINTS = 1100
_INK, _BAND, _LINE, _ALARM, _BLIND = "#1f2933", "#d6e4f0", "#44617b", "#c81e1e", "#e5e7eb"


def picture(title: str, course: Sequence[Usual], incidents: Sequence[Opened], zone: ZoneInfo) -> str:
    """Return an SVG of a series; bins that are narrower than a point of the picture are summed."""
    points = _summed(course)
    top = _nice(max((max(point[1], point[3]) for point in points), default=1))
    first, last = course[0].end, course[-1].end
    span = max(1.0, (last - first).total_seconds())

    def across(at: datetime) -> float:
        share = (at - first).total_seconds() / span
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(1.0, max(0.0, share))

    def up(count: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * min(1.0, count / top)

    head = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" font-size="13" fill="{_INK}"'
    shown = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {head} font-family="Roboto, sans-serif">',
        f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="28" font-size="17" font-weight="bold">{escape(title)}</text>',
        *_axes(top, up, course, across, zone),
        *_unseen(points, across),
        *_band(points, across, up),
        *_marks(incidents, across),
        _line(points, across, up),
        "</svg>",
    ]
    return "\n".join(shown) + "\n"


Point = tuple["datetime", float, float, float, float]
"""End, negatives, lower and upper edge of the usual, share seen."""


def _summed(course: Sequence[Usual]) -> list[Point]:
    step = max(1, -(-len(course) // _MOST_POINTS))
    points: list[Point] = []
    for place in range(0, len(course), step):
        part = course[place : place + step]
        low, high = (sum(one.usual[edge] for one in part) for edge in (0, 1))
        points.append((part[-1].end, sum(one.negative for one in part), low, high, min(one.seen for one in part)))
    return points


def _nice(most: float) -> float:
    """Return a round number of at least `most` whose quarters are whole."""
    small, steps = (1, 2, 3, 4, 5, 6, 8), (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
    large = (step * 10**power for power in range(7) for step in steps)
    return next((4.0 * step for step in itertools.chain(small, large) if 4 * step >= most), most)


def _axes(
    top: float, up: Callable[[float], float], course: Sequence[Usual], across: Callable[[datetime], float],
    zone: ZoneInfo,
) -> list[str]:  # fmt: skip
    shown = []
    for quarter in range(5):
        count = top * quarter / 4
        height = number(up(count))
        shown.append(f'<path d="M{_LEFT} {height}H{WIDTH - _RIGHT}" stroke="#e5e7eb"/>')
        shown.append(f'<text x="{_LEFT - 8}" y="{height}" dy="4" text-anchor="end">{count:g}</text>')
    for place in range(6):
        at = course[min(len(course) - 1, place * (len(course) - 1) // 5)].end
        anchor = ("start", *("middle",) * 4, "end")[place]
        shown.append(
            f'<text x="{number(across(at))}" y="{HEIGHT - 14}" text-anchor="{anchor}">'
            f"{at.astimezone(zone):%Y-%m-%d %H:%M}</text>"
        )
    return shown


def _unseen(points: Sequence[Point], across: Callable[[datetime], float]) -> list[str]:
    """Shade what was not seen: gaps between points, and points of no exposure."""
    if len(points) < 3:
        return []
    usual = min(after[0] - before[0] for before, after in itertools.pairwise(points))
    height = HEIGHT - _TOP - _BOTTOM
    return [
        _box(across(before[0]), across(after[0]), height, f'fill="{_BLIND}"')
        for before, after in itertools.pairwise(points)
        if after[0] - before[0] > 1.5 * usual or after[4] <= 0
    ]


def _box(begin: float, end: float, height: float, look: str) -> str:
    wide = number(max(2.0, end - begin))
    return f'<rect x="{number(begin)}" y="{_TOP}" width="{wide}" height="{height}" {look}/>'


def _band(points: Sequence[Point], across: Callable[[datetime], float], up: Callable[[float], float]) -> list[str]:
    there = " ".join(f"{number(across(point[0]))},{number(up(point[3]))}" for point in points)
    back = " ".join(f"{number(across(point[0]))},{number(up(point[2]))}" for point in reversed(points))
    return [f'<polygon points="{there} {back}" fill="{_BAND}"/>'] if points else []


def _line(points: Sequence[Point], across: Callable[[datetime], float], up: Callable[[float], float]) -> str:
    """Draw what was counted; the pen is lifted over what was not seen."""
    usual = min((after[0] - before[0] for before, after in itertools.pairwise(points)), default=None)
    path, before = "", None
    for point in points:
        if point[4] <= 0:
            before = None
            continue
        is_next = before is not None and usual is not None and point[0] - before <= 1.5 * usual
        path += f"{'L' if is_next else 'M'}{number(across(point[0]))},{number(up(point[1]))}"
        before = point[0]
    return f'<path d="{path}" fill="none" stroke="{_LINE}" stroke-width="1.4" stroke-linejoin="round"/>'


def _marks(incidents: Sequence[Opened], across: Callable[[datetime], float]) -> list[str]:
    """Mark each incident from its alarm to its end, with its kind and severity."""
    shown = []
    for one in incidents:
        begin = across(one.at)
        end = across(one.last.closed_at) if one.last.closed_at else WIDTH - _RIGHT
        left, look = number(begin), f'fill="{_ALARM}" fill-opacity="0.12"'
        told = f"{escape(one.last.kind.value)} {one.last.severity}"
        shown.append(_box(begin, end, HEIGHT - _TOP - _BOTTOM, look))
        shown.append(f'<path d="M{left} {_TOP}V{HEIGHT - _BOTTOM}" stroke="{_ALARM}" stroke-width="1.5"/>')
        shown.append(f'<text x="{number(begin + 4)}" y="{_TOP + 12}" fill="{_ALARM}" font-size="11">{told}</text>')
    return shown
