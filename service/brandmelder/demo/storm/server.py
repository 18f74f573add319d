"""One local server for the whole storm: each platform below its name, a clock people may turn, faults, bill and truth.

`POST /_sim/clock` with `{"speed": 60}`, `{"step": 300}` or `{"at": "2026-11-20T14:00:00+00:00"}` moves the clock of the
storm; `GET /_sim/truth?from=&to=` tells what was written then, `POST /_sim/truth` with `{"channel": ["id", ...]}` how
much of it was found; `GET /_sim/bill` what it cost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from msgspec.structs import replace

from brandmelder.demo.storm.faces import FACES
from brandmelder.demo.storm.faults import Fault, Weather
from brandmelder.demo.storm.posts import Channel
from brandmelder.demo.storm.streams import Streams, streaming, unmade
from brandmelder.demo.storm.trial import said_by
from brandmelder.demo.storm.wire import Bill, Question, Said, Wall

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from brandmelder.clock import Clock
    from brandmelder.demo.storm.posts import Post, Storm

DRIP = 0.2
"""Seconds between two bytes of a dripped answer."""
FASTEST = 3600.0


class StormClock:
    """The storm's own time: it runs at a speed against another clock, and people may set and step it."""

    def __init__(self, clock: Clock, begin: datetime) -> None:
        self._clock, self._since = clock, clock.now()
        self._begin, self._speed = begin, 0.0

    def now(self) -> datetime:
        """Return the storm's time."""
        return self._begin + (self._clock.now() - self._since) * self._speed

    def turn(self, *, at: datetime | None = None, step: float = 0.0, speed: float | None = None) -> None:
        """Set the clock, step it by seconds, or change its speed, 0 to 3600."""
        self._begin = (at or self.now()) + timedelta(seconds=step)
        self._since = self._clock.now()
        if speed is not None:
            self._speed = min(max(speed, 0.0), FASTEST)


class StormServer:
    """Serves a storm on a free port of 127.0.0.1 while it is entered; `url` is where."""

    def __init__(self, storm: Storm, clock: Clock, *, is_fair: bool = False) -> None:
        self.storm = storm
        self.clock = StormClock(clock, storm.start)
        self.bills = {channel: Bill() for channel in storm.posts}
        self.requests = 0
        self.url = ""
        self._weather = None if is_fair else {one: Weather(storm, one) for one in storm.posts}
        application = web.Application()
        application.router.add_post("/_sim/clock", self._turn)
        application.router.add_get("/_sim/truth", self._truth)
        application.router.add_post("/_sim/truth", self._score)
        application.router.add_get("/_sim/bill", self._bill)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    # ------------------------------------------------------------- platforms

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        name = request.path.strip("/").partition("/")[0]
        if name not in self.storm.posts:
            return web.Response(status=404)
        channel, now = Channel(name), self.clock.now()
        asked = Question.of(request.method, request.rel_url.raw_path_qs, dict(request.headers), await request.read())
        fault = self._weather[channel].fault(now) if self._weather is not None else None
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._stream(request, channel, asked, fault)
        wall = self._wall(channel)
        answer = said_by(asked, channel, wall, fault)
        if fault is not None and self._weather is not None:
            answer = self._weather[channel].spoil(answer, fault)
        match fault:
            case Fault.DRIP:
                return await self._drip(request, answer)
            case Fault.CUT:
                return await self._cut(request, answer)
            case _:
                return web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)

    def _wall(self, channel: Channel) -> Wall:
        posts, url = self.storm.posts[channel], f"{self.url}/{channel}"
        return Wall(now=self.clock.now(), posts=posts, url=url, bill=self.bills[channel])

    async def _stream(
        self, request: web.Request, channel: Channel, asked: Question, fault: Fault | None
    ) -> web.StreamResponse:
        face = FACES[channel]
        if not isinstance(face, Streams):
            return web.Response(status=404)
        weather = self._weather[channel] if self._weather is not None else None
        short = replace(asked, path=asked.path.removeprefix(f"/{channel}"))
        told = partial(self._told, face, short, channel)
        return await streaming(request, told, fault, unmade(weather, fault))

    def _told(self, face: Streams, asked: Question, channel: Channel) -> Said | Sequence[bytes]:
        return face.stream(asked, self._wall(channel))

    async def _drip(self, request: web.Request, answer: Said) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=dict(answer.headers))
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # whoever asked has had enough
            for number in range(len(answer.body)):
                await response.write(answer.body[number : number + 1])
                await asyncio.sleep(DRIP)  # noqa: TID251 - a server that drips
        return response

    async def _cut(self, request: web.Request, answer: Said) -> web.StreamResponse:
        headers = {**answer.headers, "content-length": str(len(answer.body) + 1_000)}
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
        if request.transport is not None:
            request.transport.abort()
        return response

    # ------------------------------------------------------------------ truth

    async def _turn(self, request: web.Request) -> web.Response:
        asked: dict[str, Any] = json.loads(await request.read() or b"{}")
        at = datetime.fromisoformat(asked["at"]) if "at" in asked else None
        self.clock.turn(at=at, step=float(asked.get("step", 0.0)), speed=asked.get("speed"))
        return web.json_response({"now": self.clock.now().isoformat()})

    async def _truth(self, request: web.Request) -> web.Response:
        since = datetime.fromisoformat(request.query.get("from", self.storm.start.isoformat()))
        until = datetime.fromisoformat(request.query.get("to", self.clock.now().isoformat()))
        told = {}
        for channel in self.storm.posts:
            written = [post for post in self._shown(channel) if since <= post.at < until]
            minutes: dict[str, int] = {}
            for post in written:
                minute = f"{post.at:%Y-%m-%dT%H:%MZ}"
                minutes[minute] = minutes.get(minute, 0) + 1
            told[channel.value] = {
                "ids": [FACES[channel].ident(post) for post in written],
                "negative": sum(post.is_negative for post in written),
                "per_minute": minutes,
            }
        return web.json_response(told)

    async def _score(self, request: web.Request) -> web.Response:
        found: dict[str, list[str]] = json.loads(await request.read())
        told = {}
        for name, idents in found.items():
            channel = Channel(name)
            due = {FACES[channel].ident(post) for post in self._shown(channel)}
            known = {FACES[channel].ident(post) for post in self.storm.posts[channel]}
            told[name] = {
                "recall": len(due & set(idents)) / len(due) if due else 1.0,
                "missing": sorted(due - set(idents)),
                "duplicates": len(idents) - len(set(idents)),
                "invented": sorted(set(idents) - known),
            }
        return web.json_response(told)

    async def _bill(self, _request: web.Request) -> web.Response:
        bills = {
            channel.value: {"dollars": round(bill.dollars, 6), "units": dict(bill.units)}
            for channel, bill in self.bills.items()
        }
        return web.json_response(bills)

    def _shown(self, channel: Channel) -> list[Post]:
        now = self.clock.now()
        return [post for post in self.storm.posts[channel] if post.is_shown(now)]
