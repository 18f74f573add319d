"""What an incident is once the clock by which it was written is set right: nothing of it lies ahead of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from brandmelder.model import Incident, Snooze, Transition


def rewound(incident: Incident, now: datetime, *, ahead: timedelta) -> Incident:
    """Return an incident as if what it holds of hours that have not been had happened now.

    Its trail forgets them: a finding older than the newest there says nothing. A snooze lasts as long as it had left.
    """
    return replace(
        incident,
        onset=min(incident.onset, now),
        opened_at=min(incident.opened_at, now),
        changed_at=min(incident.changed_at, now),
        calm_since=_earlier(incident.calm_since, now),
        acknowledged_at=_earlier(incident.acknowledged_at, now),
        asked_at=_earlier(incident.asked_at, now),
        silenced_since=_earlier(incident.silenced_since, now),
        closed_at=_earlier(incident.closed_at, now),
        snooze=_shortened(incident.snooze, ahead),
        trail=tuple(pace for pace in incident.trail if pace.start <= now),
    )


def redated(step: Transition, now: datetime) -> Transition:
    """Return a transition that has not been yet as one of now."""
    return replace(step, at=min(step.at, now))


def _earlier(moment: datetime | None, now: datetime) -> datetime | None:
    return None if moment is None else min(moment, now)


def _shortened(snooze: Snooze | None, ahead: timedelta) -> Snooze | None:
    return None if snooze is None else replace(snooze, until=snooze.until - ahead)
