"""Where an incident's alert stands in a channel, and in whose thread it is spoken of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.model import Delivery, DeliveryKind, DeliveryState, Detour

if TYPE_CHECKING:
    from collections.abc import Sequence


def parent(deliveries: Sequence[Delivery]) -> str | None:
    """Return the ref under which an incident's alert stands in a channel; None before it does."""
    standing = _standing(deliveries)
    return None if standing is None else standing.ref


def thread(deliveries: Sequence[Delivery]) -> str | None:
    """Return the ref of the message whose thread holds what is said of an incident in a channel."""
    standing = _standing(deliveries)
    return None if standing is None else standing.root or standing.ref


def _standing(deliveries: Sequence[Delivery]) -> Delivery | None:
    alerts = [
        one
        for one in deliveries
        if one.state is DeliveryState.SENT and (one.kind is DeliveryKind.OPEN or one.detour is Detour.ANEW)
    ]
    return max(alerts, key=lambda one: one.revision) if alerts else None
