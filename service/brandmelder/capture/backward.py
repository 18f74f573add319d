"""How a list that only pages from the newest to the oldest is read without loss: page by page, resumable, with anchors.

Each page is committed before the next is asked for. A walk ends at a mention it knows: any of the last fifty will do,
since a single one can be deleted. Only then the head of the walk becomes what is known (sources.md, rules 5 and 6).
What is released late stands below the anchors; where that happens, a sweep walks past them from time to time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.capture.source import Poll
from brandmelder.errors import Blocked, RateLimited, SourceError, Transient
from brandmelder.model import Cursor, Extent, Gap, Mention, Removal, SourceId

ANCHORS: Final = 50
_DIGITS: Final = 16
OVERLAP: Final = timedelta(hours=1)
"""Where no anchor is met any more, the walk ends this far before the moment up to which the last one had read."""


class Trail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the cursor holds. A cursor of another place, or one that cannot be read, is none."""

    v: int = 1
    place: str
    """What is read: another address or query begins anew."""
    first: datetime
    """The first contact: what was published before is history, whenever it is read."""
    anchors: tuple[str, ...] = ()
    newest: tuple[str, ...] = ()
    """The first ids of the running walk: its anchors once it has ended."""
    page: str = ""
    """Where the running walk goes on; empty at the head."""
    pages: int = 0
    read: int = 0
    """How many the running walk has read."""
    began: datetime | None = None
    """When the running walk asked for its head."""
    walked: datetime | None = None
    """Up to when the last walk had read everything."""
    swept: datetime | None = None
    """When the last walk began that was a sweep."""
    is_sweep: bool = False
    """The running walk goes past what is known."""


class Page(Struct, frozen=True, kw_only=True):
    """One page of a list, newest first."""

    mentions: Sequence[Mention] = ()
    ids: Sequence[str] = ()
    """Of everything that stands on it, wanted or not."""
    following: str = ""
    """How to ask for the older page; empty at the end of the list."""
    expected: int | None = None
    """How many the service says there are."""
    removals: Sequence[Removal] = ()
    gaps: Sequence[Gap] = ()
    """What the service does not show and never will."""


class Bounds(Struct, frozen=True, kw_only=True):
    """How far a walk goes."""

    history: timedelta
    """How far the first one reads back."""
    pages: int = 50
    """How many pages one walk may read; what lies behind them is a declared gap."""
    window: int | None = None
    """The list shows only so many, ever: a full window without a known mention means that some were missed."""
    sweep_every: timedelta | None = None
    """How often what stands below the anchors is looked at again."""
    sweep_span: timedelta = timedelta(days=1)
    """How far back a sweep looks for what was released late."""
    anchors: int = ANCHORS
    is_forward: bool = False
    """The service was asked for what is new, in whatever order: only its own end is one, and no time tells another."""


def recall(cursor: Cursor | None, place: str, now: datetime) -> Trail:
    """Return the trail that the cursor holds, or a new one."""
    try:
        trail = msgspec.json.decode(cursor, type=Trail) if cursor else None
    except msgspec.MsgspecError:
        trail = None
    return trail if trail is not None and trail.place == place else Trail(place=place, first=now.replace(microsecond=0))


def turn_page(trail: Trail, page: Page, *, source: SourceId, now: datetime, bounds: Bounds) -> Poll:
    """Return what a page brings, and where the walk stands after it."""
    if trail.began is None:
        trail = _begun(trail, now.replace(microsecond=0), bounds)
    trail = replace(trail, newest=trail.newest or tuple(page.ids[: bounds.anchors]))
    times = [one.published_at for one in page.mentions]
    bound, oldest = _bound(trail, bounds), min(times, default=trail.began or now)
    is_known = not trail.is_sweep and not set(trail.anchors).isdisjoint(page.ids)
    is_met = not bounds.is_forward and (is_known or max(times, default=bound) < bound)
    oldest = now.replace(microsecond=0) if bounds.is_forward else oldest
    gap, is_end = None, is_met or not page.following
    if not is_end and trail.pages + 1 >= bounds.pages:
        gap = _gap(source, bound, oldest, f"more than {bounds.pages} pages were new", page.expected)
        is_end = True
    elif is_end and not (is_met or trail.is_sweep) and _is_cut(trail, page, bounds):
        reason = f"only the newest {bounds.window} are shown, and all were new"
        gap = _gap(source, bound, oldest, reason, page.expected)
    following = (
        _ended(trail)
        if is_end
        else replace(trail, page=page.following, pages=trail.pages + 1, read=trail.read + len(page.ids))
    )
    return Poll(
        mentions=tuple(_dated(one, trail.first) for one in page.mentions),
        removals=tuple(page.removals),
        cursor=Cursor(msgspec.json.encode(following).decode()),
        read_until=trail.began if is_end else None,
        gaps=(*page.gaps, *(() if gap is None else (gap,))),
        extent=Extent(read=len(page.ids), expected=page.expected),
        more=not is_end,
        degraded=gap.reason if gap else "",
    )


def anew(trail: Trail) -> Trail:
    """Return the trail back at the head: where a walk stood is not known there any more."""
    swept = None if trail.is_sweep else trail.swept  # a sweep that was cut off is due again
    return replace(trail, newest=(), page="", pages=0, read=0, began=None, is_sweep=False, swept=swept)


def counted(page: str, first: int) -> int:
    """Return the number that a page is; `first` for one of another way of paging, as an old cursor may hold."""
    return int(page) if page.isascii() and page.isdigit() and len(page) < _DIGITS else first


def is_lost(error: SourceError, trail: Trail) -> bool:
    """Whether a refusal may mean the place where a walk stood alone: the head is worth asking for."""
    return bool(trail.page) and not isinstance(error, RateLimited | Transient | Blocked)


def _begun(trail: Trail, now: datetime, bounds: Bounds) -> Trail:
    """Return the trail at the head of a new walk; the first one reads further than any sweep."""
    is_due = bounds.sweep_every is not None and (trail.swept is None or now - trail.swept >= bounds.sweep_every)
    is_sweep = is_due and trail.walked is not None
    return replace(trail, began=now, is_sweep=is_sweep, swept=now if is_due else trail.swept)


def _ended(trail: Trail) -> Trail:
    anchors = trail.newest or trail.anchors
    return replace(
        trail, anchors=anchors, newest=(), page="", pages=0, read=0, began=None, walked=trail.began, is_sweep=False
    )


def _bound(trail: Trail, bounds: Bounds) -> datetime:
    """Return before when everything was read already, or need not be."""
    bound = trail.walked - OVERLAP if trail.walked else trail.first - bounds.history
    if not trail.is_sweep or trail.began is None:
        return bound
    # After days without an answer a sweep goes on where the last walk stood: what was released then lies that far back.
    return min(bound, (trail.walked or trail.began) - bounds.sweep_span)


def _is_cut(trail: Trail, page: Page, bounds: Bounds) -> bool:
    return bounds.window is not None and bool(trail.anchors) and trail.read + len(page.ids) >= bounds.window


def _gap(source: SourceId, since: datetime, until: datetime, reason: str, expected: int | None) -> Gap | None:
    return Gap(source=source, since=since, until=until, reason=reason, expected=expected) if since < until else None


def _dated(one: Mention, first: datetime) -> Mention:
    return replace(one, history=True) if one.published_at < first and not one.history else one
