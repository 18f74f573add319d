"""How many stars a review has, in a line that people read and queries can ask for."""

from __future__ import annotations

from typing import Final

MOST: Final = 5


def stars(rating: float | None, title: str = "") -> str:
    """Return `★★☆☆☆ Title`; the title alone where there is no rating."""
    if rating is None or not 0 < rating <= MOST:
        return title
    full = round(rating)
    return f"{'★' * full}{'☆' * (MOST - full)} {title}".strip()
