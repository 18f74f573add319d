"""What the tests of capture share: a moment, a hostile server, an impatient client."""

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
IMPATIENT = Limits(
    deadline=timedelta(seconds=0.6),
    connect=timedelta(seconds=0.3),
    read=timedelta(seconds=0.3),
    wire=1 << 20,
    inflated=2 << 20,
)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
async def server() -> AsyncIterator[HostileServer]:
    async with HostileServer() as one:
        yield one


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    one = HttpClient(limits=IMPATIENT)
    yield one
    await one.close()


@pytest.fixture
def fetch(client: HttpClient) -> Fetch:
    return client.bind(source=SourceId("press"), allow_private=True)
