"""What a classifier is: it reads mentions and says what they say, with probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.model import Mention, Verdict


class Classifier(Protocol):
    """Built as `Class(brand)`. Deterministic: same text and version, same verdict, whatever the batch."""

    name: str
    version: str
    is_quick: bool
    """Whether a handful of texts costs a few milliseconds at most: less than the way to a thread and back."""

    def classify(self, mentions: Sequence[Mention]) -> tuple[Verdict, ...]:
        """Return one verdict per mention, in order; never raises on any text."""
        ...
