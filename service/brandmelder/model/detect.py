"""4. What is far from usual: a fact without memory."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from msgspec import Struct

from brandmelder.model.names import MentionId


class Track(enum.StrEnum):
    """What an incident is about; a monitor has at most one running incident on each (decision 0023)."""

    STORM = "storm"
    ANSWERS = "answers"
    SILENCE = "silence"
    KEY = "key"


class SpikeKind(enum.StrEnum):
    """Kinds of spike, each with its own part of the false-alarm budget."""

    NEGATIVE = "negative"
    SHARE = "share"
    TOTAL = "total"
    REACH = "reach"
    NEW_SOURCE = "new_source"
    BACKLOG = "backlog"
    SILENCE = "silence"
    KEY_MENTION = "key_mention"

    @property
    def track(self) -> Track:
        """Which incident it belongs to: the kinds of a storm share one, so that one storm is one alert."""
        match self:
            case SpikeKind.BACKLOG:
                return Track.ANSWERS
            case SpikeKind.SILENCE:
                return Track.SILENCE
            case SpikeKind.KEY_MENTION:
                return Track.KEY
            case _:
                return Track.STORM


class Campaign(Struct, frozen=True, kw_only=True):
    """Few accounts that write most of a spike, or send the same words round."""

    accounts: int
    posts: int
    """What these accounts wrote in the window, counted or not."""


class Spike(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Bins far above their baseline: a fact without memory. Counts are in mentions per `window`."""

    kind: SpikeKind
    since: datetime
    """Start of the window: the onset as far as this window tells."""
    until: datetime
    window: timedelta
    observed: int
    usual_low: int
    usual_high: int
    expected: float
    score: float
    """−log10 of the tail probability, calibrated; never shown in chat."""
    is_estimate: bool = False
    """`observed` is a rounded sum of probabilities, since many mentions are unsure."""
    rarity: timedelta | None = None
    """How often chance alone would give as much: once in so long."""
    learning: bool = False
    history: timedelta = timedelta(0)
    """How much seen history stands behind the baseline."""
    is_partial: bool = False
    """Some source of the monitor was blind inside the window."""
    is_open_bin: bool = False
    """Found in a bin that is still running: `observed` is a floor."""
    whole: int = 0
    """What `observed` is a part of or was written by: all mentions (share), negative ones (reach)."""
    subject: str = ""
    """What a kind is about: a source or topic that joined or fell silent, the rule that a key mention met."""
    mention: MentionId | None = None
    """The key mention."""
    event: str = ""
    """Name of a known event that raised the expectation of this window."""
    event_at: datetime | None = None
    campaign: Campaign | None = None
    """Most of what was counted comes from a few over-active accounts."""


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one step of the detector says about one bin."""

    start: datetime
    spike: Spike
    """The most telling window, whether or not it pages."""
    pages: bool = False
    """Beyond the opening threshold."""
    is_high: bool = False
    """Beyond the recovery threshold: an open incident goes on."""
    flagged: bool = False
    """Kept out of what the baseline learns."""
    seen: float = 1.0
    """Share of the window's usual volume that could be seen: below a half, silence says nothing."""
    hour: int | None = None
    """How many there were in the last hour, in whatever window the spike is: None where bins are an hour or longer."""
