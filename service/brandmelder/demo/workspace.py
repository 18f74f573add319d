"""A real Slack beside the demo's terminal: what it needs from the environment, and how its clicks reach the story."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brandmelder.clock import PacedClock
    from brandmelder.model import Click
    from brandmelder.pipeline import Pipeline

NEEDED = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_CHANNEL")
SPEED = 40.0
"""Seconds of the story per second of the wall: edits 45 s apart in the story stay below Slack's fifty a minute."""

_CHANNEL = """\
channels:
  crisis:
    type: slack
    token: "${SLACK_BOT_TOKEN}"
    app_token: "${SLACK_APP_TOKEN}"
    channel: "%s"
    api_url: "%s"
"""


def with_slack(text: str, environment: Mapping[str, str]) -> str:
    """Return the demo's configuration with a channel in Slack. Raises BrandmelderError that names what is missing."""
    missing = [name for name in NEEDED if not environment.get(name)]
    if missing:
        raise BrandmelderError(
            f"brandmelder demo --slack needs {', '.join(missing)} in the environment; docs/how-to/slack.md says where "
            "they come from"
        )
    address = environment.get("SLACK_API_URL", "https://slack.com/api/")
    channel = _CHANNEL % (environment["SLACK_CHANNEL"], address)
    return text.replace("channels:\n", channel, 1).replace("to: [console]", "to: [console, crisis]", 1)


class Desk:
    """Takes clicks while the story runs, and does at once what they ask."""

    def __init__(self, pipeline: Pipeline, clock: PacedClock, say: Callable[[str], None]) -> None:
        self._pipeline, self._clock, self._say = pipeline, clock, say
        self._clicked = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin to hear."""
        lines = self._pipeline.hearer.lines()
        self._tasks = [asyncio.create_task(line.listen(self)) for line in lines]
        self._tasks.append(asyncio.create_task(self._work()))

    async def close(self) -> None:
        """Stop hearing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take(self, click: Click) -> bool:
        """Write a click down, and have it done."""
        is_new = await self._pipeline.hearer.take(click, self._clock.now())
        self._clicked.set()
        return is_new

    def notice(self, text: str) -> None:
        """Say what keeps Slack from being heard."""
        self._say(text)

    async def _work(self) -> None:
        while True:
            await self._clicked.wait()
            self._clicked.clear()
            now = self._clock.now()
            await self._pipeline.hearer.apply(now)
            await self._pipeline.deliver(now)
            await self._pipeline.hearer.answer(now)
