"""Who is on call when: at the boundaries, over both changes of the clock, with holes and overrides."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.model import Override, PersonId, RotaId, Turn
from brandmelder.notify.rota import Rota, Turns, holes, next_change, plan, turn_at, turns_of
from brandmelder.notify.wall import moment_of

BERLIN = ZoneInfo("Europe/Berlin")
ANNA, BEN, CEM = PersonId("anna"), PersonId("ben"), PersonId("cem")
CRISIS = RotaId("crisis")
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def a_rota(*people, begins="2026-03-02", weekday=0, clock="09:00", zone=BERLIN):
    turns = Turns(
        begins=date.fromisoformat(begins),
        weekday=weekday,
        clock=time.fromisoformat(clock),
        people=tuple(PersonId(one) for one in people),
    )
    return Rota(id=CRISIS, zone=zone, turns=turns)


def on_call(rota, moment, overrides=()):
    turns = plan(turns_of(rota, moment - HOUR, moment + HOUR), overrides, moment - HOUR, moment + HOUR)
    return turn_at(turns, moment).people


def override(number, person, since, until, **fields):
    made = {"by": "Carla", "reason": "ill", "made_at": at("2026-03-01")} | fields
    return Override(id=number, rota=CRISIS, person=PersonId(person), since=since, until=until, **made)


@pytest.mark.parametrize(
    ("day", "clock", "moment"),
    [
        ("2026-03-28", "02:30", "2026-03-28T01:30"),  # an ordinary winter night
        ("2026-03-29", "01:59", "2026-03-29T00:59"),
        ("2026-03-29", "02:30", "2026-03-29T01:30"),  # left out: half an hour after the change
        ("2026-03-29", "03:00", "2026-03-29T01:00"),
        ("2026-10-25", "01:59", "2026-10-24T23:59"),
        ("2026-10-25", "02:30", "2026-10-25T00:30"),  # comes twice: the first time
        ("2026-10-25", "03:00", "2026-10-25T02:00"),
    ],
)
def test_a_wall_clock_means_one_moment(day, clock, moment):
    meant = moment_of(date.fromisoformat(day), time.fromisoformat(clock), BERLIN)
    assert meant == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        ("2026-03-02T08:59:59", ()),  # before the first turn nobody is on call
        ("2026-03-02T09:00:00", (ANNA,)),
        ("2026-03-09T08:59:59", (ANNA,)),
        ("2026-03-09T09:00:00", (BEN,)),
        ("2026-03-23T09:00:00", (ANNA,)),
        ("2026-03-29T01:59:59", (ANNA,)),
        ("2026-03-29T03:00:00", (ANNA,)),  # the clock has jumped, the turn has not
        ("2026-03-30T08:59:59", (ANNA,)),
        ("2026-03-30T09:00:00", (BEN,)),
        ("2026-10-26T08:59:59", (ANNA,)),
        ("2026-10-26T09:00:00", (BEN,)),
        ("2026-11-02T09:00:00", (CEM,)),
    ],
)
def test_a_week_changes_at_its_hour_in_summer_and_in_winter(moment, who):
    assert on_call(a_rota("anna", "ben", "cem"), at(moment)) == who


@pytest.mark.parametrize(
    ("begins", "hours"),
    [("2026-03-28", 23), ("2026-03-29", 24), ("2026-10-24", 25), ("2026-10-25", 24), ("2026-06-01", 24)],
)
def test_the_day_of_a_change_is_shorter_or_longer(begins, hours):
    rota = a_rota("anna", "ben", begins=begins, weekday=None)
    first = turns_of(rota, at(f"{begins}T09:00"), at(f"{begins}T10:00"))[0]
    assert first.until - first.since == hours * HOUR


@pytest.mark.parametrize(("begins", "days"), [("2026-03-22", 7), ("2026-10-19", 7)])
def test_the_week_of_a_change_is_an_hour_shorter_or_longer(begins, days):
    rota = a_rota("anna", "ben", begins=begins, weekday=date.fromisoformat(begins).weekday())
    first = turns_of(rota, at(f"{begins}T09:00"), at(f"{begins}T10:00"))[0]
    assert first.until - first.since == days * 24 * HOUR + (HOUR if begins.endswith("19") else -HOUR)


def test_turns_change_in_the_hour_that_is_left_out_and_in_the_one_that_comes_twice():
    spring = turns_of(
        a_rota("anna", "ben", begins="2026-03-28", weekday=None, clock="02:30"), at("2026-03-29"), at("2026-03-30")
    )
    assert [one.since for one in spring][1] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    autumn = turns_of(
        a_rota("anna", "ben", begins="2026-10-24", weekday=None, clock="02:30"), at("2026-10-25"), at("2026-10-26")
    )
    assert [one.since for one in autumn][1] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_first_turn_waits_for_its_weekday():
    rota = a_rota("anna", "ben", begins="2026-03-04", weekday=4)
    assert on_call(rota, at("2026-03-05T12:00")) == ()
    assert on_call(rota, at("2026-03-06T12:00")) == (ANNA,)


def test_a_rota_of_another_zone_changes_at_its_own_morning():
    rota = a_rota("anna", "ben", zone=ZoneInfo("America/New_York"))
    assert on_call(rota, at("2026-03-09T13:59")) == (ANNA,)  # New York has changed its clock already
    assert on_call(rota, at("2026-03-09T14:00")) == (BEN,)


def test_an_override_holds_for_its_time_and_not_a_second_longer():
    swap = override(1, "cem", at("2026-03-10T18:00"), at("2026-03-11T08:00"))
    rota = a_rota("anna", "ben")
    table = [
        ("2026-03-10T17:59:59", BEN),
        ("2026-03-10T18:00", CEM),
        ("2026-03-11T07:59:59", CEM),
        ("2026-03-11T08:00", BEN),
    ]
    assert [on_call(rota, at(moment), [swap]) for moment, _ in table] == [(who,) for _, who in table]


def test_of_two_overrides_the_later_made_holds():
    since, until = at("2026-03-10T18:00"), at("2026-03-11T08:00")
    both = [override(2, "anna", since, until), override(1, "cem", since, until)]
    assert on_call(a_rota("anna", "ben"), since, both) == (ANNA,)


def test_a_withdrawn_override_holds_no_more():
    swap = override(1, "cem", at("2026-03-10T18:00"), at("2026-03-11T08:00"), withdrawn_at=at("2026-03-10T19:00"))
    assert on_call(a_rota("anna", "ben"), at("2026-03-10T20:00"), [swap]) == (BEN,)


def test_holes_are_turns_of_nobody():
    since, until = at("2026-03-01"), at("2026-03-05")
    turns = plan(turns_of(a_rota("anna"), since, until), (), since, until)
    assert holes(turns) == (Turn(since=since, until=at("2026-03-02T09:00"), people=()),)


def test_an_override_fills_a_hole():
    since, until = at("2026-03-01"), at("2026-03-02T09:00")
    turns = plan((), [override(1, "cem", since, until)], since, until)
    assert holes(turns) == ()
    assert turns[0].is_override


def test_turns_that_overlap_put_all_their_people_on_call():
    two = [
        Turn(since=at("2026-03-02"), until=at("2026-03-04"), people=(ANNA,)),
        Turn(since=at("2026-03-03"), until=at("2026-03-05"), people=(BEN,)),
    ]
    turns = plan(two, (), at("2026-03-02"), at("2026-03-05"))
    assert [one.people for one in turns] == [(ANNA,), (ANNA, BEN), (BEN,)]


def test_the_next_change_is_where_other_people_begin():
    since, until = at("2026-03-02T09:00"), at("2026-03-20")
    turns = plan(turns_of(a_rota("anna", "ben"), since, until), (), since, until)
    assert next_change(turns, since) == at("2026-03-09T09:00")
    assert next_change(turns, at("2026-03-17")) is None
    assert turn_at(turns, until) is None


_moments = st.integers(0, 400).map(lambda hours: at("2026-03-15") + hours * HOUR)


@given(
    st.lists(st.tuples(_moments, _moments, st.sampled_from([ANNA, BEN, CEM])), max_size=8),
    st.lists(st.tuples(_moments, _moments, st.sampled_from(["anna", "ben", "cem"])), max_size=4),
)
def test_a_plan_has_no_gap_and_no_overlap_and_says_what_its_parts_say(turns, overrides):
    given_turns = [Turn(since=a, until=b, people=(who,)) for a, b, who in turns if a < b]
    given_overrides = [override(number, who, a, b) for number, (a, b, who) in enumerate(overrides) if a < b]
    since, until = at("2026-03-16"), at("2026-03-30")
    made = plan(given_turns, given_overrides, since, until)
    assert made[0].since == since
    assert made[-1].until == until
    assert all(one.until == two.since for one, two in pairwise(made))
    for moment in (since + HOUR * 7 * number for number in range(40)):
        holding = [one for one in given_overrides if one.since <= moment < one.until]
        wanted = (
            {max(holding, key=lambda one: one.id).person}
            if holding
            else {who for one in given_turns if one.since <= moment < one.until for who in one.people}
        )
        assert set(turn_at(made, moment).people) == wanted


@given(st.integers(0, 730 * 24 * 60).map(lambda minutes: at("2026-01-01") + timedelta(minutes=minutes)))
def test_after_the_first_turn_exactly_one_person_is_on_call(moment):
    rota = a_rota("anna", "ben", "cem", begins="2025-12-01")
    assert len(on_call(rota, moment)) == 1
    assert on_call(rota, moment + 3 * 7 * 24 * HOUR + 2 * HOUR)
