"""Who is on call when: turns that follow one another, overrides that hold against them, and holes that are seen."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.model import PersonId, RotaId, Turn
from brandmelder.notify.wall import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from brandmelder.model import Override

WEEK = 7


class Turns(Struct, frozen=True, kw_only=True):
    """People who follow one another, each for a day or for a week, in their order and then from the first again."""

    begins: date
    """The first turn begins with the first hand-over on or after this day; before it nobody is on call."""
    weekday: int | None
    """On which day turns change, Monday is 0; None stands for every day."""
    clock: time
    """At which time of the rota's zone they change."""
    people: tuple[PersonId, ...]


class Rota(Struct, frozen=True, kw_only=True):
    """One plan of duty: turns written in the configuration, or a calendar kept elsewhere (`turns` None)."""

    id: RotaId
    zone: tzinfo
    turns: Turns | None = None
    fallback: tuple[PersonId, ...] = ()
    """Who is called while nobody is on call."""


def turns_of(rota: Rota, since: datetime, until: datetime) -> tuple[Turn, ...]:
    """Return the turns of a rota written in the configuration that touch [since, until), whole and in order."""
    turns = rota.turns
    if turns is None or not turns.people:
        return ()
    step = 1 if turns.weekday is None else WEEK
    first = turns.begins + timedelta(days=0 if turns.weekday is None else (turns.weekday - turns.begins.weekday()) % 7)
    number = max(0, (since.astimezone(rota.zone).date() - first).days // step - 1)
    found: list[Turn] = []
    while True:
        begin = moment_of(first + timedelta(days=number * step), turns.clock, rota.zone)
        end = moment_of(first + timedelta(days=(number + 1) * step), turns.clock, rota.zone)
        if begin >= until:
            return tuple(found)
        if end > since:
            person = turns.people[number % len(turns.people)]
            found.append(Turn(since=begin, until=end, people=(person,)))
        number += 1


def plan(turns: Iterable[Turn], overrides: Iterable[Override], since: datetime, until: datetime) -> tuple[Turn, ...]:
    """Return who is on call in [since, until), gapless: holes are turns of nobody.

    Turns that overlap put all their people on call. An override holds against every turn, a later one against an
    earlier one. Neighbours with the same people are one turn.
    """
    given = [one for one in turns if one.since < until and one.until > since]
    valid = [one for one in overrides if one.withdrawn_at is None and one.since < until and one.until > since]
    edges = {since, until}
    spans = [(one.since, one.until) for one in given] + [(one.since, one.until) for one in valid]
    for begin, end in spans:
        edges |= {min(max(begin, since), until), min(max(end, since), until)}
    pieces = [_piece(given, valid, begin, end) for begin, end in pairwise(sorted(edges))]
    return tuple(_joined(pieces))


def _piece(turns: Sequence[Turn], overrides: Sequence[Override], begin: datetime, end: datetime) -> Turn:
    holding = [one for one in overrides if one.since <= begin < one.until]
    if holding:
        latest = max(holding, key=lambda one: one.id)
        return Turn(since=begin, until=end, people=(latest.person,), is_override=True)
    people = (person for one in turns if one.since <= begin < one.until for person in one.people)
    return Turn(since=begin, until=end, people=tuple(dict.fromkeys(people)))


def _joined(pieces: Iterable[Turn]) -> list[Turn]:
    joined: list[Turn] = []
    for one in pieces:
        last = joined[-1] if joined else None
        if last is not None and (last.people, last.is_override) == (one.people, one.is_override):
            joined[-1] = replace(last, until=one.until)
        else:
            joined.append(one)
    return joined


def turn_at(turns: Sequence[Turn], now: datetime) -> Turn | None:
    """Return the turn of a plan that holds `now`; None outside the plan."""
    return next((one for one in turns if one.since <= now < one.until), None)


def holes(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return the stretches of a plan in which nobody is on call."""
    return tuple(one for one in turns if not one.people)


def next_change(turns: Iterable[Turn], now: datetime) -> datetime | None:
    """Return when the people on call change next; None if a plan holds no later turn."""
    return min((one.since for one in turns if one.since > now), default=None)


def in_utc(moment: date | datetime, zone: tzinfo) -> datetime:
    """Return what a calendar means by a moment: a day is its midnight, a time without a zone is the rota's."""
    if not isinstance(moment, datetime):
        return moment_of(moment, time(0), zone)
    if moment.tzinfo is None:
        return moment_of(moment.date(), moment.time(), zone)
    return moment.astimezone(UTC)
