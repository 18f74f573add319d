"""What of an answer cannot be stored is left out and said; the rest of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

if TYPE_CHECKING:
    from brandmelder.capture.source import Poll
    from brandmelder.model import Mention, Reading

MOST: Final = 2**63 - 1
"""The largest whole number that the database knows."""


def sound(poll: Poll) -> Poll:
    """Return an answer without the numbers that are none (NaN, infinite, beyond 63 bits), which its note names."""
    odd = [one for one in poll.readings if not _is_number(one)]
    mentions = tuple(_with_reach(one) for one in poll.mentions)
    if not odd:
        return replace(poll, mentions=mentions)
    more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
    note = f"{odd[0].name} of {odd[0].title or odd[0].account}{more} is no number that can be kept; it is left out"
    return replace(
        poll,
        mentions=mentions,
        readings=tuple(one for one in poll.readings if _is_number(one)),
        degraded="; ".join(filter(None, (poll.degraded, note))),
    )


def _is_number(one: Reading) -> bool:
    return abs(one.value) <= MOST  # nothing is at most anything for NaN


def _with_reach(one: Mention) -> Mention:
    return one if one.reach is None or abs(one.reach) <= MOST else replace(one, reach=None)
