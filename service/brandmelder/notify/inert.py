"""Foreign text made harmless: no control, no reordering, nothing invisible, no towers of accents, no end."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co"})
_BREAKS = frozenset("\t\n\v\f\r\x85\u2028\u2029")
_MOST_MARKS = 3


def inert(text: str, limit: int) -> str:
    """Return `text` in NFC on one line, at most `limit` characters, cut with an ellipsis.

    Control, bidi, zero-width and other format characters, surrogates and private use go; of stacked combining marks
    three stay. It says nothing about markup: each channel escapes or avoids its own.
    """
    # What is cut away anyway is not worth normalising; 8 leaves room for what is dropped.
    kept = visible(unicodedata.normalize("NFC", text[: limit * 8]))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + "…"


def visible(text: str) -> str:
    """Return `text` without what is not seen but acts: escapes, controls, bidi, zero width; breaks become blanks."""
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if character in _BREAKS:
            kept.append(" ")
        elif category not in _UNSEEN and marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
