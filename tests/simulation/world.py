"""One seed: the world, the process that lives and dies in it, and what was seen."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import heapq
import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

from brandmelder import wiring
from brandmelder.model import Act, Click, DeliveryKind, DeliveryState, State
from brandmelder.notify import delivery
from brandmelder.pipeline import timer as timers
from brandmelder.pipeline.act import Wish, do
from brandmelder.settings import parse_settings
from brandmelder.store import deliveries, incidents
from simulation import plan as plans
from simulation import slack, sources
from simulation.database import Disk, SimulatedDatabase
from simulation.loop import Deadlock, VirtualLoop, WorldTime, scheduler_time

LISTENS = timedelta(seconds=30)
"""The pulse of the timer, slower than on a machine: nobody else writes to the database here."""


AIMED = 12
"""The most crashes of an evening at the edges that its plan has in focus: the rest of the evening is worth living."""


COMMANDS = 3
"""The most commands of each kind in an evening."""


class PowerCut(BaseException):
    """The process dies here."""


@lru_cache(maxsize=32)
def settings_of(shape):
    return parse_settings(shape.yaml, Path("brandmelder.yaml"), {})


@lru_cache(maxsize=8)
def _judge(kind, brand, build):
    return build(SimpleNamespace(classifier=kind, transformer=None), brand)


_build_classifier = wiring.build_classifier


def _kept_classifier(settings, brand):
    """Loading the model anew for each life would take most of the time."""
    return _judge(settings.classifier, brand, _build_classifier)


class World:
    """Everything outside the process, and time."""

    def __init__(self, seed, plan, disk, *, keeps_trace=False):
        self.seed, self.plan, self.disk = seed, plan, disk
        self.rng = random.Random(f"world {seed}")
        self.time = WorldTime(plans.START)
        self.healed, self.faults, self.crashes, self.boots = False, Counter(), 0, []
        self.aimed = AIMED
        self.downs = []
        """When the process was not there, in seconds."""
        self.trace, self._keeps = [], keeps_trace
        self._hash = hashlib.sha256()
        self._events, self._order = [], itertools.count()
        self.crisis = slack.Place(self, "crisis")
        self.post = slack.Place(self, "post")
        self.crisis.rates.update(plan.slack_rates)
        self.crisis.outages = plan.slack_outages
        self.places = {name: sources.Place(self, name, plan.logs[name], plan.habits[name]) for name in plan.logs}
        self.clicks = {}
        self.said = []
        self.discarded = set()
        """The keys of what a person discarded by a command before it was ever sent."""
        self.dismissed = set()
        """The incidents that a person dismissed by a command."""
        self.life = None
        self.is_watched = True

    # --------------------------------------------------------------- what is seen

    def hashed(self, *what):
        self._hash.update(f"{self.time.seconds:.6f} {what}".encode())
        if self._keeps:
            self.trace.append(f"{self.time.seconds:10.3f}  " + " ".join(str(one) for one in what))

    note = hashed

    def count(self, fault):
        self.faults[fault] += 1

    @property
    def digest(self):
        return self._hash.hexdigest()

    def moment(self, timestamp):
        return datetime.fromtimestamp(timestamp, UTC)

    # --------------------------------------------------------------- what goes wrong

    def _within(self, spans):
        return not self.healed and any(since <= self.time.seconds < until for since, until in spans)

    def is_locked(self):
        return bool(self.plan.locked) and self._within(self.plan.locked)

    def is_full(self):
        return bool(self.plan.full) and self._within(self.plan.full)

    def at(self, seconds, act):
        heapq.heappush(self._events, (seconds, next(self._order), act))

    def _prepare(self):
        for moment in self.plan.kills:
            self.at(moment, lambda: self.life and self.life.kill("killed"))
        for moment, seconds in self.plan.stops:
            self.at(moment, lambda seconds=seconds: self._stand_still(seconds))
        for moment, wrong in self.plan.clock_steps:
            self.at(moment, lambda wrong=wrong: self._set_clock(wrong))
        for number, deed in enumerate(self.plan.deeds):
            self.at(deed.at, lambda deed=deed, number=number: self._click(deed, f"e{number}", 0))
        self.at(self.plan.faulty.total_seconds(), self._heal)

    def _stand_still(self, seconds):
        self.note("stands still for", seconds)
        self.time.seconds += seconds

    def _set_clock(self, wrong):
        self.note("the clock is wrong by", wrong)
        self.time.offset = wrong

    def _heal(self):
        self.note("healed")
        self.healed = True
        self.time.offset = timedelta(0)

    # --------------------------------------------------------------- people

    def _click(self, deed, envelope, tries):
        ear = None if self.life is None else self.life.ear
        alerts = self.crisis.alerts()
        if not alerts or tries > 30:
            return
        if ear is None or ear.clicks is None:
            self.at(self.time.seconds + 20, lambda: self._click(deed, envelope, tries + 1))
            return
        alert = alerts[-1]
        envelope = f"{envelope}-{tries}"
        click = Click(
            envelope=envelope,
            person=deed.person,
            at=f"{self.time.seconds:.6f}",
            act=deed.act,
            place=alert.ref,
            incident=alert.message.incident,
            revision=alert.message.revision,
            note="other" if deed.act == "dismiss" else "",
            other="U0CEM" if deed.act == "hand_over" else "",
            seconds=deed.seconds if deed.act == "snooze" else 0,
            is_form=deed.act in {"dismiss", "hand_over"},
        )
        self.note("click", envelope, deed.act, click.incident)
        self.clicks[envelope] = {"click": click, "at": self.time.seconds, "taken": 0, "answered": 0}
        for _ in range(1 + deed.is_sent_twice):
            ear.clicks.put_nowait((envelope, click))
        self.at(self.time.seconds + 20, lambda: self._repeat(deed, envelope, click, tries))

    def _repeat(self, deed, envelope, click, tries):
        """Nobody acknowledged the envelope: Slack tells the person so, and they press again."""
        if not self.clicks[envelope]["taken"] and tries < 30:
            self._click(deed, envelope.partition("-")[0], tries + 1)

    def taken(self, envelope):
        self.note("taken", envelope)
        self.clicks[envelope]["taken"] += 1

    def answered(self, envelope):
        self.clicks[envelope]["answered"] += 1

    def command(self, database):
        """Let a person work at the terminal, another process, between two commits; returns whether it wrote."""
        if self.healed or self.is_full() or self.is_locked():
            return False
        return self._discard(database) or self._dismiss(database)

    def _discard(self, database):
        """Have a word in a thread never sent."""
        if not self._comes_to(self.plan.commands, len(self.discarded)):
            return False
        waiting = database.run_now(deliveries.in_state, DeliveryState.DUE)
        for one in waiting:
            if one.kind is DeliveryKind.THREAD and not one.attempts:
                buried = delivery.discard(one, "anna")
                database.run_now(deliveries.save_delivery, buried, delivery.next_moment(buried), expected=one.state)
                self.discarded.add(one.key)
                self.note("discarded", one.key)
                return True
        return False

    def _dismiss(self, database):
        """Have an incident dismissed while Slack is down, so that nothing but an edit will tell of it there."""
        if not self.crisis.is_down() or not self._comes_to(self.plan.dismissals, len(self.dismissed)):
            return False
        for incident, _ in database.run_now(incidents.all_incidents, running_only=True):
            if incident.state in {State.OPEN, State.ACKNOWLEDGED} and incident.id not in self.dismissed:
                wish = Wish(incident=incident.id, act=Act.DISMISS, by="anna", note="other")
                database.run_now(do, self.life.pipeline.parts, wish, self.time.now())
                self.dismissed.add(incident.id)
                self.note("dismissed", incident.id)
                return True
        return False

    def _comes_to(self, chance, done):
        return chance > 0 and done < COMMANDS and self.rng.random() < chance

    # --------------------------------------------------------------- lives

    def run(self):
        """Live through faults, then through the time in which all must come right."""
        self._prepare()
        end = (self.plan.faulty + self.plan.healed).total_seconds()
        with scheduler_time(self.time), _as_simulated():
            while self.time.seconds < end:
                self.life = Life(self)
                self.boots.append(self.time.seconds)
                try:
                    self.life.run(end)
                finally:
                    self.life.bury()
                self.life = None
                if self.time.seconds < end:
                    self._stay_down(end)
        return self

    def _stay_down(self, end):
        """Be down for a while: a supervisor starts the process again."""
        self.crashes += 1
        since = self.time.seconds
        down = self.rng.choice(self.plan.downs)
        until = min(end, since + (min(down, 30.0) if self.healed else down))
        while self._events and self._events[0][0] <= until:
            moment, _, act = heapq.heappop(self._events)
            self.time.seconds = max(self.time.seconds, moment)
            act()
        self.time.seconds = until
        self.downs.append((since, until))

    def next_event(self):
        return self._events[0][0] if self._events else None

    def happen(self):
        """Let happen what is due."""
        while self._events and self._events[0][0] <= self.time.seconds + 1e-6:
            heapq.heappop(self._events)[2]()


class Life:
    """One process, from its start to its death."""

    def __init__(self, world):
        self.world, self.is_dead = world, False
        self.loop = VirtualLoop(world.time, world.rng)
        self.database = SimulatedDatabase(world.disk, self)
        crisis, post = slack.SlackChannel(world.crisis, self), slack.MailChannel(world.post, self)
        self.ear = crisis.listener = slack.Ear(world.crisis, self)
        self.pipeline = wiring.build(
            settings_of(world.plan.shape),
            database=self.database,
            sources={place.id: sources.Client(place, self) for place in world.places.values()},
            notifiers={"crisis": crisis, "post": post},
            on_failure=world.said.append,
        )
        self.timer = timers.Timer(self.pipeline, world.time)

    def run(self, end):
        loop, world = self.loop, self.world
        loop.call_at(end, loop.stop)
        self._listen_to_the_world()
        self.main = loop.create_task(self._main())
        world.note("starts")
        with contextlib.suppress(Deadlock):
            loop.run_forever()

    async def _main(self):
        try:
            await self.pipeline.start(self.world.time.now())
            await self.timer.run()
        except Exception as error:
            self.world.note("exits", type(error).__name__, error)
            self.world.said.append(f"exits: {type(error).__name__}: {error}")
            self.kill("exited")

    def _listen_to_the_world(self):
        moment = self.world.next_event()
        if moment is not None:
            self.loop.call_at(max(moment, self.loop.time()), self._happens)

    def _happens(self):
        self.world.happen()
        if not self.is_dead:
            self._listen_to_the_world()

    def may_die(self, where):
        self.must_live()
        world, plan = self.world, self.world.plan
        if world.healed:
            return
        chance = plan.crash_chance
        if world.aimed and plan.is_in_focus(where):
            chance = plan.focus_chance
            world.aimed -= (is_hit := world.rng.random() < chance)
        else:
            is_hit = bool(chance) and world.rng.random() < chance
        if is_hit:
            self.kill(where)
            raise PowerCut

    def must_live(self):
        if self.is_dead:
            raise PowerCut

    def kill(self, where):
        if not self.is_dead:
            self.world.note("dies", where)
            self.is_dead = True
            self.ear.clicks = None
            self.loop.die()

    def bury(self):
        """Let go of what the dead process was doing: none of it runs."""
        self.is_dead = True
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False
            with contextlib.suppress(BaseException):
                task.get_coro().close()
        if self.main.done() and not self.main.cancelled():
            self.main.exception()
        self.loop.close()


@contextlib.contextmanager
def _as_simulated():
    before = timers.LISTENS, wiring.build_classifier
    timers.LISTENS, wiring.build_classifier = LISTENS, _kept_classifier
    try:
        yield
    finally:
        timers.LISTENS, wiring.build_classifier = before


class Workshop:
    """What a worker keeps between seeds: the disk, and each configuration as it stands before the evening."""

    def __init__(self):
        self.disk = Disk()
        self._eves = {}

    def simulate(self, seed, *, plan=None, keeps_trace=False):
        """Return the world after a seed."""
        plan = plan or plans.draw(seed)
        self.disk.load(self._eve(plan.shape))
        return World(seed, plan, self.disk, keeps_trace=keeps_trace).run()

    def eve_of(self, seed):
        """Prepare the configuration of a seed, before anything is planted."""
        self._eve(plans.draw(seed).shape)

    def _eve(self, shape):
        """Return the store of an installation that has been calm for ten days."""
        if shape not in self._eves:
            self.disk.load(self.disk.empty)
            logs = plans.history(shape)
            calm = plans.Plan(shape=shape, logs=logs, habits={name: sources.Habits() for name in logs})
            world = World(0, calm, self.disk)
            world.healed = True
            world.time.seconds = -900.0
            with scheduler_time(world.time), _as_simulated():
                world.life = Life(world)
                world.life.run(0.0)
                world.life.bury()
            self._eves[shape] = self.disk.copy()
        return self._eves[shape]
