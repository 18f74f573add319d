"""A Slack with a memory that loses answers, lands posts late, is down; and a mail that shows each key once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from brandmelder.model import Form
from brandmelder.notify.compose import plain_text
from brandmelder.notify.notifier import Found, NotDelivered, RefusedForm, Sent, Unclear, Uneditable, Unreadable
from brandmelder.options import ChannelOptions, Role

LATEST = 55.0
"""How many seconds after its request a post may still appear."""


@dataclass
class Post:
    """One message as people see it."""

    key: str
    ref: str
    thread: str | None
    message: object
    at: float
    """When it appears."""
    first: object = None
    """As it was posted, before any edit."""
    gone_at: float | None = None
    by_a_person: bool = False

    @property
    def text(self):
        return plain_text(self.message)


class Place:
    """What stands in a channel, apart from any process."""

    def __init__(self, world, name):
        self.world, self.name, self.posts, self.number = world, name, {}, 0
        self.outages = ()
        self.rates = defaultdict(float)

    def land(self, key, message, thread, *, late):
        self.number += 1
        at = self.world.time.seconds + late
        ref = f"{self.name}:{at:.6f}:{self.number}"
        self.posts[ref] = Post(key=key, ref=ref, thread=thread, message=message, first=message, at=at)
        return ref

    def visible(self):
        now = self.world.time.seconds
        return [one for one in sorted(self.posts.values(), key=lambda one: one.at) if one.at <= now and not one.gone_at]

    def alerts(self):
        return [one for one in self.visible() if ":open:" in one.key and one.thread is None]

    def is_down(self):
        return not self.world.healed and any(since <= self.world.time.seconds < until for since, until in self.outages)


class Channel:
    """The client of one life of the process: a Notifier whose calls meet the faults of the seed."""

    Options = ChannelOptions
    listener = None

    def __init__(self, place, life):
        self.id, self.place, self.life, self.rng = place.name, place, life, place.world.rng
        self.busy = False

    async def _meet(self, method):
        """Spend the time of a call; returns the fault it meets, if any."""
        world, rng = self.place.world, self.rng
        self.life.may_die(f"{method} begins")
        await asyncio.sleep(0.05 + rng.random() * 0.4)
        if self.place.is_down():
            await asyncio.sleep(5.0 if rng.random() < 0.5 else 0.01)
            return "down"
        if not world.healed and rng.random() < self.place.rates[method]:
            fault = rng.choice(FAULTS[method])
            world.count(fault)
            return fault
        return None

    def _note(self, *what):
        self.place.world.note(self.place.name, *what)

    async def close(self):
        """Hold nothing."""

    async def check(self):
        return ()


FAULTS = {
    "push": ("lost", "late", "hang", "5xx", "5xx after", "reset", "limited", "refused", "form", "slow"),
    "update": ("lost", "5xx", "limited", "refused", "slow"),
    "find": ("unreadable", "unreadable slow"),
    "delete": ("lost", "5xx", "refused"),
}


class SlackChannel(Channel):
    """One channel of a workspace."""

    can_update, can_find, is_idempotent = True, True, False
    spacing = timedelta(seconds=1)

    async def push(self, message, *, key, thread, form):
        rng = self.rng
        fault = await self._meet("push")
        if fault is None:
            return await self._landed(message, key, thread)
        self._note("push", key, fault)
        match fault:
            case "lost":
                self.place.land(key, message, thread, late=0.0)
                self.life.may_die("push landed")
                await asyncio.sleep(14.0)
                return Unclear("no answer")
            case "late" | "hang":
                self.place.land(key, message, thread, late=rng.random() * LATEST)
                await asyncio.sleep(19.5)
                return Unclear("timed out")
            case "5xx after":
                self.place.land(key, message, thread, late=rng.choice((0.0, 10.0)))
                return Unclear("503")
            case "5xx" | "reset":
                return Unclear(fault)
            case "limited":
                return NotDelivered("ratelimited", rng.choice((None, timedelta(seconds=1), timedelta(seconds=30))))
            case "form" if form is Form.FULL:
                return RefusedForm("invalid_blocks")
            case "slow":
                await asyncio.sleep(12.0)
                return await self._landed(message, key, thread)
        return NotDelivered(fault)

    async def _landed(self, message, key, thread):
        ref = self.place.land(key, message, thread, late=0.0)
        self._note("landed", key, ref)
        self.life.may_die("push landed")
        await asyncio.sleep(0.05)
        return Sent(ref)

    async def update(self, ref, message, *, key, form):
        fault = await self._meet("update")
        post = self.place.posts.get(ref)
        if post is None or post.gone_at is not None:
            return Uneditable("message_not_found", is_gone=True)
        if fault in {None, "lost", "slow"}:
            post.message = message
            self._note("edited", key, ref, message.revision)
            self.life.may_die("update landed")
            if fault == "slow":
                await asyncio.sleep(12.0)
            return Unclear("no answer") if fault == "lost" else Sent(ref)
        if fault == "5xx":
            return Unclear("503")
        return NotDelivered(fault, timedelta(seconds=30) if fault == "limited" else None)

    async def find(self, key, *, since, thread):
        fault = await self._meet("find")
        if fault is not None:
            if fault == "unreadable slow":
                await asyncio.sleep(15.0)
            return Unreadable(fault)
        begin = (since - self.place.world.time.start - self.place.world.time.offset).total_seconds()
        found = [
            one.ref
            for one in self.place.visible()
            if one.key == key and one.at >= begin and (one.thread == thread or (thread is None and one.thread is None))
        ]
        self._note("found", key, len(found))
        return Found(tuple(found))

    async def delete(self, ref):
        fault = await self._meet("delete")
        post = self.place.posts.get(ref)
        if fault in {None, "lost"} and post is not None and post.gone_at is None:
            post.gone_at = self.place.world.time.seconds
            self._note("deleted", post.key, ref)
        if fault is None:
            return Sent(ref)
        return Unclear(fault) if fault in {"lost", "5xx"} else NotDelivered(fault)


class MailChannel(Channel):
    """Mail: a second copy of the same key is not shown, nothing is edited, nothing can be searched."""

    can_update, can_find, is_idempotent = False, False, True
    spacing = timedelta(0)

    async def push(self, message, *, key, thread, form):
        fault = await self._meet("push")
        if fault in {"down", "refused", "reset", "5xx", "limited", "form"}:
            return Unclear(fault) if fault == "reset" else NotDelivered(fault)
        known = next((one.ref for one in self.place.posts.values() if one.key == key), None)
        ref = known or self.place.land(key, message, None, late=0.0)
        self._note("landed", key, ref)
        self.life.may_die("push landed")
        return Unclear("no answer") if fault in {"lost", "hang"} else Sent(ref)

    async def update(self, ref, message, *, key, form):
        return Uneditable("mail is not edited")

    async def find(self, key, *, since, thread):
        return Unreadable("mail cannot be searched")

    async def delete(self, ref):
        return NotDelivered("mail cannot be deleted")


class Ear:
    """What one life hears of clicks; who clicks while nobody listens is told nothing and tries again."""

    line = "socket"

    def __init__(self, place, life):
        self.place, self.life = place, life
        self.clicks = None

    async def listen(self, inbox):
        self.clicks = asyncio.Queue()
        while True:
            envelope, click = await self.clicks.get()
            try:
                await inbox.take(click)
            except Exception as error:
                self.place.world.note("not taken", envelope, type(error).__name__)
            else:
                self.place.world.taken(envelope)

    def covers(self, place):
        return place.startswith(self.place.name)

    def role_of(self, person):
        return Role.RESPONDER

    async def name_of(self, person, otherwise):
        await asyncio.sleep(0.05)
        return person

    async def answer(self, click, answer):
        await asyncio.sleep(0.1)
        self.place.world.note("answered", click.envelope, answer.text[:60])
        self.place.world.answered(click.envelope)
        return True

    async def ask(self, click, question):
        self.place.world.answered(click.envelope)
        return True
