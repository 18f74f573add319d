"""A table as CSV that spreadsheets open as data and never as formulas.

A cell of text that begins with a sign by which Excel, LibreOffice or Google Sheets begins a formula gets an apostrophe
before it, as OWASP advises for CSV injection; every cell is quoted. A mark of byte order at the beginning lets Excel
read it as UTF-8.
"""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Final

from brandmelder.notify.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

Cell = str | int | bool | datetime | None

BOM: Final = "\ufeff"
_FORMULA: Final = frozenset("=+-@\t\r\n|%＝＋－＠")
"""Signs that begin a formula, also in their full-width forms, or an exchange with another program."""
LONGEST: Final = 32_000
"""A cell of Excel holds 32,767 characters."""


def sheet(
    head: Sequence[str], rows: Iterable[Sequence[Cell]], *, zone: tzinfo, delimiter: str = ",", bom: bool = True
) -> Iterator[str]:
    """Yield a table line by line: moments on the clock of `zone`, booleans as 1 and 0, nothing as an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if bom:
        out.write(BOM)
    writer.writerow(head)
    yield _taken(out)
    for row in rows:
        writer.writerow([cell(one, zone) for one in row])
        yield _taken(out)


def cell(value: Cell, zone: tzinfo) -> str:
    """Return a value as a cell shows it."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case int():
            return str(value)
        case datetime():
            return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        case str():
            return disarmed(value)


def disarmed(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: on one line, without what is not seen but acts."""
    line = " ".join(visible(text[:LONGEST]).split())
    # Blanks and quotes are stripped by some programs before they look at the first sign.
    first = line.lstrip(" \u00a0\"'")[:1]
    return f"'{line}" if first in _FORMULA and first else line


def _taken(out: io.StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text
