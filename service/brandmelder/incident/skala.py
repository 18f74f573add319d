"""The Shitstorm-Skala (Schwede and Graf, Feinheit Zurich, 2012): levels 0 to 6, community and media apart.

The scale is given in words; the figures behind each word are ours, and a level never stands without its inputs.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

_LASTING = timedelta(minutes=20)
_FOLLOWING = timedelta(hours=6)


class Skala(Struct, frozen=True, kw_only=True):
    """A level and the inputs that decided it: name and figure, shares as 0 to 1."""

    level: int
    inputs: tuple[tuple[str, float], ...] = ()


class Community(Struct, frozen=True, kw_only=True):
    """What the public does, since the onset."""

    critics: int = 0
    """Distinct authors of negative mentions."""
    repeat_critics: int = 0
    """Those who wrote more than once."""
    channels: int = 0
    """Sources with negative mentions, without the media."""
    channels_watched: int = 1
    critics_share: float = 0.0
    """Negative mentions among all that count."""
    echo: float = 0.0
    """Replies and copies among the negative mentions."""
    insult_share: float = 0.0
    lasted: timedelta = timedelta(0)
    """From the first negative mention to the newest."""


class Media(Struct, frozen=True, kw_only=True):
    """What editors publish, since the onset; praise does not count."""

    articles: int = 0
    outlets: int = 0
    following: int = 0
    """Outlets that came back to it with a further article."""
    lasted: timedelta = timedelta(0)


def community(seen: Community) -> Skala:
    """Return the level in the community column.

    6 hurricane: 1,000 critics, half of what is said is critical, one in ten insults.
    5 storm: 250 critics, two fifths of what is said, one in twenty insults or half of it echo.
    4 strong wind: 50 critics on three channels (or all there are), an echo of a fifth.
    3 fresh breeze: 10 critics over 20 minutes, on a further channel or with an echo of a tenth.
    2 light breeze: 4 critics, or somebody who comes back. 1 light air: anybody. 0 calm: nobody.
    """
    many_channels = seen.channels >= min(3, max(1, seen.channels_watched))
    emotional = seen.insult_share >= 0.05 or seen.echo >= 0.5
    rules: tuple[tuple[int, bool, tuple[str, ...]], ...] = (
        (
            6,
            seen.critics >= 1000 and seen.critics_share >= 0.5 and seen.insult_share >= 0.1,
            ("critics", "critics_share", "insult_share"),
        ),
        (
            5,
            seen.critics >= 250 and seen.critics_share >= 0.4 and emotional,
            ("critics", "critics_share", "insult_share", "echo"),
        ),
        (4, seen.critics >= 50 and many_channels and seen.echo >= 0.2, ("critics", "channels", "echo")),
        (
            3,
            seen.critics >= 10 and seen.lasted >= _LASTING and (seen.channels >= 2 or seen.echo >= 0.1),
            ("critics", "channels", "echo"),
        ),
        (2, seen.critics >= 4 or seen.repeat_critics >= 1, ("critics", "repeat_critics")),
        (1, seen.critics >= 1, ("critics",)),
    )
    return _first_true(rules, seen)


def media(seen: Media) -> Skala:
    """Return the level in the media column; it begins at 3, with the first article.

    6: 30 outlets. 5: 10 outlets, a third of which followed up, over six hours. 4: 5 outlets. 3: one article.
    """
    follows = 3 * seen.following >= seen.outlets and seen.lasted >= _FOLLOWING
    return _first_true(
        (
            (6, seen.outlets >= 30, ("outlets", "articles")),
            (5, seen.outlets >= 10 and follows, ("outlets", "following")),
            (4, seen.outlets >= 5, ("outlets", "articles")),
            (3, seen.articles >= 1, ("articles",)),
        ),
        seen,
    )


def _first_true(rules: tuple[tuple[int, bool, tuple[str, ...]], ...], seen: Community | Media) -> Skala:
    for level, holds, names in rules:
        if holds:
            return Skala(level=level, inputs=tuple((name, float(getattr(seen, name))) for name in names))
    return Skala(level=0)
