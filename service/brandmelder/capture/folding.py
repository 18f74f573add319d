"""How words are compared: in lower case, umlauts as pairs, accents dropped, and what counts as one word."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

_UMLAUTS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"))
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
TOKEN: Final = re.compile("[^\\W_]+|[&+\u2600-\u27bf\U0001f000-\U0001faff]")
"""What counts as one word of a folded text: a run of letters and digits, or one of `&`, `+` and the emoji."""


def fold(text: str) -> str:
    """Return `text` (cleaned, see normalise.py) as words are compared: `STÖRUNG` and `Stoerung` both as `stoerung`."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFC", text).casefold()
    for umlaut, pair in _UMLAUTS:
        text = text.replace(umlaut, pair)
    return _BEYOND_ASCII.sub(_fold_run, text)


def _fold_run(run: re.Match[str]) -> str:
    return _fold_rare(run[0])


@functools.lru_cache(maxsize=16_384)
def _fold_rare(run: str) -> str:
    """Fold accents and compatibility forms (𝗡𝗼𝗿𝗱, Ｎord) of letters and digits; signs such as ™ stay signs."""
    plain = "".join(unicodedata.normalize("NFKD", c) if c.isalnum() or c in "\uff03\uff20" else c for c in run)
    for vowel in "aouAOU":
        plain = plain.replace(f"{vowel}\u0308", f"{vowel}e")
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain).casefold().translate(_LETTERS))
