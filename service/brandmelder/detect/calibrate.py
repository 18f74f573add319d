"""From a false-alarm budget to a threshold: how improbable a window must be before it pages."""

from __future__ import annotations

import math
import re
from datetime import timedelta

PRESETS = {"calm": 90.0, "balanced": 30.0, "alert": 7.0}
"""Days between two false pages of one monitor."""
WINDOWS_A_DAY = 40.0
"""Independent windows that a trailing hour, looked at every five minutes, amounts to in a day (simulated)."""
RECOVERY = 0.7
"""The score below which an incident begins to calm, as a share of the score that opens one."""
_BUDGET = re.compile(
    r"(?P<pages>\d+(?:\.\d+)?)\s*(?:per|/)\s*(?P<count>\d+(?:\.\d+)?)?\s*(?P<unit>day|week|month|year)s?"
)
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}
_LONGEST = 36_500.0


def parse_budget(text: str) -> float:
    """Read a false-alarm budget and return false pages per day.

    Takes `1 per 30 days`, `2 per week` and the presets `calm`, `balanced`, `alert`. Raises ValueError that says what
    would be right; a budget beyond four pages a day or below one in ten years is refused, too.
    """
    words = " ".join(text.lower().split())
    if words in PRESETS:
        return 1.0 / PRESETS[words]
    match = _BUDGET.fullmatch(words)
    if match is None:
        raise ValueError(f'{text!r} is no budget; write "1 per 30 days", "2 per week", calm, balanced or alert')
    days = float(match["count"] or 1.0) * _DAYS[match["unit"]]
    budget = float(match["pages"]) / days if days > 0 else math.inf
    if not 1 / 3650 <= budget <= 4:
        raise ValueError(f"{text!r} is out of reach; ask for something between 4 per day and 1 per 10 years")
    return budget


def threshold(budget: float) -> float:
    """Return the score, −log10 of a probability, beyond which a window pages, for `budget` pages a day by chance."""
    return math.log10(WINDOWS_A_DAY / budget)


def rarity(score: float) -> timedelta:
    """Return how often chance alone gives a window with this score: once in so long, at most 100 years."""
    return timedelta(days=min(10.0 ** min(score, 12.0) / WINDOWS_A_DAY, _LONGEST))
