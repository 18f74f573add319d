"""A disk that fails to sync, to read, or takes seconds, under the running service: said, survived, nothing lost."""

from __future__ import annotations

import pytest

from e2e.service import wait_until
from faults.desk import Desk
from faults.failing_disk import made_in

pytestmark = pytest.mark.e2e


@pytest.fixture
def service(tmp_path):
    disk = made_in(tmp_path, files="brandmelder.db")
    with Desk(tmp_path, environment=disk.environment) as service:
        service.disk = disk
        yield service
        disk.be_well()


def test_a_disk_that_fails_to_sync_or_takes_seconds_is_told_and_nothing_acknowledged_is_lost(service):
    service.begin()
    service.disk.fail_to_sync()
    assert [service.send() for _ in range(3)] == [503, 503, 503]
    assert service.disk.syncs_failed >= 3
    assert service.said().count("disk I/O error; see the system's log for what is wrong with the disk") == 2
    assert service.ask_probe("livez")[0]
    wait_until(lambda: not service.is_ready(), 30, "not ready")
    assert "disk I/O error" in service.ask_probe("readyz")[1]["why"][0]

    service.disk.be_well()
    assert service.send() == 204
    service.disk.take_to_sync(3)
    assert service.send() == 204
    is_alive, lag = service.ask_probe("livez")
    assert is_alive
    assert lag["lag_seconds"] < 2
    wait_until(lambda: "the disk is slow: a commit took 3 s" in service.said(), 30, "a word about the slow disk")

    service.disk.be_well()
    assert service.send() == 204
    service.kill()
    assert service.kept() == service.acknowledged

    said = service.said()
    service.disk.fail_to_read()
    service.start()
    assert service.ended() == 1
    news = service.said().removeprefix(said).splitlines()
    assert [line for line in news if "disk I/O error; see the system's log" in line] == news
    service.disk.be_well()
    service.begin()
    assert service.acknowledged <= service.kept()
    assert service.stop() == 0
