"""Public posts under hashtags on Instagram: what the Graph API shows of them, and what it does not.

It shows the last 24 hours and no author; a longer pause is a gap. An account may ask for thirty different hashtags in
seven days. Pages end where ids come again: the cursor is the same on every page.
API: https://developers.facebook.com/docs/instagram-platform/instagram-api-with-facebook-login/hashtag-search
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.capture.backward import Bounds, Page
from brandmelder.capture.graph_api import GraphApi, Missing, Paging
from brandmelder.capture.lists import Lists, poll_lists, unread
from brandmelder.errors import Gone, ShapeChanged, SourceError
from brandmelder.model import Cursor, Gap, Mention, SourceId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brandmelder.capture.source import Poll

MOST: Final = 30
"""So many different ones may be asked for in `SPAN`."""
SPAN: Final = timedelta(days=7)
SHOWN: Final = timedelta(hours=24)
READ_EVERY: Final = timedelta(minutes=15)
_PAGE: Final = "50"
_FIELDS: Final = "id,caption,permalink,timestamp"


class TaggedPost(Struct, frozen=True):
    """A post as it is shown below a hashtag."""

    id: str
    caption: str = ""
    permalink: str = ""
    timestamp: str = ""


class _Posts(Struct, frozen=True):
    data: list[TaggedPost] = []
    paging: Paging = Paging()


class _Found(Struct, frozen=True):
    id: str


class _Search(Struct, frozen=True):
    data: list[_Found] = []


class Asked(Struct, frozen=True, omit_defaults=True):
    """One hashtag: its number there, and when it was last asked for."""

    ident: str
    at: datetime


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds of hashtags."""

    lists: str = ""
    read: datetime | None = None
    """When a round over all of them began."""
    asked: dict[str, Asked] = {}


class Hashtags:
    """Reads hashtags for one account; `mention` makes a mention of a post."""

    def __init__(
        self, source: SourceId, account: str, names: Sequence[str], mention: Callable[[TaggedPost, datetime], Mention]
    ) -> None:
        self._source, self._account, self._mention = source, account, mention
        self._names = list(dict.fromkeys(name.lstrip("#").lower() for name in names))  # with ß it is another one

    async def poll(self, api: GraphApi, memory: Memory, known: Sequence[str], now: datetime) -> Poll | None:
        """Read on; None while it is not time to. Posts whose ids are `known` are our own and left out.

        Raises SourceError for what stops everything: the token, a limit.
        """
        is_due = memory.read is None or now - memory.read >= READ_EVERY
        names, refused = self._allowed(memory, now)
        if not names or not (is_due or unread(memory.lists)):
            return None
        if is_due:
            memory.read = now.replace(microsecond=0)
        turn = _Turn(self, api, memory, frozenset(known))
        lists = Lists(source=self._source, names=names, ask=turn.ask, bounds=Bounds(history=SHOWN))
        found = await poll_lists(lists, Cursor(memory.lists) if memory.lists else None, now)
        memory.lists = found.cursor or ""
        return replace(found, degraded=found.degraded or turn.trouble or refused)

    def _allowed(self, memory: Memory, now: datetime) -> tuple[list[str], str]:
        """Return what may be asked for, and what is said of the others; those long not asked for are forgotten."""
        memory.asked = {name: one for name, one in memory.asked.items() if now - one.at < SPAN or name in self._names}
        spent = [name for name, one in memory.asked.items() if name not in self._names and now - one.at < SPAN]
        room = max(0, MOST - len(spent))
        standing = [name for name in self._names if name in memory.asked]
        names = [*standing, *(name for name in self._names if name not in memory.asked)][:room]
        left = [f"#{name}" for name in self._names if name not in names]
        if not left:
            return names, ""
        return (
            names,
            f"{', '.join(left[:3])}: an account may ask for {MOST} hashtags in a week, and has; wait or take some out",
        )

    def page(self, posts: Sequence[TaggedPost], known: frozenset[str], now: datetime) -> list[Mention]:
        """Return the mentions of a page."""
        return [self._mention(one, now) for one in posts if one.caption and one.id not in known]

    async def ident(self, api: GraphApi, name: str, now: datetime) -> str:
        """Return a hashtag's number. Raises SourceError; Missing for one that nobody has used."""
        asked = {"user_id": self._account, "q": name}
        found = await api.get("ig_hashtag_search", asked, _Search, now)
        if not found.data:
            raise Missing("nobody has used it")
        return found.data[0].id

    async def media(self, api: GraphApi, ident: str, page: str, now: datetime) -> _Posts:
        """Return a page of the newest posts under a hashtag."""
        asked = {"user_id": self._account, "fields": _FIELDS, "limit": _PAGE} | ({"after": page} if page else {})
        return await api.get(f"{ident}/recent_media", asked, _Posts, now)

    def gap(self, since: datetime, until: datetime, reason: str) -> tuple[Gap, ...]:
        """Return a gap, if it is one."""
        return (Gap(source=self._source, since=since, until=until, reason=reason),) if since < until else ()


class _Turn:
    """One poll: which ids its walks have shown, and what went wrong with single hashtags."""

    def __init__(self, tags: Hashtags, api: GraphApi, memory: Memory, known: frozenset[str]) -> None:
        self._tags, self._api, self._memory, self._known = tags, api, memory, known
        self._shown: dict[str, set[str]] = {}
        self.trouble = ""

    async def ask(self, name: str, page: str, now: datetime) -> Page:
        before = self._memory.asked.get(name)
        try:
            ident = before.ident if before is not None else await self._tags.ident(self._api, name, now)
            found = await self._tags.media(self._api, ident, page, now)
        except (Missing, Gone, ShapeChanged) as error:  # this hashtag alone: new, unused, or one it shows to nobody
            return self._nothing(name, before, error, now)
        gaps: tuple[Gap, ...] = ()
        if not page:
            if before is not None:
                gaps = self._tags.gap(before.at, now - SHOWN, f"#{name} shows its last 24 hours alone")
            self._memory.asked[name] = Asked(ident=ident, at=now.replace(microsecond=0))
        ids = [one.id for one in found.data]
        shown = self._shown.setdefault(name, set())
        is_end = not set(ids) - shown
        shown.update(ids)
        return Page(
            mentions=[] if is_end else self._tags.page(found.data, self._known, now),
            ids=ids,
            following="" if is_end else found.paging.cursors.after,
            gaps=gaps,
        )

    def _nothing(self, name: str, before: Asked | None, error: SourceError, now: datetime) -> Page:
        self.trouble = self.trouble or f"#{name} cannot be read: {error}"
        since = before.at if before is not None else now
        return Page(gaps=self._tags.gap(since, now, f"#{name} could not be read"))
