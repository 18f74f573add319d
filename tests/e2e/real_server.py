"""How a real server is read in a test that make e2e-all runs: real source, pipeline and store, and what then stands."""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brandmelder import wiring
from brandmelder.count.bins import EPOCH
from brandmelder.model import SourceId
from brandmelder.settings import parse_settings
from brandmelder.store import mentions
from brandmelder.store.database import Database

SOURCE = SourceId("real")
CONFIGURATION = """\
brand: Nordfunk
short: NF
timezone: Europe/Berlin
sources:
  real: {{{block}, allow_private: true}}
monitors:
  nordfunk: {{query: nordfunk, sources: [real]}}
channels:
  console: {{type: console}}
alerts:
  - {{monitors: all, to: [console]}}
"""


def opted_in():
    """Skip, visibly, unless make e2e-all runs this."""
    if os.environ.get("BRANDMELDER_E2E") != "all":
        pytest.skip("opt-in: make e2e-all starts this server in a network of its own")


def wait(is_so, what):
    """Return when something is so; a minute is long enough."""
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until, what
        time.sleep(0.1)


class Reading:
    """One source, read as the service reads it."""

    def __init__(self, pipeline, database, source):
        self._pipeline, self._database, self.source = pipeline, database, source

    async def poll(self):
        """Poll as the service would; returns what then stands, by external id. Nothing may stand twice."""
        await self._pipeline.poll(SOURCE, datetime.now(UTC))
        rows = await self._database.run(mentions.newest, None, EPOCH, 1_000)
        found = [one for _, one, _ in rows if one.text]
        assert len({one.external_id for one in found}) == len(found)
        return {one.external_id: one for one in found}

    async def gone(self, idents):
        """Ask again for known posts; returns those that are gone."""
        known = await self.source.recheck(idents, datetime.now(UTC))
        assert {one.external_id for one in known.mentions} == set(idents) - {one.external_id for one in known.removals}
        return {one.external_id for one in known.removals}


@asynccontextmanager
async def reading(block, secret="none"):
    """Set up a source from its block of the configuration; `${SECRET}` stands for a token in it."""
    settings = parse_settings(CONFIGURATION.format(block=block), Path("real.yaml"), {"SECRET": secret})
    database, reach = Database("sqlite://"), wiring.outside()
    database.prepare()
    sources = wiring.build_sources(settings, reach)
    try:
        pipeline = wiring.build(settings, database=database, sources=sources, notifiers={})
        await pipeline.start(datetime.now(UTC))
        yield Reading(pipeline, database, sources[SOURCE])
    finally:
        await reach.close()
        database.close()
