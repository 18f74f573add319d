"""What the ranges of a picture are called."""

from __future__ import annotations

from typing import Final

from brandmelder.web.catalogue import sentence

RANGE_NAMES: Final = {
    "1h": sentence("1 h"),
    "6h": sentence("6 h"),
    "24h": sentence("24 h"),
    "7d": sentence("7 days"),
    "8w": sentence("8 weeks"),
}
