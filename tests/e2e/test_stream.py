"""The installed service on a stream: posts are kept within moments, and a kill loses and doubles none."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

from brandmelder.testing.sources import Stage
from e2e.service import Brandmelder, wait_until
from peers.jetstream import JetstreamFace

SETTINGS = """\
brand: Nordfunk
short: NF
timezone: Europe/Berlin
sources:
  bluesky: {{type: bluesky, through: jetstream, servers: ["{url}"], url: "{url}", allow_private: true, every: 1h}}
monitors:
  nordfunk: {{query: nordfunk -werbung, sources: [bluesky]}}
channels:
  console: {{type: console}}
alerts:
  - {{monitors: all, to: [console]}}
"""


class Network:
    """A stream in the present: somebody always talks."""

    def __init__(self):
        self._stage = Stage(JetstreamFace())
        self.streamed = self._stage.streamed

    async def __aenter__(self):
        await self._stage.open()
        self.url = self._stage.url
        self._stage.face.now = lambda: datetime.now(UTC)
        self._talking = asyncio.create_task(self._talk())
        return self

    async def __aexit__(self, *_):
        self._talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._talking
        await self._stage.close()

    async def _talk(self):
        while True:
            await self._stage.face.show()
            self.streamed.tell()
            await asyncio.sleep(0.2)

    def write(self, *texts):
        return [self._stage.face.write(datetime.now(UTC), text) for text in texts]

    def delete(self, post):
        self._stage.face.delete(post)


async def test_a_post_is_kept_within_moments_and_a_kill_loses_and_doubles_none(tmp_path):
    async with Network() as network:
        with Brandmelder(tmp_path, SETTINGS.format(url=network.url)) as service:

            async def stand(texts):
                """Wait until exactly these stand; the next regular poll is an hour away."""
                asked = "select text from mention where removed_at is null order by text"

                def are_there():
                    found = [text for (text,) in service.rows(asked)]
                    assert len(found) == len(set(found))
                    return found == sorted(texts)

                await asyncio.to_thread(wait_until, are_there, 30, f"{texts} stand")

            service.start()
            await asyncio.wait_for(network.streamed.first.wait(), 30)
            first, _, _ = network.write("Nordfunk eins", "etwas anderes", "Nordfunk Werbung")
            await stand(["Nordfunk eins"])

            service.kill()
            network.write("Nordfunk zwei", "Nordfunk drei")
            network.delete(first)
            service.start()
            await stand(["Nordfunk drei", "Nordfunk zwei"])

            network.streamed.cut_after = 3
            network.write("Nordfunk vier")
            await asyncio.sleep(1)
            network.streamed.cut_after = None
            await stand(["Nordfunk drei", "Nordfunk vier", "Nordfunk zwei"])
            assert await asyncio.to_thread(service.stop) == 0
