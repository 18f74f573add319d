"""How long the picture of an alert takes, and how long it holds the event loop up: p50 and worst of 40.

The peer in the same run draws the same picture in a thread: the renderer keeps Python's lock, so the loop stands still.
"""

import asyncio
import resource
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from brandmelder.notify.chart import Blind, Chart, Mark, svg
from brandmelder.notify.raster import can_draw, fonts, png
from brandmelder.notify.raster_child import rasterise
from brandmelder.notify.voice import Voice, words_of

TIMES = 40
TARGET = 150.0
UNTIL = datetime(2026, 12, 15, 20, 20, tzinfo=UTC)
CHART = Chart(
    voice=Voice(words_of("de"), ZoneInfo("Europe/Berlin"), UNTIL),
    until=UNTIL,
    width=timedelta(minutes=20),
    counts=(1, 2, 1, 2, 1, 3, 2, 1, 2, 1, 3, 2, 1, 2, 9, 21, 36, 41),
    usual=((1, 4),) * 14 + ((2, 6),) * 4,
    marks=(
        Mark(at=UNTIL - timedelta(minutes=82), label="19:58 TV-Spot"),
        Mark(at=UNTIL - timedelta(minutes=39), label="20:41 Alarm", is_alert=True),
    ),
    blind=(Blind(label="ohne Facebook", since=UNTIL - timedelta(minutes=68), until=UNTIL),),
    name="Nordfunk",
    title=((": ", False), ("98 negative", True), (" in 60 min, üblich 4–12", False)),
    note="je 20 min, Stand 21:22, ohne Facebook seit 20:12",
    alt="98 negative Erwähnungen in 60 Minuten, üblich 4–12.",
)


async def beat(pauses: list[float]) -> None:
    """Tick every millisecond and note how much too late each tick came."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        pauses.append(1000 * (time.perf_counter() - before) - 1)


def burnt() -> float:
    """Return the processor's milliseconds so far, of this process and of the children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return 1000 * sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


async def measure(draw) -> tuple[list[float], float]:
    """Return the milliseconds of each drawing, and the longest time the loop stood still."""
    pauses, took = [], []
    beating = asyncio.create_task(beat(pauses))
    for _ in range(TIMES):
        before = time.perf_counter()
        await draw()
        took.append(1000 * (time.perf_counter() - before))
    beating.cancel()
    return took, max(pauses)


async def main() -> None:
    if not can_draw():
        sys.exit("The extra `picture` is not installed: pip install 'brandmelder[picture]'.")
    before = time.perf_counter()
    for _ in range(TIMES):
        drawn = svg(CHART)
    print(f"SVG, pure Python        {1000 * (time.perf_counter() - before) / TIMES:6.1f} ms")
    rows = {
        "PNG in its own process": lambda: png(drawn),
        "PNG in a thread (peer)": lambda: asyncio.to_thread(rasterise, drawn, fonts()),
    }
    for name, draw in rows.items():
        before = burnt()
        took, pause = await measure(draw)
        cost = (burnt() - before) / TIMES
        print(
            f"{name}  {statistics.median(took):6.1f} ms p50, {max(took):6.1f} worst, {cost:6.1f} of a processor; "
            f"loop held {pause:6.1f} at worst"
        )
    size = len(rasterise(drawn, fonts()))
    print(
        f"target: {TARGET:.0f} ms; {len(drawn)} characters of SVG, {size} bytes of PNG; a busy machine adds its queue"
    )


if __name__ == "__main__":
    asyncio.run(main())
