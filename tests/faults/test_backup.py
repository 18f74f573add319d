"""A copy made while the service writes holds everything up to a moment, and can take the database's place again."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from brandmelder.cli import main
from brandmelder.errors import StoreError, StoreFull, StoreTooNew
from brandmelder.store import audit, backup, incidents, mentions, meta
from brandmelder.store.database import Database
from cli.test_commands import CONFIG
from pipeline.world import STORM, World, quiet_weeks, storm

NOW = datetime(2026, 12, 15, 20, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NAME = "brandmelder-20261215T200000Z.db"


@pytest.fixture
def place(tmp_path):
    """An installation: its configuration, and a database that holds a fact."""
    (tmp_path / "brandmelder.yaml").write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    with opened(tmp_path) as database:
        database.prepare()
        database.run_now(meta.write, "fact", "old")
    return tmp_path


@contextmanager
def opened(folder):
    """The database of an installation, as the service holds it."""
    database = Database(f"sqlite:///{folder}/brandmelder.db", exclusive=True)
    try:
        yield database
    finally:
        database.close()


def fact(place):
    with opened(place) as database:
        return database.run_now(meta.read, "fact")


def run(place, *words):
    return CliRunner().invoke(main, [*words, "--config", str(place / "brandmelder.yaml")])


def test_a_copy_is_one_private_file_that_tells_when_it_was_made(place):
    copy = backup.back_up(place / "brandmelder.db", place / "copies", NOW)
    assert copy.file == place / "copies" / NAME
    assert [one.name for one in (place / "copies").iterdir()] == [NAME]
    assert stat.S_IMODE(copy.file.stat().st_mode) == 0o600
    assert backup.inspect(copy.file).revision == copy.revision


def test_a_copy_made_while_others_write_is_one_moment_of_it(place):
    """Two facts are always written together; no copy may hold one without the other."""
    ended = threading.Event()

    def write():
        with opened(place) as database:
            for number in range(3000):
                if ended.is_set():
                    return
                database.run_now(_both, number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [backup.back_up(place / "brandmelder.db", place / "c", NOW + n * MINUTE).file for n in range(6)]
    finally:
        ended.set()
        writer.join()
    for one in copies:
        raw = sqlite3.connect(one)
        told = dict(raw.execute("SELECT name, value FROM meta WHERE name IN ('left', 'right')"))
        raw.close()
        assert told.get("left") == told.get("right")


def _both(connection, number):
    meta.write(connection, "left", str(number))
    meta.write(connection, "right", str(number))


def test_only_its_own_old_copies_are_outdated(place):
    folder, database = place / "copies", place / "brandmelder.db"
    for days in (0, 6, 8, 30):
        backup.back_up(database, folder, NOW - timedelta(days=days))
    (folder / "other-20200101T000000Z.db").touch()
    (folder / "brandmelder-notes.db").touch()
    found = backup.outdated(database, folder, NOW, timedelta(days=7))
    assert [one.name for one in found] == ["brandmelder-20261115T200000Z.db", "brandmelder-20261207T200000Z.db"]


def test_without_room_there_is_no_copy_and_nothing_of_one(place, monkeypatch):
    monkeypatch.setattr(backup, "_SPARE", 1 << 60)
    with pytest.raises(StoreFull, match="free space"):
        backup.back_up(place / "brandmelder.db", place / "copies", NOW)
    assert list((place / "copies").iterdir()) == []


def test_what_is_no_copy_is_refused_in_words(place):
    letter = place / "letter.db"
    letter.write_text("Sehr geehrte Damen und Herren")
    with pytest.raises(StoreError, match="no database of Brandmelder"):
        backup.inspect(letter)
    with pytest.raises(StoreError, match="there is no file"):
        backup.inspect(place / "nothing.db")


def test_a_damaged_copy_and_one_of_a_newer_version_are_refused(place):
    copy = backup.back_up(place / "brandmelder.db", place, NOW).file
    raw = sqlite3.connect(copy)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    with pytest.raises(StoreTooNew, match="upgrade brandmelder"):
        backup.inspect(copy)
    with copy.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(os.urandom(8 * 4096))
    with pytest.raises(StoreError, match=r"damaged|no database of Brandmelder"):
        backup.inspect(copy)


def test_by_command_a_copy_is_written_old_ones_go_and_the_key_is_spoken_of(place):
    backup.back_up(place / "brandmelder.db", place / "backups", NOW - timedelta(days=400))
    (place / "brandmelder.db.key").touch()
    told = run(place, "backup", "--keep", "30")
    assert told.exit_code == 0
    assert re.search(r"wrote \S+/backups/brandmelder-\d{8}T\d{6}Z\.db: 0 mentions, \d+ MB, checked", told.stdout)
    assert "older than 30 days" in told.stdout
    assert "brandmelder.db.key" in told.stderr
    assert len(list((place / "backups").iterdir())) == 1


def test_what_was_restored_is_there_what_it_replaced_is_kept_and_it_is_written_down(place):
    copy = backup.back_up(place / "brandmelder.db", place / "copies", NOW).file
    with opened(place) as database:
        database.run_now(meta.write, "fact", "new")
    told = run(place, "restore", str(copy))
    assert told.exit_code == 0, told.stderr
    assert fact(place) == "old"
    (aside,) = place.glob("brandmelder.db.replaced-*[0-9]Z")
    raw = sqlite3.connect(aside)
    assert raw.execute("SELECT value FROM meta WHERE name = 'fact'").fetchone() == ("new",)
    raw.close()
    with opened(place) as database:
        assert [one.act for one in database.run_now(audit.newest, 5)] == ["database.restore"]


def test_nothing_is_restored_under_a_running_service(place):
    copy = backup.back_up(place / "brandmelder.db", place / "copies", NOW).file
    with opened(place):
        told = run(place, "restore", str(copy))
    assert (told.exit_code, "stop that one first" in told.stderr) == (1, True)
    assert list(place.glob("*.replaced-*")) == []


def test_the_database_is_no_copy_of_itself(place):
    told = run(place, "restore", str(place / "brandmelder.db"))
    assert (told.exit_code, "name a copy" in told.stderr) == (1, True)
    assert fact(place) == "old"


async def test_after_a_restore_what_is_still_there_is_read_again_and_no_number_is_given_twice(tmp_path):
    """The backup is of the calm before; the storm came after it, was told, and is told again under another number."""
    written = quiet_weeks(STORM - 10 * MINUTE, days=20) + storm(STORM, 60, spread=10 * MINUTE)
    world = World(written, path=tmp_path / "a.db")
    await world.begin(STORM - 10 * MINUTE)
    await world.run_until(STORM - 5 * MINUTE)
    copy = backup.back_up(tmp_path / "a.db", tmp_path, STORM - 5 * MINUTE).file
    await world.run_until(STORM + 20 * MINUTE)
    (before,) = world.incidents()
    world.database.close()
    backup.put_back(copy, tmp_path / "a.db", STORM + 25 * MINUTE)
    again = World(written, path=tmp_path / "a.db")
    again.database.run_now(incidents.skip_numbers, "NF-2026-")
    await again.begin(STORM + 30 * MINUTE)
    await again.run_until(STORM + 50 * MINUTE)
    (after,) = again.incidents()
    assert (before.id, after.id) == ("NF-2026-001", "NF-2026-101")
    assert again.database.run_now(mentions.count) == len(written)
    again.database.close()
