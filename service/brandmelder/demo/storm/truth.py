"""What really was, held against what was found: silent losses, duplicates, declared gaps, delay."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Face
    from brandmelder.model import Gap, Mention


class Score(Struct, frozen=True, kw_only=True):
    """How one channel was read."""

    posts: int
    """So many could be read when all was over."""
    found: int
    lost: tuple[int, ...]
    """The numbers of posts that are neither stored nor inside a declared gap: there must be none."""
    doubled: tuple[str, ...]
    """External ids that stand for a post that is stored already."""
    invented: tuple[str, ...]
    """External ids that stand for no post."""
    declared: int
    """So many posts are not stored, inside declared gaps."""
    gaps: int
    delay_median: timedelta | None
    """From being shown to being captured, of news."""
    delay_longest: timedelta | None

    @property
    def recall(self) -> float:
        """The part of the posts that is stored."""
        return self.found / self.posts if self.posts else 1.0

    @property
    def is_honest(self) -> bool:
        """Whether nothing was lost silently, doubled or invented."""
        return not (self.lost or self.doubled or self.invented)


def score(
    posts: Sequence[Post], face: Face, stored: Sequence[Mention], gaps: Sequence[Gap], span: tuple[datetime, datetime]
) -> Score:
    """Hold what is stored of a channel against its posts of a span, from its first contact, as they stand then."""
    since, at = span
    numbers = {face.ident(post): post for post in posts}
    seen = Counter(numbers[one.external_id].number for one in stored if one.external_id in numbers)
    due = [post for post in posts if post.is_shown(at) and post.shown_at >= since]
    missing = [post for post in due if not seen[post.number]]
    declared = [post for post in missing if any(gap.since <= post.at <= gap.until for gap in gaps)]
    news = {one.external_id: one for one in stored if not one.history}
    delays = [
        news[ident].captured_at - post.shown_at
        for ident, post in numbers.items()
        if ident in news and news[ident].captured_at >= post.shown_at
    ]
    return Score(
        posts=len(due),
        found=len(due) - len(missing),
        lost=tuple(post.number for post in missing if post not in declared),
        doubled=tuple(one.external_id for one in stored if seen[_number(numbers, one)] > 1),
        invented=tuple(one.external_id for one in stored if one.external_id not in numbers),
        declared=len(declared),
        gaps=len(gaps),
        delay_median=sorted(delays)[len(delays) // 2] if delays else None,
        delay_longest=max(delays, default=None),
    )


def _number(numbers: Mapping[str, Post], one: Mention) -> int:
    found = numbers.get(one.external_id)
    return found.number if found is not None else 0
