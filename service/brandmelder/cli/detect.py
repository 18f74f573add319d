"""`brandmelder detect`: run the detector over counts that anyone has, from CSV files."""

from __future__ import annotations

import csv
import itertools
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec
from msgspec import Struct

from brandmelder.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.detect.scan import DetectorRules
    from brandmelder.model import Bin, Incident

_COLUMNS = ("time", "negative", "total", "exposure", "reach")
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Found(Struct, frozen=True, kw_only=True):
    """One incident in a file, as `--json` prints it."""

    file: str
    kind: str
    opened: datetime
    """The end of the bin at which it pages."""
    closed: datetime | None
    severity: int
    """The highest one it reached."""
    observed: int
    usual: tuple[int, int]
    window: str
    """ISO 8601 duration."""
    learning: bool


class Row(Struct, frozen=True):
    """One line of a file."""

    line: int
    moment: datetime
    negative: float
    total: float
    exposure: float
    reach: float


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.csv …")
@click.option("--false-alarms", default="balanced", show_default=True, metavar="BUDGET", help='As in "1 per 30 days".')
@click.option("--tz", default="Europe/Berlin", show_default=True, metavar="ZONE", help="Whose clock and week count.")
@click.option("--region", default="", metavar="REGION", help="Whose public holidays count, as in DE or DE-BY.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per incident and line.")
def detect(files: tuple[Path, ...], false_alarms: str, tz: str, region: str, *, as_json: bool) -> None:
    """Find incidents in counts.

    Columns: time,negative[,total][,exposure][,reach]; one row a bin of 5 minutes to 1 day. A missing row is a bin that
    was not seen. Times without an offset are those of --tz.
    """
    rules = _rules(false_alarms, tz, region)
    found = [one for incidents in _each(files, rules) for one in incidents]
    if as_json:
        for one in found:
            click.echo(msgspec.json.encode(one))
    else:
        _print(found, ZoneInfo(tz), several=len(files) > 1)


def _rules(false_alarms: str, tz: str, region: str) -> DetectorRules:
    from brandmelder.detect.budget import parse_budget
    from brandmelder.detect.calendar import check_region
    from brandmelder.detect.scan import DetectorRules

    try:
        ZoneInfo(tz)
        return DetectorRules(budget=parse_budget(false_alarms), zone=tz, region=check_region(region))
    except (ZoneInfoNotFoundError, ValueError) as error:
        text = f"{tz!r} is no time zone; write one such as Europe/Berlin" if _is_zone(error) else str(error)
        raise click.UsageError(text) from error


def _is_zone(error: Exception) -> bool:
    return isinstance(error, ZoneInfoNotFoundError) or "ZoneInfo" in str(error)


def _each(files: Sequence[Path], rules: DetectorRules) -> Iterator[list[Found]]:
    """Yield what was found in each file, in their order; several files run in parallel, with a progress bar."""
    if len(files) == 1:
        yield incidents_of(files[0], rules)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from rich.console import Console
    from rich.progress import track

    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(incidents_of, file, rules) for file in files]
        console = Console(stderr=True)
        for one in track(waiting, description="detecting", console=console, transient=True):
            yield one.result()


def incidents_of(file: Path, rules: DetectorRules) -> list[Found]:
    """Return the incidents in one file. Raises InputError with file and line."""
    from brandmelder.detect.scan import new_state, step
    from brandmelder.incident.lifecycle import LifecycleRules, consider
    from brandmelder.model import IncidentId, MonitorId

    bins, shift = bins_of(file, ZoneInfo(rules.zone))
    held = LifecycleRules(monitor=MonitorId(file.name), opens_at_once=1)
    state, incident = new_state(), None
    opened: dict[str, tuple[Incident, datetime]] = {}
    last: dict[str, Incident] = {}
    for one in bins:
        state, finding = step(state, one, rules)
        change = consider(incident, finding, now=one.end, rules=held, number=lambda: IncidentId(str(len(opened) + 1)))
        incident = change.incident
        if incident is not None:
            opened.setdefault(incident.id, (incident, one.end))
            last[incident.id] = incident
    return [_found(file, first, last[ident], end, shift) for ident, (first, end) in opened.items()]


def _found(file: Path, first: Incident, last: Incident, end: datetime, shift: timedelta) -> Found:
    return Found(
        file=str(file),
        kind=str(first.kind),
        opened=end + shift,
        closed=last.closed_at + shift if last.closed_at else None,
        severity=max(first.severity, last.severity),
        observed=first.spike.observed,
        usual=(first.spike.usual_low, first.spike.usual_high),
        window=duration(first.spike.window),
        learning=first.spike.learning,
    )


def duration(length: timedelta) -> str:
    """Return an ISO 8601 duration, as in PT35M, PT6H or P3D."""
    minutes = round(length.total_seconds() / 60)
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock or not days else "")


# ------------------------------------------------------------------- reading


def bins_of(file: Path, zone: ZoneInfo) -> tuple[list[Bin], timedelta]:
    """Read a file into bins on the epoch's grid, and by how much they were shifted to lie on it."""
    from brandmelder.model import Bin

    rows = list(_rows(file, zone))
    width = _width(file, rows)
    first = rows[0].moment
    shift = (first - _EPOCH) % width
    bins: list[Bin] = []
    for row in rows:
        number = round((row.moment - first) / width)
        off = abs(row.moment - first - number * width)
        if off > (timedelta(hours=1) if width == _LONGEST else timedelta(0)):
            raise InputError(
                file, row.line, f"{row.moment.isoformat()} is off the grid of {duration(width)}; use one width"
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
    return bins, shift


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


def _rows(file: Path, zone: ZoneInfo) -> Iterator[Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            yield from _parsed(file, csv.DictReader(stream, strict=True), zone)
    except OSError as error:
        raise InputError(file, None, f"{error.strerror or error}; give the path of a CSV file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(file, None, f"is no CSV file in UTF-8 ({error})") from error


def _parsed(file: Path, reader: csv.DictReader[str], zone: ZoneInfo) -> Iterator[Row]:
    names = [name.strip() for name in reader.fieldnames or ()]
    if "time" not in names or "negative" not in names:
        raise InputError(file, 1, f"needs the columns time and negative; has {', '.join(names) or 'nothing'}")
    unknown = sorted(set(names) - set(_COLUMNS))
    if unknown or len(names) != len(set(names)):
        raise InputError(file, 1, f"has columns that mean nothing here: {', '.join(unknown) or 'one name twice'}")
    reader.fieldnames = names
    before: datetime | None = None
    is_zoned: bool | None = None
    for record in reader:
        line = reader.line_num
        if None in record or None in record.values():
            raise InputError(file, line, f"has another number of fields than the {len(names)} columns")
        moment, zoned = _moment(file, line, record["time"], zone=zone, before=before)
        if is_zoned is not None and zoned != is_zoned:
            raise InputError(file, line, "mixes times with and without an offset; write all of them in one way")
        if before is not None and moment == before:
            raise InputError(file, line, f"{record['time']} stands there twice; sum the rows of a bin")
        if before is not None and moment < before:
            raise InputError(file, line, f"{record['time']} comes after a later time; sort the rows")
        before, is_zoned = moment, zoned
        figures = {name: _figure(file, line, name, record[name]) for name in names if name != "time"}
        yield Row(
            line,
            moment,
            figures["negative"],
            figures.get("total", figures["negative"]),
            figures.get("exposure", 1.0),
            figures.get("reach", 0.0),
        )


def _moment(file: Path, line: int, text: str, *, zone: ZoneInfo, before: datetime | None) -> tuple[datetime, bool]:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(file, line, f"{text!r} is no time; write it as in 2026-03-01T14:05:00+01:00") from error
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
    if name == "exposure" and figure > 1:
        raise InputError(file, line, f"exposure is {text.strip()}; it is the share that was seen, 0 to 1")
    return figure


# ------------------------------------------------------------------- printing


def _print(found: list[Found], zone: ZoneInfo, *, several: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    if not found:
        click.echo("No incident.")
        return
    columns = ("file",) * several + ("opened", "closed", "severity", "observed", "usual", "in")
    table = Table(*columns, box=None, pad_edge=False)
    for one in found:
        table.add_row(*_cells(one, zone, several=several))
    Console(soft_wrap=True, width=None).print(table)


def _cells(one: Found, zone: ZoneInfo, *, several: bool) -> list[Any]:
    opened, closed = (
        moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else "still open"
        for moment in (one.opened, one.closed)
    )
    usual = f"{one.usual[0]}-{one.usual[1]}" + (" (learning)" if one.learning else "")
    file = [one.file] * several
    return [*file, opened, closed, str(one.severity), str(one.observed), usual, one.window]
