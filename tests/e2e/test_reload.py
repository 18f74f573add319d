"""The configuration read again while the service runs, as a service manager asks for it and hears of it."""

from __future__ import annotations

import hashlib
import json
import select
import socket
import time

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


def test_a_change_counts_at_whatever_moment_of_a_reload_it_comes(service):
    """It may come while the file is read, once it has been read, or while that is just taking over."""
    hears(service, "READY=1")
    for turn in range(2, 24):
        service.config.write_text(watching(turn))
        service.read_again()
        time.sleep(turn % 8 * 0.04)
        if turn % 3 == 2:
            wait_until(lambda turn=turn: has_heard(service, f"watching {turn} monitors"), 20, f"change {turn}")
    assert service.stop() == 0


def test_one_that_fails_as_it_takes_over_gives_way_to_the_one_before_and_is_nowhere_said_to_have_run(service):
    hears(service, "READY=1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        broken = f"{MORE}health: {{listen: '127.0.0.1:{taken.getsockname()[1]}'}}\n"
        service.config.write_text(broken)
        service.read_again()
        hears(service, "RELOADING=1")
        wait_until(lambda: service.said().count("watching 1 monitor") == 2, 30, "the one before")
    assert "health: cannot listen on 127.0.0.1" in service.said()
    shas = [json.loads(one)["sha256"] for (one,) in service.rows("select detail from audit where act like 'config%'")]
    assert shas == [hashlib.sha256(CONFIG.encode()).hexdigest()] * 2
    while "was not taken over" not in (last := service.manager.recv(4096).decode()) or "READY" in last:
        pass
    service.config.write_text(MORE)
    service.read_again()
    wait_until(lambda: has_heard(service, "watching 2 monitors"), 30, "the mended one")
    assert service.stop() == 0


def watching(count):
    more = "".join(f"  rival-{one}: {{query: rival{one}}}\n" for one in range(1, count))
    return CONFIG.replace("channels:", f"{more}channels:")


def has_heard(service, text):
    """Whether the service has said something; what the manager was told meanwhile is taken from it."""
    while select.select([service.manager], [], [], 0)[0]:
        service.manager.recv(4096)
    return text in service.said()
