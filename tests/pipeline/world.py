"""A small world around the real pipeline: scripted sources, a recording channel, a clock that jumps."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from brandmelder import wiring
from brandmelder.backtest.recorder import Recorder
from brandmelder.capture.source import Poll
from brandmelder.clock import ReplayClock
from brandmelder.errors import Transient
from brandmelder.model import Cursor, Mention, SourceId
from brandmelder.options import SourceOptions
from brandmelder.settings import parse_settings
from brandmelder.store import deliveries, incidents
from brandmelder.store.database import Database

START = datetime(2026, 10, 20, 0, 0, tzinfo=UTC)
STORM = datetime(2026, 12, 15, 19, 0, tzinfo=UTC)

YAML = """
brand: Nordfunk
short: NF
language: de
timezone: Europe/Berlin
sources:
  blog: {type: feed, url: "https://blog.example/feed", every: 2m, own_accounts: [nordfunk]}
  press: {type: feed, url: "https://press.example/feed", every: 15m, class: news}
monitors:
  nordfunk:
    query: '(nordfunk OR "nord funk" OR #nordfunk) -stellenanzeige'
    sources: [blog, press]
    false_alarms: 1 per 30 days
channels:
  crisis: {type: console}
alerts:
  - {monitors: all, to: [crisis]}
"""

ANGRY = (
    (
        "Nordfunk, seit drei Wochen kein Anschluss!",
        "Schon wieder Ausfall bei Nordfunk.",
        "Die Leitung von Nordfunk ist tot.",
        "Mein Nordfunk-Router ist kaputt.",
        "Nordfunk hat doppelt abgebucht.",
        "Kein Internet, Nordfunk?",
        "Nordfunk ist eine Katastrophe.",
        "Der Techniker von Nordfunk kam nie.",
        "Alles langsam bei Nordfunk.",
        "Nordfunk, wo bleibt mein Geld zurück?",
        "Nordfunk hat mich gekündigt, einfach so.",
        "Furchtbar, Nordfunk.",
        "Störung und Nordfunk schweigt.",
        "Nie wieder Nordfunk.",
    ),
    (
        "Die Hotline legt einfach auf",
        "Niemand geht ans Telefon",
        "Vierzig Minuten Warteschleife umsonst",
        "Auf Mails kommt keine Antwort",
        "Der Chat ist unbrauchbar",
        "Drei Termine sind geplatzt",
        "Die Rechnung ist falsch",
        "Das Ersatzgerät fehlt bis heute",
        "Am Schalter nur Achselzucken",
        "Meine Beschwerde wurde ignoriert",
        "Jeder sagt etwas anderes",
        "Man wird belogen",
        "Der Rückruf blieb aus",
        "Und das zum dritten Mal",
    ),
    (
        "und ich sitze im Homeoffice fest.",
        "meine Mutter kann keinen Notruf wählen.",
        "der Laden steht seit gestern still.",
        "so verliert man Kundschaft.",
        "ich zahle trotzdem weiter.",
        "die Kinder lernen ohne Netz.",
        "unser Verein sagt das Turnier ab.",
        "im Dorf sind alle wütend.",
        "mir reicht es endgültig.",
        "die Praxis arbeitet auf Papier.",
        "das kostet mich einen Auftrag.",
        "bei den Nachbarn ist es genauso.",
        "seit Oktober geht das so.",
        "mein Urlaub ist dahin.",
    ),
    (
        "Eine Frechheit!",
        "Unverschämt.",
        "Ich bin stinksauer!",
        "Schrecklich.",
        "Ich kündige.",
        "Peinlich!",
        "Widerlich.",
        "Ich hasse das.",
        "Eine Schande!",
        "Unfassbar schlecht.",
        "Abzocke!",
        "Was für ein Saftladen.",
        "Das ist Betrug.",
        "Katastrophal.",
    ),
)
"""Four parts of a complaint; put together they make posts of many people, which are no copies of one another."""
CALM = (
    "Nordfunk hat ein neues Ladengeschäft in Kiel eröffnet.",
    "Weiß jemand, welche Ports Nordfunk für den Router braucht?",
    "Danke Nordfunk, der Techniker war pünktlich und sehr freundlich.",
    "Bin jetzt auch bei Nordfunk, läuft bisher gut.",
)


def complaint(number: int) -> str:
    rng = random.Random(number)
    return " ".join(rng.choice(part) for part in ANGRY)


def mention(number: int, at: datetime, *, angry: bool, source: str = "blog", **fields) -> Mention:
    text = complaint(number) if angry else f"{CALM[number % 4]} ({number})"
    return Mention(
        source=SourceId(source),
        external_id=str(number),
        url=f"https://blog.example/#comment-{number}",
        **({"text": text, "author": f"author-{number}", "published_at": at, "captured_at": at} | fields),
    )


def quiet_weeks(until: datetime, *, days: int = 56, seed: int = 1, per_day: float = 12.0) -> list[Mention]:
    """Weeks with the rhythm of a day: about `per_day` mentions, one in five of them angry."""
    rng = random.Random(seed)
    found, at = [], until - timedelta(days=days)
    while at < until:
        daily = 0.3 if 0 <= at.hour < 6 else 1.25
        at += timedelta(seconds=int(rng.expovariate(per_day * daily / 86400)) + 1)
        if at < until:
            found.append(mention(len(found) + 1, at, angry=rng.random() < 0.2))
    return found


def storm(
    at: datetime, count: int, *, spread: timedelta = timedelta(minutes=50), first: int = 100_000
) -> list[Mention]:
    """`count` angry mentions, evenly over `spread`."""
    return [mention(first + n, (at + spread * n / count).replace(microsecond=0), angry=True) for n in range(count)]


class ScriptedSource:
    """A source whose world is a list of mentions, each visible from its `captured_at` on."""

    Options = SourceOptions

    def __init__(
        self, ident: str, world: list[Mention], *, outages: tuple[tuple[datetime, datetime], ...] = (), page: int = 500
    ) -> None:
        self.id = SourceId(ident)
        self.outages, self.page = outages, page
        self.polls = 0
        self._world = sorted((one for one in world if one.source == ident), key=lambda one: one.captured_at)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        self.polls += 1
        if any(since <= now < until for since, until in self.outages):
            raise Transient(f'source "{self.id}": answers 503; it is asked again')
        seen = json.loads(cursor) if cursor else {"first": now.isoformat(), "at": 0}
        first, at = datetime.fromisoformat(seen["first"]), seen["at"]
        fresh = [one for one in self._world[at : at + self.page] if one.captured_at <= now]
        more = len(fresh) == self.page
        return Poll(
            mentions=tuple(
                replace(
                    one, captured_at=max(one.captured_at, min(now, one.captured_at)), history=one.captured_at < first
                )
                for one in fresh
            ),
            cursor=Cursor(json.dumps({"first": seen["first"], "at": at + len(fresh)})),
            read_until=fresh[-1].captured_at if more else now,
            more=more,
        )


class World:
    """One installation, which can die and come back."""

    def __init__(
        self,
        mentions: list[Mention],
        *,
        path: Path | None = None,
        yaml: str = YAML,
        outages=None,
        places=None,
        page=500,
        is_alone=False,
    ) -> None:
        self.settings = parse_settings(yaml, Path("brandmelder.yaml"), {})
        self.recorder = Recorder()
        self.said: list[str] = []
        self.places = places
        self._is_alone = is_alone
        self._url = f"sqlite:///{path}" if path else "sqlite://"
        self._sources = {
            ident: ScriptedSource(ident, mentions, outages=(outages or {}).get(ident, ()), page=page)
            for ident in self.settings.sources
        }
        self.database = Database(self._url, exclusive=self._is_alone)
        self.database.prepare()
        self.pipeline = self._wire()

    def _wire(self):
        return wiring.build(
            self.settings,
            database=self.database,
            sources=self._sources,
            notifiers=self.places or self.recorder.channels(self.settings.channels),
            on_failure=self.said.append,
        )

    async def begin(self, now: datetime) -> None:
        self.clock = ReplayClock(now)
        for place in (self.places or {}).values():
            place.clock = self.clock
        await self.pipeline.start(now)

    async def run_until(self, moment: datetime) -> None:
        while self.clock.now() <= moment:
            following = await self.pipeline.tick(self.clock.now())
            self.clock.move_to(max(following, self.clock.now() + timedelta(seconds=1)))

    async def come_back(self) -> None:
        """A new process on the same database."""
        self.database.close()
        self.database = Database(self._url, exclusive=self._is_alone)
        self.database.prepare()
        self.pipeline = self._wire()
        await self.pipeline.start(self.clock.now())

    def incidents(self):
        return [one for one, _ in reversed(self.database.run_now(incidents.all_incidents))]

    def evidence(self, ident):
        return self.database.run_now(incidents.find, ident)[1]

    def timeline(self, ident):
        return self.database.run_now(incidents.timeline, ident)

    def deliveries(self):
        return self.database.run_now(deliveries.all_deliveries)

    def story(self):
        """Everything people could know: incidents, timelines and deliveries."""
        return (
            self.incidents(),
            [self.timeline(one.id) for one in self.incidents()],
            [(one.key, one.kind, one.revision, one.state) for one in self.deliveries()],
        )
