"""Commands for the people on call: the second way beside the buttons."""

from __future__ import annotations

import getpass
import os
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import click

from brandmelder.cli import config_option, existing_database
from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from brandmelder.model import Act, Delivery, Evidence, Incident
    from brandmelder.settings import Settings

T = TypeVar("T")


@click.group()
def incidents() -> None:
    """List, show, acknowledge and end incidents: the second way beside the buttons in chat."""


@incidents.command("list")
@config_option
@click.option("--all", "everything", is_flag=True, help="Ended ones, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(path: Path, everything: bool, as_json: bool) -> None:  # noqa: FBT001 -- click's flags
    """List the running incidents, newest first."""
    from brandmelder.store import incidents as stored

    settings, found = _read(path, lambda connection: stored.all_incidents(connection, running_only=not everything))
    if as_json:
        for incident, _ in found:
            click.echo(_json(incident))
        return
    if not found:
        click.echo("no incidents" if everything else "nothing is burning (ended ones: --all)")
    for incident, _ in found:
        click.echo(_row(incident, settings.zone))


@incidents.command()
@click.argument("ident", metavar="ID")
@config_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def show(ident: str, path: Path, as_json: bool) -> None:  # noqa: FBT001 -- click's flags
    """Show one incident with its timeline and its deliveries."""
    from brandmelder.model import IncidentId
    from brandmelder.store import deliveries
    from brandmelder.store import incidents as stored

    settings, (found, steps, promised) = _read(
        path,
        lambda connection: (
            _found(stored.find(connection, ident), ident),
            stored.timeline(connection, IncidentId(ident)),
            deliveries.of_incident(connection, ident),
        ),
    )
    incident, evidence = found
    if as_json:
        click.echo(_json({"incident": incident, "evidence": evidence, "timeline": steps, "deliveries": promised}))
        return
    click.echo(_row(incident, settings.zone))
    for step in steps:
        note = f", {step.note}" if step.note else ""
        click.echo(f"  {_time(step.at, settings.zone)}  {step.act.value} by {step.by}{note}")
    for line in _deliveries(promised):
        click.echo(f"  {line}")


def _deliveries(promised: Sequence[Delivery]) -> Iterator[str]:
    """Yield what became of the deliveries of each channel, equal ones counted, and each trouble once."""
    for channel in dict.fromkeys(one.channel for one in promised):
        mine = [one for one in promised if one.channel == channel]
        counts = Counter(f"{one.kind.value} {one.state.value}" for one in mine)
        yield f"{channel}: " + ", ".join(f"{what} ×{many}" if many > 1 else what for what, many in counts.items())
        yield from dict.fromkeys(f"{channel}: {one.last_error}" for one in mine if one.last_error)


def _acting(name: str, act: str, teaches: str, note: str = "A word on why.") -> None:
    @incidents.command(name, help=teaches)
    @click.argument("ident", metavar="ID")
    @config_option
    @click.option("--by", default=getpass.getuser, help="Your name; the login name by default.")
    @click.option("--note", default="", help=note)
    def command(ident: str, path: Path, by: str, note: str) -> None:
        from brandmelder.model import Act

        incident = _act(path, ident, Act(act), by=by, note=note)
        click.echo(f"{incident.id} is {incident.state.value}")

    del command


_acting("ack", "acknowledge", "Acknowledge: say that you are on it.")
_acting("resolve", "resolve", "Resolve: it is over.")
_acting(
    "dismiss",
    "dismiss",
    "Dismiss: it is no crisis.",
    "The reason: sarcasm, own_campaign, sports_result, bots, wrong_brand or other.",
)
_acting("reopen", "reopen", "Reopen: it is not over.")


def _act(path: Path, ident: str, act: Act, *, by: str, note: str) -> Incident:
    from brandmelder import wiring
    from brandmelder.clock import SystemClock
    from brandmelder.pipeline.act import Wish, do
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    database = existing_database(settings)
    try:
        notifiers = wiring.build_notifiers(settings, wiring.outside())  # nothing is sent here
        pipeline = wiring.build(settings, database=database, sources={}, notifiers=notifiers)
        return database.run_now(
            do, pipeline.parts, Wish(incident=ident, act=act, by=by, note=note), SystemClock().now()
        )
    finally:
        database.close()


def _read(path: Path, function: Callable[..., T]) -> tuple[Settings, T]:
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    database = existing_database(settings)
    try:
        return settings, database.run_now(function)
    finally:
        database.close()


def _found(pair: tuple[Incident, Evidence] | None, ident: str) -> tuple[Incident, Evidence]:
    if pair is None:
        raise BrandmelderError(f"there is no incident {ident}; see: brandmelder incidents list --all")
    return pair


def _row(incident: Incident, zone: ZoneInfo) -> str:
    spike = incident.spike
    who = f", {incident.acknowledged_by}" if incident.acknowledged_by else ""
    return (
        f"{incident.id}  {incident.state.value}{who}  {incident.monitor}  "
        f"{spike.observed} in {_minutes(spike.window)}, usual {spike.usual_low}-{spike.usual_high}, "
        f"peak {incident.peak} in {_minutes(incident.peak_window)}  "
        f"since {_time(incident.opened_at, zone)}"
    )


def _minutes(span: timedelta) -> str:
    return f"{round(span.total_seconds() / 60)} min"


def _time(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _json(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()
