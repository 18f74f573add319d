"""How many files and connections this process may have open, and what is said when that is too few."""

from __future__ import annotations

import errno
import resource
from pathlib import Path
from typing import Final

ENOUGH: Final = 65_536
_OPEN: Final = Path("/proc/self/fd")
_NEARLY: Final = 0.9


def allow_many() -> None:
    """Take as many as the system grants: what a login shell is left with (1,024) is too few for 500 sources."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def is_want(error: object) -> bool:
    """Say whether an error says that no more files can be opened, by this process or on this machine."""
    return isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}


def want() -> str:
    """Return the sentence for that."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        f"no more files or connections can be opened ({most} are allowed): what is new waits, nothing is lost; raise "
        "LimitNOFILE= (systemd) or --ulimit nofile= (container), or see who holds so many (ss -tnp)"
    )


def complaint() -> list[str]:
    """Return that sentence as soon as nine tenths are in use, else nothing."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        count = sum(1 for _ in _OPEN.iterdir())
    except FileNotFoundError:  # no Linux
        return []
    except OSError as error:
        return [want()] if is_want(error) else []
    if most == resource.RLIM_INFINITY or count < _NEARLY * most:
        return []
    return [f"{count} of {most} files and connections that are allowed are open: see who holds them (ss -tnp)"]
