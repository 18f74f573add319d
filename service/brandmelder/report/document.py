"""What a report is made of, whatever it is written in: titles, figures, facts, tables, one picture, quotes.

Whoever writes one out escapes everything by the rules of its format; spans marked `foreign` and quotes are strangers'.
"""

from __future__ import annotations

from msgspec import Struct

from brandmelder.notify.chart_plot import Chart
from brandmelder.notify.message import QuoteText, Span

Spans = tuple[Span, ...]


class Prose(Struct, frozen=True):
    """A paragraph."""

    spans: Spans


class Figure(Struct, frozen=True, kw_only=True):
    """One number that is read at a glance, with what it counts and what it is held against."""

    number: str
    label: str
    beside: str = ""
    is_loud: bool = False
    """Beyond the usual, or missing: it stands in the accent."""


class Figures(Struct, frozen=True):
    """The numbers at the head of a report."""

    figures: tuple[Figure, ...]


class Facts(Struct, frozen=True):
    """Labels with what stands behind each."""

    rows: tuple[tuple[str, Spans], ...]


class Grid(Struct, frozen=True, kw_only=True):
    """A table; the columns named in `numeric` hold numbers and stand at the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[Spans, ...], ...]
    numeric: frozenset[int] = frozenset()


class Drawing(Struct, frozen=True, kw_only=True):
    """The picture, and the sentence below it; what cannot show pictures draws `spark`."""

    chart: Chart
    caption: str
    spark: str = ""


class Quotes(Struct, frozen=True):
    """What strangers wrote."""

    quotes: tuple[QuoteText, ...]


Block = Prose | Figures | Facts | Grid | Drawing | Quotes


class Section(Struct, frozen=True, kw_only=True):
    """A heading with its blocks; one without blocks is left out."""

    title: str
    blocks: tuple[Block, ...]
    is_appendix: bool = False
    """It may begin on a page of its own."""


class Document(Struct, frozen=True, kw_only=True):
    """A report."""

    language: str
    kicker: str
    """What kind of report it is, above the title."""
    title: str
    under: str = ""
    """When and of what, below the title."""
    lead: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    footer: str = ""


def said(text: str, *, bold: bool = False) -> Spans:
    """Return our own words as spans; nothing for no words."""
    return (Span(text=text, bold=bold),) if text else ()
