"""How a list ordered by date is read forward without loss: the bound moves, pages are counted only where it cannot."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND: Final = timedelta(seconds=1)


class Walk(Struct, frozen=True):
    """Where to read on: what was published after `after` (exclusive, whole seconds), at page `page` of it."""

    after: datetime
    page: int = 1


def advance(walk: Walk, times: Sequence[datetime], *, is_last: bool, now: datetime) -> Walk | None:
    """Return where the walk goes on after a page with these times, oldest first; None at its end.

    The bound moves to one second before the newest of them, so that those of the same second that stood on the next
    page are not lost, but never beyond `now`: a date in the future must not hide what is still to come. Where it cannot
    move, since the whole page bears one time, the next page is asked for.
    """
    if is_last:
        return None
    bound = min(times[-1] - SECOND, now) if times else walk.after
    return Walk(bound) if bound > walk.after else Walk(walk.after, walk.page + 1)
