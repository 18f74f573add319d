"""What a source has already given us, small enough for its cursor: ids, and whether their content changed.

Eleven bytes a mention: 48 bits of identity, 40 bits of content. A thousand fit into 14 KB of JSON.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT: Final = 1000
"""How many mentions a cursor remembers."""
_KEY, _PRINT = 6, 5
_ROW = _KEY + _PRINT


def key_of(ident: str) -> int:
    """Return 48 bits that stand for an id."""
    return _hash(_KEY, ident)


def print_of(*fields: str) -> int:
    """Return 40 bits that change with the content; fields are told apart by their lengths."""
    return _hash(_PRINT, *fields)


def pack(known: Mapping[int, int], limit: int = KEPT) -> str:
    """Return the last `limit` of `known` (key to print) as text; keys of more than 48 bits are left out."""
    rows = [(key, mark) for key, mark in known.items() if 0 <= key < 1 << 8 * _KEY]
    packed = b"".join(key.to_bytes(_KEY) + mark.to_bytes(_PRINT) for key, mark in rows[max(0, len(rows) - limit) :])
    return base64.b85encode(packed).decode("ascii")


def unpack(text: str) -> dict[int, int]:
    """Return what `pack` was given, in the same order; what is broken is forgotten."""
    try:
        packed = base64.b85decode(text)
    except (ValueError, binascii.Error):
        return {}
    rows = (packed[start : start + _ROW] for start in range(0, len(packed), _ROW))
    return {int.from_bytes(row[:_KEY]): int.from_bytes(row[_KEY:]) for row in rows if len(row) == _ROW}


def last(known: Mapping[int, int], count: int) -> dict[int, int]:
    """Return the last `count` entries of `known`."""
    return dict(islice(known.items(), max(0, len(known) - count), None))


def _hash(size: int, *fields: str) -> int:
    digest = hashlib.blake2b(digest_size=size)
    for field in fields:
        raw = field.encode("utf-8", "replace")
        digest.update(len(raw).to_bytes(4) + raw)
    return int.from_bytes(digest.digest())
