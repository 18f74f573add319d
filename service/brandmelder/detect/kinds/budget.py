"""How a monitor's false-alarm budget is split among the kinds of spike that it watches (decision 0023)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from brandmelder.model import SpikeKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PARTS: Final[Mapping[SpikeKind, float]] = MappingProxyType(
    {
        SpikeKind.NEGATIVE: 0.80,
        SpikeKind.SHARE: 0.08,
        SpikeKind.TOTAL: 0.06,
        SpikeKind.SILENCE: 0.03,
        SpikeKind.REACH: 0.02,
        SpikeKind.NEW_SOURCE: 0.01,
    }
)
"""Each kind's part while all are watched. Backlog and key mention are rules that people set: they cost nothing."""

_SPENT: Final[Mapping[SpikeKind, float]] = MappingProxyType(
    {SpikeKind.SILENCE: 0.75, SpikeKind.REACH: 0.25, SpikeKind.NEW_SOURCE: 0.25}
)
"""What a kind spends, at most, of what its threshold is set for in quiet months (bench/detection/kinds.py): each needs
a minimum of mentions besides, and reach has a lighter tail than is assumed."""

DEFAULT: Final = tuple(PARTS)
"""What a monitor watches unless it says otherwise."""


def split(budget: float, kinds: Collection[SpikeKind]) -> dict[SpikeKind, float]:
    """Return for each watched kind that takes part the false pages a day that its threshold is set for.

    What they spend of it is, together, the budget.
    """
    watched = {kind: part for kind, part in PARTS.items() if kind in kinds}
    whole = sum(watched.values())
    return {kind: budget * part / whole / _SPENT.get(kind, 1.0) for kind, part in watched.items()}
