"""Simulated sources and the truth behind them: what was written, when it became visible, and what became of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta

from brandmelder.capture.source import Poll
from brandmelder.errors import AuthRefused, RateLimited, Transient
from brandmelder.model import Cursor, Mention, Removal, SourceId
from brandmelder.options import SourceOptions
from pipeline.world import CALM, complaint


@dataclass(frozen=True)
class Item:
    """One utterance of the world."""

    source: str
    number: int
    published: object
    visible: object
    is_angry: bool
    brand: str = "Nordfunk"
    edited: str = ""
    """What its author made of it at `visible`, if this line of the log is an edit."""
    removed: bool = False
    """This line of the log says that it is gone."""

    @property
    def external_id(self):
        return f"{self.source}-{self.number}"

    @property
    def text(self):
        if self.edited:
            return self.edited
        if not self.is_angry:
            return CALM[self.number % 4].replace("Nordfunk", self.brand) + f" ({self.number})"
        return complaint(self.number).replace("Nordfunk", self.brand)

    def mention(self, now, first):
        return Mention(
            source=SourceId(self.source),
            external_id=self.external_id,
            text=self.text,
            url=f"https://{self.source}.example/{self.number}",
            author=f"author-{self.number}",
            published_at=self.published,
            captured_at=now,
            history=self.published < first,
        )


@dataclass
class Habits:
    """How one source behaves in this seed."""

    page: int = 200
    window: timedelta | None = None
    """It shows what is younger than this, again and again; None: it has a cursor."""
    outages: tuple = ()
    rates: dict = field(default_factory=dict)


class Place:
    """A source as the world has it: the log of all that ever became visible there."""

    def __init__(self, world, ident, log, habits):
        self.world, self.id, self.habits = world, SourceId(ident), habits
        self.log = sorted(log, key=lambda one: (one.visible, one.number))


class Client:
    """What one life of the process polls."""

    Options = SourceOptions

    def __init__(self, place, life):
        self.place, self.id, self.life, self.rng = place, place.id, life, place.world.rng

    async def poll(self, cursor, now):
        world, habits, rng = self.place.world, self.place.habits, self.rng
        seen = json.loads(cursor) if cursor else {"first": now.timestamp(), "at": 0}
        await asyncio.sleep(0.1 + rng.random())
        if not world.healed:
            await self._fail(now)
        true, at = world.time.true, seen["at"]
        first = world.moment(seen["first"])
        if habits.window is not None and cursor is not None:
            young = (one for one in self.place.log if true - habits.window <= one.visible <= true)
            shown = list({one.number: one for one in young if not one.removed}.values())
            return self._poll(shown, seen, now=now, first=first, more=False, upto=len(shown))
        fresh = [one for one in self.place.log[at : at + habits.page] if one.visible <= true]
        more = len(fresh) == habits.page
        return self._poll(fresh, seen, now=now, first=first, more=more, upto=at + len(fresh))

    def _poll(self, shown, seen, *, now, first, more, upto):
        return Poll(
            mentions=tuple(one.mention(now, first) for one in shown if not one.removed),
            removals=tuple(
                Removal(source=self.id, external_id=one.external_id, reason="author") for one in shown if one.removed
            ),
            cursor=Cursor(json.dumps(seen | {"at": upto})),
            read_until=min(now, shown[-1].visible) if more else now,
            more=more,
        )

    async def _fail(self, now):
        world, habits, rng = self.place.world, self.place.habits, self.rng
        if any(since <= world.time.seconds < until for since, until in habits.outages):
            await asyncio.sleep(rng.choice((0.0, 20.0)))
            raise Transient(f'source "{self.id}": answers 503; it is asked again')
        fault = next((name for name, rate in habits.rates.items() if rng.random() < rate), None)
        if fault is None:
            return
        world.count(fault)
        world.note(self.id, fault)
        match fault:
            case "slow":
                await asyncio.sleep(15.0)
                return
            case "hang":
                await asyncio.sleep(20.0)
            case "limited":
                raise RateLimited("slow down", now + timedelta(seconds=rng.choice((1, 60, 300))))
            case "bug":
                raise ValueError("what no source should raise")
            case "auth":
                raise AuthRefused("the token was refused")
        raise Transient(f'source "{self.id}": {fault}')
