"""What `incidents show` says of deliveries: counted, and each trouble once."""

from __future__ import annotations

from datetime import UTC, datetime

from brandmelder.cli.incidents import _deliveries
from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId

AT = datetime(2026, 12, 15, 19, 0, tzinfo=UTC)


def delivery(channel, kind, state, error=None):
    return Delivery(
        key=f"NF-2026-001:{kind.value}:{channel}",
        incident=IncidentId("NF-2026-001"),
        channel=ChannelId(channel),
        kind=kind,
        revision=1,
        state=state,
        due_at=AT,
        created_at=AT,
        last_error=error,
    )


def test_equal_deliveries_are_counted_and_a_trouble_is_told_once():
    promised = [
        delivery("crisis", DeliveryKind.OPEN, DeliveryState.SENT),
        delivery("console", DeliveryKind.OPEN, DeliveryState.SENT),
        *[delivery("crisis", DeliveryKind.UPDATE, DeliveryState.SENT)] * 3,
        *[delivery("crisis", DeliveryKind.THREAD, DeliveryState.DEAD, "Slack does not know the token")] * 2,
    ]
    assert list(_deliveries(promised)) == [
        "crisis: open sent, update sent ×3, thread dead ×2",
        "crisis: Slack does not know the token",
        "console: open sent",
    ]
