"""What stands behind the count: who, where, what, how it runs, and which three posts show it."""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.incident.copies import first_of_kind
from brandmelder.incident.phrases import Background, key_terms, terms
from brandmelder.incident.picture import UNSEEN, Behind, frame_of, picture
from brandmelder.incident.similar import Likeness, likeness, most_similar
from brandmelder.incident.skala import Community, Media, community, media
from brandmelder.model import (
    Bin,
    Evidence,
    Incident,
    Label,
    Mention,
    MentionId,
    Quote,
    SourceClass,
    SourceSight,
    Stance,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Terms = Mapping[str, str]

SLOT = timedelta(minutes=20)
"""Width of the bars of the course and of the picture."""
COURSE_SLOTS = 3
SPARK_SLOTS = 18
BIG_REACH = 10_000
"""More followers than this make a critic's reach worth a word."""
_INSULTING = 0.7
_HEARD = 0.1
"""From this weight on a mention has a say in phrases and quotes."""


class Judged(Struct, frozen=True, kw_only=True):
    """A mention of the monitor with what the classifier says of it."""

    id: MentionId
    mention: Mention
    verdict: Verdict


class Answered(Struct, frozen=True, kw_only=True):
    """How far our own accounts have answered (counted by count/responses.py)."""

    answered: int = 0
    oldest_unanswered: datetime | None = None
    first: datetime | None = None


class EvidenceInputs(Struct, frozen=True, kw_only=True):
    """All that the evidence of one incident is made from."""

    incident: Incident
    judged: tuple[Judged, ...]
    """The monitor's mentions since the onset, in any order; of very many only some, copies left out first."""
    mentions: int = 0
    """How many there are in all…"""
    negatives: int = 0
    """…and how many of them are negative; 0: as many as `judged` holds."""
    bins: tuple[Bin, ...] = ()
    """The monitor's bins of the last six hours, for course and picture."""
    background: Background = Background()
    """Words of the mentions before the onset."""
    answered: Answered = Answered()
    sight: tuple[SourceSight, ...] = ()
    own_names: tuple[str, ...] = ()
    """The brand and the monitor's own words, which never count as news."""
    earlier: tuple[Likeness, ...] = ()
    """Incidents that ended, of the same brand."""
    behind: Behind = Behind()
    """The usual, holes and known events of the picture."""


class _Critics(Struct, frozen=True):
    """The negative mentions, oldest first, and for each the place of the first one it is a copy of."""

    mentions: tuple[Judged, ...]
    firsts: tuple[int, ...]

    @property
    def copies(self) -> int:
        return len(self.firsts) - len(set(self.firsts))


def gather(inputs: EvidenceInputs) -> Evidence:
    """Return the evidence of an incident as of now. Own posts and what weighs nothing do not count.

    Negatives that are not at hand are copies, for those are left out first.
    """
    counted = sorted(
        (one for one in inputs.judged if not one.mention.own and one.verdict.weight > 0),
        key=lambda one: (one.mention.published_at, one.id),
    )
    negatives = tuple(one for one in counted if one.verdict.label is Label.NEGATIVE)
    critics = _Critics(negatives, tuple(first_of_kind([one.mention.text for one in negatives])))
    unseen = max(0, inputs.negatives - len(negatives))
    evidence = Evidence(
        sources=tuple(Counter(one.mention.source for one in negatives).most_common()),
        copies_share=_share(critics.copies + unseen, len(negatives) + unseen),
        unclear_share=_share(sum(one.verdict.unsure for one in counted), len(counted)),
        insult_share=_share(sum(one.verdict.insult > _INSULTING for one in negatives), len(negatives)),
        mentions=max(len(counted), inputs.mentions),
        negatives=len(negatives) + unseen,
        answered=inputs.answered.answered,
        oldest_unanswered=inputs.answered.oldest_unanswered,
        first_answered=inputs.answered.first,
        newest=negatives[-1].mention.published_at if negatives else None,
        sight=inputs.sight,
    )
    evidence = _with_authors(evidence, counted, negatives)
    evidence = _with_course(evidence, inputs, negatives)
    evidence = _with_words(evidence, inputs, critics)
    evidence = replace(evidence, quotes=_with_key(evidence.quotes, inputs))
    return _with_levels(evidence, inputs, counted, critics)


# --------------------------------------------------------------------- who


def _with_authors(evidence: Evidence, counted: Sequence[Judged], negatives: Sequence[Judged]) -> Evidence:
    critics = Counter(_author(one) for one in negatives)
    top = min(6, math.ceil(len(critics) / 5))
    return replace(
        evidence,
        critics=len(critics),
        reach_critics=len({_author(one) for one in negatives if (one.mention.reach or 0) > BIG_REACH}),
        defenders=len({_author(one) for one in counted if _defends(one)}),
        top_share=_share(sum(count for _, count in critics.most_common(top)), len(negatives)),
        top_authors=top,
    )


def _author(one: Judged) -> str:
    """Return who wrote it; without a name, every mention has an author of its own."""
    return one.mention.author or f"{one.mention.source} {one.mention.external_id}"


def _defends(one: Judged) -> bool:
    return one.verdict.stance is Stance.DEFENDER and one.verdict.label is not Label.NEGATIVE


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


# ------------------------------------------------------------------- course


def _with_course(evidence: Evidence, inputs: EvidenceInputs, negatives: Sequence[Judged]) -> Evidence:
    """Count negatives per SLOT back from the end of the window; −1 where a slot could not be seen."""
    until = inputs.incident.spike.until
    spark = _from_bins(inputs.bins, until) if inputs.bins else _from_mentions(negatives, until)
    spike = inputs.incident.spike
    drawn = picture(frame_of(spike), inputs.bins, kind=spike.kind, behind=inputs.behind) if inputs.bins else None
    return replace(
        evidence,
        spark=spark,
        course=tuple(max(0, count) for count in spark[-COURSE_SLOTS:]),
        picture=drawn,
    )


def _from_bins(bins: Sequence[Bin], until: datetime) -> tuple[int, ...]:
    counts, seen = [0] * SPARK_SLOTS, [0.0] * SPARK_SLOTS
    for one in bins:
        place = _slot(one.end, until)
        if place is not None:
            counts[place] += one.labelled
            seen[place] += one.exposure
    return tuple(count if share > 0 else UNSEEN for count, share in zip(counts, seen, strict=True))


def _from_mentions(negatives: Sequence[Judged], until: datetime) -> tuple[int, ...]:
    counts = [0] * SPARK_SLOTS
    for one in negatives:
        place = _slot(one.mention.published_at + timedelta(microseconds=1), until)
        if place is not None:
            counts[place] += 1
    return tuple(counts)


def _slot(end: datetime, until: datetime) -> int | None:
    """Return the place of the slot that holds what ended at `end`, None if it is not in the picture."""
    place = SPARK_SLOTS - 1 - (until - end) // SLOT
    return place if 0 <= place < SPARK_SLOTS else None


# --------------------------------------------------------------------- what


def _with_words(evidence: Evidence, inputs: EvidenceInputs, critics: _Critics) -> Evidence:
    firsts = sorted(set(critics.firsts))
    # What was not counted names no cause: over-active accounts would choose the words of the alert.
    firsts = [place for place in firsts if critics.mentions[place].verdict.weight >= _HEARD] or firsts
    said = {place: terms(critics.mentions[place].mention.text) for place in firsts}
    phrases = key_terms(list(said.values()), inputs.background, own_names=inputs.own_names)
    told = replace(
        evidence,
        phrases=phrases,
        topics=_topics([critics.mentions[place].verdict.topics for place in firsts]),
        compared=inputs.background.mentions,
        quotes=_quotes(critics, said, [phrase.text.casefold() for phrase in phrases]),
    )
    return replace(told, similar=most_similar(likeness(inputs.incident, told), inputs.earlier))


def _topics(named: Sequence[tuple[str, ...]]) -> tuple[tuple[str, int], ...]:
    """Return up to three topics that at least a fifth of the mentions, and three of them, are about."""
    counts = Counter(topic for topics in named for topic in topics)
    often = [(topic, count) for topic, count in counts.items() if count >= max(3, len(named) / 5)]
    return tuple(sorted(often, key=lambda one: (-one[1], one[0]))[:3])


def _quotes(critics: _Critics, said: Mapping[int, Terms], phrases: Sequence[str]) -> tuple[Quote, ...]:
    """Return the most typical mention, the one with the widest reach and the newest; of copies only the first."""
    copies = Counter(critics.firsts)
    places = [place for place in said if critics.mentions[place].mention.text.strip()]
    chosen: list[int] = []
    for order in (_typical(critics, said, phrases), _spread(critics, copies), int):
        rest = [place for place in places if place not in chosen]
        if rest:
            chosen.append(max(rest, key=order))
    return tuple(_quote(critics.mentions[place], copies[place] - 1) for place in chosen)


def _with_key(quotes: tuple[Quote, ...], inputs: EvidenceInputs) -> tuple[Quote, ...]:
    """Put the key mention first, if the incident is about one."""
    ident = inputs.incident.spike.mention
    first = [_quote(one, 0) for one in inputs.judged if ident is not None and one.id == ident]
    return (*first, *(quote for quote in quotes if quote.mention != ident))[:3]


def _typical(critics: _Critics, said: Mapping[int, Terms], phrases: Sequence[str]) -> Callable[[int], float]:
    """Rate how typical a mention is: by key phrases, then by the words it shares with others, against its length."""
    spread = Counter(term for found in said.values() for term in found)

    def rate(place: int) -> float:
        found = said[place]
        shared = sum(spread[term] - 1 for term in found) / (len(said) * math.sqrt(len(found) + 10))
        return sum(phrase in found for phrase in phrases) + shared - critics.mentions[place].verdict.unsure

    return rate


def _spread(critics: _Critics, copies: Counter[int]) -> Callable[[int], float]:
    """Return how far a mention went: its reach and its copies, on a logarithmic scale; typical length breaks ties."""

    def rate(place: int) -> float:
        one = critics.mentions[place]
        return math.log1p(one.mention.reach or 0) + 2 * math.log1p(copies[place] - 1) + one.verdict.p_negative / 100

    return rate


def _quote(one: Judged, copies: int) -> Quote:
    mention = one.mention
    return Quote(
        mention=one.id,
        source=mention.source,
        url=mention.url,
        published_at=mention.published_at,
        reach=mention.reach,
        copies=copies,
    )


# -------------------------------------------------------------------- skala


def _with_levels(evidence: Evidence, inputs: EvidenceInputs, counted: Sequence[Judged], critics: _Critics) -> Evidence:
    news = {sight.source for sight in inputs.sight if sight.source_class is SourceClass.NEWS}
    public = [one for one in critics.mentions if one.mention.source not in news]
    articles = [
        one.mention for one in counted if one.mention.source in news and one.verdict.label is not Label.POSITIVE
    ]
    by_public = community(_public(evidence, public, critics, watched=len(inputs.sight) - len(news)))
    by_editors = media(_published(articles))
    return replace(
        evidence,
        community=by_public.level,
        community_inputs=by_public.inputs,
        media=by_editors.level,
        media_inputs=by_editors.inputs,
    )


def _public(evidence: Evidence, public: Sequence[Judged], critics: _Critics, *, watched: int) -> Community:
    authors = Counter(_author(one) for one in public)
    replies = sum(
        one.mention.parent_id is not None or first != place
        for place, (one, first) in enumerate(zip(critics.mentions, critics.firsts, strict=True))
    )
    return Community(
        critics=len(authors),
        repeat_critics=sum(count > 1 for count in authors.values()),
        channels=len({one.mention.source for one in public}),
        channels_watched=max(1, watched),
        critics_share=_share(evidence.negatives, evidence.mentions),
        echo=_share(replies + evidence.negatives - len(critics.mentions), evidence.negatives),
        insult_share=evidence.insult_share,
        lasted=_lasted([one.mention for one in public]),
    )


def _published(articles: Sequence[Mention]) -> Media:
    outlets = Counter(_outlet(one) for one in articles)
    return Media(
        articles=len(articles),
        outlets=len(outlets),
        following=sum(count > 1 for count in outlets.values()),
        lasted=_lasted(articles),
    )


def _outlet(article: Mention) -> str:
    try:
        return urlsplit(article.url).hostname or article.source
    except ValueError:
        return article.source


def _lasted(mentions: Sequence[Mention]) -> timedelta:
    return mentions[-1].published_at - mentions[0].published_at if mentions else timedelta(0)
