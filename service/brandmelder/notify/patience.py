"""How long, how often, and who first: every number of a delivery's life."""

from __future__ import annotations

import zlib
from datetime import timedelta

from brandmelder.model import DeliveryKind

ATTEMPT = timedelta(seconds=20)
"""The longest that one attempt takes."""
QUIESCE = ATTEMPT + timedelta(seconds=75)
"""How long after an attempt began a message may still appear in the channel's history."""
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 5, 15, 30, 60))
"""After the first, second, … certain failure; the last one repeats."""
JITTER = 0.1
"""Share by which a back-off is stretched or shortened, the same for the same key and attempt."""
LONGEST_WAIT = timedelta(minutes=10)
"""The most that a channel's Retry-After is heeded."""
SWEEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 6, 10))
"""When a key that was ever unclear is looked for again, after its last attempt."""
SWEEP_PATIENCE = timedelta(hours=1)
"""How long a sweep waits for a history that cannot be read."""
LOOK_AGAIN = timedelta(seconds=60)
"""How often an unreadable history is asked."""
PATIENCE = timedelta(minutes=10)
"""How long an alert waits for an unreadable history before it is sent again, marked as a possible repeat."""
REPEAT_PATIENCE = timedelta(hours=1)
"""The same for an alert that was repeated before: otherwise lost answers would fill the channel."""
LOOK_BACK = timedelta(minutes=15)
"""How far before the first attempt a look begins: two clocks are never the same, and one may be set in between."""
UPDATE_SPACING = timedelta(seconds=45)
"""The least time between two edits of an alert."""
LIFE = {
    DeliveryKind.OPEN: timedelta(hours=72),
    DeliveryKind.RESOLVE: timedelta(hours=72),
    DeliveryKind.THREAD: timedelta(minutes=15),
    DeliveryKind.UPDATE: timedelta(hours=72),
    DeliveryKind.TEST: timedelta(minutes=15),
    DeliveryKind.ESCALATE: timedelta(hours=24),
    DeliveryKind.NOTICE: timedelta(hours=24),
}
"""How long after its promise a delivery is tried: an edit as long as its alert, since only the newest is kept."""
URGENCY = {
    DeliveryKind(name): rank
    for rank, name in enumerate(("open", "escalate", "notice", "resolve", "thread", "update", "test"))
}
"""Who goes first where a channel takes one message a second: smaller is earlier."""


def back_off(key: str, attempts: int) -> timedelta:
    """Return how long a delivery waits after so many certain failures."""
    step = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    spread = zlib.crc32(f"{key}#{attempts}".encode()) / 0xFFFFFFFF
    return step * (1 - JITTER + 2 * JITTER * spread)
