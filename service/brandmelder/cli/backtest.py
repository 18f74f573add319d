"""The command that replays history through the live pipeline."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brandmelder.cli import config_option, quiet_logs
from brandmelder.cli.terminal import say

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from brandmelder.backtest.replay import Replay
    from brandmelder.model import Incident, Mention
    from brandmelder.settings import Settings

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


class AnyVariable(Mapping[str, str]):
    """An environment in which every variable is set: a backtest sends nothing, so it needs no tokens."""

    def __getitem__(self, name: str) -> str:
        return os.environ.get(name, f"unset-{name.lower()}")

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


@click.command()
@config_option
@click.option(
    "--mentions",
    "file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Mentions as JSON lines (or CSV), plain or .gz: id, source, url, author, text, published_at, and optionally "
    "captured_at, language, reach, parent_id, own.",
)
@click.option(
    "--from",
    "since",
    type=click.DateTime(_FORMATS),
    metavar="TIME",
    help="Where it begins, as in 2026-11-20 or 2026-11-20T18:00; what was captured earlier is history.",
)
@click.option("--to", "until", type=click.DateTime(_FORMATS), metavar="TIME", help="Where it ends.")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where incidents.jsonl, tuning.json and summary.md are written.",
)
@click.option(
    "--expect",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What has to be told and what must not (YAML): exit code 1 if the replay tells otherwise.",
)
def backtest(path: Path, file: Path, output: Path, expect: Path | None, **span: datetime | None) -> None:
    """Replay mentions from a file through the pipeline that runs live; nothing is sent.

    Without --from it begins with the first mention, which leaves nothing to learn from: give it some weeks of history.
    Says, too, how many storms each monitor would have told at calm, balanced and alert, and proposes one of them if
    the service's database holds incidents of that time that people dismissed as no crisis.

    Times without a zone are in the configuration's. Two replays of one file are identical. Exit code 2 if the file or
    the configuration cannot be read.
    """
    from brandmelder.backtest import report
    from brandmelder.backtest.expect import check, read_expectations
    from brandmelder.capture.sources.archive import read_mentions
    from brandmelder.errors import InputError
    from brandmelder.settings import read_settings

    settings = read_settings(path, AnyVariable())
    found = list(read_mentions(file))
    if not found:
        raise InputError(file, None, "holds no mentions; write one JSON object a line")
    expected = None if expect is None else read_expectations(expect, settings)
    begin, end = (_zoned(span[name], settings.zone) for name in ("since", "until"))
    captures = [one.captured_at for one in found]
    first, last = begin or min(captures), end or max(captures)
    if last < first or (end is not None and end <= first):
        raise click.BadParameter("there is nothing between --from (or the first mention) and --to (or the last one)")
    replay = _replay(settings, found, begin, end)
    marked = _marked(settings)
    report.write(replay, settings, output, marked)
    click.echo(report.summary(replay, settings, marked))
    click.echo(f"written to {output / 'incidents.jsonl'}, {output / 'tuning.json'} and {output / 'summary.md'}")
    checked = [] if expected is None else check(expected, replay, settings.zone)
    for one in checked:
        say(f"{'met   ' if one.is_met else 'MISSED'} {one.text}")
    if not all(one.is_met for one in checked):
        raise SystemExit(1)


def _marked(settings: Settings) -> list[Incident]:
    """Return the incidents that people judged, from the service's own database if there is one."""
    from brandmelder.cli import existing_database
    from brandmelder.errors import StoreError
    from brandmelder.store.incidents import all_incidents

    try:
        database = existing_database(settings)
    except StoreError:
        return []
    try:
        return [incident for incident, _ in database.run_now(all_incidents)]
    finally:
        database.close()


def _replay(settings: Settings, found: list[Mention], since: datetime | None, until: datetime | None) -> Replay:
    from rich.console import Console
    from rich.progress import Progress

    from brandmelder.backtest.replay import replay

    quiet_logs()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replaying", total=None)
        return asyncio.run(
            replay(
                settings,
                found,
                since=since,
                until=until,
                on_progress=lambda moment: progress.update(task, description=f"replaying {moment:%Y-%m-%d}"),
            )
        )


def _zoned(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=zone)
