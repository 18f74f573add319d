"""Shows what a query would have brought in the last day, before it is trusted with anybody's night."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import click

from brandmelder.cli import config_option, existing_database
from brandmelder.cli.terminal import say
from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from brandmelder.capture.query import Query
    from brandmelder.model import SourceId
    from brandmelder.pipeline.preview import Preview
    from brandmelder.settings import Settings


@click.command()
@click.argument("monitor", required=False)
@config_option
@click.option("--query", "asked", help="A query to try in place of the monitor's.")
@click.option("--hours", type=click.IntRange(1, 24 * 60), default=24, show_default=True, help="How far to look back.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def preview(path: Path, monitor: str | None, asked: str | None, hours: int, as_json: bool) -> None:  # noqa: FBT001 -- click's flags
    """Show how many mentions of the last day a query matches, by source.

    MONITOR is one of the configuration; with one monitor only it may be left out. Held against what the service has
    stored: nothing is polled, nothing is changed.
    """
    from datetime import timedelta

    import msgspec

    from brandmelder import wiring
    from brandmelder.capture.normalise import pseudonym
    from brandmelder.clock import SystemClock
    from brandmelder.pipeline.preview import preview as look
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    query, sources = _asked(settings, monitor, asked)
    database = existing_database(settings)
    try:
        wiring.require_author_key(database)
        named = partial(pseudonym, key=wiring.author_key(database.path))
        since = SystemClock().now() - timedelta(hours=hours)
        found = database.run_now(partial(look, query=query, sources=sources, since=since, named=named))
    finally:
        database.close()
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for line in _lines(found, hours):
        say(line)


def _asked(settings: Settings, monitor: str | None, asked: str | None) -> tuple[Query, Collection[SourceId]]:
    """Return the query to try and the sources it reads. Raises QueryError, and BrandmelderError for an unknown name."""
    from brandmelder.capture.names import widened
    from brandmelder.model import MonitorId

    if monitor is None and asked is not None:
        return widened(asked), tuple(settings.sources)
    name = monitor or (next(iter(settings.monitors)) if len(settings.monitors) == 1 else "")
    chosen = settings.monitors.get(MonitorId(name))
    if chosen is None:
        said = f"there is no monitor {name}" if name else "which monitor"
        raise BrandmelderError(f"{said}; one of {', '.join(settings.monitors)}")
    query = asked if asked is not None else chosen.query
    return widened(query, aliases=chosen.aliases, exclusions=chosen.exclusions), chosen.sources


def _lines(found: Preview, hours: int) -> Iterator[str]:
    from brandmelder.notify.excerpt import excerpt

    matched = sum(tally.matched for tally in found.by_source.values())
    read = sum(tally.read for tally in found.by_source.values())
    yield f"{matched} of {read} mentions of the last {hours} h match"
    width = max(map(len, found.by_source), default=0)
    for source, tally in sorted(found.by_source.items(), key=lambda item: -item[1].matched):
        negative = f", {tally.negative} of {tally.judged} judged negative" if tally.judged else ""
        yield f"  {source:{width}}  {tally.matched} of {tally.read}{negative}"
    if found.examples:
        yield "the newest:"
    for one in found.examples:
        yield f"  {one.published_at:%Y-%m-%d %H:%M} UTC  {one.source}  {excerpt(one.text, 160)}"
