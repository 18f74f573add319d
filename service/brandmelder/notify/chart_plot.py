"""What a chart is, how large, and where its bars and moments come to stand."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from brandmelder.notify.chart_ink import LIGHT, Palette
from brandmelder.notify.chart_scale import Box
from brandmelder.notify.voice import Voice

UNSEEN = -1
"""A bar of which nothing could be seen."""
BAR = 0.74
"""A bar takes this share of its place."""


class Mark(Struct, frozen=True, kw_only=True):
    """A moment worth a line: a known event, or with `is_alert` the alert."""

    at: datetime
    label: str
    is_alert: bool = False


class Blind(Struct, frozen=True, kw_only=True):
    """What could not be read, from when to when."""

    label: str
    since: datetime
    until: datetime


class Chart(Struct, frozen=True, kw_only=True):
    """What is drawn. Texts are our own words, inert; `usual` is empty while learning, and `learning` says so."""

    voice: Voice
    until: datetime
    width: timedelta
    counts: tuple[int, ...]
    usual: tuple[tuple[int, int], ...] = ()
    learning: str = ""
    marks: tuple[Mark, ...] = ()
    blind: tuple[Blind, ...] = ()
    is_running: bool = False
    """The last bar still counts."""
    name: str = ""
    """What it is about: how the headline begins, cut if there is no room."""
    title: tuple[tuple[str, bool], ...] = ()
    """Runs of the headline behind the name; True stands in the accent."""
    note: str = ""
    alt: str = ""
    """One sentence that says the same."""

    @property
    def since(self) -> datetime:
        """Where the first bar begins."""
        return self.until - len(self.counts) * self.width


class Look(Struct, frozen=True, kw_only=True):
    """How large, and in which colours; `size` is that of the labels."""

    width: float
    height: float
    size: float
    palette: Palette = LIGHT
    margin: float = 0.0
    top: float = 0.0
    """Where the plot's room begins; above it stand headline and note."""
    bottom: float = 0.0
    factor: float = 1.0
    prefix: str = ""
    """Before the names of its patterns, where several stand in one page."""
    most_hours: int = 99
    """So many hours are named below the axis at most."""
    is_inline: bool = False
    """Part of a page: as wide as its place, without styles of its own, which a strict policy forbids."""

    @property
    def unit(self) -> float:
        """What a pixel of a line is at this size."""
        return max(1.0, self.size / 13)


CHAT = Look(width=720, height=300, size=23, margin=24, top=76, bottom=6, factor=2)


class Plot(Struct, frozen=True, kw_only=True):
    """A chart with its measures: `top` and `base` are the y of `height` and of zero."""

    chart: Chart
    look: Look
    height: float
    top: float
    base: float

    @property
    def left(self) -> float:
        """Where the first bar's place begins."""
        return self.look.margin

    @property
    def right(self) -> float:
        """Where the last bar's place ends."""
        return self.look.width - self.look.margin

    @property
    def slot(self) -> float:
        """How wide a bar's place is."""
        return (self.right - self.left) / len(self.chart.counts)

    def x(self, moment: datetime) -> float:
        """Return where a moment stands, at most at the edges."""
        share = (moment - self.chart.since) / (self.chart.until - self.chart.since)
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def y(self, count: float) -> float:
        """Return how high a count stands."""
        return self.base - count / self.height * (self.base - self.top)

    def bar(self, place: int) -> Box:
        """Return the rectangle of a bar."""
        middle, half = self.left + (place + 0.5) * self.slot, BAR * self.slot / 2
        return Box(middle - half, self.y(max(0, self.chart.counts[place])), middle + half, self.base)

    def edge(self, place: int) -> float | None:
        """Return the upper edge of what is usual, None while that is not known."""
        return self.chart.usual[place][1] if self.chart.usual else None

    def is_beyond(self, place: int) -> bool:
        """Return whether a bar is beyond what is usual."""
        edge = self.edge(place)
        return edge is not None and self.chart.counts[place] > edge
