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
)
from brandmelder.model.duty import (
    Matcher,
    Override,
    Page,
    Person,
    Silence,
    Turn,
)
from brandmelder.model.incident import (
    Act,
    Course,
    Evidence,
    Incident,
    Pace,
    Phrase,
    Quote,
    Snooze,
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
    PersonId,
    RotaId,
    SourceId,
)
from brandmelder.model.notify import (
    Click,
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
    "Click",
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
    "Matcher",
    "Mention",
    "MentionId",
    "MonitorId",
    "Override",
    "Pace",
    "Page",
    "Person",
    "PersonId",
    "Phrase",
    "Quote",
    "Reading",
    "Removal",
    "RotaId",
    "Silence",
    "Snooze",
    "SourceClass",
    "SourceId",
    "SourceSight",
    "SourceState",
    "Spike",
    "SpikeKind",
    "Stance",
    "State",
    "Transition",
    "Turn",
    "Verdict",
]
