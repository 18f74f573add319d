"""Counts in CSV files: read row by row, refused with file and line, laid on the epoch's grid."""

from __future__ import annotations

import csv
import itertools
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from brandmelder.errors import InputError
from brandmelder.model import Bin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

_COLUMNS = ("time", "negative", "total", "exposure", "reach")
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=1)
_CLOCK_CHANGE = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = 1900, 2200
_MOST = 1e9
"""A greater count in one bin is a mistake."""


class Row(Struct, frozen=True):
    """One line of a file."""

    line: int
    moment: datetime
    negative: float
    total: float
    exposure: float
    reach: float


class Counts(NamedTuple):
    """A file as bins: by how much they were shifted to lie on the grid, and which columns it has."""

    bins: list[Bin]
    shift: timedelta
    columns: frozenset[str]


def duration(length: timedelta) -> str:
    """Return an ISO 8601 duration, as in PT35M, PT6H or P3D."""
    minutes = round(length.total_seconds() / 60)
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock or not days else "")


def bins_of(file: Path, zone: ZoneInfo) -> Counts:
    """Read a file into bins on the epoch's grid. Raises InputError with file and line."""
    columns: set[str] = set()
    rows = list(_rows(file, zone, columns))
    width = _width(file, rows)
    first = rows[0].moment
    shift = (first - _EPOCH) % width
    if 2 * shift > width:  # to the nearer edge: local days begin an hour or two before UTC's, and keep their weekday
        shift -= width
    bins: list[Bin] = []
    for row in rows:
        number = round((row.moment - first) / width)
        off = abs(row.moment - first - number * width)
        if off > (_CLOCK_CHANGE if width > 2 * _CLOCK_CHANGE else timedelta(0)):
            raise InputError(
                file,
                row.line,
                f"{row.moment.isoformat()} is off the grid of {duration(width)}; use one width, and times in UTC if it "
                "was a change of the clock (--tz UTC reads times without an offset so)",
            )
        start = first - shift + number * width
        if bins and start <= bins[-1].start:
            raise InputError(file, row.line, f"{row.moment.isoformat()} falls into the bin before it; use one width")
        bins.append(
            Bin(
                start=start,
                width=width,
                total=row.total,
                negative=row.negative,
                labelled=round(row.negative),
                reach=row.reach,
                exposure=row.exposure,
            )
        )
    return Counts(bins, shift, frozenset(columns))


def _width(file: Path, rows: list[Row]) -> timedelta:
    if len(rows) < 3:
        raise InputError(file, None, f"{len(rows)} rows; at least 3 are needed to tell the width of a bin")
    gaps = Counter(after.moment - before.moment for before, after in itertools.pairwise(rows))
    width = gaps.most_common(1)[0][0]
    seconds = round(width.total_seconds())
    fits = 3600 % seconds == 0 if seconds < 3600 else seconds % 3600 == 0 and 86400 % seconds == 0
    if not _SHORTEST <= width <= _LONGEST or not fits:
        raise InputError(
            file,
            rows[1].line,
            f"rows are {duration(width)} apart; bins of 5 min to 1 day that divide the hour or the day",
        )
    return width


def _rows(file: Path, zone: ZoneInfo, columns: set[str]) -> Iterator[Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            yield from _parsed(file, csv.DictReader(stream, strict=True), zone, columns)
    except OSError as error:
        raise InputError(file, None, f"{error.strerror or error}; give the path of a CSV file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(file, None, f"is no CSV file in UTF-8 ({error}); save it as CSV, UTF-8") from error


def _parsed(file: Path, reader: csv.DictReader[str], zone: ZoneInfo, columns: set[str]) -> Iterator[Row]:
    names = [name.strip() for name in reader.fieldnames or ()]
    if "time" not in names or "negative" not in names:
        hint = "; part the fields by commas, and write 1.5 for one and a half" if _is_parted_otherwise(names) else ""
        raise InputError(file, 1, f"needs the columns time and negative; has {', '.join(names) or 'nothing'}{hint}")
    unknown = sorted(set(names) - set(_COLUMNS))
    if unknown or len(names) != len(set(names)):
        raise InputError(file, 1, f"has columns that mean nothing here: {', '.join(unknown) or 'one name twice'}")
    reader.fieldnames = names
    columns.update(names)
    before: datetime | None = None
    is_zoned: bool | None = None
    written = ""
    for record in reader:
        line = reader.line_num
        if None in record or None in record.values():
            raise InputError(file, line, f"has another number of fields than the {len(names)} columns")
        moment, zoned = _moment(file, line, record["time"], zone=zone, before=before)
        if is_zoned is not None and zoned != is_zoned:
            raise InputError(file, line, "mixes times with and without an offset; write all of them in one way")
        if before is not None and moment <= before and not zoned and _is_left_out(written, zone):
            text = f"the clocks of {zone.key} leave out {written}; write offsets, or --tz UTC if the times are UTC"
            raise InputError(file, line, text)
        if before is not None and moment == before:
            raise InputError(file, line, f"{record['time']} stands there twice; sum the rows of a bin")
        if before is not None and moment < before:
            raise InputError(file, line, f"{record['time']} comes after a later time; sort the rows")
        before, is_zoned, written = moment, zoned, record["time"]
        figures = {name: _figure(file, line, name, record[name]) for name in names if name != "time"}
        yield Row(
            line,
            moment,
            figures["negative"],
            figures.get("total", figures["negative"]),
            figures.get("exposure", 1.0),
            figures.get("reach", 0.0),
        )


def _is_parted_otherwise(names: list[str]) -> bool:
    """Return whether a file's fields are parted by semicolons or tabs, as spreadsheets in German write them."""
    return any(mark in name for name in names for mark in ";\t")


def _is_left_out(text: str, zone: ZoneInfo) -> bool:
    """Return whether a local time lies in the hour that a spring night leaves out."""
    local = datetime.fromisoformat(text.strip())
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local


def _moment(file: Path, line: int, text: str, *, zone: ZoneInfo, before: datetime | None) -> tuple[datetime, bool]:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(file, line, f"{text!r} is no time; write it as in 2026-03-01T14:05:00+01:00") from error
    if not _EARLIEST <= moment.year <= _LATEST:
        raise InputError(file, line, f"{text.strip()} cannot be meant; write a year from {_EARLIEST} to {_LATEST}")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC), True
    local = moment.replace(tzinfo=zone).astimezone(UTC)
    if before is not None and local <= before:  # the hour that an autumn night has twice
        local = max(local, moment.replace(tzinfo=zone, fold=1).astimezone(UTC))
    return local, False


def _figure(file: Path, line: int, name: str, text: str) -> float:
    try:
        figure = float(text)
    except ValueError as error:
        raise InputError(file, line, f"{name} is {text!r}; write a number") from error
    if not math.isfinite(figure) or figure < 0:
        raise InputError(file, line, f"{name} is {text.strip()}; write a number of 0 or more")
    if name != "reach" and figure > _MOST:
        raise InputError(file, line, f"{name} is {text.strip()}; more than a thousand million in a bin is a mistake")
    if name == "exposure" and figure > 1:
        raise InputError(file, line, f"exposure is {text.strip()}; it is the share that was seen, 0 to 1")
    return figure
