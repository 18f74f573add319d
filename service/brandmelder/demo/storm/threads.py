"""Who answers whom in a storm: most posts stand alone, some answer one that stays; a few are answered by many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.demo.storm.posts import Post

_ANSWERS: Final = 3
"""Every third post is an answer."""
_HUBS: Final = 24
"""Every second answer goes to the last post whose number this divides: such a thread has more than one page."""


def parents(posts: Sequence[Post]) -> dict[int, Post]:
    """Return, by each answer's number, what it answers: no answer itself, seen at that time, never taken away."""
    found: dict[int, Post] = {}
    hub: Post | None = None
    near: Post | None = None
    for post in posts:
        if post.number % _ANSWERS == 2:
            wanted = hub if post.number % 2 else near
            if wanted is not None and wanted.shown_at < post.at:
                found[post.number] = wanted
        elif post.gone_at is None:
            near = post
            hub = post if post.number % _HUBS == 0 or hub is None else hub
    return found


def below(posts: Sequence[Post]) -> dict[int, list[Post]]:
    """Return the answers to each post, by its number, oldest first."""
    above = parents(posts)
    found: dict[int, list[Post]] = {}
    for post in posts:
        if post.number in above:
            found.setdefault(above[post.number].number, []).append(post)
    return found
