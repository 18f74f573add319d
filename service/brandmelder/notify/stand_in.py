"""Who is told instead, when a channel does not confirm in time: a fallback, with a key of its own, and labelled.

What a channel takes late after all says where it was told meanwhile. Every rule about that lives in this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState
from brandmelder.notify.inert import inert
from brandmelder.notify.message import Message, Span
from brandmelder.notify.voice import Voice, words_of

if TYPE_CHECKING:
    from brandmelder.notify.routing import Route

CONFIRM = timedelta(seconds=60)
"""How long a channel has to confirm before its fallback is told."""
LATE = timedelta(minutes=15)
"""An alert that was promised so long before it is told says so."""
_KINDS = frozenset({DeliveryKind.OPEN, DeliveryKind.ESCALATE, DeliveryKind.NOTICE, DeliveryKind.THREAD})
"""What is worth telling elsewhere; edits tell nothing that these do not."""
_WAITING = frozenset({DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNCLEAR})
_WORDS = {
    "de": (
        "Hier ersatzweise: {channel} hat diese Meldung seit {since} nicht angenommen.",
        "Verspätet hier: seit {since} nicht erreichbar, um {at} ersatzweise über {channel} gemeldet.",
        "Verspätet: seit {since} zu melden, hier bis jetzt nicht angenommen.",
    ),
    "en": (
        "Told here instead: {channel} has not taken this message since {since}.",
        "Late here: not reachable since {since}, told by {channel} at {at} instead.",
        "Late: to be told since {since}, not taken here until now.",
    ),
}


def stand_in_at(one: Delivery) -> datetime | None:
    """Return when somebody else is to be told: a minute after the promise, at once for what was refused; None if never.

    A word in the thread follows the alert to where that was told; who never heard of the alert needs no news of it.
    """
    if one.kind not in _KINDS or one.fallback_at is not None:
        return None
    if one.state is DeliveryState.DEAD:
        return one.attempt_at or one.created_at
    return one.created_at + CONFIRM if one.state in _WAITING else None


def stands_in(channel: ChannelId, one: Delivery, now: datetime) -> Delivery:
    """Return the same promise to another channel."""
    return Delivery(
        key=f"{one.key.removesuffix(f':{one.channel}')}:{channel}",
        incident=one.incident,
        channel=channel,
        kind=one.kind,
        revision=one.revision,
        state=DeliveryState.DUE,
        due_at=now,
        created_at=now,
        persons=one.persons,
        instead_of=one.channel,
    )


def called(one: Delivery, now: datetime) -> Delivery:
    """Return the delivery with the note that its fallback was called."""
    return replace(one, fallback_at=now)


class Fallbacks(Struct, frozen=True, kw_only=True):
    """Who stands in for whom, by channel and by route."""

    channels: Mapping[ChannelId, tuple[ChannelId, ...]]
    names: Mapping[ChannelId, str]
    """What people call a channel: `Slack (crisis)`."""

    def of(self, channel: ChannelId, routes: Sequence[Route]) -> tuple[ChannelId, ...]:
        """Return who stands in for a channel where these routes lead to it, each once, itself left out."""
        by_route = (other for route in routes if channel in route.channels for other in route.fallback)
        both = dict.fromkeys((*self.channels.get(channel, ()), *by_route))
        return tuple(other for other in both if other != channel)


def told_instead(group: Sequence[Delivery], channel: ChannelId) -> Delivery | None:
    """Return the delivery that told the alert first while `channel` could not; None if there was none."""
    told = [
        one
        for one in group
        if one.instead_of == channel and one.kind is DeliveryKind.OPEN and one.confirmed_at is not None
    ]
    return min(told, key=lambda one: one.confirmed_at or one.created_at, default=None)


def labelled(
    message: Message, one: Delivery, group: Sequence[Delivery], *, names: Mapping[ChannelId, str], now: datetime
) -> Message:
    """Return the message with a word that it stands in for another, that another did so for it, or that it is late.

    `now` is in the zone of those who read it.
    """
    instead, late, alone = _WORDS.get(message.language, _WORDS["en"])
    voice = Voice(words_of(message.language), now.tzinfo or UTC, now)
    said = ""
    if one.instead_of is not None:
        first = next((other for other in group if other.channel == one.instead_of and other.kind is one.kind), one)
        said = instead.format(channel=_name(one.instead_of, names), since=voice.moment(first.created_at))
    elif one.kind is DeliveryKind.OPEN and (other := told_instead(group, one.channel)) is not None:
        since, at = voice.between(one.created_at, other.confirmed_at or other.created_at)
        said = late.format(since=since, at=at, channel=_name(other.channel, names))
    elif one.kind is DeliveryKind.OPEN and now - one.created_at >= LATE:
        said = alone.format(since=voice.moment(one.created_at))
    return replace(message, honest=(said, *message.honest)) if said else message


def _name(channel: ChannelId, names: Mapping[ChannelId, str]) -> str:
    return inert(names.get(channel, channel), 60)


_REFUSED = {
    "de": ("{channel} nimmt {incident} nicht an", "Grund: {reason}. Danach: brandmelder deliveries retry {key}"),
    "en": ("{channel} does not take {incident}", "Reason: {reason}. Then: brandmelder deliveries retry {key}"),
}


def refused(one: Delivery, names: Mapping[ChannelId, str], language: str) -> Message:
    """Return what the other channels are told of an alert that one refused for good and nobody stands in for."""
    headline, sentence = _REFUSED.get(language, _REFUSED["en"])
    reason = inert(one.last_error or "?", 200)
    return Message(
        language=language,
        incident=one.incident,
        revision=one.revision,
        emoji="⚠️",
        headline=headline.format(channel=_name(one.channel, names), incident=one.incident)[:150],
        sentence=(Span(text=sentence.format(reason=reason, key=one.key)),),
    )
