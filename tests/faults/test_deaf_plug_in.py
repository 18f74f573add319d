"""A plug-in that swallows its cancellation: a stop ends the process nevertheless."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from brandmelder.cli.serving import to_the_end
from faults.kills import forked


async def _deaf():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue


async def _service(written):
    polling = asyncio.create_task(_deaf())
    await asyncio.sleep(0)
    written.write_text("everything")
    assert not polling.done()


def test_what_swallows_its_cancellation_does_not_keep_the_service_from_ending(tmp_path):
    written = tmp_path / "written"
    assert forked(lambda: asyncio.run(to_the_end(_service(written), patience=timedelta(milliseconds=50)))) == 0
    assert written.read_text() == "everything"
