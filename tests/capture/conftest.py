"""What the tests of capture share: a moment, a hostile server, clients of several tempers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from brandmelder.capture.http import HttpClient, Limits
from brandmelder.model import SourceId
from capture.hostile_server import HostileServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from brandmelder.capture.source import Fetch

NOW = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
SMALL = Limits(wire=1 << 20, inflated=2 << 20)
"""Patient, so that a busy machine breaks no test, but quickly full."""
HASTY = Limits(deadline=timedelta(seconds=0.6))
"""Gives up the whole exchange."""
CURT = Limits(connect=timedelta(seconds=0.2), read=timedelta(seconds=0.2))
"""Gives up a silent server."""


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
async def server() -> AsyncIterator[HostileServer]:
    async with HostileServer() as one:
        yield one


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    one = HttpClient(limits=SMALL)
    yield one
    await one.close()


@pytest.fixture
def fetch(client: HttpClient) -> Fetch:
    return client.bind(source=SourceId("press"), allow_private=True)
