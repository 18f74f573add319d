from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from brandmelder.capture import feed_parser
from brandmelder.capture.child import ParserChild
from brandmelder.errors import Blocked, Transient

PRESS = (Path(__file__).parent / "recorded" / "rss20.xml").read_bytes()
SLOW = b"<rss><channel>" + b"<item><title>a & b</title><description>x" * 60_000
"""Not well-formed and large: the tolerant way needs far longer than a test's patience."""


@pytest.fixture
async def child():
    one = ParserChild()
    yield one
    await one.close()


def number(child: ParserChild) -> int:
    assert child._process is not None
    return child._process.pid


def proc(child: ParserChild, file: str) -> str:
    return Path(f"/proc/{number(child)}/{file}").read_text()


async def test_a_feed_is_parsed_the_same_inside_and_outside_the_child(child):
    assert await child.parse_feed(PRESS, "text/xml") == feed_parser.parse(PRESS, "text/xml")


async def test_one_child_serves_many_callers_in_turn(child):
    bodies = [b"<rss><channel><item><guid>%d</guid></item></channel></rss>" % n for n in range(40)]
    feeds = await asyncio.gather(*(child.parse_feed(body, "text/xml") for body in bodies))
    assert [feed.entries[0].id for feed in feeds] == [str(n) for n in range(40)]


async def test_nothing_is_started_before_it_is_needed(child):
    assert child._process is None
    await child.close()


async def test_a_child_is_replaced_after_its_jobs():
    child = ParserChild(jobs=2)
    pids = []
    for _ in range(4):
        await child.parse_feed(PRESS, "text/xml")
        pids.append(number(child))
    await child.close()
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_a_document_that_takes_too_long_is_given_up_and_the_next_one_is_served():
    child = ParserChild(wall=timedelta(seconds=1))
    with pytest.raises(Blocked, match="longer than 1 s") as caught:
        await child.parse_feed(SLOW, "text/xml")
    assert caught.value.why == "parser_time"
    assert child.deaths == {"parser_time": 1}
    assert (await child.parse_feed(PRESS, "text/xml")).version == "rss20"
    await child.close()


async def test_a_document_that_takes_too_much_memory_is_given_up():
    child = ParserChild(memory=200 << 20, wall=timedelta(seconds=20))
    deep = b"<rss><channel>" + b"<a>" * 3_000_000 + b"</a>" * 3_000_000 + b"</channel></rss>"
    with pytest.raises(Blocked, match="more than 200 MB") as caught:
        await child.parse_feed(deep, "text/xml")
    assert caught.value.why == "parser_memory"
    assert (await child.parse_feed(PRESS, "text/xml")).version == "rss20"
    await child.close()


async def test_a_child_that_dies_in_between_is_replaced(child):
    await child.parse_feed(PRESS, "text/xml")
    first = child._process
    os.kill(number(child), signal.SIGSEGV)
    await first.wait()
    assert (await child.parse_feed(PRESS, "text/xml")).version == "rss20"


async def test_a_child_that_dies_at_work_is_an_error_of_this_document_only():
    child = ParserChild(wall=timedelta(seconds=20))
    await child.parse_feed(PRESS, "text/xml")
    job = asyncio.create_task(child.parse_feed(SLOW, "text/xml"))
    await asyncio.sleep(0.05)
    os.kill(number(child), signal.SIGSEGV)
    with pytest.raises(Blocked) as caught:
        await job
    assert caught.value.why == "parser_died"
    await child.close()


async def test_a_caller_that_goes_away_leaves_no_half_answer_for_the_next(child):
    for patience in (0.001, 0.05, 0.3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(child.parse_feed(SLOW, "text/xml"), patience)
    assert (await child.parse_feed(PRESS, "text/xml")).entries[0].id == "press-81"


async def test_cpu_time_is_counted_for_each_job_alone():
    child = ParserChild(wall=timedelta(seconds=1))
    body = b"<rss><channel>" + b"<item><title>a & b</title></item>" * 200 + b"</channel></rss>"
    seconds, pids = 0.0, set()
    while seconds < 2.5:  # more than one job may take
        assert (await child.parse_feed(body, "text/xml")).total == 200
        pids.add(number(child))
        ticks = proc(child, "stat").rpartition(")")[2].split()[11:13]
        seconds = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    assert len(pids) == 1
    await child.close()


async def test_the_child_sees_nothing_of_our_environment(child, monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-canary")
    await child.parse_feed(PRESS, "text/xml")
    assert "canary" not in proc(child, "environ")
    limits = proc(child, "limits")
    assert f"Max address space         {512 << 20}" in limits
    assert "Max open files            32 " in limits


async def test_an_interpreter_that_may_not_be_run_is_told_and_no_bug(child, monkeypatch, tmp_path):
    forbidden = tmp_path / "python"
    forbidden.write_text("")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(sys, "executable", str(forbidden))
        with pytest.raises(Transient, match=f"Permission denied: {forbidden}"):
            await child.parse_feed(PRESS, "text/xml")
    assert await child.parse_feed(PRESS, "text/xml")


async def test_closing_leaves_no_process(child):
    await child.parse_feed(PRESS, "text/xml")
    pid = number(child)
    await child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
