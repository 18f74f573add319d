"""8. What a program may do over the API."""

from __future__ import annotations

import enum


class Scope(enum.StrEnum):
    """One right of a token; each stands alone, none includes another."""

    MENTIONS_READ = "mentions:read"
    MENTIONS_WRITE = "mentions:write"
    INCIDENTS_READ = "incidents:read"
    INCIDENTS_ACT = "incidents:act"
    MONITORS_READ = "monitors:read"
    SILENCES_READ = "silences:read"
    SILENCES_WRITE = "silences:write"
    LABELS_WRITE = "labels:write"
    SOURCES_READ = "sources:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
