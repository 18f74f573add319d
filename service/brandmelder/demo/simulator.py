"""A local server that plays the story's sites: a blog and a newspaper, as far as the clock has come."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self, assert_never
from urllib.parse import unquote_plus

from aiohttp import web
from msgspec.structs import replace

from brandmelder.demo import feeds, page, wordpress
from brandmelder.demo.events import Event, Kind
from brandmelder.demo.rhythm import ZONE
from brandmelder.demo.wordpress import Article, Comment, Reply, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from brandmelder.clock import Clock
    from brandmelder.demo.scenario import Scenario

PRESS = "/presse"
"""Where the newspaper stands; the blog stands at the root."""


class Simulator:
    """Serves `scenario` on a free port of 127.0.0.1 while it is entered; `url` is the blog's address."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self._scenario, self._clock = scenario, clock
        self._numbers = _numbers(scenario.events)
        self._last: dict[str, tuple[int, Site]] = {}
        """Each site as it was asked for last, and after how many events."""
        self._runner = web.AppRunner(self._application(), access_log=None)
        self.url = ""
        self.requests = 0
        """How often the sites were asked."""

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def blog(self) -> Site:
        """Return the company's blog as it stands now."""
        return self._site("blog", self.url, "Nordfunk Blog")

    def press(self) -> Site:
        """Return the newspaper as it stands now."""
        return self._site("press", self.url + PRESS, "Küstenblatt")

    def _site(self, source: str, url: str, title: str) -> Site:
        now = self._clock.now()
        happened = self._scenario.until(now)
        if source not in self._last or self._last[source][0] != len(happened):
            empty = Site(url=url, title=title, zone=ZONE, now=now, articles=(), comments=())
            events = [event for event in happened if event.source == source]
            self._last[source] = (len(happened), _standing(events, self._numbers, empty))
        stands = self._last[source][1]
        held = frozenset(
            self._numbers[event.ref]
            for event in self._scenario.events
            if event.source == source and event.published_at <= now < event.t and event.kind is Kind.COMMENT
        )
        return replace(stands, url=url, now=now, hidden=stands.hidden | held)

    # ------------------------------------------------------------------- http

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        path = request.path
        is_press = path == PRESS or path.startswith(PRESS + "/")
        site = self.press() if is_press else self.blog()
        reply = _routed(site, path.removeprefix(PRESS) if is_press else path, request)
        body = b"" if request.method == "HEAD" else reply.body
        return web.Response(status=reply.status, headers=reply.headers, body=body)


def _routed(site: Site, path: str, request: web.Request) -> Reply:
    query = _query(request.rel_url.raw_query_string)
    asked = {name.lower(): value for name, value in request.headers.items()}
    if path.rstrip("/") == "/comments/feed":
        return feeds.comment_feed(site, asked)
    if path.rstrip("/") == "/feed":
        return feeds.article_feed(site, asked)
    route = query.get("rest_route") if path in {"", "/"} else None
    if route is None and (path == "/wp-json" or path.startswith("/wp-json/")):
        route = path.removeprefix("/wp-json")
    if route is None:
        return page.shown(site, path)
    if request.method not in {"GET", "HEAD"}:
        return wordpress.unwelcome(site)
    return wordpress.answer(site, route, query)


def _query(text: str) -> dict[str, str]:
    """Read a query string as PHP does: the last of a name counts, `name[]` collects."""
    found: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        name, value = unquote_plus(name), unquote_plus(value)
        bare = re.sub(r"\[\d*\]$", "", name)
        found[bare] = f"{found[bare]},{value}" if bare != name and bare in found else value
    return found


# ------------------------------------------------------------------ the sites


def _numbers(events: tuple[Event, ...]) -> dict[str, int]:
    """Number articles and comments apart, in the order they were submitted, as WordPress does."""
    numbers: dict[str, int] = {}
    for source in ("blog", "press"):
        for kind in (Kind.ARTICLE, Kind.COMMENT):
            born = [event for event in events if event.source == source and event.kind is kind]
            born.sort(key=lambda event: event.published_at)
            numbers |= {event.ref: number for number, event in enumerate(born, start=1)}
    return numbers


def _standing(events: Iterable[Event], numbers: Mapping[str, int], site: Site) -> Site:
    """Let `events` happen to an empty `site`, in order."""
    articles: list[Article] = []
    comments: dict[int, Comment] = {}
    trash: set[int] = set()
    for event in events:
        number = numbers[event.ref]
        match event.kind:
            case Kind.ARTICLE:
                articles.append(_article(event, number))
            case Kind.COMMENT:
                comments[number] = _comment(event, number, articles, parent=numbers.get(event.parent or "", 0))
            case Kind.EDIT:
                comments[number] = replace(comments[number], text=event.text)
            case Kind.DELETE:
                del comments[number]
                trash.add(number)
            case _:
                assert_never(event.kind)
    return replace(site, articles=tuple(articles), comments=tuple(comments.values()), hidden=frozenset(trash))


def _article(event: Event, number: int) -> Article:
    return Article(
        id=number,
        slug=re.sub(r"[^a-z0-9]+", "-", event.title.casefold()).strip("-"),
        author=event.author,
        title=event.title,
        text=event.text,
        at=event.t,
    )


def _comment(event: Event, number: int, articles: Sequence[Article], *, parent: int) -> Comment:
    """Comments go under the article that was the newest when they were written."""
    post = [article for article in articles if article.at <= event.published_at][-1]
    return Comment(id=number, post=post.id, parent=parent, author=event.author, text=event.text, at=event.published_at)
