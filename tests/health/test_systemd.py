"""What systemd hears, over a real socket of the kind it opens."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from brandmelder.errors import StoreError
from brandmelder.health import systemd as told
from brandmelder.health.systemd import Systemd, Watchdog
from brandmelder.store.database import Database

NOW = datetime(2026, 12, 15, 20, 0, tzinfo=UTC)


class Manager:
    """The socket of a service manager."""

    def __init__(self, address):
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind("\0" + address[1:] if address.startswith("@") else address)
        self.line.settimeout(5)
        self.environment = {"NOTIFY_SOCKET": address}

    def heard(self):
        return self.line.recv(4096).decode().split("\n")


@pytest.fixture(params=["file", "abstract"])
def manager(request, tmp_path):
    manager = Manager(str(tmp_path / "notify") if request.param == "file" else f"@brandmelder-{tmp_path.name}")
    yield manager
    manager.line.close()


def test_a_manager_hears_every_stage(manager):
    systemd = Systemd(manager.environment)
    systemd.ready()
    assert manager.heard() == ["READY=1", "STATUS="]
    systemd.reloading()
    first, second = manager.heard()
    assert first == "RELOADING=1"
    assert int(second.removeprefix("MONOTONIC_USEC=")) > 0
    systemd.status("the configuration is wrong:\nline 3")
    assert manager.heard() == ["STATUS=the configuration is wrong: line 3"]
    systemd.stopping()
    assert manager.heard() == ["STOPPING=1"]


@pytest.mark.parametrize(
    ("asked", "every"),
    [
        ("30000000", timedelta(seconds=15)),
        ("500000", timedelta(seconds=1)),
        ("", None),
        ("soon", None),
        ("0", None),
    ],
)
def test_signs_of_life_come_twice_in_the_time_the_manager_waits(asked, every):
    assert Systemd({"WATCHDOG_USEC": asked}).watches_every == every


async def test_the_watchdog_hears_that_the_database_answers(manager):
    database = Database("sqlite://")
    database.prepare()
    await Watchdog(Systemd(manager.environment), database).beat(NOW)
    assert manager.heard() == ["WATCHDOG=1"]
    database.close()


async def test_the_watchdog_hears_nothing_while_the_database_does_not_answer(manager):
    database = Database("sqlite://")  # without its tables
    manager.line.settimeout(0)
    with pytest.raises(StoreError):
        await Watchdog(Systemd(manager.environment), database).beat(NOW)
    with pytest.raises(BlockingIOError):
        manager.heard()
    database.close()


@pytest.fixture
async def busy(tmp_path):
    """A database whose thread is at work on something that does not end."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    database.prepare()
    begun, ends = threading.Event(), threading.Event()

    def work(_connection):
        begun.set()
        ends.wait()

    working = asyncio.ensure_future(database.run(work))
    await asyncio.to_thread(begun.wait)
    yield database
    ends.set()
    await working
    database.close()


async def test_behind_a_slow_disk_the_watchdog_is_calmed_until_a_transaction_is_stuck(manager, busy, monkeypatch):
    monkeypatch.setattr(told, "_ANSWERS", timedelta(milliseconds=10))
    watchdog = Watchdog(Systemd(manager.environment), busy)
    await watchdog.beat(NOW)
    assert manager.heard() == ["WATCHDOG=1"]
    monkeypatch.setattr(told, "STANDSTILL", timedelta(milliseconds=1))
    await watchdog.beat(NOW)
    manager.line.settimeout(0)
    with pytest.raises(BlockingIOError):
        manager.heard()


def test_a_manager_that_does_not_listen_holds_nothing_up(manager):
    systemd = Systemd(manager.environment)
    with capture_logs() as said:
        while not said:  # until its queue is full
            systemd.alive()
    assert said[0]["event"] == "systemd.deaf"


def test_without_a_manager_nothing_is_said_and_a_dead_one_is_noted(tmp_path):
    with capture_logs() as said:
        Systemd({}).ready()
        assert said == []
        Systemd({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready()
    assert [one["event"] for one in said] == ["systemd.deaf"]
