"""What a seed draws: a configuration, its sources and their faults, storms, people, and when the process dies."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from simulation.sources import Habits, Item

START = datetime(2026, 12, 15, 17, 0, tzinfo=UTC)
SHORT, LONG = timedelta(minutes=30), timedelta(minutes=60)
"""How long things go wrong: three evenings in four are short, with as many faults in a minute as the long ones."""
HEALED = timedelta(minutes=26)
"""How long nothing goes wrong any more after a short evening; liveness is demanded within it. After a long one longer:
some incidents end by themselves."""
HEALED_LONG = timedelta(minutes=40)
RATES = (0.0, 0.03, 0.1, 0.4)
MINUTE = timedelta(minutes=1)

_HEAD = """
brand: Nordfunk
short: NF
language: {language}
timezone: Europe/Berlin
sources:
{sources}
monitors:
{monitors}
channels:
  crisis: {{type: console{fallback}}}
  post: {{type: console}}
alerts:
  - monitors: all
    to: [{to}]{escalation}
"""


@dataclass(frozen=True)
class Shape:
    """One configuration; a small set of them, so that each is prepared once."""

    sources: int = 1
    every: int = 3
    brands: tuple = ("Nordfunk",)
    has_fallback: bool = False
    escalates: bool = False
    to: tuple = ("crisis",)
    language: str = "de"

    @property
    def names(self):
        return tuple(f"s{number}" for number in range(self.sources))

    @property
    def yaml(self):
        sources = "\n".join(
            f'  {name}: {{type: feed, url: "https://{name}.example/feed", every: {self.every + 2 * place}m'
            + (", class: news}" if place == 2 else "}")
            for place, name in enumerate(self.names)
        )
        monitors = "\n".join(
            f"  {brand.lower()}: {{query: {brand.lower()}, sources: [{', '.join(self.names)}], "
            "false_alarms: 1 per 30 days}"
            for brand in self.brands
        )
        steps = '{to: "channel:crisis", after: 5m}, {to: "channel:post", after: 15m}'
        return _HEAD.format(
            language=self.language,
            sources=sources,
            monitors=monitors,
            fallback=", fallback: [post]" if self.has_fallback else "",
            to=", ".join(self.to),
            escalation=f"\n    escalation: [{steps}]" if self.escalates else "",
        )


SHAPES = (
    Shape(),
    Shape(has_fallback=True, escalates=True, language="en"),
    Shape(sources=2, has_fallback=True),
    Shape(sources=3, every=5, escalates=True),
    Shape(sources=2, every=4, brands=("Nordfunk", "Westnetz"), has_fallback=True, escalates=True),
    Shape(brands=("Nordfunk", "Westnetz"), to=("crisis", "post")),
)


@dataclass(frozen=True)
class Storm:
    """What really happens: angry posts about a brand."""

    brand: str
    begin: datetime
    end: datetime
    count: int
    visible_from: datetime

    @property
    def monitor(self):
        return self.brand.lower()


@dataclass(frozen=True)
class Deed:
    """What a person will do to the newest alert they see."""

    at: float
    act: str
    person: str
    seconds: int = 0
    is_sent_twice: bool = False


@dataclass
class Plan:
    """All of it."""

    shape: Shape
    storms: list = field(default_factory=list)
    logs: dict = field(default_factory=dict)
    habits: dict = field(default_factory=dict)
    deeds: list = field(default_factory=list)
    crash_chance: float = 0.0
    focus_chance: float = 0.0
    """How often the process dies at the edges of a few commits and calls: which ones, `is_in_focus` says."""
    focus_salt: int = 0
    kills: tuple = ()
    downs: tuple = (1.0, 5.0, 5.0, 30.0, 240.0)
    """How many seconds pass before a supervisor has the process start again: one of these."""
    commands: float = 0.0
    """How often a command in another process gets in between two commits, while there is something it could discard."""
    dismissals: float = 0.0
    """How often, while Slack is down, a person dismisses a running incident at the terminal between two commits."""
    slack_rates: dict = field(default_factory=dict)
    slack_outages: tuple = ()
    locked: tuple = ()
    full: tuple = ()
    stops: tuple = ()
    """When the whole machine stands still, and for how many seconds: a suspended VM, a process that is stopped."""
    clock_steps: tuple = ()
    """When the machine's clock is set, and by how much it is wrong from then on."""
    faulty: timedelta = LONG
    healed: timedelta = HEALED_LONG

    @property
    def is_short(self):
        return self.faulty <= SHORT

    def is_in_focus(self, edge):
        """Whether the process likes to die at this edge: one in eight, drawn by its name.

        Crashes that are spread evenly meet what happens often, a look into the database; an edge that an evening passes
        three times is hardly ever met.
        """
        return self.focus_chance > 0 and zlib.crc32(f"{self.focus_salt} {edge}".encode()) % 8 == 0


def history(shape):
    """Ten calm days, the same for every seed of a shape."""
    rng = random.Random(1)
    logs = {}
    for source in shape.names:
        at, items = START - timedelta(days=10), []
        while at < START - 20 * MINUTE:
            at += timedelta(seconds=int(rng.expovariate(10 / 86400)) + 1)
            brand = shape.brands[len(items) % len(shape.brands)]
            number = len(items)
            is_angry = rng.random() < 0.2
            items.append(Item(source=source, number=number, published=at, visible=at, is_angry=is_angry, brand=brand))
        logs[source] = [one for one in items if one.visible < START - 20 * MINUTE]
    return logs


def draw(seed):
    """Return the plan of a seed."""
    rng = random.Random(f"plan {seed}")
    shape = rng.choice(SHAPES)
    plan = Plan(shape=shape, logs={name: list(log) for name, log in history(shape).items()})
    if rng.random() < 0.75:
        plan.faulty, plan.healed = SHORT, HEALED
    for brand in shape.brands:
        _storms(plan, brand, rng)
    for number, source in enumerate(shape.names):
        _calm(plan, source, rng)
        _habits(plan, source, rng, number)
    _faults(plan, rng)
    _deeds(plan, rng)
    return plan


def _add(plan, source, **what):
    number = 10_000 * (1 + plan.shape.names.index(source)) + len(plan.logs[source])
    item = Item(source=source, number=number, **what)
    plan.logs[source].append(item)
    return item


def _storms(plan, brand, rng):
    shape = plan.shape
    begin = START + timedelta(seconds=rng.randrange(60, 780 if plan.is_short else 1500))
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        count, spread = rng.randrange(16, 50), timedelta(seconds=rng.randrange(200, 900))
        late = timedelta(minutes=rng.choice((0, 0, 0, 0, 35 if plan.is_short else 45)))
        homes = rng.sample(shape.names, rng.randrange(1, len(shape.names) + 1))
        written = []
        for number in range(count):
            at = begin + timedelta(seconds=int(spread.total_seconds() * number / count))
            seen = at + late + (timedelta(minutes=rng.randrange(1, 12)) if rng.random() < 0.1 else timedelta(0))
            written.append(_add(plan, rng.choice(homes), published=at, visible=seen, is_angry=True, brand=brand))
        _afterthoughts(plan, written, rng)
        plan.storms.append(Storm(brand=brand, begin=begin, end=begin + spread, count=count, visible_from=begin + late))
        begin += timedelta(minutes=rng.randrange(12, 20) if plan.is_short else rng.randrange(25, 50))


def _afterthoughts(plan, written, rng):
    """Some are edited, some taken away, sooner or later."""
    rate = rng.choice((0.0, 0.0, 0.1, 0.5))
    for item in written:
        if rng.random() >= rate:
            continue
        at = item.visible + timedelta(seconds=rng.randrange(30, 1500 if plan.is_short else 2400))
        is_edit = rng.random() < 0.4
        changed = Item(
            source=item.source,
            number=item.number,
            published=item.published,
            visible=at,
            is_angry=item.is_angry,
            brand=item.brand,
            edited=f"{item.brand} hat sich gemeldet, danke! ({item.number})" if is_edit else "",
            removed=not is_edit,
        )
        plan.logs[item.source].append(changed)


def _calm(plan, source, rng):
    at = START
    while at < START + plan.faulty + plan.healed - 5 * MINUTE:
        at += timedelta(minutes=rng.randrange(5, 60))
        _add(plan, source, published=at, visible=at, is_angry=False, brand=rng.choice(plan.shape.brands))


def _habits(plan, source, rng, number):
    names = ("transient", "slow", "hang", "limited", "bug")
    rates = {name: rng.choice(RATES) for name in rng.sample(names, rng.randrange(0, 3))}
    outages = ()
    if rng.random() < 0.3:
        begin = rng.uniform(0, plan.faulty.total_seconds())
        outages = ((begin, begin + rng.choice((60, 600, 1500))),)
    window = timedelta(hours=6) if rng.random() < 0.25 else None
    if window is not None:
        plan.logs[source] = [one for one in plan.logs[source] if not one.removed]
    plan.habits[source] = Habits(page=rng.choice((7, 50, 200)), window=window, outages=outages, rates=rates)


def _faults(plan, rng):
    span = plan.faulty.total_seconds()
    plan.crash_chance = rng.choice((0.0, 0.0, 0.002, 0.01))
    plan.focus_chance = rng.choice((0.0, 0.0, 0.1, 0.3))
    plan.focus_salt = rng.randrange(1_000_000)
    plan.commands = random.Random(f"commands {plan.focus_salt}").choice((0.0, 0.0, 0.05, 0.15))
    if rng.random() < 0.4:
        plan.kills = tuple(rng.uniform(60, span) for _ in range(rng.randrange(1, 5)))
    plan.slack_rates = {method: rng.choice(RATES) for method in ("push", "update", "find", "delete")}
    if rng.random() < 0.3:
        begin = rng.uniform(60, 0.8 * span)
        plan.slack_outages = ((begin, begin + rng.choice((90, 700, 2400))),)
        plan.dismissals = random.Random(f"dismissals {plan.focus_salt}").choice((0.0, 0.05, 0.2))
    if rng.random() < 0.15:
        begin = rng.uniform(60, span)
        plan.locked = ((begin, begin + rng.choice((20, 90))),)
    if rng.random() < 0.15:
        begin = rng.uniform(60, span)
        plan.full = ((begin, begin + rng.choice((60, 600))),)
    if rng.random() < 0.1:
        at = rng.uniform(60, span)
        wrong = timedelta(seconds=rng.choice((-240, -30, 30, 240)))
        plan.clock_steps = ((at, wrong), (at + rng.uniform(60, 900), timedelta(0)))
    elif rng.random() < 0.04:
        at = rng.uniform(60, 0.7 * span)
        plan.clock_steps = ((at, timedelta(hours=rng.choice((3, 26)))), (at + rng.uniform(60, 600), timedelta(0)))


def _deeds(plan, rng):
    if rng.random() < 0.5:
        return
    acts = ("acknowledge", "snooze", "snooze", "resolve", "dismiss", "hand_over", "acknowledge")
    for _ in range(rng.randrange(1, 5)):
        plan.deeds.append(
            Deed(
                at=rng.uniform(300, plan.faulty.total_seconds()),
                act=rng.choice(acts),
                person=rng.choice(("U0ANNA", "U0BEN")),
                seconds=rng.choice((600, 1200, 1800)),
                is_sent_twice=rng.random() < 0.3,
            )
        )
    plan.deeds.sort(key=lambda one: one.at)
