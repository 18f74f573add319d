"""Write what every UTF-16 code unit becomes and which class it has: `python bench/judgement/units.py OUT.npz`."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
from train import save

from brandmelder.classify.features import Kind

DROPPED = 0xFFFF
SPECIAL = {
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("“”„‟″«»‹›", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}


def folded(unit):
    """Return what a unit becomes: lower case, plain blanks and signs, or DROPPED."""
    char = chr(unit)
    category = unicodedata.category(char)
    if unit == 0 or 0xD800 <= unit < 0xE000:
        return unit
    if char in SPECIAL:
        return ord(SPECIAL[char])
    if category in {"Cc", "Zs", "Zl", "Zp"}:
        return 32
    if category in {"Cf", "Mn", "Me"} or 0xFE00 <= unit <= 0xFE0F:
        return DROPPED
    if 0xFF01 <= unit <= 0xFF5E:
        return ord(chr(unit - 0xFEE0).lower())
    lowered = char.lower()
    return ord(lowered) if len(lowered) == 1 else unit


def kind_of(unit):
    """Return the class of a unit."""
    char = chr(unit)
    category = unicodedata.category(char)
    if unit in {0, 32}:
        return Kind.BLANK
    if char in ".!?,":
        return Kind.STOP
    if char in "~'" or category[0] in "LNM":
        return Kind.WORD
    if category == "So" or 0xD800 <= unit < 0xE000:
        return Kind.SOLO
    return Kind.SIGN


def composing():
    """Return which units may be changed by NFC: marks, jamo, characters with a canonical form of their own."""
    out = np.zeros(65536, np.bool_)
    seconds = {
        char for point in range(sys.maxunicode + 1) for char in unicodedata.decomposition(chr(point)).split()[1:]
    }
    for point in range(sys.maxunicode + 1):
        char = chr(point)
        if 0xD800 <= point < 0xE000:
            continue
        is_jamo = 0x1161 <= point <= 0x1175 or 0x11A8 <= point <= 0x11C2
        if (
            unicodedata.combining(char)
            or is_jamo
            or (f"{point:04X}" in seconds and unicodedata.category(char)[0] == "M")
            or not unicodedata.is_normalized("NFC", char)
        ):
            units = np.frombuffer(char.encode("utf-16-le"), np.uint16)
            out[units[0]] = True
    return out


if __name__ == "__main__":
    fold = np.fromiter((folded(unit) for unit in range(65536)), np.uint16, 65536)
    kind = np.fromiter((kind_of(unit) for unit in range(65536)), np.uint8, 65536)
    print(save(sys.argv[1], {"shift": fold - np.arange(65536, dtype=np.uint16), "kind": kind, "composes": composing()}))
