"""What is said beside a post: how far it reaches, whether it was answered, what it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from brandmelder.model import Label, SourceClass
from brandmelder.notify.inert import inert
from brandmelder.web.catalogue import sentence
from brandmelder.web.sayings import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.notify.story import Story
    from brandmelder.web.reader import Reader
    from brandmelder.web.sheet import Post


def reach_of(post: Post, story: Story, reader: Reader, classes: dict[str, SourceClass]) -> str:
    """Say in the second line under a post's source how far it reaches, or what kind of place it is."""
    if post.mention.reach:
        return reader.say_many("{number} follower", "{number} followers", post.mention.reach)
    kind = classes.get(post.mention.source)
    name = story.words.source_classes.get(kind.value, "") if kind else ""
    return name[:1].upper() + name[1:]


def answer_of(post: Post, story: Story, reader: Reader) -> tuple[str, str]:
    """Say whether a post is answered: the first is bold."""
    if post.label is not Label.NEGATIVE:
        names = {Label.POSITIVE: sentence("Positive"), Label.NEUTRAL: sentence("Neutral")}
        return "", reader.say(names[post.label])
    if post.answered_at is not None:
        time = story.voice.duration(max(timedelta(0), post.answered_at - post.mention.published_at))
        return "", reader.say("Answered after {time}", time=time)
    time = story.voice.duration(max(timedelta(0), reader.now - post.mention.published_at))
    return reader.say("Open"), "" if story.has_ended else reader.say("for {time}", time=time)


def topics_of(post: Post, story: Story) -> str:
    """Name a post's topics in the reader's words."""
    names: Sequence[str] = post.verdict.topics[:3]
    return ", ".join(story.words.topics.get(name, inert(name, NAME)) for name in names)
