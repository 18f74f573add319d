"""What the picture of an incident shows: so many negatives in each bar, so many are usual, what was not seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.model import Hole, Occasion, Picture, SpikeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.model import Bin, Spike

UNSEEN = -1
"""Stands in the picture for a bar that could not be seen."""
YOUNG = timedelta(days=7)
"""With less history than this, no band is drawn: what is usual is not known well enough to be shown as an edge."""
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_SHORT = (timedelta(minutes=20), timedelta(minutes=15), timedelta(minutes=5))


class Frame(Struct, frozen=True, kw_only=True):
    """The bars of a picture: `count` of one width, the last ending at `until`."""

    until: datetime
    width: timedelta
    count: int

    @property
    def since(self) -> datetime:
        """Where the first bar begins."""
        return self.until - self.count * self.width

    @property
    def ends(self) -> tuple[datetime, ...]:
        """Where each bar ends, oldest first."""
        since = self.since
        return tuple(since + (number + 1) * self.width for number in range(self.count))


def frame_of(spike: Spike) -> Frame:
    """Return bars that end with the spike's window and, for windows up to an hour, add up to its number.

    Six hours by 20 minutes (by 15 or 5 where the window asks for it), beyond six hours a day by hours, beyond a day a
    week by six hours.
    """
    if spike.window > 24 * _HOUR:
        return Frame(until=spike.until, width=6 * _HOUR, count=28)
    if spike.window > 6 * _HOUR:
        return Frame(until=spike.until, width=_HOUR, count=24)
    if spike.window > _HOUR:
        return Frame(until=spike.until, width=_SHORT[0], count=18)
    width = next(width for width in _SHORT if not spike.window % width or width == _SHORT[-1])
    return Frame(until=spike.until, width=width, count=24 if width == _SHORT[-1] else 18)


def shows_band(spike: Spike) -> bool:
    """Return whether enough is known of the usual to draw it."""
    return not spike.learning and spike.history >= YOUNG


class Behind(Struct, frozen=True, kw_only=True):
    """What stands behind the bars."""

    usual: tuple[tuple[int, int], ...] = ()
    holes: tuple[Hole, ...] = ()
    events: tuple[Occasion, ...] = ()


def picture(frame: Frame, bins: Sequence[Bin], *, kind: SpikeKind, behind: Behind) -> Picture:
    """Return the picture of a spike; a bar of which nothing was seen is UNSEEN, never zero."""
    counts, seen = [0.0] * frame.count, [0.0] * frame.count
    for one in bins:
        place = frame.count - 1 - (frame.until - one.end) // frame.width
        if 0 <= place < frame.count and one.end <= frame.until:
            counts[place] += one.total if kind is SpikeKind.TOTAL else one.labelled
            seen[place] += one.exposure
    return Picture(
        until=frame.until,
        width=frame.width,
        counts=tuple(round(count) if share > 0 else UNSEEN for count, share in zip(counts, seen, strict=True)),
        usual=behind.usual if len(behind.usual) == frame.count else (),
        holes=tuple(hole for hole in behind.holes if hole.since < frame.until and hole.until > frame.since),
        events=tuple(event for event in behind.events if frame.since <= event.at <= frame.until),
    )
