"""Commands about duty: who is on call, who stands in for whom, and how long people could rest."""

from __future__ import annotations

import getpass
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from brandmelder.cli import Group, acting, config_option, existing_database
from brandmelder.cli.terminal import say
from brandmelder.errors import BrandmelderError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from brandmelder.model import Override, PersonId, Turn
    from brandmelder.notify.rota import Rota
    from brandmelder.pipeline.duty import Duty
    from brandmelder.settings import Settings

AHEAD = timedelta(days=14)

_by = click.option("--by", default=getpass.getuser, help="Your name; the login name by default.")


@click.group(cls=Group, invoke_without_command=True)
@config_option
@click.pass_context
def oncall(context: click.Context, path: Path) -> None:
    """Show who is on call now and in the next two weeks; stand in for somebody; show how long people rested."""
    if context.invoked_subcommand is not None:
        return
    from brandmelder import wiring
    from brandmelder.clock import SystemClock

    settings, now = _settings(path), SystemClock().now()
    if not settings.duty.rotas:
        raise BrandmelderError(f"{settings.path} has no rota; how to write one: docs/how-to/on-call.md")
    try:
        database = existing_database(settings)
    except StoreError:
        from brandmelder.store.database import Database

        database = Database("sqlite://")
        database.prepare()
    duty = wiring.duty(settings)
    try:
        for rota in duty.rotas.values():
            for line in database.run_now(_lines, duty, rota, now):
                say(line)
    finally:
        database.close()


@oncall.command()
@config_option
@_by
@click.option("--rota", "rota_name", required=True, help="Which rota.")
@click.option("--person", required=True, help="Who is on call instead.")
@click.option("--from", "since", default="now", show_default=True, metavar="MOMENT", help="From when.")
@click.option("--until", required=True, metavar="MOMENT", help="Until when, as in 18:00 or '2026-12-24 18:00'.")
@click.option("--reason", required=True, help="Why.")
def override(path: Path, **asked: str) -> None:
    """Put somebody on call in the place of whom the rota says. The later override holds."""
    from brandmelder.clock import SystemClock
    from brandmelder.pipeline import staff

    settings = _settings(path)
    wanted = _wanted(asked, settings, SystemClock().now())
    database = existing_database(settings)
    try:
        kept = database.run_now(staff.stand_in, wanted, acting(asked["by"]))
    finally:
        database.close()
    click.echo(_override(kept, settings))


@oncall.command()
@click.argument("number", type=int)
@config_option
@_by
def withdraw(number: int, path: Path, by: str) -> None:
    """Withdraw an override: the rota holds again."""
    from brandmelder.clock import SystemClock
    from brandmelder.pipeline import staff
    from brandmelder.store import rotas

    settings, now = _settings(path), SystemClock().now()
    database = existing_database(settings)
    try:
        found = database.run_now(rotas.find_override, number)
        if found is None:
            raise BrandmelderError(f"there is no override {number}; see: brandmelder oncall")
        database.run_now(staff.withdraw, found, acting(by), now)
    finally:
        database.close()
    click.echo(f"withdrawn: {_override(found, settings)}")


@oncall.command()
@config_option
@_by
@click.option("--person", help="Of whom; only yourself, unless you are the one reader of the configuration.")
@click.option("--weeks", type=click.IntRange(1, 52), default=4, show_default=True, help="How far back.")
def rest(path: Path, by: str, person: str | None, weeks: int) -> None:
    """Show how long people could rest between a call in the evening and the next day's work.

    Every call that reached a person counts, and whatever they did to an incident: an evening look is work. Less than
    eleven hours is marked. The person may read it, and the one reader that the configuration names (rest_reader).
    """
    from brandmelder.clock import SystemClock
    from brandmelder.store import audit

    settings, now = _settings(path), SystemClock().now()
    people = _readable(settings, by, person)
    database = existing_database(settings)
    try:
        database.run_now(audit.record, "rest.read", by=by, subject=",".join(people), now=now, weeks=weeks)
        for one in people:
            for line in database.run_now(_rest, settings, one, now - timedelta(weeks=weeks), now):
                say(line)
    finally:
        database.close()


# ------------------------------------------------------------------- who is on call


def _lines(connection: Connection, duty: Duty, rota: Rota, now: datetime) -> list[str]:
    """Return a rota's plan; holes are marked."""
    return list(_plan(connection, duty, rota, now))


def _plan(connection: Connection, duty: Duty, rota: Rota, now: datetime) -> Iterator[str]:
    from brandmelder.cli.moments import say_moment
    from brandmelder.pipeline.duty import plan_of
    from brandmelder.store import rotas

    yield rota.id
    copy = rotas.copies(connection).get(rota.id)
    if rota.id in duty.places:
        read = "never" if copy is None or copy.good_at is None else say_moment(copy.good_at, rota.zone)
        yield f"    calendar {duty.places[rota.id]}, last read {read}"
        if copy is not None and copy.trouble:
            yield f"  ! {copy.trouble}"
    turns = plan_of(connection, duty, rota, since=now, until=now + AHEAD)
    for number, turn in enumerate(turns):
        yield _turn(turn, duty, rota, is_now=number == 0, is_last=number == len(turns) - 1)
    for one in rotas.overrides_after(connection, now):
        if one.rota == rota.id and one.withdrawn_at is None:
            name = duty.names([one.person])[0]
            span = f"{say_moment(one.since, rota.zone)} - {say_moment(one.until, rota.zone)}"
            if one.person not in duty.people:
                yield f"  ! override {one.id}: {span}  {name} is not among `people` any more, so it does not hold"
                continue
            yield f"    override {one.id}: {span}  {name}, by {one.by}: {one.reason}"


def _turn(turn: Turn, duty: Duty, rota: Rota, *, is_now: bool, is_last: bool) -> str:
    from brandmelder.cli.moments import say_moment

    begin = "now".ljust(20) if is_now else say_moment(turn.since, rota.zone)
    end = "…".ljust(20) if is_last else say_moment(turn.until, rota.zone)
    if not turn.people:
        instead = ", ".join(duty.names(rota.fallback))
        who = f"nobody; called instead: {instead}" if instead else "nobody, and no fallback"
        return f"  ! {begin} - {end}  {who}"
    mark = " (override)" if turn.is_override else ""
    return f"    {begin} - {end}  {', '.join(duty.names(turn.people))}{mark}"


def _wanted(asked: dict[str, str], settings: Settings, now: datetime) -> Override:
    from brandmelder.cli.moments import read_moment
    from brandmelder.model import Override, PersonId, RotaId

    rota = settings.duty.rotas[RotaId(_known(asked["rota_name"], settings.duty.rotas, "--rota"))]
    begin = read_moment(asked["since"], rota.zone, now, option="--from")
    end = read_moment(asked["until"], rota.zone, now, option="--until")
    if end <= max(begin, now):
        raise click.BadParameter("lies before its beginning, or in the past", param_hint="--until")
    if not asked["reason"].strip():
        raise click.BadParameter("says nothing", param_hint="--reason")
    return Override(
        id=0,
        rota=rota.id,
        person=PersonId(_known(asked["person"], settings.duty.people, "--person")),
        since=begin,
        until=end,
        by=asked["by"],
        reason=asked["reason"],
        made_at=now,
    )


def _override(one: Override, settings: Settings) -> str:
    from brandmelder.cli.moments import say_moment

    zone, name = settings.duty.rotas[one.rota].zone, settings.duty.people[one.person].name
    span = f"{say_moment(one.since, zone)} - {say_moment(one.until, zone)}"
    return f"override {one.id}: {one.rota}  {span}  {name}, by {one.by}: {one.reason}"


# ---------------------------------------------------------------------------- rest


def _readable(settings: Settings, by: str, person: str | None) -> list[PersonId]:
    """Return whose rest `by` may read. Raises BrandmelderError if it is nobody's they ask for."""
    from brandmelder.model import PersonId

    duty = settings.duty
    reader = next((one.id for one in duty.people.values() if by.casefold() in {one.id, one.name.casefold()}), None)
    if person is not None:
        _known(person, duty.people, "--person")
    if person is not None and person == reader:
        return [PersonId(person)]
    if reader is None or reader != duty.rest_reader:
        named = duty.people[duty.rest_reader].name if duty.rest_reader else "nobody else"
        raise BrandmelderError(f"only the person may read this, and {named} (rest_reader); say who you are by --by")
    if person is not None and not duty.people_in_figures:
        raise BrandmelderError("people_in_figures is false: leave --person out, and read it without names")
    return [PersonId(person)] if person is not None else sorted(duty.people)


def _rest(connection: Connection, settings: Settings, person: PersonId, since: datetime, now: datetime) -> list[str]:
    from zoneinfo import ZoneInfo

    from brandmelder.cli.moments import say_moment, say_span
    from brandmelder.notify.call_words import call_words
    from brandmelder.notify.rest import rests
    from brandmelder.store import calls, incidents

    who = settings.duty.people[person]
    zone = ZoneInfo(who.zone)
    moments = [one.at for one in calls.pages(connection, since, now, person)]
    names = {who.name.casefold(), who.id}
    moments += [
        step.at
        for step in incidents.transitions_since(connection, since)
        if step.by.casefold() in names or (who.slack and step.person == who.slack)
    ]
    found = [one for one in rests(moments, settings.duty.working, zone, since=since, until=now) if one.calls]
    name = who.name if settings.duty.people_in_figures else call_words(settings.language).anonymous
    short = sum(1 for one in found if one.is_short)
    lines = [f"{name}: rests shorter than 11 h: {short}, interrupted: {len(found)}, since {say_moment(since, zone)}"]
    for one in found:
        mark = "!" if one.is_short else " "
        last, longest = say_span(one.last), say_span(one.longest)
        looks = f"{len(one.calls)} look" + ("s" if len(one.calls) > 1 else "")
        rested = f"{last} after the last of {looks}, longest stretch {longest}"
        lines.append(f"  {mark} before {say_moment(one.until, zone)}: {rested}")
    return lines


def _settings(path: Path) -> Settings:
    from brandmelder.settings import read_settings

    return read_settings(path, os.environ)


def _known(name: str, known: object, option: str) -> str:
    from brandmelder.settings.wording import nearest

    names = list(known) if isinstance(known, dict) else []
    if name not in names:
        raise click.BadParameter(f'"{name}" is not known; {nearest(name, names, "names")}', param_hint=option)
    return name
