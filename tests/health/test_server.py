"""Health is answered by a thread of its own: a stuck loop, a slow caller or a flood of callers does not silence it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import re
import socket
import time

import pytest

from brandmelder import metrics
from brandmelder.errors import BrandmelderError
from brandmelder.health.pulse import STUCK, Pulse
from brandmelder.health.server import AT_ONCE, HealthServer


def ask(port, path, *, method="GET", host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, port, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer


@contextlib.contextmanager
def listening(pulse=None, troubles=(), **more):
    server = HealthServer(more.pop("host", "127.0.0.1"), 0, pulse=pulse or Pulse(), troubles=lambda: troubles, **more)
    server.start()
    try:
        yield server
    finally:
        server.close()


def test_a_loop_that_turns_is_alive_and_ready():
    with listening() as server:
        status, body, answer = ask(server.port, "/livez")
        assert (status, json.loads(body)["ok"]) == (200, True)
        assert answer.headers["Cache-Control"] == "no-store"
        assert ask(server.port, "/readyz?verbose")[0] == 200


async def test_a_loop_that_is_stuck_fails_the_probe_which_still_answers(monkeypatch):
    pulse = Pulse()
    pulse.start()
    with listening(pulse) as server:
        assert ask(server.port, "/livez")[0] == 200  # asked from within the loop, which stands still meanwhile
        frozen = time.monotonic() + STUCK.total_seconds() + 1
        monkeypatch.setattr(time, "monotonic", lambda: frozen)
        status, body, _ = ask(server.port, "/livez")
        assert (status, json.loads(body)["ok"]) == (503, False)
        assert "the event loop is stuck" in json.loads(ask(server.port, "/readyz")[1])["why"][0]
        monkeypatch.undo()
        assert ask(server.port, "/livez")[0] == 200
    pulse.stop()


async def test_the_pulse_measures_the_lag_of_its_loop():
    pulse = Pulse()
    pulse.start()
    time.sleep(0.7)  # noqa: ASYNC251 -- the loop is blocked on purpose
    late = pulse.lag().total_seconds()
    assert late > 0.1
    await asyncio.sleep(0.05)
    assert pulse.lag().total_seconds() < late
    assert metrics.LOOP_LAG._value.get() >= 0
    pulse.stop()


def test_what_keeps_it_from_its_work_is_said():
    with listening(troubles=("the disk is full",)) as server:
        status, body, _ = ask(server.port, "/readyz")
        assert (status, json.loads(body)) == (503, {"ok": False, "why": ["the disk is full"]})
        assert ask(server.port, "/livez")[0] == 200


def test_metrics_are_text_that_prometheus_reads():
    metrics.EGRESS_BLOCKED.labels("address").inc()
    with listening() as server:
        status, body, answer = ask(server.port, "/metrics")
        assert status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b'brandmelder_egress_blocked_total{why="address"}' in body
    with listening(has_metrics=False) as server:
        assert ask(server.port, "/metrics")[0] == 404


@pytest.mark.parametrize("path", ["/", "/../etc/passwd", "/livez/x", "/%00", "/" + "a" * 3000])
def test_nothing_else_is_there(path):
    with listening() as server:
        assert ask(server.port, path)[0] == 404


def test_a_head_has_no_body_and_other_methods_are_refused():
    with listening() as server:
        assert ask(server.port, "/livez", method="HEAD")[:2] == (200, b"")
        assert ask(server.port, "/livez", method="POST")[0] == 501


def test_callers_that_say_nothing_do_not_keep_others_waiting():
    with listening() as server:
        dumb = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(AT_ONCE - 2)]
        assert ask(server.port, "/livez")[0] == 200
        for one in dumb:
            one.close()


def test_whoever_drips_is_cut_off_and_its_place_is_free(monkeypatch):
    monkeypatch.setattr("brandmelder.health.server.PATIENCE", 0.4)
    with listening() as server:
        drips = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(AT_ONCE)]
        for one in drips:
            one.settimeout(0.02)
        for _ in range(50):  # each goes on well within the time that a single read may take
            heard = [is_heard(one) for one in drips]
            if not any(heard):
                break
        else:
            pytest.fail("somebody who drips is still heard")
        for one in drips:
            one.close()
        assert ask(server.port, "/livez")[0] == 200


def is_heard(caller):
    """Send one more byte of a request; say whether the other side still listens."""
    try:
        caller.send(b"G")
        return caller.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_more_callers_than_there_are_places_are_turned_away_and_later_heard():
    with listening() as server:
        dumb = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(AT_ONCE)]
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(server.port, "/livez")
        for one in dumb:
            one.close()
        for _ in range(200):
            with contextlib.suppress(OSError, http.client.HTTPException):
                if ask(server.port, "/livez")[0] == 200:
                    return
        pytest.fail("it hears nobody any more")


def test_a_port_that_is_taken_is_said_with_what_to_do():
    with listening() as server, pytest.raises(BrandmelderError, match=r"choose another in health\.listen"):
        HealthServer("127.0.0.1", server.port, pulse=Pulse(), troubles=tuple)


def test_it_listens_on_ipv6_too():
    with listening(host="::1") as server:
        assert ask(server.port, "/livez", host="::1")[0] == 200


def test_every_metric_has_the_prefix_and_labels_of_our_own():
    allowed = {"source", "channel", "outcome", "state", "why", "reason", "line", "what", "version"}
    for family in metrics.REGISTRY.collect():
        assert re.fullmatch(r"brandmelder_[a-z_]+", family.name)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} <= allowed
