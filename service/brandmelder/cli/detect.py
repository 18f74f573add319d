"""`brandmelder detect`: run the detector over counts that anyone has, from CSV files."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec
from msgspec import Struct

from brandmelder.cli.detect_csv import bins_of, duration
from brandmelder.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.backtest.counts import Opened, Usual
    from brandmelder.detect.scan import DetectorRules
    from brandmelder.model import Incident


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


class Read(Struct, frozen=True, kw_only=True):
    """What became of one file: its incidents, or what is wrong with it."""

    found: tuple[Found, ...] = ()
    trouble: str = ""
    picture: str = ""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.csv …")
@click.option("--false-alarms", default="balanced", show_default=True, metavar="BUDGET", help='As in "1 per 30 days".')
@click.option("--tz", default="Europe/Berlin", show_default=True, metavar="ZONE", help="Whose clock and week count.")
@click.option("--region", default="", metavar="REGION", help="Whose public holidays count, as in DE or DE-BY.")
@click.option(
    "--kinds",
    type=click.Choice(["negative", "all"]),
    default="negative",
    show_default=True,
    help="Negative volume alone, or every kind of spike that the columns allow.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per incident and line.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Draw each file into DIR: SVG, and PNG with the extra picture.",
)
@click.pass_context
def detect(  # noqa: PLR0913 -- click's options
    context: click.Context,
    *,
    files: tuple[Path, ...],
    false_alarms: str,
    tz: str,
    region: str,
    kinds: str,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Find incidents in counts.

    Columns: time,negative[,total][,exposure][,reach]; one row a bin of 5 minutes to 1 day. A missing row is a bin that
    was not seen. Times without an offset are those of --tz. With --kinds all and total, the negative share, all
    mentions and silence are watched, too, with reach the reach; the kinds share the budget.

    A file that cannot be read is told on standard error with its line, the others are read all the same; exit code 2
    if there was one.
    """
    rules = _rules(false_alarms, tz, region)
    read = list(_each(files, rules, plot, every=kinds == "all"))
    found = [one for each in read for one in each.found]
    if as_json:
        for one in found:
            click.echo(msgspec.json.encode(one))
    elif found or not all(each.trouble for each in read):
        _print(found, ZoneInfo(tz), several=len(files) > 1)
    for each in read:
        if each.trouble:
            click.echo(each.trouble, err=True)
        if each.picture:
            click.echo(f"drawn: {each.picture}", err=True)
    if any(each.trouble for each in read):
        context.exit(InputError.exit_code)


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


def _each(files: Sequence[Path], rules: DetectorRules, plot: Path | None, *, every: bool) -> Iterator[Read]:
    """Yield what was found in each file, in their order; several files run in parallel, with a progress bar."""
    names = picture_names(files) if plot else [""] * len(files)
    targets = [plot / name if plot else None for name in names]
    if len(files) == 1:
        yield read_one(files[0], rules, targets[0], every=every)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from rich.console import Console
    from rich.progress import track

    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        waiting = [
            pool.submit(read_one, file, rules, target, every=every) for file, target in zip(files, targets, strict=True)
        ]
        console = Console(stderr=True)
        for one in track(waiting, description="detecting", console=console, transient=True):
            yield one.result()


def picture_names(files: Sequence[Path]) -> list[str]:
    """Return a name for the picture of each file; those of one name in several folders get numbers."""
    names: list[str] = []
    for file in files:
        name, number = file.stem, 1
        while name in names:
            number += 1
            name = f"{file.stem}-{number}"
        names.append(name)
    return names


def read_one(file: Path, rules: DetectorRules, target: Path | None = None, *, every: bool = False) -> Read:
    """Return what is in one file, and draw it; what is wrong with it is told and harms no other."""
    try:
        found, course, opened = _found_in(file, rules, every=every, with_course=target is not None)
    except InputError as error:
        return Read(trouble=str(error))
    if target is None:
        return Read(found=found)
    return Read(found=found, picture=_draw(target, file, course, opened, zone=ZoneInfo(rules.zone)))


def incidents_of(file: Path, rules: DetectorRules, *, every: bool = False) -> list[Found]:
    """Return the incidents in one file; with `every`, of all kinds its columns allow. Raises InputError."""
    return list(_found_in(file, rules, every=every, with_course=False)[0])


def _found_in(
    file: Path, rules: DetectorRules, *, every: bool, with_course: bool
) -> tuple[tuple[Found, ...], tuple[Usual, ...], tuple[Opened, ...]]:
    from brandmelder.backtest.counts import find, kinds_for
    from brandmelder.detect.kinds.watching import KindRules

    counts = bins_of(file, ZoneInfo(rules.zone))
    kinds = KindRules(volume=rules, kinds=kinds_for(counts.columns if every else ()))
    series = find(counts.bins, kinds, name=file.name, with_course=with_course)
    found = tuple(_found(file, one.first, one.last, one.at, counts.shift) for one in series.opened)
    return found, series.course, series.opened


def _draw(target: Path, file: Path, course: Sequence[Usual], opened: Sequence[Opened], *, zone: ZoneInfo) -> str:
    """Write the picture as SVG and, where it can be drawn, as PNG; return where it lies."""
    import asyncio

    from brandmelder.backtest.plot import picture
    from brandmelder.notify.raster import png

    drawn = picture(file.name, course, opened, zone)
    target.parent.mkdir(parents=True, exist_ok=True)
    vector = target.with_name(target.name + ".svg")
    vector.write_text(drawn, encoding="utf-8")
    raster = asyncio.run(png(drawn))
    if raster is None:
        return str(vector)
    target.with_name(target.name + ".png").write_bytes(raster)
    return f"{vector} and .png"


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


# ------------------------------------------------------------------- printing


def _print(found: list[Found], zone: ZoneInfo, *, several: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    if not found:
        click.echo("No incident.")
        return
    columns = ("file",) * several + ("kind", "opened", "closed", "severity", "observed", "usual", "in")
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
    return [*file, one.kind, opened, closed, str(one.severity), str(one.observed), usual, one.window]
