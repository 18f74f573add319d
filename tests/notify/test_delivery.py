from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import ChannelId, Detour, Form, IncidentId
from brandmelder.notify import delivery as life
from brandmelder.notify.notifier import (
    Found,
    NotDelivered,
    RefusedForm,
    RefusedPlace,
    Sent,
    Unclear,
    Uneditable,
    Unreadable,
)
from brandmelder.notify.patience import JITTER
from notify.deliveries import (
    DEAD,
    DUE,
    ESCALATE,
    MINUTE,
    NOTICE,
    NOW,
    OPEN,
    RESOLVE,
    SECOND,
    SENDING,
    SENT,
    SUPERSEDED,
    TEST,
    THREAD,
    UNCLEAR,
    UPDATE,
    a_delivery,
    sending,
    unclear,
)

# ---------------------------------------------------------------- keys and kinds


def test_a_key_names_incident_kind_step_and_channel():
    assert life.key_of(IncidentId("NK-1"), OPEN, step=None, channel=ChannelId("crisis")) == "NK-1:open:crisis"
    assert life.key_of(IncidentId("NK-1"), UPDATE, step=7, channel=ChannelId("crisis")) == "NK-1:update:7:crisis"


@pytest.mark.parametrize(
    ("kind", "detour", "edits", "replies"),
    [
        (OPEN, None, False, False),
        (TEST, None, False, False),
        (THREAD, None, False, True),
        (UPDATE, None, True, False),
        (RESOLVE, None, True, False),
        (UPDATE, Detour.ANEW, False, False),
        (RESOLVE, Detour.REPLY, False, True),
    ],
)
def test_a_delivery_is_an_edit_a_reply_or_a_new_message(kind, detour, edits, replies):
    one = a_delivery(kind, detour=detour)
    assert (life.is_edit(one), life.is_reply(one)) == (edits, replies)


# -------------------------------------------------------------------- one attempt


def test_the_intent_is_written_before_the_attempt():
    first = life.begin(a_delivery(), NOW)
    assert (first.state, first.attempts, first.attempt_at, first.first_attempt_at) == (SENDING, 1, NOW, NOW)
    second = life.begin(replace(first, state=DUE), NOW + MINUTE)
    assert (second.attempts, second.attempt_at, second.first_attempt_at) == (2, NOW + MINUTE, NOW)


def test_a_delivery_remembers_the_revision_it_really_shows():
    assert life.begin(a_delivery(revision=3), NOW, revision=5).revision == 5
    assert life.begin(a_delivery(revision=3), NOW, revision=2).revision == 3
    assert life.begin(a_delivery(revision=3), NOW).revision == 3
    assert life.begin(a_delivery(THREAD, revision=3), NOW, revision=5).revision == 3


@pytest.mark.parametrize("state", [SENDING, UNCLEAR, SENT, DEAD, SUPERSEDED])
def test_only_what_is_due_may_begin(state):
    with pytest.raises(ValueError, match="not due"):
        life.begin(a_delivery(state=state), NOW)


@pytest.mark.parametrize("state", [DUE, UNCLEAR, SENT, DEAD, SUPERSEDED])
def test_only_what_is_being_sent_has_an_outcome(state):
    with pytest.raises(ValueError, match="not sending"):
        life.after(a_delivery(state=state), Sent("C1:1.0"), NOW)


OUTCOMES = [
    # the delivery before         outcome                       what becomes of it
    (sending(), Sent("C1:1.0"), {"state": SENT, "ref": "C1:1.0", "last_error": None}),
    (sending(UPDATE), Sent("C1:1.0"), {"state": SENT, "ref": "C1:1.0"}),
    (sending(), RefusedForm("invalid_blocks"), {"state": DUE, "form": Form.PLAIN, "due_at": NOW}),
    (sending(form=Form.PLAIN), RefusedForm("no_text"), {"state": DEAD, "form": Form.PLAIN, "last_error": "no_text"}),
    (sending(), RefusedPlace("token_revoked"), {"state": DEAD, "last_error": "token_revoked"}),
    (sending(UPDATE), RefusedPlace("is_archived"), {"state": DEAD}),
    (sending(), Unclear("time-out"), {"state": UNCLEAR, "was_unclear": True, "due_at": NOW + life.QUIESCE}),
    (sending(THREAD), Unclear("reset"), {"state": UNCLEAR, "was_unclear": True}),
    (sending(TEST), Unclear("reset"), {"state": UNCLEAR, "was_unclear": True}),
    (sending(UPDATE), Unclear("reset"), {"state": DUE, "was_unclear": False}),
    (sending(RESOLVE), Unclear("reset"), {"state": DUE, "was_unclear": False}),
    (sending(UPDATE, detour=Detour.ANEW), Unclear("reset"), {"state": UNCLEAR, "was_unclear": True}),
    (sending(UPDATE), Uneditable("gone", is_gone=True), {"state": DUE, "detour": Detour.ANEW, "due_at": NOW}),
    (sending(RESOLVE), Uneditable("closed"), {"state": DUE, "detour": Detour.REPLY, "due_at": NOW}),
    (sending(), Uneditable("gone", is_gone=True), {"state": DEAD}),
    (sending(UPDATE, detour=Detour.REPLY), Uneditable("closed"), {"state": DEAD}),
]


@pytest.mark.parametrize(("before", "outcome", "expected"), OUTCOMES)
def test_every_outcome_has_one_consequence(before, outcome, expected):
    after = life.after(before, outcome, NOW)
    assert {name: getattr(after, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 2), (3, 5), (4, 15), (5, 30), (6, 60), (7, 60), (99, 60)]
)
def test_certain_failures_back_off(attempts, seconds):
    after = life.after(sending(attempts=attempts), NotDelivered("refused"), NOW)
    waited = (after.due_at - NOW).total_seconds()
    assert after.state is DUE
    assert seconds * (1 - JITTER) <= waited < seconds * (1 + JITTER) + 1


def test_the_jitter_is_the_same_for_the_same_key_and_attempt_and_differs_between_keys():
    waits = [life.after(sending(attempts=6, key=f"NK-{n}"), NotDelivered("x"), NOW).due_at for n in range(40)]
    again = [life.after(sending(attempts=6, key=f"NK-{n}"), NotDelivered("x"), NOW).due_at for n in range(40)]
    assert waits == again
    assert len(set(waits)) > 5


@pytest.mark.parametrize(
    ("asked", "waited"), [(30 * SECOND, 30), (timedelta(0), 1), (timedelta(hours=5), 600), (timedelta(seconds=0.5), 1)]
)
def test_being_asked_to_wait_is_heeded_up_to_ten_minutes_and_is_no_attempt(asked, waited):
    after = life.after(sending(attempts=4), NotDelivered("ratelimited", asked), NOW)
    assert (after.state, after.attempts, after.due_at) == (DUE, 3, NOW + waited * SECOND)


def test_moments_are_whole_seconds_and_never_too_early():
    late = NOW + timedelta(milliseconds=1)
    assert life.after(sending(), NotDelivered("x", 2 * SECOND), late).due_at == NOW + 3 * SECOND
    assert life.after(sending(attempt_at=late), Unclear("x"), late).due_at == NOW + life.QUIESCE + SECOND


@pytest.mark.parametrize(
    ("kind", "lived", "state"),
    [
        (OPEN, timedelta(hours=71), DUE),
        (OPEN, timedelta(hours=72), DEAD),
        (RESOLVE, timedelta(hours=71), DUE),
        (RESOLVE, timedelta(hours=72), DEAD),
        (THREAD, 14 * MINUTE, DUE),
        (THREAD, 15 * MINUTE, DEAD),
        (UPDATE, timedelta(hours=71), DUE),
        (UPDATE, timedelta(hours=72), DEAD),
        (TEST, 15 * MINUTE, DEAD),
    ],
)
def test_a_passing_failure_is_retried_for_the_life_of_its_kind(kind, lived, state):
    assert life.after(sending(kind), NotDelivered("refused"), NOW + lived).state is state


def test_what_was_being_sent_at_a_crash_is_unclear_and_an_edit_is_simply_repeated():
    later = NOW + timedelta(hours=2)
    opening = life.recover(sending(), later)
    assert (opening.state, opening.was_unclear, opening.due_at) == (UNCLEAR, True, NOW + life.QUIESCE)
    assert life.recover(sending(UPDATE), NOW + MINUTE).state is DUE
    assert life.recover(a_delivery(), later) == a_delivery()


def test_what_a_person_put_away_is_neither_tried_nor_told_elsewhere():
    dead = life.after(sending(), RefusedPlace("token_revoked"), NOW)
    away = life.discard(dead, "anna")
    assert (away.state, away.last_error) == (SUPERSEDED, "discarded by anna: token_revoked")
    assert life.next_moment(away) is None
    assert life.next_moment(life.discard(a_delivery(), "anna")) is None


def test_a_person_may_retry_what_is_dead_and_discard_what_waits():
    dead = a_delivery(state=DEAD, attempts=9, form=Form.PLAIN)
    again = life.retry(dead, NOW + MINUTE)
    assert (again.state, again.due_at, again.attempts, again.form) == (DUE, NOW + MINUTE, 0, Form.FULL)
    assert life.discard(again, "anna").last_error == "discarded by anna"
    assert life.discard(unclear(), "anna").state is DEAD
    with pytest.raises(ValueError, match="only what waits"):
        life.discard(a_delivery(state=SENT), "anna")
    with pytest.raises(ValueError, match="not dead"):
        life.retry(a_delivery(state=SENT), NOW)


# -------------------------------------------------------------------------- looks


def test_a_look_waits_until_a_late_message_had_time_to_appear():
    assert timedelta(seconds=95) == life.QUIESCE
    assert life.looks_at(unclear()) == NOW + 95 * SECOND
    assert life.looks_at(unclear(due_at=NOW)) == NOW + 95 * SECOND
    assert life.looks_at(unclear(due_at=NOW + 5 * MINUTE)) == NOW + 5 * MINUTE


def test_a_look_reads_from_a_quarter_of_an_hour_before_the_first_attempt():
    assert life.look_since(unclear(first_attempt_at=NOW - MINUTE)) == NOW - 16 * MINUTE
    assert life.look_since(a_delivery()) == NOW - 15 * MINUTE


LOOKED = NOW + life.QUIESCE
LOOKS = [
    # found: adopted, the oldest
    (unclear(), Found(("C1:1.0", "C1:2.0")), LOOKED, {"state": SENT, "ref": "C1:1.0", "last_error": None}),
    # not found: the same key once more, if there is still time
    (unclear(), Found(()), LOOKED, {"state": DUE, "due_at": LOOKED}),
    (unclear(THREAD), Found(()), LOOKED, {"state": DUE}),
    (unclear(THREAD), Found(()), NOW + 16 * MINUTE, {"state": DEAD}),
    (unclear(), Found(()), NOW + timedelta(hours=72), {"state": DEAD}),
    # unreadable: wait ten minutes, then fail open for an alert and only for an alert
    (unclear(), Unreadable("outage"), LOOKED, {"state": UNCLEAR, "due_at": LOOKED + MINUTE, "possible_repeat": False}),
    (unclear(), Unreadable("outage"), NOW + 9.5 * MINUTE, {"state": UNCLEAR, "due_at": NOW + 10 * MINUTE}),
    (unclear(), Unreadable("outage"), NOW + 10 * MINUTE, {"state": DUE, "possible_repeat": True}),
    (unclear(THREAD), Unreadable("outage"), NOW + 10 * MINUTE, {"state": DEAD, "possible_repeat": False}),
    (unclear(TEST), Unreadable("outage"), NOW + 10 * MINUTE, {"state": DEAD}),
    (unclear(UPDATE, detour=Detour.ANEW), Unreadable("x"), NOW + 10 * MINUTE, {"state": DUE, "possible_repeat": True}),
    (unclear(UPDATE, detour=Detour.REPLY), Unreadable("x"), NOW + 10 * MINUTE, {"state": DEAD}),
    (unclear(), Unreadable("outage"), NOW + timedelta(hours=72), {"state": DEAD}),
    # a repeated alert is repeated again only once an hour
    (
        unclear(possible_repeat=True),
        Unreadable("x"),
        NOW + 10 * MINUTE,
        {"state": UNCLEAR, "due_at": NOW + 11 * MINUTE},
    ),
    (unclear(possible_repeat=True), Unreadable("x"), NOW + 60 * MINUTE, {"state": DUE, "possible_repeat": True}),
]


@pytest.mark.parametrize(("before", "look", "now", "expected"), LOOKS)
def test_every_look_has_one_consequence(before, look, now, expected):
    after = life.after_look(before, look, now)
    assert {name: getattr(after, name) for name in expected} == expected


def test_only_what_is_unclear_is_looked_for():
    with pytest.raises(ValueError, match="not unclear"):
        life.after_look(a_delivery(), Found(()), NOW)
    with pytest.raises(ValueError, match="not unclear"):
        life.looks_at(a_delivery())


# ------------------------------------------------------------------------- sweeps


def test_a_key_that_was_unclear_is_swept_four_times():
    one = replace(unclear(), state=SENT, ref="C1:1.0", due_at=NOW)
    swept = []
    while (moment := life.sweeps_at(one)) is not None:
        swept.append((moment - NOW) // MINUTE)
        one = life.after_sweep(one, Found(("C1:1.0",)), moment)
    assert swept == [1, 3, 6, 10]


def test_missed_sweeps_are_made_up_by_one():
    one = replace(unclear(), state=SENT, ref="C1:1.0", due_at=NOW)
    assert life.sweeps_at(life.after_sweep(one, Found(()), NOW + 4 * MINUTE)) == NOW + 6 * MINUTE
    assert life.sweeps_at(life.after_sweep(one, Found(()), NOW + 30 * MINUTE)) is None


@pytest.mark.parametrize(
    "one",
    [
        a_delivery(state=SENT, attempt_at=NOW),
        unclear(),
        replace(unclear(), state=DUE),
        replace(unclear(), state=SUPERSEDED),
    ],
)
def test_what_never_was_unclear_or_is_not_over_is_not_swept(one):
    assert life.sweeps_at(one) is None


@pytest.mark.parametrize(
    ("ref", "found", "deleted"),
    [
        ("b", ("a", "b", "c"), ("a", "c")),
        ("b", ("b",), ()),
        (None, ("a", "b"), ("b",)),
        ("gone", ("a", "b"), ("b",)),
        ("b", (), ()),
    ],
)
def test_of_twins_the_one_we_hold_stays_else_the_oldest(ref, found, deleted):
    assert life.twins(replace(unclear(), state=SENT, ref=ref), found) == deleted


def test_a_sweep_adopts_what_is_left_and_revives_the_dead():
    dead = replace(unclear(), state=DEAD, last_error="token_revoked")
    revived = life.after_sweep(dead, Found(("a", "b")), NOW + MINUTE)
    assert (revived.state, revived.ref, revived.swept_at) == (SENT, "a", NOW + MINUTE)
    assert life.after_sweep(dead, Found(()), NOW + MINUTE).state is DEAD


def test_a_sweep_waits_for_an_unreadable_history_but_not_for_ever():
    one = replace(unclear(), state=SENT, ref="a", due_at=NOW)
    waiting = life.after_sweep(one, Unreadable("outage"), NOW + MINUTE)
    assert life.sweeps_at(waiting) == NOW + 2 * MINUTE
    assert life.sweeps_at(life.after_sweep(one, Unreadable("outage"), NOW + 61 * MINUTE)) is None


@pytest.mark.parametrize(
    ("one", "moment"),
    [
        (a_delivery(due_at=NOW + MINUTE), NOW + MINUTE),
        (sending(), NOW + life.QUIESCE),
        (unclear(), NOW + life.QUIESCE),
        (a_delivery(state=SENT), None),
        (replace(unclear(), state=SENT, due_at=NOW), NOW + MINUTE),
        (replace(unclear(), state=DEAD, due_at=NOW), NOW + MINUTE),
        (a_delivery(state=DEAD), None),
        (a_delivery(state=SUPERSEDED), None),
    ],
)
def test_every_state_knows_when_it_wants_attention(one, moment):
    assert life.next_moment(replace(one, fallback_at=NOW)) == moment


@pytest.mark.parametrize(
    ("one", "moment"),
    [
        (a_delivery(due_at=NOW + 10 * MINUTE), NOW + MINUTE),
        (a_delivery(due_at=NOW + 10 * SECOND), NOW + 10 * SECOND),
        (unclear(), NOW + MINUTE),
        (a_delivery(state=DEAD, attempt_at=NOW), NOW),
        (a_delivery(THREAD, state=DEAD), NOW),
        (a_delivery(UPDATE, state=DEAD), None),
        (a_delivery(state=SENT), None),
    ],
)
def test_who_tells_people_wants_somebody_to_stand_in_after_a_minute(one, moment):
    assert life.next_moment(one) == moment


def test_where_the_same_key_may_come_twice_nothing_is_looked_for():
    after = life.after(sending(), Unclear("503"), NOW, is_idempotent=True)
    assert (after.state, after.was_unclear) == (DUE, False)
    assert NOW < after.due_at <= NOW + 2 * SECOND
    assert life.recover(sending(), NOW, is_idempotent=True).state is DUE


def test_news_that_no_edit_will_carry_is_repeated_once_nobody_can_look():
    later = NOW + life.PATIENCE
    lost = life.after_look(unclear(THREAD), Unreadable("no history"), later, is_editable=False)
    assert (lost.state, lost.possible_repeat) == (DUE, True)
    assert life.after_look(unclear(THREAD), Unreadable("no history"), later).state is DEAD


# ------------------------------------------------------------ calls and notices


def test_when_it_is_first_known_to_stand_there_is_kept():
    sent = life.after(sending(), Sent("C:1"), NOW)
    assert sent.confirmed_at == NOW
    swept = life.after_sweep(replace(sent, was_unclear=True), Found(("C:1",)), NOW + MINUTE)
    assert swept.confirmed_at == NOW


def test_what_is_found_after_an_unclear_answer_is_confirmed_then():
    assert life.after_look(unclear(), Found(("C:1",)), NOW + MINUTE).confirmed_at == NOW + MINUTE


def test_a_call_waits_for_the_alert_and_goes_into_its_thread():
    call = a_delivery(ESCALATE, revision=2)
    assert life.is_reply(call)
    assert life.orders([a_delivery(OPEN, SENDING, attempt_at=NOW), call], NOW).go == ()
    assert life.orders([a_delivery(OPEN, SENT, ref="C:1"), call], NOW).go == (call,)


def test_a_notice_needs_no_alert():
    notice = a_delivery(NOTICE)
    assert not life.is_reply(notice)
    assert life.orders([notice], NOW).go == (notice,)


@pytest.mark.parametrize("kind", [ESCALATE, NOTICE])
def test_a_call_is_rather_made_twice_than_not_at_all(kind):
    lost = unclear(kind, attempt_at=NOW - life.PATIENCE)
    again = life.after_look(lost, Unreadable("no scope"), NOW)
    assert again.state is DUE
    assert again.possible_repeat
