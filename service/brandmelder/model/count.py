"""3. What is counted in one interval of event time."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from brandmelder.model.names import BIN


class Bin(Struct, frozen=True, kw_only=True):
    """Counts of one monitor in one interval of event time, `start` aligned to UTC epoch."""

    start: datetime
    width: timedelta = BIN
    total: float = 0.0
    negative: float = 0.0
    """Sum of P(negative): what detection looks at."""
    labelled: int = 0
    """Mentions labelled negative: what people can count."""
    reach: float = 0.0
    exposure: float = 1.0
    """Share of the usual volume we could see, 0 to 1; a bin of exposure 0 teaches nothing."""

    @property
    def end(self) -> datetime:
        """The first moment after the bin."""
        return self.start + self.width
