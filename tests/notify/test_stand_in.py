"""What is said beside an alert that came late, or by another channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from brandmelder.model import ChannelId, DeliveryKind, DeliveryState
from brandmelder.notify.message import Message
from brandmelder.notify.stand_in import labelled
from notify.deliveries import OPEN, a_delivery

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 12, 14, 22, 10, tzinfo=UTC)
NAMES = {ChannelId("crisis"): "Slack", ChannelId("post"): "E-Mail"}


def said(language, *, now, told_at=None):
    """Return what an opening of that evening says in its own channel, taken only now."""
    alert = Message(language=language, incident="NF-2026-001", revision=1, emoji="", headline="", sentence=())
    one = replace(a_delivery(OPEN), channel=ChannelId("crisis"), kind=DeliveryKind.OPEN, created_at=EVENING)
    group = [one]
    if told_at is not None:
        told = {"instead_of": one.channel, "confirmed_at": told_at, "state": DeliveryState.SENT}
        group.append(replace(one, key="other", channel=ChannelId("post"), **told))
    return labelled(alert, one, group, names=NAMES, now=now.astimezone(BERLIN)).honest[0]


@pytest.mark.parametrize(
    ("language", "hours", "words"),
    [
        ("de", 0.5, "Verspätet: seit 23:10 zu melden"),
        ("de", 13, "Verspätet: seit Mo 14.12., 23:10 zu melden"),
        ("en", 13, "Late: to be told since Mon 14 Dec, 23:10"),
    ],
)
def test_since_when_it_is_late_names_the_day_once_that_is_over(language, hours, words):
    assert words in said(language, now=EVENING + timedelta(hours=hours))


def test_when_it_was_told_elsewhere_names_another_day_only():
    minutes = said("de", now=EVENING + timedelta(hours=13), told_at=EVENING + timedelta(minutes=1))
    assert "seit Mo 14.12., 23:10 nicht erreichbar, um 23:11 ersatzweise über E-Mail gemeldet" in minutes
