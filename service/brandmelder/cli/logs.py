"""What a log line may hold: events, our own ids and numbers, where a fault lies; no strangers' words, no secrets.

Three doors are watched: the fields of our own lines, the traces of faults (no locals, no values; a message only if it
is a sentence of ours), and what libraries log (the template of their sentence, not what they put into it).
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from brandmelder.capture.egress import redact
from brandmelder.errors import BrandmelderError
from brandmelder.notify.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from types import TracebackType

LONGEST = 1000
"""A field is cut here."""
_TOKENS = re.compile(
    r"\b(xox[a-z]-|xapp-|gh[pousr]_|sk-|whsec_|syt_)[\w.%-]{6,}|(?<=Bearer )\S+|(?<=Basic )\S+"
    r"|\d{6,12}(?::|%3a)[\w-]{30,50}|eyj[\w-]{8,}\.[\w-]{8,}\.[\w-]*",  # Telegram's stand in paths; JWT
    re.IGNORECASE,
)
_FRAMES = 30
_SAID_BESIDE = frozenset(
    {
        "calendar.unreadable",
        "canary.lost",
        "clock.went_back",
        "configuration.refused",
        "mention.unjudged",
        "part.failed",
        "source.recovered",
        "source.spent",
        "work.put_off",
    }
)
"""What the service says in a sentence as well; on a terminal both would stand below one another."""


def log_to(stream: TextIO, *, is_terminal: bool) -> None:
    """Write one line per thing that happened: for eyes on a terminal, JSON elsewhere. Libraries and crashes, too."""
    is_coloured = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    render = (
        structlog.dev.ConsoleRenderer(colors=is_coloured, exception_formatter=structlog.dev.plain_traceback)
        if is_terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            *([for_eyes] if is_terminal else []),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            trace,
            clean,
            render,
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    root = logging.getLogger()
    root.handlers[:] = [_Libraries()]
    root.setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    sys.excepthook = _crashed


def for_eyes(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave out what is for machines, and what somebody at the terminal reads as a sentence beside it."""
    name = event.get("event")
    is_first_failure = name == "source.failed" and event.get("failures") == 1
    if name == "audit.head" or name in _SAID_BESIDE or is_first_failure:
        raise structlog.DropEvent
    return event


def trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put where a fault lies in the place of its traceback."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["fault"] = list(_told(error))
    return event


def _told(error: BaseException) -> Iterator[str]:
    """Yield an error and what caused it: its kind, its sentence if it is one of ours, and its frames."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        error = following
        seen.add(id(error))
        ours = f": {error}" if isinstance(error, BrandmelderError) else ""
        yield f"{type(error).__module__}.{type(error).__qualname__}{ours}"
        yield from _frames(error.__traceback__)
        following = error.__cause__ or error.__context__


def _frames(begin: TracebackType | None) -> Iterator[str]:
    for frame in traceback.extract_tb(begin, limit=-_FRAMES):
        place = frame.filename.partition("site-packages/")[2] or frame.filename.rpartition("service/")[2]
        yield f"  {place}:{frame.lineno} {frame.name}"


def clean(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets and whatever acts on a terminal or a reader of logs out of every field."""
    return {name: _cleaned(value) for name, value in event.items()}


def _cleaned(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {_cleaned(str(name)): _cleaned(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(one) for one in value]
    text = visible(str(value)[: 4 * LONGEST])
    return _TOKENS.sub("…", redact(text))[:LONGEST]


class _Libraries(logging.Handler):
    """Takes what libraries log: who, how bad, the template of the sentence, where a fault lies."""

    def emit(self, record: logging.LogRecord) -> None:
        sentence = str(record.msg).partition("\n")[0][:200]
        log = structlog.get_logger()
        level = "error" if record.levelno >= logging.ERROR else "warning"
        getattr(log, level)("library.spoke", library=record.name, template=sentence, exc_info=record.exc_info)


def _crashed(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, where)
        return
    structlog.get_logger().critical("service.crashed", exc_info=error)
