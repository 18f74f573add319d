"""Commands that write tables for a spreadsheet."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from brandmelder.cli import Group, acting, config_option
from brandmelder.cli.report import since_option, span_of, with_service
from brandmelder.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from brandmelder.model import MonitorId
    from brandmelder.pipeline.parts import Parts
    from brandmelder.report.sheet import Cell

_output = click.option(
    "--output", type=click.Path(dir_okay=False), help="The file to write; by default standard output."
)
_delimiter = click.option(
    "--delimiter",
    type=click.Choice([",", ";", "tab"]),
    help="What parts cells: by default ; in German, where Excel wants it, else a comma.",
)
_no_bom = click.option("--no-bom", is_flag=True, help="Without the mark that tells Excel it is UTF-8.")


@click.group(cls=Group)
def export() -> None:
    """Write mentions or incidents as CSV that is safe to open in a spreadsheet."""


@export.command()
@config_option
@since_option("7d")
@click.option("--monitor", "monitors", multiple=True, help="Only of this monitor; several times for several.")
@_output
@_delimiter
@_no_bom
def mentions(path: Path, monitors: tuple[str, ...], **asked: Any) -> None:
    """Write mentions with what was found in them. Authors are left out; texts are strangers' words."""
    from brandmelder.pipeline.tables import MENTIONS, mention_rows

    def rows(parts: Parts, since: datetime, now: datetime) -> Iterator[tuple[Cell, ...]]:
        known = _known(monitors, parts)
        return chain.from_iterable(mention_rows(parts, one, since, now) for one in known)

    _write(path, tuple(MENTIONS), rows, asked | {"what": "mentions"})


@export.command()
@config_option
@since_option("365d")
@_output
@_delimiter
@_no_bom
def incidents(path: Path, **asked: Any) -> None:
    """Write incidents, a row each. Staff are not named."""
    from brandmelder.pipeline.tables import INCIDENTS, incident_rows

    def rows(parts: Parts, since: datetime, now: datetime) -> Iterator[tuple[Cell, ...]]:
        return incident_rows(parts, since, now)

    _write(path, tuple(INCIDENTS), rows, asked | {"what": "incidents"})


def _known(names: tuple[str, ...], parts: Parts) -> tuple[MonitorId, ...]:
    from brandmelder.model import MonitorId
    from brandmelder.settings.wording import nearest

    for name in names:
        if name not in parts.watches:
            said = f'"{name}" is not known; {nearest(name, parts.watches, "monitors")}'
            raise click.BadParameter(said, param_hint="--monitor")
    return tuple(MonitorId(name) for name in names) or tuple(parts.watches)


def _write(
    path: Path,
    columns: tuple[str, ...],
    rows: Callable[[Parts, datetime, datetime], Iterator[tuple[Cell, ...]]],
    asked: dict[str, Any],
) -> None:
    from brandmelder.report.sheet import sheet
    from brandmelder.store import audit

    def read(parts: Parts, now: datetime) -> int:
        delimiter = asked["delimiter"] or (";" if parts.language == "de" else ",")
        lines = sheet(
            columns,
            rows(parts, now - span_of(asked["since"]), now),
            zone=parts.zone,
            delimiter="\t" if delimiter == "tab" else delimiter,
            bom=not asked["no_bom"],
        )
        count = _put(lines, asked["output"])
        # What strangers wrote leaves the house: who took it along stands in the audit.
        said = {"what": asked["what"], "since": asked["since"], "rows": count, **acting().said()}
        parts.database.run_now(audit.record, "export.table", by=acting().name, now=now, **said)
        return count

    count = with_service(path, read)
    if asked["output"]:
        click.echo(f"wrote {count} rows to {asked['output']}", err=True)


def _put(lines: Iterator[str], output: str | None) -> int:
    if output is None:
        count = 0
        for count, line in enumerate(lines):  # noqa: B007 - the last number is how many rows there were
            click.echo(line.encode(), nl=False)
        return count
    try:
        with open(output, "wb") as file:  # noqa: PTH123 - the name of a pipe is one, too
            return sum(bool(file.write(line.encode())) for line in lines) - 1
    except OSError as error:
        raise InputError(output, None, f"{error.strerror}; name a file that this user may write") from error
