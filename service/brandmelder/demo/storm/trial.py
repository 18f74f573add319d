"""Reads a storm through its faults with the real sources, pipeline and store, in no time, and compares with the truth.

The wire is played inside the process: what a server says becomes what the one client would make of it. Between an
answer and its commit the process may die; it then comes back with nothing but the database. After the storm the weather
is fair, until every source has caught up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from brandmelder import plugins, wiring
from brandmelder.capture import feed_parser
from brandmelder.capture.source import Answer, Tools
from brandmelder.capture.status import refusal
from brandmelder.count.bins import EPOCH
from brandmelder.demo.storm.faces import FACES
from brandmelder.demo.storm.faces.telegram import KEPT
from brandmelder.demo.storm.faults import Fault, Weather
from brandmelder.demo.storm.posts import Channel, Storm, tell
from brandmelder.demo.storm.streams import Streams, connecting
from brandmelder.demo.storm.truth import Score, score
from brandmelder.demo.storm.wire import Bill, Question, Refusing, Said, Wall
from brandmelder.errors import Blocked, SourceError, Transient
from brandmelder.model import SourceId
from brandmelder.settings import parse_settings
from brandmelder.store import mentions, sources
from brandmelder.store.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from brandmelder.capture.source import Connect, Fetch, ParsedFeed, Source
    from brandmelder.model import Gap, Mention
    from brandmelder.settings import Settings

HEALS: Final = timedelta(hours=2, minutes=30)
"""How long after the storm everything must be known: sweeps for what was released late come every hour."""
LONGEST: Final = timedelta(days=4)
"""A server may send a source away for two days."""
CRASHES: Final = 0.03
"""So often the process dies between an answer and its commit."""
_PLACES: Final[Mapping[Channel, str]] = {
    Channel.WORDPRESS: "type: wordpress, class: own",
    Channel.FEED: "type: feed",
    Channel.MASTODON: "type: mastodon, tags: [nordfunk]",
    Channel.BLUESKY: 'type: bluesky, handle: nf.example.com, app_password: "${TOKEN}", searches: [nordfunk]',
    Channel.DISCOURSE: "type: discourse, class: forum",
    Channel.X: 'type: x, token: "${TOKEN}", query: nordfunk',
    Channel.FACEBOOK: 'type: facebook, page: "10", token: "${TOKEN}"',
    Channel.INSTAGRAM: 'type: instagram, account: "17841400000000010", token: "${TOKEN}"',
    Channel.REDDIT: (
        'type: reddit, subreddits: [nordfunk], client_id: "${TOKEN}", client_secret: "${TOKEN}", '
        'user_agent: "server:storm:1.0 (by /u/storm)", login_url: "BASE/api/v1/access_token"'
    ),
    Channel.HACKERNEWS: "type: hackernews, words: [nordfunk]",
    Channel.TELEGRAM: 'type: telegram, token: "${TOKEN}"',
    Channel.YOUTUBE: f'type: youtube, api_key: "${{TOKEN}}", channel: UC{"n" * 22}',
    Channel.JETSTREAM: (
        "type: bluesky, through: jetstream, handle: nf.example.com, "
        'app_password: "${TOKEN}", searches: [nordfunk], servers: ["BASE"]'
    ),
}

_BELOW: Final[Mapping[Channel, str]] = {
    Channel.FEED: "/comments/feed/",
    Channel.FACEBOOK: "/v26.0",
    Channel.INSTAGRAM: "/v26.0",
    Channel.YOUTUBE: "/v3",
}
"""Where below its name a platform's API stands."""


def configuration(base: str, channels: tuple[Channel, ...], *, every: str = "5m", more: str = "") -> str:
    """Return the configuration that reads a storm at `base`; each channel stands below its name."""
    rules = f"allow_private: true, every: {every}{more}"
    places = {one: _PLACES[one].replace("BASE", f"{base}/{one}") for one in channels}
    blocks = "\n".join(f"  {one}: {{{places[one]}, url: {_url(base, one)}, {rules}}}" for one in channels)
    return f"""\
brand: Nordfunk
short: NF
timezone: Europe/Berlin
sources:
{blocks}
monitors:
  nordfunk: {{query: nordfunk, sources: [{", ".join(channels)}]}}
channels:
  console: {{type: console}}
alerts:
  - {{monitors: all, to: [console]}}
"""


def _url(base: str, channel: Channel) -> str:
    return f'"{base}/{channel}{_BELOW.get(channel, "")}"'


class Result(Struct, frozen=True, kw_only=True):
    """What became of one seed."""

    seed: int
    scores: Mapping[Channel, Score]
    faults: Mapping[str, int]
    polls: int
    crashes: int
    bills: Mapping[Channel, Bill]

    @property
    def is_honest(self) -> bool:
        """Whether nothing was lost silently, doubled or invented."""
        return all(one.is_honest for one in self.scores.values())


class Trial:
    """One seed. `run` may be called once."""

    def __init__(self, seed: int, channels: tuple[Channel, ...] | None = None, storm: Storm | None = None) -> None:
        self.seed = seed
        self._chance = Random(f"trial {seed}")  # noqa: S311 - chance plays crashes
        self.channels = channels or (self._chance.choice(tuple(Channel)),)
        self.storm = storm or tell(seed, self.channels)
        self.weather = {one: Weather(self.storm, one) for one in self.channels}
        self.bills = {one: Bill() for one in self.channels}
        self.now = self.storm.start
        self.polls = self.crashes = 0
        text = configuration("http://127.0.0.1:9", self.channels)
        self._settings: Settings = parse_settings(text, Path("storm.yaml"), {"TOKEN": "token"})
        self._database = Database("sqlite://")

    async def run(self) -> Result:
        """Read the storm to its end, and what was held up after it."""
        self._database.prepare()
        pipeline = wiring.build(self._settings, database=self._database, sources=self._sources(), notifiers={})
        await pipeline.start(self.now)
        due = {ident: row.next_poll_at for ident, row in (await self._rows()).items()}
        while True:
            ident = min(due, key=lambda one: due[one])
            self.now = max(self.now, due[ident])
            if await self._is_over():
                break
            if self._chance.random() < CRASHES:
                await self._crash(pipeline.parts.sources[ident], ident)
                pipeline = wiring.build(self._settings, database=self._database, sources=self._sources(), notifiers={})
            self.polls += 1
            due[ident] = await pipeline.poll(ident, self.now)
        result = await self._database.run(self._judged)
        self._database.close()
        return result

    async def _is_over(self) -> bool:
        """Whether every source was read well long enough after the storm."""
        healed = self.storm.end + HEALS
        if self.now < healed:
            return False
        rows = await self._rows()
        return self.now > self.storm.end + LONGEST or all(
            row.read_until is not None and row.read_until >= healed  # a walk that was held up ends first
            for row in rows.values()
        )

    async def _crash(self, source: Source, ident: SourceId) -> None:
        row = await self._database.run(sources.read_source, ident)
        self.crashes += 1
        try:
            await source.poll(row.cursor, self.now)
        except SourceError:
            return

    async def _rows(self) -> dict[SourceId, sources.SourceRow]:
        return await self._database.run(sources.read_sources)

    def _sources(self) -> dict[SourceId, Source]:
        return {
            ident: plugins.load("sources", options.type)(ident, options, self._tools(ident))
            for ident, options in self._settings.sources.items()
        }

    def _tools(self, ident: SourceId) -> Tools:
        channel = Channel(ident)
        return Tools(fetch=_fetch(self, channel), parse_feed=_parse, connect=self._connect(channel))

    def _connect(self, channel: Channel) -> Connect | None:
        face, weather = FACES[channel], self.weather[channel]
        if not isinstance(face, Streams):
            return None
        return connecting(SourceId(channel), face, weather, partial(self.wall, channel), f"/{channel}")

    def wall(self, channel: Channel, now: datetime) -> Wall:
        """Return a platform as it stands."""
        url = f"http://127.0.0.1:9/{channel}"
        return Wall(now=now, posts=self.storm.posts[channel], url=url, bill=self.bills[channel])

    def _judged(self, connection: Connection) -> Result:
        stored = _stored(connection)
        gaps = sources.open_gaps(connection, self.storm.start - timedelta(days=60))
        rows = sources.read_sources(connection)
        contacts = {one: rows[SourceId(one)].first_contact or self.now for one in self.channels}
        faults: dict[str, int] = {}
        for weather in self.weather.values():
            for name, count in weather.met.items():
                faults[name] = faults.get(name, 0) + count
        return Result(
            seed=self.seed,
            scores={one: self._score(one, stored, gaps, contacts[one]) for one in self.channels},
            faults=faults,
            polls=self.polls,
            crashes=self.crashes,
            bills=self.bills,
        )

    def _score(self, channel: Channel, stored: list[Mention], gaps: list[Gap], contact: datetime) -> Score:
        mine = [one for one in stored if one.source == SourceId(channel)]
        # A feed shows ten: what it had shown before the first contact was never to be had.
        # A bot hears of a day.
        since = {Channel.FEED: contact, Channel.TELEGRAM: contact - KEPT}.get(channel, EPOCH)
        mine_gaps = [gap for gap in gaps if gap.source == SourceId(channel)]
        return score(self.storm.posts[channel], FACES[channel], mine, mine_gaps, (since, self.now))


def _stored(connection: Connection) -> list[Mention]:
    found: list[Mention] = []
    before = None
    while page := mentions.newest(connection, before, EPOCH, 2_000):
        before = page[-1][0]
        found += [one for _, one, _ in page]
    return found


def _fetch(trial: Trial, channel: Channel) -> Fetch:
    ident = SourceId(channel)

    async def fetch(
        url: str,
        *,
        now: datetime,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        takes: frozenset[int] = frozenset(),
    ) -> Answer:
        fault = trial.weather[channel].fault(now)
        if fault is Fault.DRIP:
            raise Blocked("gave no whole answer within 20 s; is the server slow?", "deadline").about(ident)
        if fault is Fault.CUT:
            raise Transient("the connection broke; it is asked again at the next poll").about(ident)
        asked = Question.of("GET" if body is None else "POST", url, headers or {}, body or b"")
        answer = said_by(asked, channel, trial.wall(channel, now), fault)
        if fault is not None:
            answer = trial.weather[channel].spoil(answer, fault)
        error = None if answer.status in takes else refusal(answer.status, answer.headers, now)
        if error is not None:
            raise error.about(ident)
        return Answer(url=url, status=answer.status, headers=answer.headers, body=answer.body)

    return fetch


def said_by(asked: Question, channel: Channel, wall: Wall, fault: Fault | None = None) -> Said:
    """Return what a platform says, which stands below its name; a spent limit some tell in words of their own."""
    face = FACES[channel]
    if fault is Fault.LIMIT and isinstance(face, Refusing):
        return face.refusal(wall)
    return face.answer(replace(asked, path=asked.path.removeprefix(f"/{channel}")), wall)


async def _parse(body: bytes, content_type: str) -> ParsedFeed:
    return feed_parser.parse(body, content_type)
