"""Deliveries in every state, as the tests of their life need them."""

from datetime import UTC, datetime, timedelta

from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId
from brandmelder.notify import delivery as life

NOW = datetime(2026, 11, 22, 20, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
OPEN, UPDATE, THREAD, RESOLVE, ESCALATE, NOTICE, TEST = DeliveryKind
DUE, SENDING, UNCLEAR, SENT, DEAD, SUPERSEDED = DeliveryState


def a_delivery(kind=OPEN, state=DUE, *, revision=1, **fields):
    key = fields.pop("key", f"NK-1:{kind.value}:{revision}:crisis")
    fields = {"due_at": NOW, "created_at": NOW} | fields
    return Delivery(
        key=key,
        incident=IncidentId("NK-1"),
        channel=ChannelId("crisis"),
        kind=kind,
        revision=revision,
        state=state,
        **fields,
    )


def sending(kind=OPEN, **fields):
    return a_delivery(kind, SENDING, **({"attempt_at": NOW, "first_attempt_at": NOW, "attempts": 1} | fields))


def unclear(kind=OPEN, **fields):
    return a_delivery(
        kind,
        UNCLEAR,
        **(
            {
                "attempt_at": NOW,
                "first_attempt_at": NOW,
                "attempts": 1,
                "was_unclear": True,
                "due_at": NOW + life.QUIESCE,
            }
            | fields
        ),
    )
