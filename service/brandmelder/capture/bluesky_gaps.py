"""What the stream cannot give, asked of the search: the history before the first contact, and what a gap swallowed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.capture.bluesky_api import Post
from brandmelder.errors import SourceError
from brandmelder.model import Gap, SourceId

if TYPE_CHECKING:
    from brandmelder.capture.bluesky_api import Bluesky

PAGES: Final = 50
"""How many pages of one search are read; what lies behind them is a declared gap."""
TRIES: Final = 10
"""So often a search may fail before what it should have brought is declared missing."""
MOST: Final = 5
"""So many stretches wait to be filled; a further one is declared at once."""


class Fill(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch that is searched for, and how far that has come."""

    since: datetime
    until: datetime
    is_history: bool = False
    done: int = 0
    """How many of the searches have been read to their ends."""
    page: str = ""
    pages: int = 0
    tries: int = 0


class Filled(Struct, frozen=True, kw_only=True):
    """What one question brought: posts, what is left to be asked, what never will be, and why it goes on later."""

    posts: Sequence[Post] = ()
    left: Fill | None = None
    gap: Gap | None = None
    trouble: str = ""


async def fill_on(fill: Fill, searches: Sequence[str], bluesky: Bluesky, source: SourceId, now: datetime) -> Filled:
    """Ask for one page of what is missing."""
    try:
        found = await bluesky.search(searches[fill.done], fill.page, now, span=(fill.since, fill.until + _SECOND))
    except SourceError as error:
        left = replace(fill, tries=fill.tries + 1)
        if left.tries < TRIES:
            return Filled(left=left, trouble=str(error))
        return Filled(gap=missing(source, fill, "the stream had forgotten it, and the search does not answer"))
    if found.cursor and found.posts and fill.pages + 1 < PAGES:
        return Filled(posts=found.posts, left=replace(fill, page=found.cursor, pages=fill.pages + 1, tries=0))
    gap = missing(source, fill, f"more than {PAGES} pages were found") if fill.pages + 1 >= PAGES else None
    following = replace(fill, done=fill.done + 1, page="", pages=0, tries=0)
    return Filled(posts=found.posts, left=following if following.done < len(searches) else None, gap=gap)


_SECOND: Final = timedelta(seconds=1)


def missing(source: SourceId, fill: Fill, reason: str) -> Gap | None:
    """Return the gap that a stretch is; what was before the first contact is none."""
    return None if fill.is_history else Gap(source=source, since=fill.since, until=fill.until, reason=reason)
