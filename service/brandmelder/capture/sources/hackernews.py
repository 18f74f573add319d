"""Stories and comments of Hacker News that hold given words, over Algolia's public search, newest first.

It shows a thousand hits of one question whatever the page, so a walk moves the bound of time instead. The index lags
by minutes: an hourly sweep of a day finds what came late. API: https://hn.algolia.com/api
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self
from urllib.parse import urlencode

from msgspec import Struct
from pydantic import Field

from brandmelder.capture.backward import Bounds, Page, counted
from brandmelder.capture.json_api import read_json
from brandmelder.capture.lists import Lists, poll_lists
from brandmelder.capture.mentions import Told, mention_of
from brandmelder.capture.normalise import strip_html
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.capture.translate import Untranslatable, for_phrases, wanted
from brandmelder.model import Cursor, Gap, Mention, Removal, SourceId
from brandmelder.options import SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.capture.tree import Everything, Node

MOST_WORDS: Final = 5
_HITS: Final = 200
_SHOWN: Final = 1_000
"""Of more hits the service shows no others, whatever the page."""
_SERVICE: Final = "the search of Hacker News"


class HackerNewsOptions(SourceOptions):
    """Stories and comments of Hacker News that hold given words."""

    words: Annotated[tuple[Annotated[str, Field(min_length=2, max_length=100)], ...], Field(max_length=5)] = ()
    """What to search for: each is a question of its own, taken as a phrase.

    Left out, they are made of the monitors' queries.
    """
    url: WebAddress = "https://hn.algolia.com"
    """Where the search stands."""

    def asking(self, trees: Sequence[Node | Everything]) -> Self:
        """Search for what the monitors want, unless words are written."""
        if self.words:
            return self
        try:
            found = tuple(dict.fromkeys(text.lstrip("#@") for text in for_phrases(wanted(trees))))
        except Untranslatable as error:
            raise ValueError(f"{error}; write words") from error
        if len(found) > MOST_WORDS:
            raise ValueError(f"the queries make {len(found)} searches and {MOST_WORDS} are asked at most; write words")
        return self.model_copy(update={"words": found})


class _Hit(Struct, frozen=True):
    objectID: str  # noqa: N815 - the service's name
    created_at_i: int = 0
    author: str = ""
    comment_text: str | None = None
    story_text: str | None = None
    title: str | None = None
    story_title: str | None = None
    story_id: int | None = None
    parent_id: int | None = None


class _Hits(Struct, frozen=True):
    hits: list[_Hit]
    nbHits: int = 0  # noqa: N815 - the service's name


class HackerNewsSource:
    """Searches by date; the page of a walk is the time before which it goes on."""

    Options: ClassVar[type[SourceOptions]] = HackerNewsOptions
    recheck_size = 50

    def __init__(self, source_id: SourceId, options: HackerNewsOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._base = options.url.rstrip("/")
        bounds = Bounds(history=options.history, sweep_every=timedelta(hours=1))
        self._lists = Lists(source=source_id, names=options.words, ask=self._ask, bounds=bounds)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in every question."""
        return await poll_lists(self._lists, cursor, now)

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for known posts by their ids: who does not come back was taken away."""
        known = [ident for ident in external_ids if ident.isascii() and ident.isdigit()]  # others were brought by hand
        if not known:
            return Recheck()
        wanted = " OR ".join(f"objectID:{ident}" for ident in known)
        found = await self._search({"filters": wanted, "hitsPerPage": str(len(known))}, now)
        there = {hit.objectID for hit in found.hits}
        return Recheck(
            mentions=tuple(self._mention(hit, now) for hit in found.hits),
            removals=tuple(
                Removal(source=self.id, external_id=ident, reason="gone") for ident in known if ident not in there
            ),
        )

    async def _ask(self, words: str, page: str, now: datetime) -> Page:
        stamp, _, further = page.partition(":")
        until = counted(stamp, int(now.timestamp()) + 60)
        since = until - 1 if further else int((now - self._options.history).timestamp())
        asked = {
            "query": f'"{words}"',
            "tags": "(story,comment)",
            "numericFilters": f"created_at_i>{since},created_at_i<={until}",
            "hitsPerPage": str(_HITS),
            "typoTolerance": "false",
        }
        found = await self._search(asked | ({"page": further} if further else {}), now)
        following, gaps = self._following(found, until, counted(further, 0))
        return Page(
            mentions=[self._mention(hit, now) for hit in found.hits],
            ids=[hit.objectID for hit in found.hits],
            following=following,
            expected=None if further else found.nbHits,
            gaps=gaps,
        )

    def _following(self, found: _Hits, until: int, number: int) -> tuple[str, list[Gap]]:
        """Return where the walk goes on, and what cannot be seen.

        The bound moves to the oldest time; pages are counted only within one second, for a deletion would shift them.
        """
        is_full = len(found.hits) >= _HITS
        if not number:
            oldest = min((hit.created_at_i for hit in found.hits), default=0)
            return (str(oldest) if oldest < until else f"{until}:1") if is_full else "", []
        if is_full and (number + 1) * _HITS < _SHOWN:
            return f"{until}:{number + 1}", []
        if found.nbHits <= _SHOWN:
            return str(until - 1), []
        second = datetime.fromtimestamp(until, UTC)
        reason = f"more than {_SHOWN} posts bear the time {second:%Y-%m-%d %H:%M:%S} UTC"
        gap = Gap(source=self.id, since=second, until=second + timedelta(seconds=1), reason=reason)
        return str(until - 1), [gap]

    async def _search(self, asked: dict[str, str], now: datetime) -> _Hits:
        answer = await self._tools.fetch(f"{self._base}/api/v1/search_by_date?{urlencode(asked)}", now=now)
        return read_json(answer, _Hits, source=self.id, service=_SERVICE)

    def _mention(self, hit: _Hit, now: datetime) -> Mention:
        told = Told(
            ident=hit.objectID,
            text=strip_html(hit.comment_text or "\n".join(filter(None, (hit.title, hit.story_text)))),
            context=hit.story_title or "",
            published=datetime.fromtimestamp(hit.created_at_i, UTC) if 0 < hit.created_at_i < 7_000_000_000 else None,
            url=f"https://news.ycombinator.com/item?id={hit.objectID}",
            author=hit.author,
            parent=str(hit.parent_id) if hit.parent_id else None,
        )
        return mention_of(told, source=self.id, options=self._options, now=now)
