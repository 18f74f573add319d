"""The process that reckons what a monitor would have paged: pages keep the interpreter to themselves (decision 0102).

What goes in and out is ours alone: stored counts and rules from the service that started it, moments back to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
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
    root = str(Path(brandmelder.__file__).parent.parent)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", _BOOT, root, stdin=PIPE, stdout=PIPE, cwd="/"
    )
    try:
        said, _ = await process.communicate(pickle.dumps((past, dict(budgets))))
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise NotReckoned(f"the process that reckons ended with {process.returncode}; its reason stands above")
    return msgspec.json.decode(said, type=Openings)


def main() -> None:
    """Read what is asked, say what would have been."""
    os.nice(_LESS_URGENT)
    past, budgets = pickle.load(sys.stdin.buffer)  # noqa: S301 -- see above
    sys.stdout.buffer.write(msgspec.json.encode(openings_of(past, budgets)))
