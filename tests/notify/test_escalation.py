"""Whom to call next, and when."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import Act, Course, PersonId, RotaId, State, Transition
from brandmelder.notify.escalation import UNCONFIRMED, Escalation, Step, Target, confirmed_at, due
from notify.deliveries import OPEN, SENT, THREAD, a_delivery
from notify.stories import INCIDENT

T0 = datetime(2026, 12, 15, 19, 0, tzinfo=UTC)
MINUTE, HOUR, SECOND = timedelta(minutes=1), timedelta(hours=1), timedelta(seconds=1)
FIRST, SECOND_ONE, THIRD = (
    Target(rota=RotaId("crisis")),
    Target(person=PersonId("ben")),
    Target(person=PersonId("carla")),
)
STEPS = (
    Step(to=(FIRST,), after=0 * MINUTE),
    Step(to=(SECOND_ONE,), after=10 * MINUTE),
    Step(to=(THIRD,), after=30 * MINUTE),
)
RULES = Escalation(steps=STEPS)
OPENED = replace(INCIDENT, state=State.OPEN, opened_at=T0, acknowledged_by=None, acknowledged_at=None)
TAKEN = replace(OPENED, state=State.ACKNOWLEDGED, acknowledged_by="Anna", acknowledged_at=T0, course=Course.HIGH)


def steps(*acts):
    """Return a timeline of (act, minutes after T0) or (act, minutes, by)."""
    return [
        Transition(
            incident=OPENED.id,
            revision=revision,
            at=T0 + act[1] * MINUTE,
            act=act[0],
            before=None,
            after=State.OPEN,
            by=act[2] if len(act) == 3 else "brandmelder",
        )
        for revision, act in enumerate(acts, 1)
    ]


def look(minutes, *acts, incident=OPENED, confirmed=0, rules=RULES):
    moment = None if confirmed is None else T0 + confirmed * MINUTE
    return due(incident, steps(*acts), moment, escalation=rules, now=T0 + minutes * MINUTE)


def test_the_alert_itself_calls_the_first():
    assert RULES.first == (FIRST,)
    assert look(0, (Act.OPEN, 0)).at == T0 + 10 * MINUTE


@pytest.mark.parametrize(("minutes", "number"), [(9.99, None), (10, 1), (29, 1)])
def test_the_next_is_called_when_nobody_acknowledged_in_time(minutes, number):
    found = look(minutes, (Act.OPEN, 0))
    assert (found.number if found.act else None) == number
    if found.act:
        assert found.step(RULES).to == (SECOND_ONE,)


def test_each_step_is_taken_once_and_then_it_is_over():
    assert look(29, (Act.OPEN, 0), (Act.ESCALATE, 10)).at == T0 + 30 * MINUTE
    assert look(30, (Act.OPEN, 0), (Act.ESCALATE, 10)).step(RULES).to == (THIRD,)
    assert look(600, (Act.OPEN, 0), (Act.ESCALATE, 10), (Act.ESCALATE, 30)) == type(look(0))()


def test_the_clock_runs_from_the_confirmed_delivery():
    assert look(5, (Act.OPEN, 0), confirmed=3).at == T0 + 13 * MINUTE


def test_before_any_channel_confirms_nothing_is_called_until_it_has_waited_long_enough():
    waiting = look(1, (Act.OPEN, 0), confirmed=None)
    assert (waiting.act, waiting.at) == (None, T0 + UNCONFIRMED)
    assert look(15, (Act.OPEN, 0), confirmed=None).act is Act.ESCALATE


def test_a_restart_long_after_calls_the_steps_one_after_the_other():
    late = look(300, (Act.OPEN, 0))
    assert late.number == 1
    assert look(300, (Act.OPEN, 0), (Act.ESCALATE, 300)).number == 2


def test_repeating_steps_begin_anew():
    rules = replace(RULES, repeats=20 * MINUTE)
    done = ((Act.OPEN, 0), (Act.ESCALATE, 10), (Act.ESCALATE, 30))
    assert look(49, *done, rules=rules).at == T0 + 50 * MINUTE
    again = look(50, *done, rules=rules)
    assert again.step(rules).to == (FIRST,)
    assert look(50, *done, (Act.ESCALATE, 50), rules=rules).at == T0 + 60 * MINUTE


@pytest.mark.parametrize("act", [Act.REOPEN, Act.LAPSE])
def test_what_is_open_again_calls_the_first_at_once(act):
    again = look(60, (Act.OPEN, 0), (Act.ESCALATE, 10), (Act.ACKNOWLEDGE, 12, "Anna"), (act, 60))
    assert (again.act, again.step(RULES).to) == (Act.ESCALATE, (FIRST,))


def test_after_a_silence_the_message_itself_calls_the_first():
    assert look(60, (Act.OPEN, 0), (Act.SILENCE, 0), (Act.SPEAK, 60)).at == T0 + 70 * MINUTE


def test_without_steps_nothing_is_due():
    assert look(600, (Act.OPEN, 0), rules=Escalation()).act is None


@pytest.mark.parametrize("state", [State.PENDING, State.RESOLVED, State.DISMISSED, State.DISCARDED])
def test_what_nobody_is_told_of_or_what_is_over_calls_nobody(state):
    assert look(600, (Act.OPEN, 0), incident=replace(OPENED, state=state)).act is None


def test_who_acknowledged_is_asked_after_two_hours_of_burning_without_a_sign():
    taken = ((Act.OPEN, 0), (Act.ACKNOWLEDGE, 0, "Anna"))
    assert look(119, *taken, incident=TAKEN).at == T0 + 2 * HOUR
    assert look(120, *taken, incident=TAKEN).act is Act.ASK


def test_any_act_of_a_person_is_a_sign_and_our_own_are_none():
    taken = ((Act.OPEN, 0), (Act.ACKNOWLEDGE, 0, "Anna"))
    assert look(120, *taken, (Act.WORSEN, 60), incident=TAKEN).act is Act.ASK
    handed = replace(TAKEN, acknowledged_at=T0 + HOUR)
    assert look(120, *taken, (Act.HAND_OVER, 60, "Anna"), incident=handed).at == T0 + 3 * HOUR


@pytest.mark.parametrize("course", [Course.SUBSIDING, Course.CALM])
def test_what_subsides_needs_no_question(course):
    calm = replace(TAKEN, course=course)
    assert look(120, (Act.OPEN, 0), (Act.ACKNOWLEDGE, 0, "Anna"), incident=calm) == type(look(0))()


def test_an_unanswered_question_lapses_the_acknowledgement():
    asked = replace(TAKEN, asked_at=T0 + 2 * HOUR)
    taken = ((Act.OPEN, 0), (Act.ACKNOWLEDGE, 0, "Anna"), (Act.ASK, 120))
    assert look(129, *taken, incident=asked).at == T0 + 130 * MINUTE
    assert look(130, *taken, incident=asked).act is Act.LAPSE


def test_an_answered_question_starts_the_time_anew():
    answered = replace(TAKEN, acknowledged_at=T0 + 125 * MINUTE, asked_at=None)
    taken = ((Act.OPEN, 0), (Act.ACKNOWLEDGE, 0, "Anna"), (Act.ASK, 120), (Act.ACKNOWLEDGE, 125, "Anna"))
    assert look(130, *taken, incident=answered).at == T0 + 245 * MINUTE


def test_the_first_channel_that_has_the_alert_confirms_it():
    one = a_delivery(OPEN, SENT, confirmed_at=T0 + MINUTE, key="a")
    two = a_delivery(OPEN, SENT, confirmed_at=T0 + SECOND, key="b")
    word = a_delivery(THREAD, SENT, confirmed_at=T0, key="c")
    assert confirmed_at([one, two, word]) == T0 + SECOND
    assert confirmed_at([a_delivery(OPEN), word]) is None


def test_nobody_is_called_while_it_is_calm():
    calm = replace(OPENED, course=Course.CALM, calm_since=T0)
    assert look(600, (Act.OPEN, 0), incident=calm) == type(look(0))()


def test_rounds_that_a_calm_left_out_are_not_made_up_for():
    rules = Escalation(steps=STEPS, repeats=30 * MINUTE)
    before = ((Act.OPEN, 0), (Act.ESCALATE, 10), (Act.ESCALATE, 30), (Act.ESCALATE, 60))
    first = look(300, *before, rules=rules)
    assert (first.act, first.step(rules).to) == (Act.ESCALATE, (SECOND_ONE,))
    second = look(301, *before, (Act.ESCALATE, 300), rules=rules)
    assert second == type(second)(at=T0 + 320 * MINUTE)
    assert look(320, *before, (Act.ESCALATE, 300), rules=rules).step(rules).to == (THIRD,)
