"""How many false alarms are bearable, as people write it: a number of pages a day."""

from __future__ import annotations

import math
import re

PRESETS = {"calm": 90.0, "balanced": 30.0, "alert": 7.0}
"""Days between two false pages of one monitor."""
_BUDGET = re.compile(
    r"(?P<pages>\d+(?:\.\d+)?)\s*(?:per|/)\s*(?P<count>\d+(?:\.\d+)?)?\s*(?P<unit>day|week|month|year)s?"
)
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}


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
