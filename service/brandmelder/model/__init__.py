"""The nouns, in the order a mention meets them. All are frozen: a change is a new value."""

from __future__ import annotations

from brandmelder.model.capture import (
    Extent,
    Gap,
    Mention,
    Reading,
    Removal,
    SourceClass,
    SourceSight,
    SourceState,
)
from brandmelder.model.classify import (
    Label,
    Stance,
    Verdict,
)
from brandmelder.model.count import (
    Bin,
)
from brandmelder.model.detect import (
    Finding,
    Spike,
    SpikeKind,
    Track,
)
from brandmelder.model.incident import (
    Act,
    Course,
    Evidence,
    Incident,
    Pace,
    Phrase,
    Quote,
    State,
    Transition,
)
from brandmelder.model.names import (
    BIN,
    ChannelId,
    Cursor,
    IncidentId,
    MentionId,
    MonitorId,
    SourceId,
)
from brandmelder.model.notify import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Detour,
    Form,
)

__all__ = [
    "BIN",
    "Act",
    "Bin",
    "ChannelId",
    "Course",
    "Cursor",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Detour",
    "Evidence",
    "Extent",
    "Finding",
    "Form",
    "Gap",
    "Incident",
    "IncidentId",
    "Label",
    "Mention",
    "MentionId",
    "MonitorId",
    "Pace",
    "Phrase",
    "Quote",
    "Reading",
    "Removal",
    "SourceClass",
    "SourceId",
    "SourceSight",
    "SourceState",
    "Spike",
    "SpikeKind",
    "Stance",
    "State",
    "Track",
    "Transition",
    "Verdict",
]
