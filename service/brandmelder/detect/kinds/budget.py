"""How a monitor's false-alarm budget is split among the kinds of spike that it watches (decision 0023)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from brandmelder.model import SpikeKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PARTS: Final[Mapping[SpikeKind, float]] = MappingProxyType(
    {
        SpikeKind.NEGATIVE: 0.70,
        SpikeKind.SHARE: 0.08,
        SpikeKind.REACH: 0.08,
        SpikeKind.TOTAL: 0.06,
        SpikeKind.NEW_SOURCE: 0.04,
        SpikeKind.SILENCE: 0.04,
    }
)
"""Each kind's part while all are watched. Backlog and key mention are rules that people set: they cost nothing."""

DEFAULT: Final = tuple(PARTS)
"""What a monitor watches unless it says otherwise."""


def split(budget: float, kinds: Collection[SpikeKind]) -> dict[SpikeKind, float]:
    """Return false pages per day for each watched kind that takes part; together they are the budget."""
    watched = {kind: part for kind, part in PARTS.items() if kind in kinds}
    whole = sum(watched.values())
    return {kind: budget * part / whole for kind, part in watched.items()}
