"""Brings what people have in files into the memory of a source."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brandmelder.cli import config_option, quiet_logs
from brandmelder.cli.terminal import say
from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from brandmelder.pipeline.bring import Brought
    from brandmelder.settings import Settings


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@config_option
@click.option("--source", "name", required=True, help="Whose history it is: a source of the configuration.")
def import_(path: Path, file: Path, name: str) -> None:
    """Read FILE (.jsonl, .csv, .mbox) as the history of a source.

    It teaches what is usual and never opens an incident. Rows have Brandmelder's own names, or those that the source's
    `fields` say, if it is of type files. What is known already is not stored twice. Stop the service first; it need not
    have run before.
    """
    from brandmelder.settings import read_settings

    quiet_logs()
    settings = read_settings(path, os.environ)
    if name not in settings.sources:
        raise BrandmelderError(f"there is no source {name}; one of {', '.join(settings.sources)}")
    brought = asyncio.run(_bring(settings, file.resolve(), name))
    click.echo(
        f"{brought.read} mention{'s' * (brought.read != 1)} read, {brought.new} of them new, as the history of {name}"
    )
    if brought.note:
        say(brought.note, to_stderr=True)
        raise SystemExit(2)


async def _bring(settings: Settings, file: Path, name: str) -> Brought:
    from pydantic import ValidationError

    from brandmelder import wiring
    from brandmelder.capture.sources.files import FilesOptions, FilesSource
    from brandmelder.clock import SystemClock
    from brandmelder.errors import InputError
    from brandmelder.model import SourceId
    from brandmelder.pipeline.bring import bring_in
    from brandmelder.store.database import Database

    ident = SourceId(name)
    known = settings.sources[ident]
    fields = known.fields if isinstance(known, FilesOptions) else None
    try:
        options = FilesOptions(
            type="files", path=str(file), fields=fields, own_accounts=known.own_accounts, language=known.language
        )
    except ValidationError as error:
        raise InputError(file, None, error.errors()[0]["msg"].removeprefix("Value error, ")) from error
    database = Database(settings.database, exclusive=True)
    try:
        database.prepare()
        pipeline = wiring.build(settings, database=database, sources={}, notifiers={})
        return await bring_in(pipeline.parts, ident, FilesSource(ident, options), SystemClock().now())
    finally:
        database.close()
