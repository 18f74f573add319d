"""When a channel may take its next message: one after another, the most urgent first, none forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.notify.patience import URGENCY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from brandmelder.model import Delivery


class Pace:
    """A token bucket of one token: after each message a channel rests for its spacing, longer if it asks for that."""

    def __init__(self, spacing: timedelta) -> None:
        self._spacing = spacing
        self._free_at: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        """Whether a message may go now."""
        return self._free_at is None or self._free_at <= now

    def take(self, now: datetime) -> None:
        """Note that a message goes now."""
        self.rest(now + self._spacing)

    def rest(self, until: datetime) -> None:
        """Let nothing go before a moment: the server asked to wait."""
        self._free_at = until if self._free_at is None else max(self._free_at, until)

    def put_off(self, waiting: Iterable[Delivery], now: datetime) -> list[Delivery]:
        """Return what has to wait, each with a turn of its own, the most urgent first.

        Whatever more urgent comes meanwhile takes the turn, and the others are put off again.
        """
        first = max(now, self._free_at or now)
        ordered = sorted(waiting, key=order_of)
        return [replace(one, due_at=_whole(first + place * self._spacing)) for place, one in enumerate(ordered)]


def order_of(one: Delivery) -> tuple[int, int, datetime, str]:
    """Return by what deliveries of one channel are sorted; what failed often does not hold up what was never tried."""
    return URGENCY[one.kind], one.attempts, one.created_at, one.key


def _whole(moment: datetime) -> datetime:
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)
