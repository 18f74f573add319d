"""The error tree. Expected outcomes are values; these are what a person must read.

BrandmelderError            says what happened, to whom, what to do; exit code 1
├── ConfigurationError      the configuration cannot be used; carries every problem at once; exit code 2
├── QueryError              a query cannot be read; carries the column
├── InputError              a file given on the command line cannot be read; carries file and line; exit code 2
├── StoreError              the database cannot be used
│   ├── StoreBusy           another process holds the file
│   ├── StoreTooNew         the database comes from a newer version
│   ├── StoreFull           the disk is full; nothing was lost
│   ├── RowUnreadable       one row cannot be decoded; it is left as it is
│   └── Conflict            somebody else was faster: read again and decide anew
├── SourceError             a poll failed; maps to the states of a source
│   ├── Transient           will pass: time-out, 5xx, connection refused
│   ├── RateLimited         asked to wait until `until`
│   ├── AuthRefused         401 or 403: a person must renew a credential
│   ├── Gone                404 or 410: a person must mend the address
│   ├── Blocked             refused by our own rules: address, size, redirect, deadline
│   └── ShapeChanged        the answer is not what this source speaks (HTML for a feed, JSON without `id`)
├── ChannelError            a message met no answer; what follows from that is the delivery's business
│   ├── Unsent              certainly nothing arrived: no connection, or our own rules forbid the place
│   └── Unanswered          it may have arrived: the connection broke behind it
└── PluginError             an unknown `type:` or a plug-in that does not load
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Self

    from brandmelder.model import SourceId


def to_have(extra: str) -> str:
    """Say how to get what an extra brings. Never a bare `pip install`: it would ask a registry for a name of ours."""
    return f'install the extra "{extra}", as docs/how-to/install.md says under "An extra"'


class BrandmelderError(Exception):
    """Says what happened, to whom, and what to do about it, in one line for a person."""

    exit_code = 1


class Problem:
    """One thing wrong with a configuration: where, what, and what would be right."""

    __slots__ = ("column", "file", "hint", "line", "text")

    def __init__(self, file: str, line: int, column: int, text: str, hint: str = "") -> None:
        self.file, self.line, self.column, self.text, self.hint = file, line, column, text, hint

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.text}" + (f" ({self.hint})" if self.hint else "")


class ConfigurationError(BrandmelderError):
    """The configuration cannot be used; `problems` holds every reason at once, in the order of the file."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class QueryError(BrandmelderError):
    """A query cannot be read; `column` counts from 1 within the query."""

    exit_code = 2

    def __init__(self, text: str, query: str, column: int) -> None:
        self.text, self.query, self.column = text, query, column
        super().__init__(f"{text}\n  {query}\n  {' ' * (column - 1)}^")


class InputError(BrandmelderError):
    """A file given by a person cannot be read: `FILE:LINE: what is wrong; what to do`."""

    exit_code = 2

    def __init__(self, file: Path | str, line: int | None, text: str) -> None:
        where = f"{file}:{line}" if line is not None else f"{file}"
        super().__init__(f"{where}: {text}")


class PluginError(BrandmelderError):
    """An unknown `type:` or a plug-in that does not load."""

    exit_code = 2


class StoreError(BrandmelderError):
    """The database cannot be used."""


class StoreBusy(StoreError):
    """Another process holds the database file."""


class StoreReplaced(StoreError):
    """The file of the open database was moved, deleted or replaced: nothing more is written to it."""


class StoreTooNew(StoreError):
    """The database was written by a newer version."""


class StoreFull(StoreError):
    """The disk is full: the transaction was rolled back, cursors stand still, nothing is lost."""


class RowUnreadable(StoreError):
    """A row that was asked for by its name cannot be decoded; it is left as it is."""


class Conflict(StoreError):
    """A compare-and-set lost: somebody else changed the row first."""


class SourceError(BrandmelderError):
    """A poll failed. The next poll is the retry; nothing retries inside a source."""

    def about(self, source: SourceId) -> Self:
        """Say to whom it happened: return itself with the source's name before its sentence."""
        self.args = (f'source "{source}": {self}',)
        return self


class Transient(SourceError):
    """Will pass by itself: a time-out, a refused connection, a 5xx."""


class RateLimited(SourceError):
    """The server asked us to wait."""

    def __init__(self, text: str, until: datetime) -> None:
        self.until = until
        super().__init__(text)


class AuthRefused(SourceError):
    """401 or 403: a person must renew a credential or a right."""


class Gone(SourceError):
    """404 or 410: a person must mend the address."""


class Blocked(SourceError):
    """Refused by our own rules: address, size, redirects or deadline. `why` is a metric's label."""

    def __init__(self, text: str, why: str) -> None:
        self.why = why
        super().__init__(text)


class ShapeChanged(SourceError):
    """The answer is not what this source speaks."""


class ChannelError(BrandmelderError):
    """A message met no answer. Nothing is tried again inside a channel: the delivery decides what follows."""


class Unsent(ChannelError):
    """Certainly nothing arrived. `is_final`: it never will, since our own rules forbid the place."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        self.is_final = is_final
        super().__init__(text)


class Unanswered(ChannelError):
    """It may have arrived: the connection broke, or the answer was none."""
