"""The configuration read again a hundred times within seconds, right and wrong in turn, while something burns."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from e2e.service import wait_until
from faults.desk import Desk
from pipeline.world import complaint, quiet_weeks

pytestmark = pytest.mark.e2e

BLOG = "  blog: {type: archive, path: mentions.jsonl, every: 1s}\n"
TIMES = 100


def _line(one):
    row = {"id": one.external_id, "source": "blog", "author": one.author, "text": one.text}
    return json.dumps(row | {"published_at": one.published_at.isoformat()}) + "\n"


def _resident(process):
    """Return the memory a process holds, in bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) << 10


def _open(process):
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def test_a_hundred_reloads_within_seconds_lose_and_double_nothing_and_the_last_right_one_holds(tmp_path):
    before = quiet_weeks(datetime.now(UTC) - timedelta(minutes=5), days=8)
    (tmp_path / "mentions.jsonl").write_text("".join(_line(one) for one in before))
    with Desk(tmp_path, more=BLOG) as service:
        right = service.config.read_text()
        service.begin()
        wait_until(lambda: service.one("select min(history_done) from source"), 30, "the whole history")
        for number in range(40):
            assert service.send(complaint(number)) == 204
        wait_until(lambda: service.one("select count(*) from incident"), 60, "an incident")
        memory, files = _resident(service.process), _open(service.process)

        for number in range(1, TIMES + 1):
            words = f"{{query: nordfunk OR rival{number}}}"
            wrong = right.replace("monitors:\n", "monitrs:\n")
            service.config.write_text(wrong if number % 2 else right.replace("{query: nordfunk}", words))
            service.read_again()
            if number % 10 == 0:
                _try_to_send(service)
        # the last of them came while another one was under way: it must not be forgotten
        last = right.replace("channels:\n", "  last: {query: rival}\nchannels:\n")
        service.config.write_text(last)
        service.read_again()
        wait_until(lambda: service.one("select count(*) from monitor where id = 'last'"), 60, "the last one")
        wait_until(lambda: service.is_ready() and service.send() == 204, 60, "ready")

        assert service.acknowledged <= service.kept()
        assert _open(service.process) <= files + 10
        assert _resident(service.process) - memory < 150 << 20
        ((incident,),) = service.rows("select id from incident where monitor = 'nordfunk'")
        assert service.said().count(f'"key": "{incident}:open:console", "kind": "open", "outcome": "Sent"') == 1
        assert service.stop() == 0
        assert service.said().count("Traceback") == 0


def _try_to_send(service):
    try:
        service.send()
    except httpx.TransportError:
        return  # its door is shut between two lives: nothing was acknowledged
