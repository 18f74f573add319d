"""A storm served on loopback for other people's clients, which come with the dependency group `oracles`."""

from __future__ import annotations

import importlib
import os
from contextlib import asynccontextmanager

import pytest

from brandmelder.clock import ReplayClock
from brandmelder.demo.storm.faces import FACES
from brandmelder.demo.storm.posts import tell
from brandmelder.demo.storm.server import StormServer


@pytest.fixture
def client_of():
    """Return what imports a client library: where it is missing, continuous integration fails and others see a skip."""

    def load(name):
        try:
            return importlib.import_module(name)
        except ImportError:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"{name} is not installed: uv sync --group oracles")

    return load


@pytest.fixture
def telling():
    """Return what serves one channel's storm at its end, in fair weather; the server knows the truth."""

    @asynccontextmanager
    async def serve(channel, *, seed=31, burst=(260, 260)):
        storm = tell(seed, (channel,), burst=burst)
        async with StormServer(storm, ReplayClock(storm.end), is_fair=True) as server:
            server.clock.turn(at=storm.end)
            server.due = {FACES[channel].ident(post): post for post in storm.posts[channel] if post.is_shown(storm.end)}
            yield server

    return serve
