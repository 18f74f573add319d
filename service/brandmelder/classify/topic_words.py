"""How the words of a topic are written in a configuration, and what is looked for in a text instead."""

from __future__ import annotations

import re
from typing import Final

CHARACTERS: Final = 4_000
"""How much of a text is looked through."""

_WORD = re.compile(r"[^\W_]+")
_FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def pattern(entry: str) -> str:
    """Return what stands in a folded text where an entry occurs. Raises ValueError for one that cannot occur."""
    is_stem = entry.endswith("*")
    words = _WORD.findall(entry.removesuffix("*").lower().translate(_FOLDED))
    if not words or "*" in entry.removesuffix("*"):
        raise ValueError(f"{entry!r} names no word; write a word, a stem* or some words")
    return f" {' '.join(words)}" + ("" if is_stem else " ")


def folded(text: str) -> str:
    """Return the words of a text as they are looked for: small, ä as ae, one blank between, before and behind."""
    return f" {' '.join(_WORD.findall(text[:CHARACTERS].lower().translate(_FOLDED)))} "
