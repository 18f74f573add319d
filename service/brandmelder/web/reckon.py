"""The process that reckons what a monitor would have paged: pages keep the interpreter to themselves (decision 0102).

What goes in and out is ours alone: stored counts and rules from the service that started it, moments back to it.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING, Final

import msgspec

import brandmelder
from brandmelder.errors import BrandmelderError
from brandmelder.pipeline.openings import Openings, Past, openings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOOT: Final = "import sys; sys.path.insert(0, sys.argv[1]); from brandmelder.web.reckon import main; main()"
_LESS_URGENT: Final = 10
"""How much the process yields to others on a busy machine (nice)."""


class NotReckoned(BrandmelderError):
    """The process ended without an answer."""


async def reckoned(past: Past, budgets: Mapping[str, float]) -> Openings:
    """Return when each budget would have opened a storm. Raises NotReckoned; ends its process when it is cancelled."""
    child = _Child()
    try:
        return await asyncio.to_thread(child.ask, past, budgets)
    finally:
        child.end()


class _Child:
    """One process, asked once by a thread that waits for it, and ended by whoever waits no more."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = False

    def ask(self, past: Past, budgets: Mapping[str, float]) -> Openings:
        """Have it reckon. Raises NotReckoned."""
        with self._turn:
            if self._is_over:
                raise NotReckoned("nobody waits for it any more")
            root = str(Path(brandmelder.__file__).parent.parent)
            command = (sys.executable, "-I", "-c", _BOOT, root)
            self._process = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, cwd="/")  # noqa: S603 -- our own words
        said, _ = self._process.communicate(pickle.dumps((past, dict(budgets))))
        if self._process.returncode != 0:
            raise NotReckoned(f"the process that reckons ended with {self._process.returncode}; see the lines above")
        return msgspec.json.decode(said, type=Openings)

    def end(self) -> None:
        """Reckon no more."""
        with self._turn:
            self._is_over = True
            if self._process is not None:
                self._process.kill()


def main() -> None:
    """Read what is asked, say what would have been."""
    os.nice(_LESS_URGENT)
    past, budgets = pickle.load(sys.stdin.buffer)  # noqa: S301 -- see above
    sys.stdout.buffer.write(msgspec.json.encode(openings_of(past, budgets)))
