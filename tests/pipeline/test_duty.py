"""Who is called as time passes, what silences hold back, how duty changes: whole evenings under a clock that jumps."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from brandmelder.model import (
    Act,
    DeliveryKind,
    DeliveryState,
    Matcher,
    MonitorId,
    Override,
    PersonId,
    RotaId,
    Silence,
    SourceId,
    State,
)
from brandmelder.notify.compose import plain_text
from brandmelder.notify.notifier import NotDelivered
from brandmelder.pipeline.act import Wish, do
from brandmelder.pipeline.calendars import Edition
from brandmelder.pipeline.render import render
from brandmelder.store import calls, rotas, silences
from pipeline.test_crashes import Plug, PowerCut
from pipeline.world import STORM, YAML, World, quiet_weeks, storm

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)

PEOPLE = """
people:
  anna: {name: Anna Berg, slack: U0ANNA}
  ben: {name: Ben Kurz, slack: U0BEN, channels: [phone], language: en}
rota:
  crisis: {turns: {handover: mon 09:00, begins: 2026-01-05, people: [ben, anna]}, fallback: [ben]}
"""
CALLING = (
    YAML.replace(
        "channels:\n",
        "channels:\n  phone: {type: console}\n",
    ).replace(
        "{monitors: all, to: [crisis]}",
        '{monitors: all, to: [crisis], escalation: [{to: "rota:crisis"}, {to: "person:ben", after: 10m}]}',
    )
    + PEOPLE
)
"""In the week of the storm it is Anna's turn; after ten minutes Ben is called, on his phone as well."""
QUIET = CALLING + 'quiet_hours: [{from: "22:00", to: "07:00", breaks_at: null}]\n'
TWO = QUIET.replace("sources: [blog, press]", "sources: [blog]").replace(
    "channels:\n", "  papers: {query: nordfunk, sources: [press], false_alarms: 1 per 30 days}\nchannels:\n", 1
)
"""Two monitors that share no mention: what they find is told apart."""


def evening(begin, *worlds_mentions, until, yaml=CALLING, before=None, outages=None):
    """Run from an hour before `begin`, with two quiet days before it."""

    async def run():
        mentions = quiet_weeks(begin - HOUR, days=2)
        for more in worlds_mentions:
            mentions += more
        world = World(mentions, yaml=yaml, outages=outages)
        await world.begin(begin - HOUR / 2)
        if before is not None:
            before(world)
        await world.run_until(until)
        return world

    return asyncio.run(run())


def in_the_press(mentions):
    return [replace(one, source=SourceId("press")) for one in mentions]


def of_kind(world, kind):
    return [one for one in world.deliveries() if one.kind is kind]


def acts(world, number=0):
    return [step.act for step in world.timeline(world.incidents()[number].id)]


def at_of(world, act):
    (incident,) = world.incidents()
    return next(step.at for step in world.timeline(incident.id) if step.act is act)


def said(world, delivery):
    message, _ = asyncio.run(render(world.pipeline.parts, delivery, world.clock.now()))
    return plain_text(message)


def acknowledge(world, by="Anna", person="U0ANNA"):
    """Acknowledge as Slack tells of it: the name people chose, and their member id."""
    (incident,) = world.incidents()
    wish = Wish(incident=incident.id, act=Act.ACKNOWLEDGE, by=by, person=person)
    world.database.run_now(do, world.pipeline.parts, wish, world.clock.now())


def a_silence(since, until, **fields):
    made = {"id": 0, "matcher": Matcher(), "by": "Carla", "reason": "Wartung", "broken_at": None}
    return Silence(since=since, until=until, **(made | fields))


def silenced(*made):
    return lambda world: [world.database.run_now(silences.add, one) for one in made]


# ------------------------------------------------------------------- escalation


@pytest.fixture(scope="module")
def nobody():
    """An evening on which nobody acknowledges."""
    return evening(STORM, storm(STORM, 60), until=STORM + 40 * MINUTE)


def test_the_alert_calls_whoever_is_on_call(nobody):
    (opening,) = [one for one in of_kind(nobody, DeliveryKind.OPEN) if one.channel == "crisis"]
    assert opening.persons == ("anna",)
    assert "Zuständig @Anna Berg" in said(nobody, opening)


def test_ten_minutes_after_the_confirmed_alert_the_next_is_called(nobody):
    (opening,) = [one for one in of_kind(nobody, DeliveryKind.OPEN) if one.channel == "crisis"]
    (call,) = of_kind(nobody, DeliveryKind.ESCALATE)
    assert (call.persons, call.state, call.channel) == (("ben",), DeliveryState.SENT, "crisis")
    assert opening.confirmed_at + 10 * MINUTE <= call.created_at <= opening.confirmed_at + 11 * MINUTE
    assert acts(nobody).count(Act.ESCALATE) == 1
    assert "Seit 10 min hat niemand übernommen." in said(nobody, call)


def test_who_is_called_gets_the_alert_on_their_own_channel_too(nobody):
    (opening,) = [one for one in of_kind(nobody, DeliveryKind.OPEN) if one.channel == "phone"]
    assert opening.persons == ("ben",)
    assert [one.kind for one in nobody.deliveries() if one.channel == "phone" and one.kind is DeliveryKind.THREAD] == []


def test_each_call_that_arrived_is_written_down_once_for_each_person(nobody):
    pages = nobody.database.run_now(calls.pages, STORM, STORM + HOUR)
    confirmed = {one.persons[0]: one.confirmed_at for one in nobody.deliveries() if one.persons}
    assert [(one.person, one.at) for one in pages] == [("anna", confirmed["anna"]), ("ben", confirmed["ben"])]


def test_nobody_is_called_once_somebody_acknowledged():
    async def run():
        world = World(quiet_weeks(STORM - HOUR, days=2) + storm(STORM, 60), yaml=CALLING)
        await world.begin(STORM - HOUR / 2)
        await world.run_until(STORM + 12 * MINUTE)
        acknowledge(world)
        await world.run_until(STORM + 40 * MINUTE)
        return world

    assert of_kind(asyncio.run(run()), DeliveryKind.ESCALATE) == []


class Unreachable:
    """A channel that takes nothing before a moment; for the rest it is the recorder's."""

    def __init__(self, channel, until, clock):
        self._channel, self._until, self._clock = channel, until, clock

    def __getattr__(self, name):
        return getattr(self._channel, name)

    async def push(self, message, *, key, thread, form):
        if self._clock() < self._until:
            return NotDelivered("unreachable")
        return await self._channel.push(message, key=key, thread=thread, form=form)


def test_the_steps_wait_for_the_first_channel_that_confirms_but_not_for_ever():
    def cut_off(until):
        def before(world):
            notifiers = world.pipeline.parts.notifiers
            world.pipeline.parts.notifiers = {
                ident: Unreachable(one, until, world.clock.now) for ident, one in notifiers.items()
            }

        return before

    short = evening(STORM, storm(STORM, 60), until=STORM + 40 * MINUTE, before=cut_off(STORM + 9 * MINUTE))
    confirmed = min(one.confirmed_at for one in of_kind(short, DeliveryKind.OPEN))
    assert confirmed >= STORM + 9 * MINUTE
    assert confirmed + 10 * MINUTE <= at_of(short, Act.ESCALATE) <= confirmed + 11 * MINUTE
    long = evening(STORM, storm(STORM, 60), until=STORM + 40 * MINUTE, before=cut_off(STORM + 9 * HOUR))
    opened = long.incidents()[0].opened_at
    assert opened + 15 * MINUTE <= at_of(long, Act.ESCALATE) <= opened + 16 * MINUTE


def test_a_hole_calls_the_fallback_and_says_so():
    late = CALLING.replace("begins: 2026-01-05", "begins: 2027-01-04")
    world = evening(STORM, storm(STORM, 60), until=STORM + 20 * MINUTE, yaml=late)
    opening = next(one for one in of_kind(world, DeliveryKind.OPEN) if one.channel == "crisis")
    assert opening.persons == ("ben",)
    assert "Im Bereitschaftsplan crisis steht jetzt niemand; ersatzweise gerufen: Ben Kurz." in said(world, opening)


@pytest.mark.parametrize(("person", "called"), [("ben", "ben"), ("carl", "anna")])
def test_an_override_is_called_in_place_of_the_rota_unless_they_left_the_configuration(person, called):
    swap = Override(
        id=0,
        rota=RotaId("crisis"),
        person=PersonId(person),
        since=STORM - HOUR,
        until=STORM + HOUR,
        by="Carla",
        reason="ill",
        made_at=STORM - HOUR,
    )
    world = evening(
        STORM,
        storm(STORM, 60),
        until=STORM + 20 * MINUTE,
        before=lambda world: world.database.run_now(rotas.add_override, swap),
    )
    first = [one for one in of_kind(world, DeliveryKind.OPEN) if one.created_at < STORM + 10 * MINUTE]
    assert {one.persons for one in first} == {(called,)}


# ------------------------------------------------------------ an acknowledgement lapses


@pytest.fixture(scope="module")
def left_alone():
    """Anna acknowledges a storm that goes on for hours, and is not heard of again."""

    async def run():
        world = World(quiet_weeks(STORM - HOUR, days=2) + storm(STORM, 900, spread=5 * HOUR), yaml=CALLING)
        await world.begin(STORM - HOUR / 2)
        await world.run_until(STORM + 15 * MINUTE)
        acknowledge(world)
        await world.run_until(STORM + 3 * HOUR)
        return world

    return asyncio.run(run())


def test_who_acknowledged_is_asked_after_two_hours_and_then_people_are_called_again(left_alone):
    (incident,) = left_alone.incidents()
    taken = at_of(left_alone, Act.ACKNOWLEDGE)
    asked, lapsed = at_of(left_alone, Act.ASK), at_of(left_alone, Act.LAPSE)
    assert taken + 2 * HOUR <= asked <= taken + 2 * HOUR + MINUTE
    assert asked + 10 * MINUTE <= lapsed <= asked + 11 * MINUTE
    after = [step for step in left_alone.timeline(incident.id) if step.at >= lapsed and step.act is Act.ESCALATE]
    assert after[0].at - lapsed < MINUTE
    assert incident.state is State.OPEN


def test_the_question_goes_to_whoever_acknowledged_and_names_them(left_alone):
    revision = next(step.revision for step in left_alone.timeline(left_alone.incidents()[0].id) if step.act is Act.ASK)
    (question,) = [one for one in of_kind(left_alone, DeliveryKind.ESCALATE) if one.revision == revision]
    assert question.persons == ("anna",)
    assert "Anna, noch dran?" in said(left_alone, question)


def test_after_the_lapse_it_is_said_who_gave_no_sign(left_alone):
    timeline = left_alone.timeline(left_alone.incidents()[0].id)
    lapse = next(step for step in timeline if step.act is Act.LAPSE)
    first = next(step for step in timeline if step.act is Act.ESCALATE and step.revision > lapse.revision)
    call = next(one for one in of_kind(left_alone, DeliveryKind.ESCALATE) if one.revision == first.revision)
    assert "Anna hat sich nicht mehr gemeldet" in said(left_alone, call)
    assert call.persons == ("anna",)


# ------------------------------------------------------------------- silences


@pytest.fixture(scope="module")
def hushed():
    """A silence over everything until an hour after the storm began."""
    return evening(
        STORM,
        storm(STORM, 120, spread=100 * MINUTE),
        until=STORM + 85 * MINUTE,
        before=silenced(a_silence(STORM - HOUR, STORM + HOUR)),
    )


def test_a_silenced_incident_goes_on_and_nobody_is_told_until_its_end(hushed):
    (incident,) = hushed.incidents()
    assert incident.opened_at < STORM + 15 * MINUTE
    assert acts(hushed).index(Act.SILENCE) > acts(hushed).index(Act.OPEN)
    assert min(one.created_at for one in hushed.deliveries()) >= STORM + HOUR


def test_at_the_end_of_a_silence_one_message_tells_what_still_burns(hushed):
    told = [
        one
        for one in hushed.deliveries()
        if one.created_at <= STORM + HOUR + MINUTE and one.kind is not DeliveryKind.UPDATE
    ]
    assert [(one.kind, one.channel) for one in told] == [(DeliveryKind.OPEN, "crisis")]
    assert at_of(hushed, Act.SPEAK) - (STORM + HOUR) < MINUTE
    note = next(step.note for step in hushed.timeline(hushed.incidents()[0].id) if step.act is Act.SILENCE)
    assert note == "silence 1 by Carla: Wartung"


async def test_a_start_at_the_very_end_of_a_silence_tells_once_and_calls(tmp_path):
    world = World(quiet_weeks(STORM - HOUR, days=2) + storm(STORM, 60), yaml=CALLING, path=tmp_path / "end.db")
    await world.begin(STORM - 2 * MINUTE)
    world.database.run_now(silences.add, a_silence(STORM - HOUR, STORM + 15 * MINUTE))
    await world.run_until(STORM + 15 * MINUTE - SECOND)
    assert world.clock.now() == STORM + 15 * MINUTE
    await world.come_back()
    await world.run_until(STORM + 16 * MINUTE)
    told = [one for one in world.deliveries() if one.kind in {DeliveryKind.OPEN, DeliveryKind.ESCALATE}]
    assert [(one.kind, one.persons) for one in told] == [(DeliveryKind.OPEN, ("anna",))]
    world.database.close()


def test_after_a_silence_the_steps_begin_anew(hushed):
    assert STORM + 70 * MINUTE <= at_of(hushed, Act.ESCALATE) <= STORM + 72 * MINUTE


def test_an_alert_that_stood_before_the_silence_is_only_edited_during_it():
    def world_():
        return evening(
            STORM,
            storm(STORM, 300, spread=100 * MINUTE),
            until=STORM + 75 * MINUTE,
            before=silenced(a_silence(STORM + 20 * MINUTE, STORM + HOUR)),
        )

    world = world_()
    during = [one for one in world.deliveries() if STORM + 21 * MINUTE <= one.created_at < STORM + HOUR]
    assert {one.kind for one in during} <= {DeliveryKind.UPDATE}
    (over,) = [
        one
        for one in of_kind(world, DeliveryKind.ESCALATE)
        if STORM + HOUR <= one.created_at < STORM + 65 * MINUTE and one.channel == "crisis"
    ]
    assert "Es brennt noch. Still war es seit" in said(world, over)


def test_severity_breaks_a_silence_at_once():
    world = evening(
        STORM,
        storm(STORM, 400),
        until=STORM + 40 * MINUTE,
        before=silenced(a_silence(STORM - HOUR, STORM + 5 * HOUR, broken_at=4)),
    )
    (incident,) = world.incidents()
    assert incident.severity >= 4
    opening = next(one for one in of_kind(world, DeliveryKind.OPEN) if one.channel == "crisis")
    assert opening.created_at < STORM + 30 * MINUTE


def test_what_breaks_a_silence_calls_whoever_is_on_call_though_its_alert_stood_before():
    world = evening(
        STORM,
        storm(STORM, 12, spread=10 * MINUTE) + storm(STORM + HOUR, 300, spread=15 * MINUTE, first=300_000),
        until=STORM + 75 * MINUTE,
        before=silenced(a_silence(STORM + 12 * MINUTE, STORM + 9 * HOUR, broken_at=4)),
    )
    (opening,) = [one for one in of_kind(world, DeliveryKind.OPEN) if one.channel == "crisis"]
    assert opening.confirmed_at < at_of(world, Act.SILENCE)
    first, second = [one for one in of_kind(world, DeliveryKind.ESCALATE) if one.channel == "crisis"]
    assert (first.persons, second.persons) == (("anna",), ("ben",))
    assert first.created_at - at_of(world, Act.SPEAK) < MINUTE
    assert second.created_at - first.created_at >= 10 * MINUTE


def test_a_silence_of_another_monitor_holds_nothing_back():
    other = a_silence(STORM - HOUR, STORM + 5 * HOUR, matcher=Matcher(monitors=frozenset({MonitorId("other")})))
    world = evening(STORM, storm(STORM, 60), until=STORM + 20 * MINUTE, before=silenced(other))
    assert Act.SILENCE not in acts(world)
    assert of_kind(world, DeliveryKind.OPEN)


def test_what_has_ended_before_the_silence_does_is_not_told():
    world = evening(
        STORM,
        storm(STORM, 40, spread=10 * MINUTE),
        until=STORM + 9 * HOUR,
        before=silenced(a_silence(STORM - HOUR, STORM + 8 * HOUR)),
    )
    assert world.incidents()[0].state is State.RESOLVED
    assert world.deliveries() == []


# ------------------------------------------------------------------ quiet hours

NIGHTS = {
    "winter": datetime(2026, 12, 16, 2, 0, tzinfo=BERLIN),
    "clock back": datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN),
    "clock forward": datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN),
}


@pytest.mark.parametrize("night", NIGHTS.values(), ids=NIGHTS)
def test_what_burns_in_quiet_hours_is_told_at_their_end_by_the_clock_on_the_wall(night):
    begin = night.astimezone(UTC)
    morning = night.replace(hour=7, minute=0, fold=0).astimezone(UTC)
    world = evening(begin, storm(begin, 700, spread=7 * HOUR), until=morning + 15 * MINUTE, yaml=QUIET)
    first = world.incidents()[0]
    assert first.opened_at < begin + HOUR
    told = [one for one in world.deliveries() if one.kind is not DeliveryKind.UPDATE]
    assert told[0].kind is DeliveryKind.OPEN
    assert timedelta(0) <= told[0].created_at - morning < MINUTE


def test_the_night_is_that_of_whoever_is_on_call():
    begin = datetime(2026, 12, 16, 2, 0, tzinfo=BERLIN).astimezone(UTC)
    there = QUIET.replace("{name: Anna Berg,", "{name: Anna Berg, zone: Asia/Tokyo,")
    world = evening(begin, storm(begin, 60), until=begin + 20 * MINUTE, yaml=there)
    assert of_kind(world, DeliveryKind.OPEN)


def test_several_that_burn_are_told_in_one_message_with_their_alerts_in_its_thread():
    begin = datetime(2026, 12, 16, 5, 0, tzinfo=BERLIN).astimezone(UTC)
    morning = datetime(2026, 12, 16, 7, 0, tzinfo=BERLIN).astimezone(UTC)
    angry = storm(begin, 300, spread=3 * HOUR)
    papers = in_the_press(quiet_weeks(begin - HOUR, days=2) + angry)
    world = evening(begin, angry, papers, until=morning + 8 * MINUTE, yaml=TWO)
    assert len(world.incidents()) == 2
    (notice,) = [one for one in of_kind(world, DeliveryKind.NOTICE) if one.channel == "crisis"]
    assert (notice.state, notice.persons) == (DeliveryState.SENT, ("anna",))
    openings = of_kind(world, DeliveryKind.OPEN)
    assert {(one.state, one.root) for one in openings} == {(DeliveryState.SENT, notice.ref)}
    text = said(world, notice)
    assert "2 Vorfälle brennen noch" in text
    assert all(one.id in text for one in world.incidents())


def test_a_notice_that_its_channel_does_not_take_is_told_by_the_fallback():
    begin = datetime(2026, 12, 16, 5, 0, tzinfo=BERLIN).astimezone(UTC)
    morning = datetime(2026, 12, 16, 7, 0, tzinfo=BERLIN).astimezone(UTC)
    angry = storm(begin, 300, spread=3 * HOUR)
    papers = in_the_press(quiet_weeks(begin - HOUR, days=2) + angry)
    instead = TWO.replace("to: [crisis],", "to: [crisis], fallback: [phone],")

    def cut_off(world):
        notifiers = world.pipeline.parts.notifiers
        crisis = Unreachable(notifiers["crisis"], morning + HOUR, world.clock.now)
        world.pipeline.parts.notifiers = notifiers | {"crisis": crisis}

    world = evening(begin, angry, papers, until=morning + 4 * MINUTE, yaml=instead, before=cut_off)
    (told,) = [one for one in of_kind(world, DeliveryKind.NOTICE) if one.channel == "phone"]
    assert (told.state, told.instead_of) == (DeliveryState.SENT, "crisis")
    assert told.confirmed_at <= morning + 2 * MINUTE
    assert "Hier ersatzweise" in said(world, told)


# ------------------------------------------------------------- restart and replay


def test_two_replays_and_a_restart_tell_the_same_story(tmp_path):
    async def interrupted():
        world = World(
            quiet_weeks(STORM - HOUR, days=2) + storm(STORM, 120, spread=100 * MINUTE),
            yaml=CALLING,
            path=tmp_path / "a.db",
        )
        await world.begin(STORM - HOUR / 2)
        world.database.run_now(silences.add, a_silence(STORM - HOUR, STORM + HOUR))
        for minutes in (5, 30, 61, 69):
            await world.run_until(STORM + minutes * MINUTE)
            await world.come_back()
        await world.run_until(STORM + 85 * MINUTE)
        return world

    def straight():
        return evening(
            STORM,
            storm(STORM, 120, spread=100 * MINUTE),
            until=STORM + 85 * MINUTE,
            before=silenced(a_silence(STORM - HOUR, STORM + HOUR)),
        )

    def sense(world):
        (incident,) = world.incidents()
        steps = [(step.act, step.note) for step in world.timeline(incident.id) if step.act in _WATCHED]
        loud = [(one.kind, one.channel, one.persons, one.state) for one in world.deliveries() if one.kind in _LOUD]
        return steps, loud

    first, second, broken = straight(), straight(), asyncio.run(interrupted())
    assert first.story() == second.story()
    assert sense(broken) == sense(first)


_WATCHED = frozenset({Act.OPEN, Act.SILENCE, Act.SPEAK, Act.ESCALATE, Act.ASK, Act.LAPSE})
_LOUD = frozenset({DeliveryKind.OPEN, DeliveryKind.ESCALATE, DeliveryKind.NOTICE})


# ---------------------------------------------------------------- changes of duty


MONDAY = datetime(2026, 12, 21, 9, 0, tzinfo=BERLIN).astimezone(UTC)


@pytest.fixture(scope="module")
def change():
    """A change of duty at nine, while a storm is silenced."""
    return evening(
        MONDAY - HOUR,
        storm(MONDAY - HOUR, 200, spread=2 * HOUR),
        until=MONDAY + 5 * MINUTE,
        before=silenced(a_silence(MONDAY - 2 * HOUR, MONDAY + HOUR)),
        outages={"press": ((MONDAY - HOUR, MONDAY + HOUR),)},
    )


def notes_of(world):
    return [one for one in of_kind(world, DeliveryKind.NOTICE) if one.incident.startswith("turn:")]


def test_a_note_is_given_at_the_change_of_duty_to_the_channel_and_the_new_person(change):
    notes = notes_of(change)
    assert {(one.channel, one.incident.rsplit(":", 1)[1]) for one in notes} == {("crisis", "de"), ("phone", "en")}
    assert {one.created_at for one in notes} == {MONDAY}
    assert {one.state for one in notes} == {DeliveryState.SENT}


def test_the_note_says_what_is_open_what_is_silenced_what_happened_and_what_is_blind(change):
    german = next(one for one in notes_of(change) if one.channel == "crisis")
    text = said(change, german)
    assert "Bereitschaft crisis: jetzt Ben Kurz" in text
    assert "Ben Kurz übernimmt die Bereitschaft von Anna Berg." in text
    assert change.incidents()[0].id in text
    assert "Carla: Wartung (alles)" in text
    assert "1 eröffnet, 0 beendet" in text
    assert "Press fehlt seit" in text


def test_without_people_in_figures_the_note_says_neither_who_went_nor_how_often_they_were_called():
    masked = CALLING + "people_in_figures: false\n"
    world = evening(MONDAY, until=MONDAY + 5 * MINUTE, yaml=masked)
    text = said(world, next(one for one in of_kind(world, DeliveryKind.NOTICE) if one.channel == "crisis"))
    assert "Ben Kurz übernimmt die Bereitschaft." in text
    assert "Anna" not in text
    assert "gerufen" not in text


def test_the_first_look_of_an_installation_is_no_change_of_duty(nobody):
    assert of_kind(nobody, DeliveryKind.NOTICE) == []


# -------------------------------------------------------------------- calendars

ICS = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//test//EN\r
BEGIN:VEVENT\r
UID:1\r
DTSTAMP:20260101T000000Z\r
SUMMARY:Anna Berg\r
DTSTART:20261201T090000Z\r
DTEND:20261220T090000Z\r
END:VEVENT\r
END:VCALENDAR\r
"""
KEPT = CALLING.replace(
    "{turns: {handover: mon 09:00, begins: 2026-01-05, people: [ben, anna]}", "{calendar: crisis.ics"
)


class Shelf:
    """Where a calendar lies: `content`, or an error."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def read(self, kept, now):
        self.asked.append((now, kept is not None))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def with_calendar(shelf):
    def before(world):
        world.pipeline.parts.calendars = {RotaId("crisis"): shelf.read}

    return before


def test_a_calendar_says_who_is_called_and_its_hole_is_told_days_before():
    world = evening(
        STORM, storm(STORM, 60), until=STORM + 20 * MINUTE, yaml=KEPT, before=with_calendar(Shelf(Edition(content=ICS)))
    )
    opening = next(one for one in of_kind(world, DeliveryKind.OPEN) if one.channel == "crisis")
    assert opening.persons == ("anna",)
    alarms = [said(world, one) for one in of_kind(world, DeliveryKind.NOTICE)]
    assert len(alarms) == 1
    assert "Bereitschaftsplan crisis" in alarms[0]
    assert "Von So 20.12., 10:00" in alarms[0]


def test_the_last_good_copy_holds_while_the_calendar_cannot_be_read_and_an_alarm_is_told_after_a_day():
    from brandmelder.errors import Transient

    shelf = Shelf(Edition(content=ICS), Transient('source "rota crisis": answers 503'))
    begin = STORM - 26 * HOUR
    world = evening(begin, storm(STORM, 60), until=STORM + 20 * MINUTE, yaml=KEPT, before=with_calendar(shelf))
    assert next(one for one in of_kind(world, DeliveryKind.OPEN)).persons == ("anna",)
    stale = [one for one in of_kind(world, DeliveryKind.NOTICE) if one.incident.startswith("stale:")]
    assert stale
    assert stale[0].created_at >= begin - HOUR / 2 + 24 * HOUR
    assert "answers 503" in said(world, stale[0])
    assert any("answers 503" in line for line in world.said)


def test_a_calendar_that_has_not_changed_stays_good():
    shelf = Shelf(Edition(content=ICS, etag='"1"'), Edition(content=None))
    world = evening(STORM, until=STORM + 3 * HOUR, yaml=KEPT, before=with_calendar(shelf))
    copy = world.database.run_now(rotas.copies)[RotaId("crisis")]
    assert (copy.content, copy.etag) == (ICS, '"1"')
    assert copy.good_at > STORM + 2 * HOUR
    assert [was_kept for _, was_kept in shelf.asked] == [False, True, True, True]


def test_a_calendar_that_was_never_read_calls_the_fallback():
    from brandmelder.errors import Transient

    world = evening(
        STORM,
        storm(STORM, 60),
        until=STORM + 20 * MINUTE,
        yaml=KEPT,
        before=with_calendar(Shelf(Transient('source "rota crisis": answers 503'))),
    )
    assert next(one for one in of_kind(world, DeliveryKind.OPEN)).persons == ("ben",)


# ----------------------------------------------------------------------- crashes


async def test_a_crash_at_any_commit_calls_the_same_people_once(tmp_path):
    """A silence ends and a step becomes due while the process dies again and again."""
    until = STORM + 27 * MINUTE
    mentions = quiet_weeks(STORM - HOUR, days=2) + storm(STORM, 60)
    eve = World(mentions, yaml=CALLING, path=tmp_path / "eve.db")
    await eve.begin(STORM - 2 * MINUTE)
    eve.database.run_now(silences.add, a_silence(STORM - HOUR, STORM + 15 * MINUTE))
    eve.database.close()

    async def begun(name):
        for end in ("", ".key"):
            shutil.copy(tmp_path / f"eve.db{end}", tmp_path / f"{name}{end}")
        world = World(mentions, yaml=CALLING, path=tmp_path / name)
        await world.begin(STORM - 2 * MINUTE)
        return world

    def sense(world):
        (incident,) = world.incidents()
        steps = [(step.act, step.note) for step in world.timeline(incident.id) if step.act in _WATCHED]
        loud = [(one.key, one.persons, one.state) for one in world.deliveries() if one.kind in _LOUD]
        pages = [one.person for one in world.database.run_now(calls.pages, STORM, until)]
        world.database.close()
        return steps, [(key.split(":")[1], persons, state) for key, persons, state in loud], pages

    clean = await begun("clean.db")
    plug = Plug(clean, -1, after=False)
    await clean.run_until(until)
    expected = sense(clean)
    assert [act for act, _ in expected[0]] == [Act.OPEN, Act.SILENCE, Act.SPEAK, Act.ESCALATE]
    for number, at in enumerate(range(1, plug.count, max(1, plug.count // 12))):
        world = await begun(f"{at}.db")
        Plug(world, at, after=bool(number % 2))
        with pytest.raises(PowerCut):
            await world.run_until(until)
        await world.come_back()
        await world.run_until(until)
        assert sense(world) == expected, f"died at transaction {at}"
