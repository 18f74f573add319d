"""What people write in a storm: in bursts, held back, changed, taken away; always the same for a seed."""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from msgspec import Struct

START: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_ANGRY: Final = ("Störung", "kein Netz", "Rechnung falsch", "Hotline legt auf", "seit Wochen kein Anschluss", "Abzocke")
_CALM: Final = ("neuer Laden in Kiel", "welcher Router?", "Techniker war pünktlich", "läuft gut")
LATEST_RELEASE: Final = timedelta(minutes=50)


class Channel(enum.StrEnum):
    """A platform of the storm."""

    WORDPRESS = "wordpress"
    FEED = "feed"
    MASTODON = "mastodon"
    BLUESKY = "bluesky"
    DISCOURSE = "discourse"
    X = "x"
    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    REDDIT = "reddit"
    YOUTUBE = "youtube"
    HACKERNEWS = "hackernews"
    TELEGRAM = "telegram"
    JETSTREAM = "jetstream"


_HELD_BACK: Final = frozenset(
    {Channel.WORDPRESS, Channel.MASTODON, Channel.REDDIT, Channel.YOUTUBE, Channel.HACKERNEWS}
)
"""Where what was written may be shown later: moderation, federation."""


class Post(Struct, frozen=True, kw_only=True):
    """One post, with all that ever becomes of it. Times are whole seconds, UTC."""

    number: int
    """Within its channel, in the order of writing; from 1."""
    at: datetime
    shown_at: datetime
    author: str
    text: str
    edits: tuple[tuple[datetime, str], ...] = ()
    gone_at: datetime | None = None
    is_negative: bool = False

    def is_shown(self, now: datetime) -> bool:
        """Whether readers see it."""
        return self.shown_at <= now and (self.gone_at is None or now < self.gone_at)

    def edited_at(self, now: datetime) -> datetime | None:
        """Return when it was last changed."""
        return max((at for at, _ in self.edits if at <= now), default=None)

    def versions(self, now: datetime) -> int:
        """Return how often it has been written: once, and once for each edit."""
        return 1 + sum(at <= now for at, _ in self.edits)

    def text_at(self, now: datetime) -> str:
        """Return how it reads."""
        return next((text for at, text in reversed(self.edits) if at <= now), self.text)


class Storm(Struct, frozen=True, kw_only=True):
    """A storm: what is written where, from `start` to `end`."""

    seed: int
    start: datetime
    onset: datetime
    end: datetime
    posts: dict[Channel, tuple[Post, ...]]


def tell(
    seed: int,
    channels: tuple[Channel, ...] = tuple(Channel),
    *,
    length: timedelta = timedelta(hours=4),
    burst: tuple[int, int] = (40, 400),
) -> Storm:
    """Tell the storm of a seed; `burst` bounds how many posts each channel's outbreak has."""
    chance = Random(f"storm {seed}")  # noqa: S311 - chance tells a story, it keeps no secret
    end = START + length
    onset = START + length * chance.uniform(0.2, 0.5)
    posts = {channel: _posts(chance, channel, (onset, end), chance.randint(*burst)) for channel in channels}
    return Storm(seed=seed, start=START, onset=onset, end=end, posts=posts)


def _posts(chance: Random, channel: Channel, span: tuple[datetime, datetime], burst: int) -> tuple[Post, ...]:
    """Write a day of quiet before, and an outbreak that decays; answers follow what is answered (self-exciting)."""
    onset, end = span
    quiet = [(START - timedelta(days=1) + timedelta(seconds=chance.uniform(0, 100_000)), False) for _ in range(30)]
    moments = [one for one in quiet if one[0] < end]
    while len(moments) < burst + 30:
        at = onset + timedelta(seconds=chance.expovariate(1 / 1800))
        moments.append((min(at, end - timedelta(seconds=chance.uniform(1, 600))), chance.random() < 0.8))
        while chance.random() < 0.4 and len(moments) < burst + 30:
            at += timedelta(seconds=chance.expovariate(1 / 90))
            if at < end:
                moments.append((at, chance.random() < 0.8))
    moments.sort()
    return tuple(_post(chance, channel, number, moment, end) for number, moment in enumerate(moments, start=1))


def _post(chance: Random, channel: Channel, number: int, moment: tuple[datetime, bool], end: datetime) -> Post:
    at, is_negative = moment[0].replace(microsecond=0), moment[1]
    shown_at = at
    if channel in _HELD_BACK and chance.random() < 0.05:
        shown_at = at + timedelta(seconds=int(chance.uniform(60, LATEST_RELEASE.total_seconds())))
    words = chance.choice(_ANGRY if is_negative else _CALM)
    text = f"Nordfunk: {words} ({channel} {number})"
    edits = ((at + timedelta(seconds=int(chance.uniform(30, 1500))), f"{text}, ergänzt"),)
    gone_at = shown_at + timedelta(seconds=int(chance.uniform(60, 7200))) if chance.random() < 0.04 else None
    return Post(
        number=number,
        at=at,
        shown_at=shown_at,
        author=f"mensch{chance.randint(1, 400)}",
        text=text,
        edits=edits if chance.random() < 0.05 else (),
        gone_at=gone_at if gone_at is None or gone_at < end else None,
        is_negative=is_negative,
    )
