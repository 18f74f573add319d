"""Which deliveries commit 3 writes, and when each wants attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.model import Delivery, DeliveryKind, DeliveryState, State
from brandmelder.notify.delivery import key_of, next_moment
from brandmelder.notify.routing import channels_of, promises

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId, Incident, Transition
    from brandmelder.pipeline.parts import Parts

_SHOWN = frozenset({State.OPEN, State.ACKNOWLEDGED})


def deliveries_of(
    incident: Incident, transitions: Sequence[Transition], parts: Parts, now: datetime
) -> list[tuple[Delivery, datetime | None]]:
    """Return what an incident's change promises: by its transitions, else an edit for newer figures alone.

    What is told within another's alert promises nothing of its own (pipeline/shelter.py).
    """
    if incident.under is not None:
        return []
    if transitions:
        return scheduled(promises(incident, transitions, routes=parts.routes, now=now, editable=_editable(parts)))
    if incident.state not in _SHOWN:
        return []
    return scheduled(
        _edit(incident, channel, now)
        for channel in channels_of(incident.monitor, parts.routes)
        if channel in _editable(parts)
    )


def scheduled(deliveries: Iterable[Delivery]) -> list[tuple[Delivery, datetime | None]]:
    """Pair each delivery with the moment it wants attention."""
    return [(one, next_moment(one)) for one in deliveries]


def _editable(parts: Parts) -> frozenset[ChannelId]:
    return frozenset(ident for ident, notifier in parts.notifiers.items() if notifier.can_update)


def _edit(incident: Incident, channel: ChannelId, now: datetime) -> Delivery:
    return Delivery(
        key=key_of(incident.id, DeliveryKind.UPDATE, step=incident.revision, channel=channel),
        incident=incident.id,
        channel=channel,
        kind=DeliveryKind.UPDATE,
        revision=incident.revision,
        state=DeliveryState.DUE,
        due_at=now,
        created_at=now,
    )
