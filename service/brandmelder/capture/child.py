"""The parent's side of the parser child: nothing untrusted is parsed in the service itself.

The child lives long, is started when first needed, killed when a job overstays, and replaced after a number of jobs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

import brandmelder
from brandmelder import metrics
from brandmelder.capture.source import ParsedFeed
from brandmelder.errors import Blocked, Transient

ANSWER_BYTES: Final = 64 << 20
"""A child that says more than this has been taken over."""
_START: Final = timedelta(seconds=30)
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from {}.child_main import main; main(*map(int, sys.argv[2:]))"
_decode = msgspec.json.Decoder(ParsedFeed).decode


class ParserChild:
    """Parses feeds in a limited process; callers wait in line. Close it when done.

    `wall` is how long one job may take, `memory` what the child may have in bytes, `jobs` how many it does before it is
    replaced. `deaths` counts by reason what became of children before their time.
    """

    def __init__(self, *, wall: timedelta = timedelta(seconds=5), memory: int = 512 << 20, jobs: int = 1000) -> None:
        self._wall, self._memory, self._jobs = wall, memory, jobs
        self._process: Process | None = None
        self._done = 0
        self._turn = asyncio.Lock()
        self.deaths: dict[str, int] = {}

    async def parse_feed(self, body: bytes, content_type: str) -> ParsedFeed:
        """Parse one document. Raises Blocked if it breaks a child: `parser_time`, `_memory`, `_died`, `_start`."""
        async with self._turn:
            process = await self._child()
            try:
                async with asyncio.timeout(self._wall.total_seconds()):
                    feed = await _do(process, body, content_type)
            except TimeoutError:
                raise await self._lost("parser_time") from None
            except (EOFError, ConnectionError, ValueError, msgspec.MsgspecError):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 1)
                raise await self._lost(_reason(process.returncode)) from None
            except BaseException:
                # Cancelled, or we have no memory left: it is still busy with a job nobody waits for, and what it says
                # to that would be taken for the answer to the next.
                await self._end()
                raise
            self._done += 1
            return feed

    async def close(self) -> None:
        """End the child, if there is one."""
        async with self._turn:
            await self._end()

    async def _child(self) -> Process:
        if self._process is not None and (self._done >= self._jobs or self._process.returncode is not None):
            await self._end()
        if self._process is None:
            root = str(Path(brandmelder.__file__).parent.parent)
            limits = str(self._memory), str(max(1, int(self._wall.total_seconds())))
            command = (sys.executable, "-I", "-c", _BOOT.format(__package__), root, *limits)
            self._done = 0
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, cwd="/"
                )
            except OSError as error:  # no descriptor, no process, no memory is left
                why = f"{error.strerror}: {sys.executable}"  # or an interpreter that only root may run
                raise Transient(f"its parser could not be started ({why}); it is tried again") from error
            try:
                async with asyncio.timeout(_START.total_seconds()):
                    await _receive(self._process)
            except (TimeoutError, EOFError) as error:
                raise await self._lost("parser_start") from error
            except asyncio.CancelledError:
                await self._end()
                raise
        return self._process

    async def _lost(self, why: str) -> Blocked:
        await self._end()
        self.deaths[why] = self.deaths.get(why, 0) + 1
        metrics.PARSE_CHILD_KILLED.labels(why).inc()
        return Blocked(_SENTENCES[why].format(wall=self._wall.total_seconds(), memory=self._memory >> 20), why)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ConnectionError):
            await process.communicate()


_SENTENCES = {
    "parser_time": "its document takes longer than {wall:g} s to parse; mend its url or tell its operator",
    "parser_memory": "its document takes more than {memory} MB to parse; mend its url or tell its operator",
    "parser_died": "its document broke the parser; mend its url or tell its operator",
    "parser_start": "the parser process does not start; is there memory left on this machine?",
}


def _reason(code: int | None) -> str:
    if code == -signal.SIGXCPU:
        return "parser_time"
    return "parser_memory" if code in {os.EX_OSERR, -signal.SIGKILL} else "parser_died"


async def _do(process: Process, body: bytes, content_type: str) -> ParsedFeed:
    if process.stdin is None:
        raise EOFError
    kind = content_type.encode()[:1000]
    process.stdin.write(len(kind).to_bytes(4) + len(body).to_bytes(4) + kind)
    process.stdin.write(body)
    await process.stdin.drain()
    return _decode(await _receive(process))


async def _receive(process: Process) -> bytes:
    if process.stdout is None:
        raise EOFError
    length = int.from_bytes(await process.stdout.readexactly(4))
    if length > ANSWER_BYTES:
        raise ValueError("too long")
    return await process.stdout.readexactly(length)
