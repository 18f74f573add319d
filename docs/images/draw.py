"""Draws `alert.svg`: the demo's alert, its news and its end, as a terminal of 100 columns shows them; and `chart.svg`.

`make picture` runs it. The alert is of the real demo; the chart is drawn by the service's own renderer from invented
figures. Neither loads a font or anything else from anywhere.
"""

from __future__ import annotations

import asyncio
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from brandmelder.cli import quiet_logs
from brandmelder.demo.play import Play
from brandmelder.notify.chart import CHAT, Blind, Chart, Mark, svg
from brandmelder.notify.voice import Voice, words_of

PICTURE = Path(__file__).with_name("alert.svg")
CHART = Path(__file__).with_name("chart.svg")
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


def draw_chart() -> str:
    """Return what chat shows of an evening like the story's."""
    until = datetime(2026, 12, 15, 20, 20, tzinfo=UTC)
    chart = Chart(
        voice=Voice(words_of("en"), ZoneInfo("Europe/Berlin"), until),
        until=until,
        width=timedelta(minutes=20),
        counts=(2, 3, 2, 3, 2, 4, 3, 2, 3, 2, 4, 3, 9, 21, 36, 41),
        usual=((1, 4),) * 12 + ((2, 6),) * 3 + ((2, 5),),
        marks=(
            Mark(at=until - timedelta(minutes=82), label="19:58 TV spot"),
            Mark(at=until - timedelta(minutes=39), label="20:41 alert", is_alert=True),
        ),
        blind=(Blind(label="without Facebook", since=until - timedelta(minutes=68), until=until),),
        name="Nordfunk",
        title=((": ", False), ("98 negative", True), (" in 60 min, usual 4–12", False)),
        note="per 20 min, as of 21:22, without Facebook since 20:12",
        alt="Nordfunk: 98 negative mentions in 60 minutes, usual 4–12; rising: 21 → 36 → 41 per 20 min; 19:58 TV spot.",
    )
    return svg(chart, CHAT) + "\n"


if __name__ == "__main__":
    quiet_logs()
    CHART.write_text(draw_chart(), encoding="utf-8")
    PICTURE.write_text(draw(), encoding="utf-8")
