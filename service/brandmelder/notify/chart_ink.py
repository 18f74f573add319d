"""The ink of a chart: its colours, and shapes and words as pieces of SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from brandmelder.notify.chart_scale import Box, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

FONTS = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
HALO = 6.0
"""Three pixels on either side of a letter's edge."""
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}
_NO_XML = dict.fromkeys((0xFFFE, 0xFFFF, *range(9), 0xB, 0xC, *range(0xE, 0x20), *range(0xD800, 0xE000)))
"""What no XML may hold; text is inert before it comes here."""


class Palette(Struct, frozen=True, kw_only=True):
    """The tokens of the design; see its section 1."""

    bg: str
    ink: str
    ink2: str
    ink3: str
    neg: str
    bar: str
    band: str
    band_edge: str
    line: str


LIGHT = Palette(
    bg="#FFFFFF",
    ink="#14171A",
    ink2="#4F575E",
    ink3="#666E75",
    neg="#C22E17",
    bar="#6C757D",
    band="#E1E6EA",
    band_edge="#7D868D",
    line="#DDE1E4",
)
DARK = Palette(
    bg="#0E1012",
    ink="#F0F2F3",
    ink2="#B4BBC1",
    ink3="#959DA4",
    neg="#FF7D61",
    bar="#8E979E",
    band="#262D33",
    band_edge="#89929A",
    line="#2B3136",
)


class Label(Struct, frozen=True, kw_only=True):
    """Words on the picture; `y` is their baseline."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False

    @property
    def box(self) -> Box:
        """Return what the letters cover."""
        width = width_of(self.text, self.size, bold=self.bold)
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * width
        return Box(left, self.y - 0.78 * self.size, left + width, self.y + 0.2 * self.size)

    def svg(self, halo: str) -> str:
        """Return the words with a halo of the ground's colour."""
        weight = 700 if self.bold else 400
        return (
            f'<text x="{number(self.x)}" y="{number(self.y)}" font-size="{number(self.size)}" font-weight="{weight}" '
            f'text-anchor="{self.anchor}" fill="{self.fill}" stroke="{halo}" stroke-width="{number(HALO)}" '
            f'stroke-linejoin="round" paint-order="stroke">{escape(self.text)}</text>'
        )


def escape(text: str) -> str:
    """Return text as it may stand in XML, in elements and attributes."""
    return text.translate(_NO_XML).translate(_ESCAPES)


def number(value: float) -> str:
    """Return a coordinate, short: a hundredth of a pixel is not seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def rectangle(box: Box, *, fill: str = "none", stroke: str = "", thick: float = 0.0) -> str:
    """Return a rectangle, filled, framed or both."""
    frame = f' stroke="{stroke}" stroke-width="{number(thick)}"' if stroke else ""
    return (
        f'<rect x="{number(box.left)}" y="{number(box.top)}" width="{number(max(0.0, box.right - box.left))}" '
        f'height="{number(max(0.0, box.bottom - box.top))}" fill="{fill}"{frame}/>'
    )


def line(start: tuple[float, float], end: tuple[float, float], *, stroke: str, thick: float, dash: float = 0.0) -> str:
    """Return a straight line, dashed if `dash` says so."""
    dashes = f' stroke-dasharray="{number(dash)} {number(dash)}"' if dash else ""
    return (
        f'<line x1="{number(start[0])}" y1="{number(start[1])}" x2="{number(end[0])}" y2="{number(end[1])}" '
        f'stroke="{stroke}" stroke-width="{number(thick)}"{dashes}/>'
    )


def path(points: Sequence[tuple[float, float]], *, fill: str = "none", stroke: str = "", thick: float = 0.0) -> str:
    """Return a line through points; with a fill it is closed."""
    drawn = " L".join(f"{number(x)} {number(y)}" for x, y in points)
    frame = f' stroke="{stroke}" stroke-width="{number(thick)}" stroke-linejoin="miter"' if stroke else ""
    return f'<path d="M{drawn}{"Z" if fill != "none" else ""}" fill="{fill}"{frame}/>'


def hatching(name: str, colour: str, unit: float) -> str:
    """Return a pattern of slanted lines under a name: not seen, or, inside an outline, still counting."""
    step, thick = number(4.2 * unit), number(1.25 * unit)
    return (
        f'<pattern id="{name}" width="{step}" height="{step}" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="{step}" stroke="{colour}" '
        f'stroke-width="{thick}"/></pattern>'
    )
