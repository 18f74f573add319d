"""How a source makes a mention of what it read: one shape, with what is odd about it flagged."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.capture.normalise import canonical_url, clean_text, settle_time, to_utc_seconds
from brandmelder.model import Mention, SourceId

if TYPE_CHECKING:
    from brandmelder.options import SourceOptions

BACK_DATED: Final = timedelta(minutes=10)
"""A claim so much older than the moment at which the service saw it is not believed: it would hide a storm."""

FARTHEST: Final = 10_000_000_000
"""More followers than there are people is no number: it would not even fit into the database."""

_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_-]{1,40})?")

_NO_LANGUAGE: Final = frozenset({"und", "mul", "mis", "zxx"})


class Told(Struct, kw_only=True):
    """What a service tells of one post; `text` is plain text."""

    ident: str
    text: str
    published: datetime | None
    indexed: datetime | None = None
    """When the service saw it, where it says so."""
    url: str = ""
    author: str = ""
    context: str = ""
    parent: str | None = None
    reach: int | None = None
    language: str | None = None
    own: bool = False
    flags: tuple[str, ...] = ()


def mention_of(told: Told, *, source: SourceId, options: SourceOptions, now: datetime) -> Mention:
    """Return the mention; what claims another time than the service saw it at counts when it was seen."""
    claimed = told.published
    is_back_dated = told.indexed is not None and claimed is not None and abs(told.indexed - claimed) > BACK_DATED
    published, flags = settle_time(told.indexed if is_back_dated else claimed, now)
    return Mention(
        source=source,
        external_id=told.ident,
        text=clean_text(told.text),
        context=clean_text(told.context)[:500],
        url=canonical_url(told.url),
        author=clean_text(told.author)[:200],
        language=options.language or language_of(told.language),
        reach=told.reach if told.reach is not None and 0 <= told.reach <= FARTHEST else None,
        parent_id=told.parent,
        own=told.own or options.owns(told.author),
        published_at=published,
        captured_at=to_utc_seconds(now),
        flags=(*told.flags, *flags, *(("back_dated",) if is_back_dated else ())),
    )


def language_of(text: str | None) -> str | None:
    """Return the language that a tag names (RFC 5646), in two letters or three: `de` of `de-AT`; None if it is none."""
    found = _LANGUAGE.fullmatch(text or "")
    return found[1].lower() if found and found[1].lower() not in _NO_LANGUAGE else None


def moment_of(text: str | None) -> datetime | None:
    """Return the moment that an ISO 8601 time tells, aware; None if it tells none."""
    if not text:
        return None
    try:
        return to_utc_seconds(datetime.fromisoformat(text))
    except ValueError:
        return None
