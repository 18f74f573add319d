"""Storms of alerts: more than five new incidents in ten minutes become one message with the alerts in its thread.

An opening is never dropped: where the one message cannot come to stand, the alert goes out by itself.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from brandmelder.model import Delivery, DeliveryState, Incident
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import figures_in
from brandmelder.notify.message import Line, Message, Span
from brandmelder.notify.words import Plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from brandmelder.notify.voice import Voice

MOST = 5
"""So many new incidents in WITHIN each have a message of their own in a channel."""
WITHIN = timedelta(minutes=10)
_LISTED = 12
_NAME = 26
_HEAD = {
    "de": Plural("{number} neuer Vorfall in {time}", "{number} neue Vorfälle in {time}"),
    "en": Plural("{number} new incident in {time}", "{number} new incidents in {time}"),
}
_SENTENCE = {"de": "Einzelheiten und weitere im Thread.", "en": "Details and further ones in the thread."}


def gathered(openings: Sequence[Delivery], now: datetime) -> tuple[Delivery, ...]:
    """Return those of a channel's openings that are to stand in one thread: all that nobody has begun to send.

    `openings` may reach further back than WITHIN; nothing is gathered while they are MOST or fewer in it.
    """
    recent = [one for one in openings if one.created_at > now - WITHIN and one.state is not DeliveryState.SUPERSEDED]
    if len(recent) <= MOST:
        return ()
    return tuple(one for one in recent if one.state is DeliveryState.DUE and not one.attempts and not one.under)


def storm(ident: str, incidents: Sequence[Incident], *, brand: str, titles: Mapping[str, str], voice: Voice) -> Message:
    """Return the one message: how many, and each with its figures, the worst first."""
    language = voice.words.language
    number = voice.number(len(incidents))
    head = _HEAD.get(language, _HEAD["en"]).of(len(incidents)).format(number=number, time=voice.duration(WITHIN))
    worst = sorted(incidents, key=lambda one: (-one.severity, -one.spike.observed, one.id))[:_LISTED]
    return Message(
        language=language,
        incident=ident,
        revision=0,
        emoji="🔴",
        headline=f"{inert(brand, _NAME)}: {head}",
        sentence=(Span(text=_SENTENCE.get(language, _SENTENCE["en"])),),
        lines=tuple(_row(one, titles, voice) for one in worst),
        footer=((Span(text=voice.moment(voice.now), moment=voice.now),),),
    )


def _row(one: Incident, titles: Mapping[str, str], voice: Voice) -> Line:
    title = inert(titles.get(one.monitor, one.monitor), 40)
    severity = voice.words.severities[one.severity - 1]
    return Line(label=inert(one.id, 40), spans=(Span(text=f"{title}, {figures_in(one, voice)}, {severity}"),))
