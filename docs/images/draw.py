"""Draws `alert.svg`: the demo's alert, its news and its end, as a terminal of 100 columns shows them.

`make picture` runs it. The picture is of the real demo; it loads no font and nothing else from anywhere.
"""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from brandmelder.cli import quiet_logs
from brandmelder.demo.play import Play

PICTURE = Path(__file__).with_name("alert.svg")
FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
THEME = TerminalTheme(
    (22, 24, 29),
    (222, 224, 228),
    [
        (40, 42, 48),
        (238, 93, 93),
        (126, 196, 120),
        (236, 190, 94),
        (110, 160, 235),
        (200, 130, 215),
        (95, 195, 205),
        (222, 224, 228),
    ],
)


class Camera(Console):
    """Records what the channel prints; what the demo says around it stands in the README."""

    def print(self, *objects: Any, **settings: Any) -> None:
        """Record a message; let a plain sentence pass."""
        if not any(isinstance(each, str) for each in objects):
            super().print(*objects, **settings)


def draw() -> str:
    """Return the picture as SVG."""
    camera = Camera(
        record=True, force_terminal=True, width=100, highlight=False, file=io.StringIO(), legacy_windows=False
    )
    asyncio.run(Play(camera, language="de", seed=1).run(is_paced=False, keep=False))
    picture = camera.export_svg(title="brandmelder demo", theme=THEME, font_aspect_ratio=0.602, unique_id="alert")
    picture = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)  # or a blank at the start of a text is lost
    picture = re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    return re.sub(r"[ \t]+$", "", picture.replace("Fira Code, monospace", FONTS), flags=re.MULTILINE)


if __name__ == "__main__":
    quiet_logs()
    PICTURE.write_text(draw(), encoding="utf-8")
