"""A channel that loses answers, commits late, refuses and is cut by crashes, against the rules of one delivery."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId
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
from notify.driver import Driver

START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
ENDED = {DeliveryState.SENT, DeliveryState.DEAD, DeliveryState.SUPERSEDED}
FAULTS = ("none", "lost", "vanished", "late", "refused", "limited", "form", "crash_before", "crash_after")


class Crash(BaseException):
    """The process dies here."""


class Channel:
    """A place with a memory: what people see, what is still on its way, and what goes wrong next."""

    def __init__(self, is_repeat):
        self.is_repeat = is_repeat
        self.now = START
        self.visible = {}
        self.coming = []
        self.count = 0
        self.fault = "none"
        self.is_readable = True
        self.unsure = set()
        self.shown = 0
        self.shows = {}
        """The revision that each message shows."""

    def land(self):
        for moment, ref, key in self.coming:
            if moment <= self.now:
                self.visible[ref] = key
        self.coming = [one for one in self.coming if one[0] > self.now]

    async def push(self, message, *, key, thread, form):
        assert (thread is not None) == life.is_reply(message), "a reply without an alert"
        assert key not in self.unsure or self.is_repeat(key), "sent again without a look"
        fault, self.fault = self.fault, "none"
        refusals = {
            "refused": NotDelivered("refused"),
            "limited": NotDelivered("ratelimited", timedelta(seconds=30)),
            "form": RefusedForm("invalid_blocks"),
        }
        if fault in refusals:
            return refusals[fault]
        self.unsure.add(key)
        if fault == "crash_before":
            raise Crash
        if fault == "vanished":
            return Unclear("time-out")
        self.count += 1
        ref = f"C1:{self.count:04}"
        self.shows[ref] = message.revision
        self.coming.append((self.now + timedelta(seconds=74 if fault == "late" else 0), ref, key))
        self.land()
        if fault == "crash_after":
            raise Crash
        if fault in {"lost", "late"}:
            return Unclear("time-out")
        self.unsure.discard(key)
        return Sent(ref)

    async def update(self, ref, message, *, key, form):
        assert ref is not None, "an edit without an alert"
        assert message.revision >= self.shown, "an older edit after a newer one"
        fault, self.fault = self.fault, "none"
        if fault.startswith("crash"):
            raise Crash
        if ref not in self.visible:
            return Uneditable("message_not_found", is_gone=True)
        if fault == "none":
            self.shown = self.shows[ref] = message.revision
        return {"form": RefusedForm("invalid_blocks"), "refused": NotDelivered("refused"), "none": Sent(ref)}.get(
            fault, Unclear("time-out")
        )

    async def find(self, key, *, since, thread):
        if not self.is_readable:
            return Unreadable("outage")
        self.unsure.discard(key)
        return Found(tuple(sorted(ref for ref, held in self.visible.items() if held == key)))

    async def delete(self, ref):
        self.visible.pop(ref, None)
        return Sent(ref)


def run(step):
    """Run a coroutine that never waits."""
    try:
        step.send(None)
    except StopIteration:
        return
    raise AssertionError("the channel waited")


class Deliveries(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.channel = Channel(lambda key: self.driver.rows[key].possible_repeat)
        self.driver = Driver(self.channel, lambda one: one)
        self.revision = 0

    def step(self):
        self.channel.land()
        try:
            run(self.driver.step(self.channel.now))
        except Crash:
            self.driver.recover(self.channel.now)

    def promise(self, kind):
        self.revision += 1
        step = None if kind is DeliveryKind.OPEN else self.revision
        key = life.key_of(IncidentId("NK-1"), kind, step=step, channel=ChannelId("crisis"))
        now = self.channel.now
        self.driver.save(
            Delivery(
                key=key,
                incident=IncidentId("NK-1"),
                channel=ChannelId("crisis"),
                kind=kind,
                revision=self.revision,
                state=DeliveryState.DUE,
                due_at=now,
                created_at=now,
            )
        )

    @precondition(lambda self: not self.driver.rows)
    @rule()
    def an_incident_opens(self):
        self.promise(DeliveryKind.OPEN)

    @precondition(lambda self: self.driver.rows)
    @rule(kind=st.sampled_from([DeliveryKind.UPDATE, DeliveryKind.THREAD, DeliveryKind.RESOLVE]))
    def it_goes_on(self, kind):
        self.promise(kind)

    @rule(fault=st.sampled_from(FAULTS))
    def the_channel_is_called(self, fault):
        self.channel.fault = fault
        self.step()

    @rule(seconds=st.integers(1, 300), fault=st.sampled_from(FAULTS))
    def time_passes(self, seconds, fault):
        self.channel.now += timedelta(seconds=seconds)
        self.channel.fault = fault
        self.step()

    @rule(fault=st.sampled_from(FAULTS))
    def time_passes_to_the_next_moment(self, fault):
        moment = self.driver.next_moment()
        if moment is not None:
            self.channel.now = max(self.channel.now, moment)
        self.channel.fault = fault
        self.step()

    @rule(readable=st.booleans())
    def the_history_changes_its_mind(self, readable):
        self.channel.is_readable = readable

    @precondition(lambda self: self.channel.visible)
    @rule(data=st.data())
    def a_person_deletes_a_message(self, data):
        ref = data.draw(st.sampled_from(sorted(self.channel.visible)))
        del self.channel.visible[ref]

    @rule()
    def the_process_dies(self):
        self.driver.recover(self.channel.now)

    @invariant()
    def what_may_have_arrived_is_never_doubled_unmarked(self):
        self.channel.land()
        repeated = {one.key for one in self.driver.saved if one.possible_repeat}
        keys = [key for key in self.channel.visible.values() if key not in repeated]
        assert len(keys) == len(set(keys))

    @invariant()
    def whoever_waits_knows_when_to_wake(self):
        for one in self.driver.rows.values():
            assert one.state in ENDED or life.next_moment(one) is not None

    def teardown(self):
        """The channel heals: within a day everything has ended, and nothing stands there twice."""
        self.channel.is_readable = True
        self.channel.fault = "none"
        at_once = 0
        for _ in range(500):
            moment = self.driver.next_moment()
            if moment is None:
                break
            at_once = 0 if moment > self.channel.now else at_once + 1
            assert at_once <= 2 + len(self.driver.rows), "a busy loop"
            self.channel.now = max(self.channel.now, moment)
            self.step()
        assert self.driver.next_moment() is None
        assert {one.state for one in self.driver.rows.values()} <= ENDED
        assert len(set(self.channel.visible.values())) == len(self.channel.visible)
        opening = self.driver.rows.get("NK-1:open:crisis")
        self.what_stands_shows_the_newest(opening)
        if opening is not None and opening.form.value == "full":
            assert opening.state is DeliveryState.SENT

    def what_stands_shows_the_newest(self, opening):
        edits = [one for one in self.driver.rows.values() if one.kind in {DeliveryKind.UPDATE, DeliveryKind.RESOLVE}]
        told = [one.revision for one in edits if one.state in {DeliveryState.SENT, DeliveryState.SUPERSEDED}]
        if opening is not None and opening.ref in self.channel.visible and not any(one.detour for one in edits):
            assert self.channel.shows[opening.ref] >= max(told, default=0)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=120, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_an_alert_repeated_in_the_dark_loses_its_twin_when_the_history_is_back():
    machine = Deliveries()
    channel, driver = machine.channel, machine.driver
    machine.promise(DeliveryKind.OPEN)
    channel.is_readable, channel.fault = False, "lost"
    while channel.count < 2:
        machine.step()
        channel.now = max(channel.now, driver.next_moment())
    assert channel.now - START >= timedelta(minutes=10)
    assert list(channel.visible.values()) == ["NK-1:open:crisis"] * 2
    machine.teardown()
    assert list(channel.visible) == [driver.rows["NK-1:open:crisis"].ref]


def test_what_dies_late_is_still_told_elsewhere_and_then_done():
    machine = Deliveries()
    machine.an_incident_opens()
    machine.the_channel_is_called("form")
    machine.the_channel_is_called("lost")
    machine.time_passes_to_the_next_moment("none")
    machine.channel.visible.clear()
    machine.it_goes_on(DeliveryKind.THREAD)
    machine.the_channel_is_called("none")
    machine.time_passes_to_the_next_moment("form")
    machine.teardown()


def test_a_dead_place_ends_what_waits_for_it():
    machine = Deliveries()
    channel, driver = machine.channel, machine.driver
    machine.promise(DeliveryKind.OPEN)
    machine.promise(DeliveryKind.THREAD)

    async def refuse(*_, **__):
        return RefusedPlace("token_revoked")

    channel.push = refuse
    for _ in range(3):  # refused; what waited is buried; nobody stands in for it
        machine.step()
        channel.now += timedelta(seconds=5)
    assert {one.state for one in driver.rows.values()} == {DeliveryState.DEAD}
    machine.step()  # whoever stands in has been called
    assert driver.next_moment() is None
