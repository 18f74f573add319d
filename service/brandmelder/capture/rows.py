"""How a file of rows is read from a byte on: JSON lines, CSV, mbox. What is not finished yet waits.

A row is an object whose parts a mapping finds. Memory holds one batch, whatever the file's size.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import msgspec
from msgspec import Struct

from brandmelder.capture.json_api import decoded
from brandmelder.capture.letters import read_letter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind = Literal["jsonl", "csv", "mbox"]

LONGEST: Final = 1 << 20
"""How many bytes a row may have; what is longer is a bad one."""
_ENDINGS: Final[dict[str, Kind]] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".mbox": "mbox", ".mbx": "mbox",
}  # fmt: skip
_FROM: Final = re.compile(rb"From \S+")
_QUOTED: Final = re.compile(rb"^>(>*From )", re.MULTILINE)


class BadRow(Struct, frozen=True):
    """A row that cannot be read, and why."""

    why: str


class Batch(Struct, frozen=True, kw_only=True):
    """Some rows of a file."""

    rows: list[Any]
    """Objects, and `BadRow` where one cannot be read; None where a letter was written by a machine."""
    starts: list[int]
    """Behind which byte each of them stands."""
    offset: int
    """Where the next row begins, in bytes."""
    has_more: bool


def kind_of(name: str) -> Kind | None:
    """Return what a file's name says of its rows; None for a name that says nothing."""
    return next((kind for ending, kind in _ENDINGS.items() if name.lower().endswith(ending)), None)


def read_batch(file: BinaryIO, kind: Kind, offset: int, *, limit: int, is_whole: bool) -> Batch:
    """Return up to `limit` rows from `offset` on.

    A last row without its end is read only if the file `is_whole`, that is, if nobody writes to it any more. Raises
    ValueError for a CSV file without a header.
    """
    rows: Callable[[_Lines], Iterator[tuple[Any, int]]] = {"jsonl": _json, "csv": _csv, "mbox": _letters}[kind]
    lines = _Lines(file, offset, is_whole=is_whole, has_header=kind == "csv")
    found: list[Any] = []
    starts: list[int] = []
    start = lines.at
    for row, end in rows(lines):
        found.append(row)
        starts.append(start)
        start = offset = end
        if len(found) == limit:
            return Batch(rows=found, starts=starts, offset=offset, has_more=True)
    return Batch(rows=found, starts=starts, offset=offset, has_more=False)


def line_of(file: BinaryIO, start: int) -> int:
    """Return the number of the line on which the row behind a byte begins, from 1; reads the file up to there."""
    file.seek(0)
    number, left = 1, start
    while left and (chunk := file.read(min(left, LONGEST))):
        number += chunk.count(b"\n")
        left -= len(chunk)
    ahead = file.read(LONGEST)
    return number + ahead[: len(ahead) - len(ahead.lstrip())].count(b"\n")


class _Lines:
    """The lines of a file, each with the byte at which it begins; `at` is where the next one does."""

    def __init__(self, file: BinaryIO, offset: int, *, is_whole: bool, has_header: bool) -> None:
        self._file, self.is_whole, self.is_over = file, is_whole, False
        file.seek(0)
        self.header = file.readline(LONGEST) if has_header else b""
        self.at = max(offset, len(self.header))
        file.seek(self.at)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while line := self._file.readline(LONGEST):
            if not line.endswith(b"\n") and len(line) < LONGEST and not self.is_whole:
                break
            start, self.at = self.at, self.at + len(line)
            yield start, line
        self.is_over = True


def _json(lines: _Lines) -> Iterator[tuple[Any, int]]:
    for _, line in lines:
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not text:
            continue
        try:
            row: object = decoded(text, object)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            row = BadRow(str(error)[:120])
        yield row if isinstance(row, dict | BadRow) else BadRow("no object"), lines.at


def _csv(lines: _Lines) -> Iterator[tuple[Any, int]]:
    header = lines.header.decode("utf-8-sig", "replace")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    try:
        names = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error as error:  # lines that end with a carriage return alone, as old programs write them
        raise ValueError(f"has a header that cannot be read ({error}); save it anew as CSV in UTF-8") from error
    if not any(name.strip() for name in names):
        raise ValueError("has no header; its first line must name the columns")
    reader = csv.reader((line.decode("utf-8", "replace") for _, line in lines), delimiter=delimiter)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield BadRow(str(error)[:120]), lines.at
            continue
        # Whoever reads on beyond the last line stands inside a quoted cell that is still being written.
        if cells is None or (lines.is_over and not lines.is_whole):
            return
        if any(cells):
            row = {name.strip(): cell for name, cell in zip(names, cells, strict=False) if cell}
            yield row, lines.at


def _letters(lines: _Lines) -> Iterator[tuple[Any, int]]:
    """Letters of an mbox: each begins with a `From ` line after an empty one (RFC 4155)."""
    letter: list[bytes] = []
    size, is_after_blank = 0, True
    for start, line in lines:
        if is_after_blank and _FROM.match(line):
            if letter:
                yield _letter(letter), start
            letter = []
            size = 0
        elif size <= LONGEST:  # attachments are left out anyway: what comes after a mebibyte is not kept in memory
            letter.append(line)
            size += len(line)
        is_after_blank = not line.strip()
    if letter and lines.is_whole:
        yield _letter(letter), lines.at


def _letter(lines: list[bytes]) -> Any:
    """Return the row of a letter; None for one that a machine wrote."""
    told = read_letter(_QUOTED.sub(rb"\1", b"".join(lines)[:LONGEST]))
    if told.is_automatic:
        return None
    if not told.ident or not (told.text or told.subject):
        return BadRow("a letter without Message-ID or words")
    return {
        "external_id": told.ident,
        "text": told.text or told.subject,
        "context": told.subject,
        "author": told.author,
        "parent_id": told.parent or None,
        "published_at": told.written.isoformat() if told.written else None,
    }
