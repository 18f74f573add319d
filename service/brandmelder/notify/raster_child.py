"""Draws one picture: SVG comes in, PNG goes out, fonts are named as arguments. Started anew for each by raster.py.

It imports next to nothing, since it has to be there at once.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def rasterise(svg: str, fonts: Sequence[str]) -> bytes:
    """Return an SVG as PNG at the size it states. Raises ImportError without the extra, ValueError for no SVG."""
    import resvg_py  # noqa: PLC0415 - comes with an extra

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=list(fonts)))


if __name__ == "__main__":
    sys.stdout.buffer.write(rasterise(sys.stdin.buffer.read().decode(), sys.argv[1:]))
