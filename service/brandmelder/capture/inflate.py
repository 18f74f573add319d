"""A body, read piece by piece, that can neither fill the memory nor pass for whole when it is cut."""

from __future__ import annotations

import zlib
from typing import Final

from brandmelder.errors import Blocked, Transient

PIECE: Final = 65_536
"""Largest piece inflated at once, in bytes; below this the ratio is not looked at."""
_GZIP: Final = 31  # zlib's name for: a gzip header, the largest window


class Body:
    """Takes the raw bytes of an answer and gives them back inflated.

    `encoding` is the Content-Encoding header; `wire` and `inflated` are caps in bytes, `ratio` how many times its
    compressed size a body may have. Raises Blocked beyond a cap and Transient for a broken or cut body.
    """

    def __init__(self, encoding: str, *, wire: int, inflated: int, ratio: int) -> None:
        self._wire_cap, self._cap, self._ratio = wire, inflated, ratio
        self._wire = self._size = 0
        self._pieces: list[bytes] = []
        self._inflate = _inflater(encoding)

    def take(self, chunk: bytes) -> None:
        """Add what came over the wire."""
        self._wire += len(chunk)
        if self._wire > self._wire_cap:
            raise Blocked(f"its answer is larger than {self._wire_cap >> 20} MiB; mend its url", "size")
        if self._inflate is None:
            self._keep(chunk)
            return
        try:
            self._inflate_all(chunk)
        except zlib.error as error:
            raise Transient("its compression is broken; it is asked again at the next poll") from error

    def whole(self) -> bytes:
        """Return the inflated body; raises Transient if the compressed one ended too early."""
        if self._inflate is not None and self._wire and not self._inflate.eof:
            raise Transient("its answer was cut off; it is asked again at the next poll")
        return b"".join(self._pieces)

    def _inflate_all(self, chunk: bytes) -> None:
        while chunk:
            if self._inflate is None or self._inflate.eof:  # another member: gzip files may be joined
                if not chunk.strip(b"\0"):
                    return
                self._inflate = zlib.decompressobj(_GZIP)
            self._keep(self._inflate.decompress(chunk, PIECE))
            chunk = self._inflate.unconsumed_tail or self._inflate.unused_data

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._cap:
            raise Blocked(f"its answer inflates beyond {self._cap >> 20} MiB; mend its url", "size")
        if self._size > max(PIECE, self._ratio * self._wire):
            raise Blocked(f"its answer inflates to more than {self._ratio} times its size; mend its url", "ratio")
        self._pieces.append(piece)


def _inflater(encoding: str) -> zlib._Decompress | None:
    names = [name.strip().lower() for name in encoding.split(",") if name.strip()]
    match [name for name in names if name != "identity"]:
        case []:
            return None
        case ["gzip" | "x-gzip"]:
            return zlib.decompressobj(_GZIP)
        case [other]:
            raise Blocked(f"its answer is compressed with {other[:20]!r}, which was not asked for", "encoding")
        case _:
            raise Blocked("its answer is compressed twice over", "encoding")
