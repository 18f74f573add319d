"""More than five openings in ten minutes stand in one thread; none of them is dropped, none waits for ever."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId, MonitorId
from brandmelder.notify.compose import plain_text
from brandmelder.notify.flood import MOST, WITHIN, gathered, storm
from brandmelder.notify.voice import Voice, words_of
from notify.stories import ALARM, BERLIN, INCIDENT, MINUTE, changed

SECOND = timedelta(seconds=1)


def opening(number, *, ago=0, state=DeliveryState.DUE, **more):
    at = ALARM - ago * SECOND
    known = {
        "key": f"NF-{number}:open:crisis",
        "incident": IncidentId(f"NF-{number}"),
        "channel": ChannelId("crisis"),
        "kind": DeliveryKind.OPEN,
        "revision": 1,
        "state": state,
        "due_at": at,
        "created_at": at,
    }
    return Delivery(**known | more)


SENT = DeliveryState.SENT


def numbers(found):
    return [one.incident for one in found]


def test_five_in_ten_minutes_speak_for_themselves():
    assert gathered([opening(number) for number in range(MOST)], ALARM) == ()
    spread = [opening(number, ago=150 * number, state=SENT) for number in range(9)]
    assert gathered([*spread, opening(9)], ALARM) == ()


def test_the_sixth_goes_into_a_thread_and_those_that_stand_already_stay():
    standing = [opening(number, ago=60 * number, state=SENT, attempts=1) for number in range(1, 6)]
    assert numbers(gathered([*standing, opening(6)], ALARM)) == ["NF-6"]


def test_of_many_at_once_all_go_into_the_thread():
    assert len(gathered([opening(number) for number in range(8)], ALARM)) == 8


@pytest.mark.parametrize(
    "other",
    [
        {"attempts": 1},
        {"state": DeliveryState.SENDING},
        {"state": DeliveryState.UNCLEAR},
        {"state": DeliveryState.SUPERSEDED},
        {"under": "storm:crisis:1:de:notice:crisis"},
    ],
)
def test_what_may_have_been_read_or_is_gathered_already_is_left_alone(other):
    openings = [opening(number) for number in range(7)]
    assert numbers(gathered([*openings, opening(7, **other)], ALARM)) == numbers(openings)


def test_older_openings_do_not_count():
    old = [opening(number, ago=(WITHIN + SECOND).total_seconds()) for number in range(5)]
    assert gathered([*old, opening(6)], ALARM) == ()


def test_the_one_message_counts_them_and_names_the_worst_first():
    storms = [
        replace(changed(observed=10 + number), id=f"NF-2026-0{number}", monitor=MonitorId("tariffs"), severity=severity)
        for number, severity in ((42, 2), (43, 4), (44, 3))
    ]
    for language, head in (("de", "3 neue Vorfälle in 10 min"), ("en", "3 new incidents in 10 min")):
        voice = Voice(words_of(language), BERLIN, ALARM)
        message = storm("storm:crisis:1", storms, brand="Nordfunk", titles={"tariffs": "Tarife"}, voice=voice)
        lines = plain_text(message).splitlines()
        assert lines[0] == f"🔴 Nordfunk: {head}"
        assert [line[:10] for line in lines[2:5]] == ["NF-2026-04"] * 3
        assert "Tarife, 53 in 60 min" in lines[2]
    many = [replace(INCIDENT, id=f"NF-{number}", opened_at=ALARM - MINUTE) for number in range(40)]
    assert len(storm("x", many, brand="N" * 90, titles={}, voice=voice).lines) == 12
