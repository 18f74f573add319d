"""Which of an incident's posts a reader wants to see, and in what order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import asdict, replace

from brandmelder.model import Label
from brandmelder.notify.inert import inert
from brandmelder.web.catalogue import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from brandmelder.notify.story import Story
    from brandmelder.web.reader import Reader
    from brandmelder.web.sheet import Post

PER_PAGE: Final = 20
MOST: Final = 400
_STANCES: Final = {
    "negative": sentence("Negative"),
    "neutral": sentence("Neutral"),
    "positive": sentence("Positive"),
    "defender": sentence("Defenders"),
    "all": sentence("All"),
}
_ANSWERS: Final = {"open": sentence("Open"), "answered": sentence("Answered")}
_ORDERS: Final = {
    "reach": sentence("Largest reach first"),
    "oldest": sentence("Oldest open first"),
    "newest": sentence("Newest first"),
}


class Choice(Struct, frozen=True, kw_only=True):
    """One filter: what it is called, and what can be chosen."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]


class Filter(Struct, frozen=True, kw_only=True):
    """What somebody wants to see; empty means everything."""

    source: str = ""
    stance: str = "negative"
    topic: str = ""
    language: str = ""
    answer: str = ""
    order: str = "reach"
    range: str = ""
    most: int = PER_PAGE

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """Return the filter that an address asks for; whatever it asks else is left out."""
        most = query.get("most", "")
        return cls(
            source=query.get("source", "")[:128],
            stance=query["stance"] if query.get("stance") in _STANCES else "negative",
            topic=query.get("topic", "")[:60],
            language=query.get("text_language", "")[:8],
            answer=query["answer"] if query.get("answer") in _ANSWERS else "",
            order=query["order"] if query.get("order") in _ORDERS else "reach",
            range=query.get("range", "")[:3],
            most=min(MOST, int(most)) if most.isascii() and most.isdecimal() and len(most) < 6 else PER_PAGE,
        )

    def query(self, **changes: object) -> str:
        """Return the filter as the end of an address, changed."""
        wanted, usual = asdict(replace(self, **changes)), asdict(Filter())
        names = {"language": "text_language"}
        said = {names.get(name, name): value for name, value in wanted.items() if value != usual[name]}
        return f"?{urlencode(said)}" if said else "?"


def chosen(posts: Sequence[Post], wanted: Filter) -> list[Post]:
    """Return the posts somebody wants to see, in their order."""
    found = [post for post in posts if _suits(post, wanted)]
    match wanted.order:
        case "oldest":
            return sorted(found, key=lambda post: (post.answered_at is not None, post.mention.published_at))
        case "newest":
            return sorted(found, key=lambda post: post.mention.published_at, reverse=True)
        case _:
            return sorted(found, key=_by_reach)


def _by_reach(post: Post) -> tuple[int, datetime]:
    return -((post.mention.reach or 0) + post.copies), post.mention.published_at


def _suits(post: Post, wanted: Filter) -> bool:
    by_stance = {
        "negative": post.label is Label.NEGATIVE,
        "neutral": post.label is Label.NEUTRAL,
        "positive": post.label is Label.POSITIVE,
        "defender": post.verdict.stance.value == "defender",
        "all": True,
    }
    is_answered = post.answered_at is not None
    return (
        by_stance[wanted.stance]
        and wanted.source in {"", post.mention.source}
        and (not wanted.topic or wanted.topic in post.verdict.topics)
        and wanted.language in {"", post.verdict.language}
        and wanted.answer in {"", "answered" if is_answered else "open"}
    )


def choices(posts: Sequence[Post], story: Story, reader: Reader) -> tuple[Choice, ...]:
    """Return the filters, each with what there is to choose."""
    sources = sorted({post.mention.source for post in posts})
    topics = sorted({topic for post in posts for topic in post.verdict.topics})
    languages = sorted({post.verdict.language for post in posts} & {"de", "en"})
    names = story.words.topics
    shown = {"de": reader.say("German"), "en": reader.say("English")}
    found = (
        Choice(name="source", label=reader.say("Source"), options=tuple((one, story.source(one)) for one in sources)),
        Choice(name="stance", label=reader.say("Stance"), options=_said(reader, _STANCES)),
        Choice(
            name="topic",
            label=reader.say("Topic"),
            options=tuple((one, names.get(one, inert(one, 40))) for one in topics),
        ),
        Choice(name="answer", label=reader.say("Reply"), options=_said(reader, _ANSWERS)),
        Choice(
            name="text_language",
            label=reader.say("Language"),
            options=tuple((one, shown[one]) for one in languages) if len(languages) > 1 else (),
        ),
        Choice(name="order", label=reader.say("Order"), options=_said(reader, _ORDERS)),
    )
    return tuple(choice for choice in found if choice.options)


def _said(reader: Reader, names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((value, reader.say(name)) for value, name in names.items())
