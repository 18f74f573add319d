"""How the blocks about people and duty become DutySettings: every name in them is looked up."""

from __future__ import annotations

import difflib
import zoneinfo
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from brandmelder.errors import to_have
from brandmelder.model import ChannelId, MonitorId, Person, PersonId, RotaId
from brandmelder.notify.escalation import Escalation, Step, Target
from brandmelder.notify.rest import WorkingHours
from brandmelder.notify.rota import Rota, Turns
from brandmelder.notify.silence import QuietHours
from brandmelder.settings.duty import (
    CalendarSettings,
    DutySettings,
    PersonBlock,
    QuietBlock,
    RotaBlock,
    SilencesBlock,
    StepBlock,
    TurnsBlock,
    WorkingHoursBlock,
    zone_named,
)
from brandmelder.settings.shape import NAME, AlertBlock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path as FilePath

    from brandmelder.settings.marks import Path
    from brandmelder.settings.wording import Notes

_KINDS = ("rota", "person", "channel")


class DutyReading:
    """One pass over the blocks about duty; problems stand in the notes."""

    def __init__(self, notes: Notes, block: Mapping[str, Any], *, zone: zoneinfo.ZoneInfo, folder: FilePath) -> None:
        self._notes, self._block, self._zone, self._folder = notes, block, zone, folder
        self._people = _items(block.get("people"))
        self._rotas = _items(block.get("rota"))

    def settings(self, monitors: Mapping[str, Any], channels: Mapping[str, Any], language: str) -> DutySettings:
        """Return everything but the escalations, which stand in the alerts."""
        people = [self._person(name, block, channels, language) for name, block in self._people.items()]
        rotas = [self._rota(name, block) for name, block in self._rotas.items()]
        quiet = [self._quiet(at, block, monitors) for at, block in enumerate(self._listed("quiet_hours"))]
        silences = self._notes.accept(SilencesBlock, self._block.get("silences", {}), ("silences",))
        working = self._notes.accept(WorkingHoursBlock, self._block.get("working_hours", {}), ("working_hours",))
        reader = self._block.get("rest_reader")
        if isinstance(reader, str):
            self._known([reader], self._people, ("rest_reader",), "person", is_list=False)
        return DutySettings(
            people={one.id: one for one in people if one is not None},
            rotas={one[0].id: one[0] for one in rotas if one is not None},
            calendars={one[0].id: one[1] for one in rotas if one is not None and one[1] is not None},
            quiet=tuple(one for one in quiet if one is not None),
            longest_silence=(silences or SilencesBlock()).longest,
            silences_broken_at=(silences or SilencesBlock()).breaks_at,
            working=_hours(working or WorkingHoursBlock()),
            rest_reader=PersonId(reader) if isinstance(reader, str) else None,
            people_in_figures=self._block.get("people_in_figures") is not False,
        )

    def escalation(self, block: AlertBlock, written: Any, path: Path, channels: Mapping[str, Any]) -> Escalation:
        """Return what one line of routing does about an incident that nobody takes."""
        steps: list[Step] = []
        for at, raw in enumerate(written if isinstance(written, list) else []):
            here = (*path, "escalation", at)
            step = self._notes.accept(StepBlock, raw, here)
            if step is None:
                continue
            one = isinstance(raw, dict) and isinstance(raw.get("to"), str)
            places = [(*here, "to") if one else (*here, "to", number) for number in range(len(step.to))]
            targets = [self._target(text, place, channels) for text, place in zip(step.to, places, strict=True)]
            if steps and step.after <= steps[-1].after:
                self._notes.wrong((*here, "after"), "after: not later than the step before", "order the steps by time")
            steps.append(Step(to=tuple(one for one in targets if one is not None), after=step.after))
        return Escalation(
            steps=tuple(steps),
            repeats=block.escalation_repeats,
            lapses=block.acknowledgement_lapses,
            patience=block.acknowledgement_patience,
        )

    # ------------------------------------------------------------------ blocks

    def _person(self, name: str, block: Any, channels: Mapping[str, Any], language: str) -> Person | None:
        path = ("people", name)
        self._name(path, name)
        accepted = self._notes.accept(PersonBlock, block, path)
        if accepted is None:
            return None
        zone = self._zone_at(accepted.zone, (*path, "zone"))
        self._known(accepted.channels, channels, (*path, "channels"), "channel")
        return Person(
            id=PersonId(name),
            name=accepted.name,
            zone=zone.key,
            language=accepted.language or language,
            slack=accepted.slack or "",
            mail=accepted.mail or "",
            channels=tuple(ChannelId(one) for one in accepted.channels),
        )

    def _rota(self, name: str, block: Any) -> tuple[Rota, CalendarSettings | None] | None:
        path = ("rota", name)
        self._name(path, name)
        accepted = self._notes.accept(RotaBlock, block, path)
        if accepted is None:
            return None
        zone = self._zone_at(accepted.zone, (*path, "zone"))
        self._known(accepted.fallback, self._people, (*path, "fallback"), "person")
        if (accepted.turns is None) == (accepted.calendar is None):
            self._notes.wrong(path, "a rota needs exactly one of turns and calendar", on_key=True)
            return None
        turns = None if accepted.turns is None else self._turns(accepted.turns, (*path, "turns"))
        fallback = tuple(PersonId(one) for one in accepted.fallback)
        calendar = None
        if accepted.calendar is not None:
            if find_spec("recurring_ical_events") is None:
                hint = to_have("calendars")
                self._notes.wrong((*path, "calendar"), "a calendar needs a package that is not installed", hint)
            place = accepted.calendar if "://" in accepted.calendar else str(self._folder / accepted.calendar)
            calendar = CalendarSettings(place=place, allow_private=accepted.allow_private)
        return Rota(id=RotaId(name), zone=zone, turns=turns, fallback=fallback), calendar

    def _turns(self, block: TurnsBlock, path: Path) -> Turns:
        self._known(block.people, self._people, (*path, "people"), "person")
        people = tuple(PersonId(one) for one in block.people)
        return Turns(begins=block.begins, weekday=block.handover.weekday, clock=block.handover.clock, people=people)

    def _quiet(self, at: int, block: Any, monitors: Mapping[str, Any]) -> QuietHours | None:
        path = ("quiet_hours", at)
        accepted = self._notes.accept(QuietBlock, block, path)
        if accepted is None:
            return None
        self._known(accepted.monitors or (), monitors, (*path, "monitors"), "monitor")
        named = accepted.monitors
        return QuietHours(
            days=accepted.days,
            since=accepted.since,
            until=accepted.to,
            zone=None if accepted.zone is None else self._zone_at(accepted.zone, (*path, "zone")),
            monitors=None if named is None else frozenset(MonitorId(one) for one in named),
            broken_at=accepted.breaks_at,
        )

    def _target(self, text: str, path: Path, channels: Mapping[str, Any]) -> Target | None:
        kind, colon, name = text.partition(":")
        if not colon or kind not in _KINDS:
            hint = "write rota:NAME, person:NAME or channel:NAME"
            self._notes.wrong(path, f'"{text}" says not who is called', hint)
            return None
        known = {"rota": self._rotas, "person": self._people, "channel": channels}[kind]
        if name not in known:
            self._notes.unknown(path, name, known, kind=kind)
            return None
        match kind:
            case "rota":
                return Target(rota=RotaId(name))
            case "person":
                return Target(person=PersonId(name))
            case _:
                return Target(channel=ChannelId(name))

    # ------------------------------------------------------------------- parts

    def _listed(self, key: str) -> list[Any]:
        found = self._block.get(key, [])
        return found if isinstance(found, list) else []

    def _name(self, path: Path, name: str) -> None:
        if not NAME.fullmatch(name):
            hint = "small letters, digits, - and _, beginning with a letter, at most 40"
            self._notes.wrong(path, f'"{name}" is no name', hint, on_key=True)

    def _known(
        self, names: Iterable[str], known: Mapping[str, Any], path: Path, kind: str, *, is_list: bool = True
    ) -> None:
        for at, name in enumerate(names):
            if name not in known:
                self._notes.unknown((*path, at) if is_list else path, name, known, kind=kind)

    def _zone_at(self, name: str | None, path: Path) -> zoneinfo.ZoneInfo:
        found = self._zone if name is None else zone_named(name)
        if found is not None:
            return found
        near = difflib.get_close_matches(str(name), zoneinfo.available_timezones(), n=1)
        hint = f'did you mean "{near[0]}"?' if near else "a name of the IANA list, as in Europe/Berlin"
        self._notes.wrong(path, f'zone: there is no zone "{name}"', hint)
        return self._zone


def _hours(block: WorkingHoursBlock) -> WorkingHours:
    return WorkingHours(days=block.days, since=block.since, until=block.to)


def _items(blocks: Any) -> Mapping[str, Any]:
    return blocks if isinstance(blocks, dict) else {}
