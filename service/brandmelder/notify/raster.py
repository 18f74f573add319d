"""A picture for chat: SVG to PNG, with a font that came along with the extra `picture`; no system font is asked.

The renderer keeps Python's lock while it draws, so it draws in a process of its own and the event loop keeps its beat
(decision 0040). Without the extra there is no PNG, and whoever asks goes on without.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from functools import lru_cache
from pathlib import Path

import structlog

log = structlog.get_logger()

FACES = ("Roboto-Regular.ttf", "Roboto-Bold.ttf")
DEADLINE = 10.0
"""Seconds after which a picture is given up; an idle machine needs a tenth of one."""


@lru_cache(maxsize=1)
def fonts() -> tuple[str, ...]:
    """Return the files of the two weights; none if the extra is not installed."""
    package = importlib.util.find_spec("font_roboto")
    if package is None or package.origin is None:
        return ()
    files = tuple(Path(package.origin).parent / "files" / face for face in FACES)
    return tuple(str(file) for file in files if file.is_file())


def can_draw() -> bool:
    """Return whether pictures can be drawn: the extra `picture` is installed."""
    return len(fonts()) == len(FACES) and importlib.util.find_spec("resvg_py") is not None


async def png(svg: str, *, deadline: float = DEADLINE) -> bytes | None:
    """Return an SVG as PNG; None without the extra, and when the drawing fails or takes too long (logged)."""
    if not can_draw():
        return None
    drawing = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "brandmelder.notify.raster_child",
        *fonts(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ},
    )
    try:
        async with asyncio.timeout(deadline):
            picture, _ = await drawing.communicate(svg.encode())
    except TimeoutError:
        picture = b""
    finally:
        if drawing.returncode is None:
            drawing.kill()
            await drawing.wait()
    if drawing.returncode or not picture:
        log.warning("picture.failed", code=drawing.returncode)
        return None
    return picture
