"""Unanswered backlog: nobody has answered for longer than was agreed. A rule that people set, so it costs no budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Finding, Spike, SpikeKind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

FORGOTTEN = timedelta(hours=24)
"""A question so old is no news any more."""
_MOST = 2000


class BacklogRules(Struct, frozen=True, kw_only=True):
    """What was agreed: answers within `after`; `least` questions older than that are an incident."""

    after: timedelta = timedelta(minutes=45)
    least: int = 3


class Question(Struct, frozen=True, array_like=True):
    """A negative mention that waits for an answer."""

    mention: int
    source: str
    external_id: str
    at: int
    """Seconds of the epoch."""


def wait(
    waiting: Sequence[Question], asked: Sequence[Question], answered: Collection[tuple[str, str]], *, now: datetime
) -> tuple[Question, ...]:
    """Return who still waits: the newly `asked` joined, the `answered` and the forgotten left."""
    oldest = round((now - FORGOTTEN).timestamp())
    known = {one.mention for one in waiting}
    every = (*waiting, *(one for one in asked if one.mention not in known))
    kept = [one for one in every if one.at >= oldest and (one.source, one.external_id) not in answered]
    return tuple(sorted(kept, key=lambda one: (one.at, one.mention))[-_MOST:])


def judge(waiting: Sequence[Question], *, start: datetime, now: datetime, rules: BacklogRules) -> Finding:
    """Say how many have waited longer than was agreed; `start` is the bin that was looked at."""
    late = [one for one in waiting if one.at <= round((now - rules.after).timestamp())]
    since = datetime.fromtimestamp(late[0].at, UTC) if late else now - rules.after
    spike = Spike(
        kind=SpikeKind.BACKLOG,
        since=since,
        until=now,
        window=max(rules.after, now - since),
        observed=len(late),
        usual_low=0,
        usual_high=0,
        expected=0.0,
        score=0.0,
        whole=len(waiting),
    )
    return Finding(
        start=start, spike=spike, pages=len(late) >= rules.least, is_high=2 * len(late) >= rules.least and bool(late)
    )
