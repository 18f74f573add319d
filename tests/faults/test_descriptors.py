"""No file or connection more can be opened: said once, nothing lost, and over as soon as there is room."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

import httpx
import pytest

from e2e.service import wait_until
from faults.desk import Desk, Feed

pytestmark = pytest.mark.e2e


def _ticks(process):
    """Return the processor's time a process has used, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _allow(service, most):
    resource.prlimit(service.process, resource.RLIMIT_NOFILE, (most, service.hard))


def test_without_a_descriptor_left_it_is_said_once_and_everything_waits_until_there_is_one(tmp_path):
    with Feed() as feed:
        more = f'  press: {{type: feed, url: "{feed.url}", every: 1s, allow_private: true}}\n'
        with Desk(tmp_path, more=more) as service:
            service.begin()
            feed.entries.append("first")
            wait_until(lambda: "first" in service.kept(), 30, "the feed's first entry")
            soft, service.hard = resource.prlimit(service.process, resource.RLIMIT_NOFILE)
            assert soft == min(service.hard, 65_536)

            count = len(list(Path(f"/proc/{service.process}/fd").iterdir()))
            _allow(service, count + 2)
            callers = [socket.create_connection(("127.0.0.1", service.door)) for _ in range(4)]
            callers.append(socket.create_connection(("127.0.0.1", service.probe)))
            feed.entries.append("second")
            wait_until(lambda: "no more files or connections can be opened" in service.said(), 30, "a word about it")
            wait_until(lambda: 'source "press"' in service.said(), 30, "a word about the feed")
            used = _ticks(service.process)
            with pytest.raises(httpx.TransportError):
                service.ask_probe("livez")  # five seconds
            assert _ticks(service.process) - used < 2.5
            assert service.said().count("can be opened") <= 3
            assert "source.bug" not in service.said()
            assert "second" not in service.kept()

            for one in callers:
                one.close()
            _allow(service, count + 50)
            wait_until(lambda: "second" in service.kept(), 60, "what was written meanwhile")
            assert service.send() == 204
            wait_until(service.is_ready, 30, "ready")
            assert service.acknowledged <= service.kept()
            assert service.stop() == 0
