"""The service itself runs out of memory: the work in hand fails, and nothing of it is taken for something else."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from brandmelder.capture.child import ParserChild

FEED = '<rss version="2.0"><channel><title>{0}</title><item><guid>{0}</guid><title>{1}</title></item></channel></rss>'


def _held():
    return int(Path("/proc/self/status").read_text().partition("VmSize:")[2].split()[0]) << 10


async def _parsed(child, name, text=""):
    feed = await child.parse_feed(FEED.format(name, text).encode(), "application/rss+xml")
    return [entry.id for entry in feed.entries]


async def _run_out():
    child = ParserChild()
    assert await _parsed(child, "before") == ["before"]
    large = FEED.format("large", "x" * (48 << 20)).encode()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_held() + (1 << 20), hard))
    failed = False
    try:
        await child.parse_feed(large, "application/rss+xml")
    except MemoryError:
        failed = True
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert failed
    assert await _parsed(child, "after") == ["after"]
    await child.close()


def test_a_document_for_which_there_is_no_memory_leaves_nothing_to_the_next():
    # A process of its own: one that ran other tests has memory lying about.
    tried = "import asyncio; from faults.test_no_memory import _run_out; asyncio.run(_run_out())"
    asked = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", tried], env=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
