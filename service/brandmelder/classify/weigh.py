"""How much a mention counts: copies together once and a logarithm, an author at most twice an hour.

One text sent round by a hundred thousand accounts is not a hundred thousand critics, and five accounts that write ten
thousand posts are five. What weighs next to nothing still stands in the ledger, so that the alert can say how much of
it there was. Mentions are weighed in the order in which they were stored: a replay weighs as the service did.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.classify.duplicates import CLUSTERS, Copies, prepare
from brandmelder.model import AuthorHour, Cluster, Label

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from brandmelder.classify.duplicates import Prepared
    from brandmelder.model import Mention, MentionId, SourceId, Verdict

AN_HOUR: Final = 2.0
"""What one author counts in an hour at most, once for negative mentions and once for all others."""
SHORT: Final = 10
"""So many equal texts of a few words ("kein Netz") count in full: people who do not know each other write them."""
TRACE: Final = 1e-9
"""What is beyond an author's hour: in the ledger, and nothing in any sum."""
AUTHORS: Final = 50_000
"""Hours of authors remembered; the oldest go first."""
_HOUR: Final = 3600


class Changes(Struct, frozen=True, kw_only=True):
    """What to store, in the transaction of the verdicts, so that a restart goes on weighing as if nothing had been."""

    clusters: Sequence[Cluster] = ()
    forgotten_clusters: Sequence[int] = ()
    hours: Sequence[AuthorHour] = ()
    forgotten_hours: Sequence[int] = ()


class Weigher:
    """Weighs mentions one after another, in bounded memory. `news` are sources whose author is an editorial desk."""

    def __init__(
        self, *, news: Collection[SourceId] = (), clusters: Iterable[Cluster] = (), hours: Iterable[AuthorHour] = ()
    ) -> None:
        self._news = frozenset(news)
        self._copies = Copies(CLUSTERS)
        self._copies.restore(clusters)
        self._hours = OrderedDict((one.key, one) for one in sorted(hours, key=lambda one: one.number))
        self._begun = next(reversed(self._hours.values())).number + 1 if self._hours else 0
        self._changed: set[int] = set()
        self._forgotten: set[int] = set()

    def weigh(self, found: Sequence[tuple[MentionId, Mention, Verdict]]) -> list[float]:
        """Return the weight of each verdict; one that weighs 0 (own, spam) stays out and teaches nothing."""
        texts = iter(prepare([mention.text for _, mention, verdict in found if verdict.weight > 0]))
        return [
            verdict.weight * self._weight(ident, mention, verdict, next(texts)) if verdict.weight > 0 else 0.0
            for ident, mention, verdict in found
        ]

    def _weight(self, ident: MentionId, mention: Mention, verdict: Verdict, text: Prepared) -> float:
        at = int(mention.published_at.timestamp())
        key = self._hour_of(mention, at, is_negative=verdict.label is Label.NEGATIVE)
        spent = self._hours[key].weight if key is not None and key in self._hours else 0.0
        if spent >= AN_HOUR:
            return TRACE  # who has used up the hour does not turn other people's words into copies either
        found = self._copies.place(str(ident), text, at)
        weight = worth(found.earlier + 1, 1 if found.is_long else SHORT)
        if key is None:
            return weight
        weight = max(TRACE, min(weight, AN_HOUR - spent))
        self._spend(key, weight)
        return weight

    def _hour_of(self, mention: Mention, at: int, *, is_negative: bool) -> int | None:
        if not mention.author or mention.source in self._news:
            return None
        content = f"{mention.source}\0{mention.author}\0{at // _HOUR}\0{is_negative}"
        return int.from_bytes(blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)

    def _spend(self, key: int, weight: float) -> None:
        known = self._hours.get(key)
        if known is None:
            known = AuthorHour(key=key, weight=0.0, number=self._begun)
            self._begun += 1
        self._hours[key] = replace(known, weight=known.weight + weight)
        self._changed.add(key)
        if len(self._hours) > AUTHORS:
            oldest, _ = self._hours.popitem(last=False)
            self._changed.discard(oldest)
            self._forgotten.add(oldest)

    def changes(self) -> Changes:
        """Return what changed since the last call."""
        clusters, forgotten = self._copies.changes()
        told = Changes(
            clusters=clusters,
            forgotten_clusters=forgotten,
            hours=[self._hours[key] for key in sorted(self._changed)],
            forgotten_hours=sorted(self._forgotten - self._changed),
        )
        self._changed, self._forgotten = set(), set()
        return told


def worth(number: int, in_full: int = 1) -> float:
    """Return what the copy with that number (from 1) adds: n are worth n up to m, then m·(1 + ln(n/m)); m `in_full`."""
    return _together(number, in_full) - _together(number - 1, in_full)


def _together(number: int, in_full: int) -> float:
    return number if number <= in_full else in_full * (1 + math.log(number / in_full))
