"""A disk that is full: said in a sentence, nothing acknowledged is lost, and it goes on once there is room."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from brandmelder.errors import StoreError, StoreFull, StoreReplaced
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


def _remount(place, how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


def _fill(ballast):
    file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(file, b"x" * 4096):
            pass
    os.close(file)


async def test_a_disk_that_turns_read_only_is_said_and_got_over(small):
    written = quiet_weeks(STORM - 10 * MINUTE, days=20) + storm(STORM, 60, spread=10 * MINUTE)
    world = World(written, path=small / "a.db")
    await world.begin(STORM - 10 * MINUTE)
    await world.run_until(STORM - 8 * MINUTE)
    before = _stored(world)
    world.database.close()
    _remount(small, "ro")
    with pytest.raises(StoreError, match=r"may this user write there"):
        await world.come_back()
    _remount(small, "rw")
    await world.come_back()
    assert _stored(world) == before
    await world.run_until(STORM + 30 * MINUTE)
    assert len(world.recorder.first) == 1
    world.database.close()


async def _come_back_and_work(world):
    await world.come_back()
    await world.run_until(STORM + 30 * MINUTE)


async def test_a_damaged_page_is_said_with_what_to_do_and_nothing_is_written_over_it(tmp_path):
    path = tmp_path / "a.db"
    written = quiet_weeks(STORM - 10 * MINUTE, days=20) + storm(STORM, 60, spread=10 * MINUTE)
    world = World(written, path=path)
    await world.begin(STORM - 10 * MINUTE)
    await world.run_until(STORM - 8 * MINUTE)
    world.database.scrub()
    world.database.close()
    raw = sqlite3.connect(path)
    (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'mention'").fetchone()
    (size,) = raw.execute("PRAGMA page_size").fetchone()
    raw.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(os.urandom(size))
    with pytest.raises(StoreError, match=r"malformed; stop the service, keep the file, and see \S+backup\.md"):
        await _come_back_and_work(world)
    assert world.recorder.first == {}
    world.database.close()


async def test_a_database_taken_away_under_the_service_acknowledges_nothing_until_it_is_back(tmp_path):
    written = quiet_weeks(STORM - 10 * MINUTE, days=20) + storm(STORM, 60, spread=10 * MINUTE)
    path = tmp_path / "a.db"
    world = World(written, path=path, is_alone=True)
    await world.begin(STORM - 10 * MINUTE)
    await world.run_until(STORM - 5 * MINUTE)
    before = _stored(world)
    for file in (path, Path(f"{path}-wal")):
        aside = file.rename(tmp_path / "aside")
        for away in (lambda: None, file.touch):  # deleted, or another in its place
            away()
            with pytest.raises(StoreReplaced, match="nothing is acknowledged"):
                await world.run_until(STORM + 5 * MINUTE)
        aside.rename(file)
        assert _stored(world) == before
    await world.run_until(STORM + 30 * MINUTE)
    assert len(world.recorder.first) == 1
    world.database.close()


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
