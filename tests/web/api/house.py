"""The API over a small world: a storm the pipeline has told of, and tokens for who may do what."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from types import SimpleNamespace

from starlette.applications import Starlette
from starlette.testclient import TestClient

from brandmelder.clock import ReplayClock
from brandmelder.model import Scope
from brandmelder.pipeline.admission import admit
from brandmelder.pipeline.staff import Actor
from brandmelder.store.tokens import Token
from brandmelder.web.api.app import mounted
from brandmelder.web.api.operation import Door
from pipeline.world import STORM, YAML, World, quiet_weeks, storm

HOUR = timedelta(hours=1)
SECRET = "bm_" + "s" * 43


NOW = STORM + 0.4 * HOUR


def storm_in(folder):
    """Let the pipeline read ten quiet days and the beginning of a storm into a file; returns it."""
    path = folder / "storm.db"

    async def story():
        world = World([*quiet_weeks(STORM, days=10), *storm(STORM, 60)], path=path)
        await world.begin(STORM - HOUR)
        await world.run_until(NOW)
        world.database.close()

    asyncio.run(story())
    return path


def opened(file, folder, *, yaml=YAML):
    """Return a world of one's own over a copy of that file."""
    for one in file.parent.glob(f"{file.name}*"):
        if not one.name.endswith((".lock", "-shm")):
            shutil.copy(one, folder / one.name)
    world = World([], path=folder / file.name, yaml=yaml)
    world.clock = ReplayClock(NOW)
    return world


def token(world, *scopes, name="Leitstelle", secret=SECRET, ident="0123456789ab", expires=None):
    now = world.clock.now()
    one = Token(id=ident, name=name, scopes=frozenset(scopes or Scope), made_at=now, made_by="root", expires_at=expires)
    world.database.run_now(admit, one, secret, Actor(name="root"))
    return secret


def served(world, **more):
    """Return the application at its place, and what it asked for."""
    asked = SimpleNamespace(woken=0, brought=0, subscribed=[], unsubscribed=[])

    def wake():
        asked.woken += 1

    def brought():
        asked.brought += 1
        world.pipeline.brought()

    known = {
        "parts": world.pipeline.parts,
        "now": world.clock.now,
        "wake": wake,
        "brought": brought,
        "subscribe": asked.subscribed.append,
        "unsubscribe": asked.unsubscribed.append,
    }
    door = Door(**known | more)
    return Starlette(routes=[mounted(door)]), asked


def client(app, secret=SECRET):
    headers = {"authorization": f"Bearer {secret}"} if secret else {}
    return TestClient(app, base_url="http://127.0.0.1/api/v1/", headers=headers, raise_server_exceptions=False)
