"""The picture of an alert in Slack: drawn by Slack itself, else as PNG in the alert's thread, else the sparkline.

Which of them a workspace takes is found out by trying: what is refused is not tried again for a day. A picture is never
a precondition of the alert. Block: https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from slack_sdk.errors import SlackApiError

from brandmelder.notify.channels.slack_outcomes import error_name
from brandmelder.notify.chart import UNSEEN, svg
from brandmelder.notify.inert import inert
from brandmelder.notify.raster import can_draw, png

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from slack_sdk.web.async_client import AsyncWebClient

    from brandmelder.notify.chart import Chart

log = structlog.get_logger()

Block = dict[str, Any]

MOST_TITLE, MOST_CATEGORIES, MOST_LABEL, MOST_ALT = 50, 20, 20, 1_000
BLOCK, UPLOAD = "block", "upload"
"""The ways that a workspace may refuse."""
FILE = "brandmelder.png"
REFUSED_FOR = timedelta(hours=24)
"""How long a workspace is not asked again for what it refused."""
LONGEST = timedelta(seconds=30)
"""How long a picture may take to arrive."""
_DAY = timedelta(days=1)
_NEVER = frozenset({"file_uploads_disabled", "missing_scope", "not_allowed_token_type", "team_access_not_granted"})
"""What Slack answers where no upload will be taken, however often it is tried."""


def native(chart: Chart) -> Block | None:
    """Return the chart as Slack's own block; None where it could not be said truly.

    The block knows no gap: a bar that was not seen would be drawn as zero, so then there is none. Two bars of one name
    (the hour that comes twice at the end of summer time) are refused as well.
    """
    counts = chart.counts[-MOST_CATEGORIES:]
    starts = [chart.until - number * chart.width for number in range(len(counts), 0, -1)]
    names = [_name(chart, start) for start in starts]
    if UNSEEN in counts or len(set(names)) < len(names) or not any(counts):
        return None
    series = [_series(chart.voice.words.counted, names, counts)]
    if chart.usual:
        edges = [high for _, high in chart.usual[-MOST_CATEGORIES:]]
        series.append(_series(chart.voice.words.usual_up_to, names, edges))
    drawn = {"type": "bar", "series": series, "axis_config": {"categories": names}}
    return {"type": "data_visualization", "title": _title(chart), "chart": drawn}


def _series(name: str, names: list[str], values: tuple[int, ...] | list[int]) -> Block:
    points = [{"label": label, "value": value} for label, value in zip(names, values, strict=True)]
    return {"name": name[:MOST_LABEL], "data": points}


def _name(chart: Chart, start: datetime) -> str:
    clock = chart.voice.clock(start)
    if chart.until - chart.since <= _DAY:
        return clock
    weekday = chart.voice.words.weekdays[start.astimezone(chart.voice.zone).weekday()]
    return f"{weekday} {start.astimezone(chart.voice.zone):%d} {clock}"


def _title(chart: Chart) -> str:
    """Return the headline of the picture; the name is cut, the number stays."""
    after = "".join(text for text, _ in chart.title)
    room = max(4, MOST_TITLE - len(after))
    name = inert(chart.name, 200)
    shown = name if len(name) <= room else f"{name[: room - 1].rstrip()}…"
    return inert(f"{shown}{after}", MOST_TITLE) or "–"


class Pictures:
    """What one workspace takes, and the uploads under way. `clock` tells seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._refused: dict[str, float] = {}
        self._uploads: set[asyncio.Task[None]] = set()

    def takes(self, way: str) -> bool:
        """Return whether a way (BLOCK, UPLOAD) is worth trying: it was not refused within a day."""
        until = self._refused.get(way)
        return until is None or self._now() >= until

    def refuse(self, way: str) -> None:
        """Remember that the workspace refuses a way."""
        self._refused[way] = self._now() + REFUSED_FOR.total_seconds()
        log.info("slack.picture_refused", way=way)

    def _now(self) -> float:
        return self._clock() if self._clock is not None else asyncio.get_running_loop().time()

    def upload(self, client: Callable[[], AsyncWebClient], chart: Chart, *, ref: str) -> None:
        """Draw the chart and put it into the thread of `ref`, in the background: nobody waits for it, it may fail."""
        if not self.takes(UPLOAD) or not can_draw():
            return
        task = asyncio.create_task(self._upload(client, chart, ref))
        self._uploads.add(task)
        task.add_done_callback(self._uploads.discard)

    async def _upload(self, client: Callable[[], AsyncWebClient], chart: Chart, ref: str) -> None:
        channel, _, thread = ref.partition(":")
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                picture = await png(svg(chart))
                if picture is not None:
                    await client().files_upload_v2(
                        filename=FILE,
                        content=picture,
                        title=_title(chart),
                        alt_txt=inert(chart.alt, MOST_ALT),
                        channel=channel,
                        thread_ts=thread,
                    )
        except SlackApiError as error:
            if error_name(error) in _NEVER:
                self.refuse(UPLOAD)
            log.info("slack.picture_failed", reason=error_name(error) or "no usable answer")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the alert stands without its picture
            log.info("slack.picture_failed", reason=type(error).__name__)

    async def close(self) -> None:
        """Let the uploads under way end."""
        await asyncio.gather(*self._uploads, return_exceptions=True)


_NEVER = frozenset(
    {"missing_scope", "not_allowed_token_type", "file_uploads_disabled", "file_uploads_except_images_disabled"}
)
