"""How long what people wrote is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

from brandmelder.options import Duration, Options

_DAY = timedelta(days=1)


def _days(value: timedelta) -> timedelta:
    if value < _DAY:
        raise ValueError("is too short to judge anything by; write 1d or more")
    return value


class RetentionBlock(Options):
    """How long texts are kept; counts stay. What staff did is kept for a year, whatever stands here."""

    text: Annotated[Duration, AfterValidator(_days)] = timedelta(days=30)
    """How long texts, addresses and pseudonyms of authors are kept after they were read."""
    evidence: Annotated[Duration, AfterValidator(_days)] = timedelta(days=180)
    """The same for what an alert quotes, after its incident has ended, and for what staff labelled."""
