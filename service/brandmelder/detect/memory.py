"""All a detector knows of its series: one column of numbers per series, named by one layout.

A matrix of shape (SIZE, series) is stepped through time at once; one column, as bytes, is what is stored. A *unit* is
what is learnt from: an hour, or the bin itself where bins are longer. Times are units of the epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brandmelder.detect.priors import CENTRE, SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

WINDOWS = (1, 2, 3, 6, 12, 24, 48, 72)
"""Lengths of the scanned windows in units."""
SPIKE = 2
"""So many of them form the spike group; the others are the sustained group."""
PARTS = 12
"""Short bins in an hour: bins between five minutes and an hour are scanned on this grid."""
FINE = (1, 3, 6, 12)
"""Lengths of the fine windows in parts; they form a group of their own."""
GROUPS = 3
WEEK = 168
REACH = 76
"""Units kept one by one: a day's lag, and what latecomers may still change."""
SUMS = 145
"""Cumulative sums kept: the longest window and the one before it."""
SHORT = 36
"""Parts kept one by one."""
DAYS = 150
"""Daily maxima kept for the calibration of the threshold."""
NEVER = -1e9

_FIELDS: tuple[tuple[str, int], ...] = (
    ("seen", 1), ("learnt", 1), ("labelled", 1), ("summed", 1),
    ("count", 1), ("shape", 1), ("observed", WEEK), ("expected", WEEK), ("worth", WEEK), ("profile", WEEK),
    ("last_week", WEEK),
    ("drift", 1), ("drift_sum", 1), ("drift_weight", 1),
    ("day_taken", 1), ("day_count", 4), ("day_mean", 4), ("day_shape", 4), ("day_off", 4),
    ("phi_sum", 1), ("phi_weight", 1), ("psi_sum", len(WINDOWS)), ("psi_weight", len(WINDOWS)),
    ("clump_sum", len(WINDOWS)), ("clump_weight", len(WINDOWS)),
    ("fine_sum", len(FINE)), ("fine_weight", len(FINE)),
    ("follow_sum", len(WINDOWS)), ("follow_weight", len(WINDOWS)),
    ("unit_count", REACH), ("unit_seen", REACH), ("unit_flag", REACH), ("unit_mean", REACH), ("unit_labelled", REACH),
    ("sum_count", SUMS), ("sum_capped", SUMS), ("sum_mean", SUMS), ("sum_square", SUMS), ("sum_labelled", SUMS),
    ("part_count", SHORT), ("part_seen", SHORT), ("part_mean", SHORT), ("part_labelled", SHORT),
    ("top", GROUPS), ("top_flag", 1), ("top_wild", 1), ("maxima", GROUPS * DAYS), ("flags", DAYS), ("days", 1),
    ("restless", 1), ("centre", GROUPS), ("scale", GROUPS),
    ("flag_share", 1), ("flagged_at", 1), ("paged_at", 1), ("high_at", 1), ("was_high", 1), ("revised", 1),
    ("excess_count", 1), ("excess_mean", 1),
)  # fmt: skip


def _laid_out() -> tuple[dict[str, slice | int], int]:
    layout: dict[str, slice | int] = {}
    place = 0
    for name, length in _FIELDS:
        layout[name] = place if length == 1 else slice(place, place + length)
        place += length
    return layout, place


_LAYOUT, SIZE = _laid_out()


class Memory:
    """Named views into a matrix of shape (SIZE, series); what is written through them is in the matrix."""

    __slots__ = ("columns",)

    def __init__(self, columns: Array) -> None:
        self.columns = columns

    def __getitem__(self, name: str) -> Array:
        """Return the view of a field: (series,) for a number, (length, series) for a ring."""
        view: Array = self.columns[_LAYOUT[name]]
        return view

    @property
    def series(self) -> int:
        """How many series are remembered."""
        return int(self.columns.shape[1])


def fresh(series: int) -> Memory:
    """Return the memory of series of which nothing is known."""
    memory = Memory(np.zeros((SIZE, series)))
    for name, value in (("profile", 1.0), ("drift", 1.0), ("labelled", 1.0), ("summed", 1.0)):
        memory[name][:] = value
    for name in ("flagged_at", "paged_at", "high_at"):
        memory[name][:] = NEVER
    memory["top"][:] = NEVER
    memory["centre"][:] = np.array(CENTRE)[:, None]
    memory["scale"][:] = np.array(SCALE)[:, None]
    return memory


def forget_rings(memory: Memory) -> None:
    """Empty the rings of recent bins and what follows from them, in place; what was learnt stays."""
    for name, _ in _FIELDS:
        if name.startswith(("unit_", "sum_", "part_")):
            memory[name][:] = 0.0
    for name in ("flagged_at", "paged_at", "high_at"):
        memory[name][:] = NEVER
    memory["was_high"][:] = 0.0
