"""The icons: 14 px in a box of 14 units, drawn by us; beside each stands its word."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

_HATCH = "M1.5 5.5 5.5 1.5M1.5 9.5 9.5 1.5M2.5 12.5 12.5 2.5M6.5 12.5 12.5 6.5M10.5 12.5 12.5 10.5"
SHAPES: Final = {
    # the course of a monitor
    "rising": '<path d="M7 1.5 13.5 12.5H.5Z"/>',
    "climbing": '<path d="M13 2V12.5H.5Z"/>',
    "high": '<path d="M1 2.5H13V6H1ZM1 8.5H13V12H1Z"/>',
    "subsiding": '<path class="line" d="M1.6 2.5H12.4L7 11.6Z"/>',
    "calm": '<circle class="line" cx="7" cy="7" r="5.4"/>',
    "learning": '<circle class="line" cx="7" cy="7" r="5.4" stroke-dasharray="2.6 2.25"/>',
    "silenced": '<circle class="line" cx="7" cy="7" r="5.4"/><path class="line" d="M3.3 3.3 10.7 10.7"/>',
    "nodata": f'<path class="line" d="M1.5 1.5H12.5V12.5H1.5Z"/><path class="line thin" d="{_HATCH}"/>',
    # the handling of an incident
    "open": '<path d="M7 .5 13.5 7 7 13.5.5 7Z"/>',
    "acknowledged": '<path class="line" d="M7 1.3 12.7 7 7 12.7 1.3 7Z"/><path d="M7 .5V13.5L.5 7Z"/>',
    "ended": '<path d="M2 2H12V12H2Z"/>',
    "pending": '<path class="line" d="M7 1.3 12.7 7 7 12.7 1.3 7Z"/>',
    # sources
    "read": '<path class="line" d="M1.5 7.5 5.3 11.3 12.5 3"/>',
    "late": '<circle class="line" cx="7" cy="7" r="5.4"/><path class="line" d="M7 3.6V7L9.4 8.4"/>',
    "partly": '<circle class="line" cx="7" cy="7" r="5.4"/><path d="M7 1.6A5.4 5.4 0 0 0 7 12.4Z"/>',
    "paused": '<path d="M2.5 2H5.7V12H2.5ZM8.3 2H11.5V12H8.3Z"/>',
    # of the page
    "back": '<path class="line" d="M9 1.5 3.5 7 9 12.5"/>',
    "more": '<circle cx="2.4" cy="7" r="1.4"/><circle cx="7" cy="7" r="1.4"/><circle cx="11.6" cy="7" r="1.4"/>',
    "down": '<path class="line" d="M2 4.5 7 9.5 12 4.5"/>',
    "answered": '<path class="line" d="M1.5 7.5 5.3 11.3 12.5 3"/>',
    "note": '<path class="line" d="M2 2.5H12M2 7H12M2 11.5H8"/>',
}


def icon(name: str) -> Markup:
    """Return an icon; a reader of screens hears the word beside it instead."""
    return Markup('<svg class="icon" viewBox="0 0 14 14" aria-hidden="true">{}</svg>').format(
        Markup(SHAPES[name])  # noqa: S704 -- drawn above
    )
