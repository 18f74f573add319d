"""The configuration read again while the service runs, as a service manager asks for it and hears of it."""

from __future__ import annotations

import socket

import pytest

from e2e.service import Brandmelder, wait_until

pytestmark = pytest.mark.e2e

CONFIG = """\
brand: Nordfunk
database: sqlite:///brandmelder.db
sources:
  blog: {type: archive, path: mentions.jsonl}
monitors:
  nordfunk: {query: nordfunk}
channels:
  console: {type: console}
alerts:
  - {monitors: all, to: [console]}
"""
MORE = CONFIG.replace("channels:", "  rival: {query: rival}\nchannels:")


@pytest.fixture
def service(tmp_path):
    (tmp_path / "mentions.jsonl").write_text("")
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.bind(str(tmp_path / "notify"))
    line.settimeout(30)
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
    with line, Brandmelder(tmp_path, CONFIG, environment) as service:
        service.manager = line
        service.start()
        yield service


def hears(service, word):
    """Read what the manager hears up to a word; signs of life come in between."""
    while (said := service.manager.recv(4096).decode().split("\n"))[0] != word:
        assert said[0] in {"WATCHDOG=1", word}, said
    return said


def test_a_right_configuration_takes_over_and_a_wrong_one_is_refused(service):
    hears(service, "READY=1")
    assert "watching 1 monitor over 1 source" in service.said()

    service.config.write_text(MORE)
    service.read_again()
    hears(service, "RELOADING=1")
    hears(service, "READY=1")
    assert "watching 2 monitors over 1 source" in service.said()

    service.config.write_text(MORE.replace("query: rival", "qery: rival"))
    service.read_again()
    hears(service, "RELOADING=1")
    hears(service, "READY=1")
    (status,) = service.manager.recv(4096).decode().split("\n")
    assert status.startswith("STATUS=the configuration was not taken over: ")
    assert "brandmelder.yaml:7:11: " in service.said()
    assert "the one that runs stays" in service.said()

    service.config.write_text(MORE.replace("brandmelder.db", "other.db"))
    service.read_again()
    wait_until(lambda: "another database needs a restart" in service.said(), 30, "the refusal of another database")

    service.config.write_text(MORE)
    hears(service, "RELOADING=1")
    hears(service, "READY=1")
    assert service.manager.recv(4096).decode().endswith("another database needs a restart")
    assert service.manager.recv(4096).decode() == "WATCHDOG=1"
    assert service.ask("audit", "list").stdout.count("configuration.load") == 2
    assert service.stop() == 0
    hears(service, "STOPPING=1")
