"""A disk that is full: said in a sentence, nothing acknowledged is lost, and it goes on once there is room."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from datetime import timedelta

import pytest

from brandmelder.errors import StoreFull
from brandmelder.store import mentions
from pipeline.world import STORM, World, quiet_weeks, storm

MINUTE = timedelta(minutes=1)


@pytest.fixture
def small(tmp_path):
    """A disk of three megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=3M,mode=700", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _stored(world):
    return world.database.run_now(mentions.count)


def _fill(ballast):
    file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(file, b"x" * 4096):
            pass
    os.close(file)


async def test_a_full_disk_stops_nothing_for_ever_and_loses_nothing(small):
    written = quiet_weeks(STORM - 10 * MINUTE, days=20) + storm(STORM, 60, spread=10 * MINUTE)
    world = World(written, path=small / "a.db")
    ballast = small / "ballast"
    await world.begin(STORM - 10 * MINUTE)
    await world.run_until(STORM - 8 * MINUTE)
    before = _stored(world)
    _fill(ballast)
    with pytest.raises(StoreFull, match="the disk is full; free space"):
        await world.run_until(STORM + 20 * MINUTE)
    stored = _stored(world)
    assert stored >= before > 100
    ballast.unlink()
    await world.run_until(STORM + 30 * MINUTE)
    assert len(world.incidents()) == 1
    assert len(world.recorder.first) == 1
    world.database.close()
    raw = sqlite3.connect(small / "a.db")
    assert raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert raw.execute("SELECT count(*) FROM mention").fetchone()[0] == len(written)
    raw.close()
