"""How things are named: identifiers that are not to be mixed up, and the width of a bin."""

from __future__ import annotations

from datetime import timedelta
from typing import NewType

SourceId = NewType("SourceId", str)
MonitorId = NewType("MonitorId", str)
ChannelId = NewType("ChannelId", str)
IncidentId = NewType("IncidentId", str)
PersonId = NewType("PersonId", str)
RotaId = NewType("RotaId", str)
MentionId = NewType("MentionId", int)
Cursor = NewType("Cursor", str)
"""How far a source has read; JSON text of at most 16 KB that only its source understands."""

BIN = timedelta(minutes=5)
"""Width of the base bin, at every rate: windows do the pooling (decision 0005)."""
