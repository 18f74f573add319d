"""Sends an example to a channel, so that people see before the fire whether the bell rings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.model import (
    Course,
    DeliveryKind,
    Evidence,
    Form,
    Incident,
    IncidentId,
    MonitorId,
    Picture,
    Spike,
    SpikeKind,
    State,
)
from brandmelder.notify.compose import Context, compose
from brandmelder.notify.delivery import key_of
from brandmelder.notify.notifier import RefusedForm, Sent
from brandmelder.pipeline.render import subject_of

if TYPE_CHECKING:
    from brandmelder.model import ChannelId
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Notifier


async def rehearse(notifier: Notifier, context: Context) -> list[str]:
    """Check a channel and post an example in it; returns what is wrong, in sentences, empty if nothing is."""
    trouble = list(await notifier.check())
    if trouble:
        return trouble
    message, key = example(notifier.id, context)
    for form in Form:
        outcome = await notifier.push(message, key=key, thread=None, form=form)
        if isinstance(outcome, Sent):
            return []
        trouble = [outcome.reason]
        if not isinstance(outcome, RefusedForm):
            break
    return trouble


def example(channel: ChannelId, context: Context) -> tuple[Message, str]:
    """Return a message that looks like an alert and says that it is a test, and its key."""
    incident = _example(context.now)
    evidence = Evidence(picture=_picture(incident.spike))
    message = compose(incident, evidence, kind=DeliveryKind.TEST, context=context, quotes={})
    message = replace(message, subject=subject_of(incident, DeliveryKind.TEST))
    return message, key_of(incident.id, DeliveryKind.TEST, step=int(context.now.timestamp()), channel=channel)


_BARS = (1, 0, 2, 1, 1, 0, 2, 1, 1, 2, 0, 1, 1, 2, 1, 5, 11, 22)
"""The last hour of them adds up to what the example says."""


def _picture(spike: Spike) -> Picture:
    return Picture(until=spike.until, width=timedelta(minutes=20), counts=_BARS, usual=((0, 3),) * len(_BARS))


def _example(now: datetime) -> Incident:
    hour = timedelta(hours=1)
    now = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    spike = Spike(
        kind=SpikeKind.NEGATIVE,
        since=now - hour,
        until=now,
        window=hour,
        observed=38,
        usual_low=2,
        usual_high=6,
        expected=3.8,
        score=6.0,
    )
    return Incident(
        id=IncidentId("TEST-1"),
        monitor=MonitorId("test"),
        kind=SpikeKind.NEGATIVE,
        state=State.OPEN,
        revision=1,
        onset=now - hour,
        opened_at=now,
        changed_at=now,
        spike=spike,
        peak=38,
        total=38,
        severity=3,
        first_severity=3,
        course=Course.RISING,
    )
