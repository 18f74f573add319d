"""Commands for the people on call: the second way beside the buttons."""

from __future__ import annotations

import getpass
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

import click

from brandmelder.cli import Group, config_option, existing_database, incident_argument
from brandmelder.cli.terminal import say
from brandmelder.errors import BrandmelderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from brandmelder.model import Delivery, Evidence, Incident
    from brandmelder.settings import Settings

T = TypeVar("T")


@click.group(cls=Group)
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
        say(_row(incident, settings.zone))


@incidents.command()
@incident_argument
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
    say(_row(incident, settings.zone))
    for step in steps:
        note = f", {step.note}" if step.note else ""
        click.echo(f"  {_time(step.at, settings.zone)}  {step.act.value} by {step.by}{note}")
    for line in _deliveries(promised):
        click.echo(f"  {line}")


def _deliveries(promised: Sequence[Delivery]) -> Iterator[str]:
    """Yield what became of the deliveries of each channel, equal ones counted, and each trouble once."""
    from brandmelder.model import DeliveryKind, DeliveryState

    for channel in dict.fromkeys(one.channel for one in promised):
        mine = [one for one in promised if one.channel == channel]
        counts = Counter(f"{one.kind.value} {one.state.value}" for one in mine)
        yield f"{channel}: " + ", ".join(f"{what} ×{many}" if many > 1 else what for what, many in counts.items())
        yield from dict.fromkeys(f"{channel}: {one.last_error}" for one in mine if one.last_error)
        yield from (
            f"{channel}: was not told; once that is mended: brandmelder deliveries retry {one.key}"
            for one in mine
            if one.state is DeliveryState.DEAD and one.kind is DeliveryKind.OPEN
        )


def _acting(name: str, act: str, teaches: str) -> None:
    @incidents.command(name, help=teaches)
    @incident_argument
    @config_option
    @_by
    @click.option("--note", default="", help="A word on why.")
    def command(ident: str, path: Path, by: str, note: str) -> None:
        _act(path, ident, act=act, by=by, note=note)

    del command


_by = click.option("--by", default=getpass.getuser, help="Your name; the login name by default.")

_acting("ack", "acknowledge", "Acknowledge: say that you are on it.")
_acting("resolve", "resolve", "Resolve: it is over.")
_acting("reopen", "reopen", "Reopen: it is not over.")
_acting("undo", "undo", "Undo a dismissal of the last 10 minutes: as if it had not been.")


@incidents.command()
@incident_argument
@config_option
@_by
@click.option("--for", "span", default="1h", show_default=True, help="How long, as in 30m or 2h; at most 24h.")
def snooze(ident: str, path: Path, by: str, span: str) -> None:
    """Snooze: no news for a while, unless it doubles or another class of source joins.

    At the end one word tells what still burns.
    """
    from brandmelder.options import parse_duration

    try:
        length = parse_duration(span)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    _act(path, ident, act="snooze", by=by, span=length)


@incidents.command("hand-over")
@incident_argument
@click.argument("name")
@config_option
@_by
def hand_over(ident: str, name: str, path: Path, by: str) -> None:
    """Hand an acknowledged incident over to somebody else."""
    _act(path, ident, act="hand_over", by=by, note=name)


@incidents.command()
@incident_argument
@config_option
@_by
@click.option(
    "--reason",
    "--note",
    "reason",
    default="other",
    show_default=True,
    help="sarcasm, own_campaign, sports_result, bots, wrong_brand or other; words may follow a colon.",
)
def dismiss(ident: str, path: Path, by: str, reason: str) -> None:
    """Dismiss: it is no crisis. Can be undone for 10 minutes."""
    _act(path, ident, act="dismiss", by=by, note=reason)


def _act(path: Path, ident: str, *, act: str, by: str, **wished: Any) -> None:
    from brandmelder import wiring
    from brandmelder.clock import SystemClock
    from brandmelder.model import Act
    from brandmelder.pipeline.act import Wish, do
    from brandmelder.settings import read_settings
    from brandmelder.wiring.subscriptions import attach

    settings = read_settings(path, os.environ)
    database = existing_database(settings)
    try:
        reach = wiring.outside()  # nothing is sent here
        notifiers = wiring.build_notifiers(settings, reach)
        pipeline = wiring.build(settings, database=database, sources={}, notifiers=notifiers)
        attach(pipeline.parts, reach)
        wish = Wish(incident=ident, act=Act(act), by=by, **wished)
        incident = database.run_now(do, pipeline.parts, wish, SystemClock().now())
    finally:
        database.close()
    quiet = f", snoozed until {_time(incident.snooze.until, settings.zone)}" if incident.snooze else ""
    click.echo(f"{incident.id} is {incident.state.value}{quiet}")


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
    if incident.snooze is not None:
        who += f", snoozed until {_time(incident.snooze.until, zone)}"
    if incident.silenced_since is not None and incident.closed_at is None:
        who += f", silenced since {_time(incident.silenced_since, zone)}"
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
