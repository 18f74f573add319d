"""Posts on X (API v2) that match a query, counted before they are fetched, and the public numbers of accounts.

X bills every post that is read, so a question for counts comes first. What the day's budget cannot pay is sampled:
every k-th minute is read whole, and the rest is a declared gap with its number. Never the newest hundred: they would
stand for the end of a burst alone. Stored posts are asked for again while the budget allows, for X demands that
deletions are followed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self

import msgspec
from msgspec import Struct
from pydantic import Field

from brandmelder.capture.mentions import Told, mention_of, moment_of
from brandmelder.capture.normalise import to_utc_seconds
from brandmelder.capture.source import Poll, Recheck, Tools
from brandmelder.capture.translate import Untranslatable, for_x, wanted
from brandmelder.capture.x_api import COUNT_COST, PAGE, POST_COST, USER_COST, Post, Posts, XApi
from brandmelder.errors import SourceError
from brandmelder.model import Cursor, Extent, Gap, Mention, Reading, Removal, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brandmelder.capture.tree import Everything, Node
    from brandmelder.capture.x_api import Count

QUERY_LENGTH: Final = 512
"""Characters that X takes."""
LAG: Final = timedelta(seconds=15)
"""X refuses an end time nearer to now than ten seconds."""
OVERLAP: Final = timedelta(minutes=2)
RECENT: Final = timedelta(days=7) - timedelta(minutes=5)
"""How far back the search reaches."""
READINGS_EVERY: Final = timedelta(hours=1)
RECHECK_SHARE: Final = 0.2
"""The part of the day's budget that is kept for asking again."""
_TAKEN: Final = ("resource-not-found", "not-authorized-for-resource")
_STRETCHES: Final = 60
"""How many stretches a sample has at most: the cursor holds them."""


class XOptions(SourceOptions):
    """Posts on X that match a query, and the public numbers of accounts. X charges for every post read."""

    token: SecretText
    """The application's bearer token."""
    query: Annotated[str, Field(max_length=512)] = ""
    """In X's own search syntax, as in `(nordfunk OR #nordfunk) -is:retweet lang:de`; the monitors choose further.

    Left out, it is made of their queries.
    """
    budget: Annotated[float, Field(gt=0, le=10_000)] = 5.0
    """US dollars a day; what it cannot pay is sampled and said."""
    reach: bool = False
    """Read each author's followers, too: twice a post's price on top."""
    accounts: Annotated[tuple[Annotated[str, Field(pattern=r"^@?[A-Za-z0-9_]{1,15}$")], ...], Field(max_length=20)] = ()
    """Our accounts, the abandoned ones too: followers, posts and days of silence are read every hour."""
    compare: Annotated[tuple[Annotated[str, Field(pattern=r"^@?[A-Za-z0-9_]{1,15}$")], ...], Field(max_length=20)] = ()
    """Others' accounts to compare ours with, such as a competitor's."""
    url: WebAddress = "https://api.x.com"
    """Where the API stands."""

    def asking(self, trees: Sequence[Node | Everything]) -> Self:
        """Ask for what the monitors want, but for reposts, unless a query is written."""
        if self.query:
            return self
        try:
            query = f"{for_x(wanted(trees))} -is:retweet"
        except Untranslatable as error:
            raise ValueError(f"{error}; write query, in X's own syntax") from error
        if len(query) > QUERY_LENGTH:
            raise ValueError(f"the queries make {len(query)} characters and X takes {QUERY_LENGTH}; write query")
        return self.model_copy(update={"query": query})


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds."""

    v: int = 1
    query: str
    first: datetime
    walked: datetime | None = None
    """Everything before it was read or declared."""
    head: datetime | None = None
    """Up to where the running round reads."""
    left: list[tuple[datetime, datetime]] = []
    """The stretches it has still to read, oldest last."""
    token: str = ""
    reached: datetime | None = None
    """When the oldest post was written that was read of the running stretch."""
    expected: int = 0
    read: int = 0
    is_sample: bool = False
    day: str = ""
    spent: float = 0.0
    measured: datetime | None = None
    """When the accounts' numbers were last read."""
    unmeasured: str = ""
    """Why they were missing then."""


class XSource:
    """Counts, then reads what the budget allows."""

    Options: ClassVar[type[SourceOptions]] = XOptions
    recheck_size = PAGE

    def __init__(self, source_id: SourceId, options: XOptions, tools: Tools) -> None:
        self.id = source_id
        self._options = options
        self._api = XApi(source_id, options.url, options.token.reveal(), tools)
        self._left = tools.left
        self._spent: dict[str, float] = {}
        """What was spent on asking again, by day; forgotten at a restart."""

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Count what is new, then read a page of it."""
        memory = self._recall(cursor, now)
        before = memory.spent
        readings = await self._measure(memory, now)
        gaps = self._forgotten(memory, now)
        if memory.head is None:
            await self._plan(memory, now)
        mentions = await self._page(memory, now) if memory.left else ()
        poll = self._poll(memory, mentions, readings, cost=memory.spent - before)
        return msgspec.structs.replace(poll, gaps=(*gaps, *poll.gaps))

    async def recheck(self, external_ids: Sequence[str], now: datetime) -> Recheck:
        """Ask for a hundred posts again, if the budget still has its part for that."""
        day, cost = f"{now:%Y-%m-%d}", len(external_ids) * POST_COST
        left = self._left()
        if self._spent.get(day, 0.0) + cost > self._options.budget * RECHECK_SHARE or (
            left is not None and left < cost
        ):
            return Recheck()
        found = await self._api.posts(external_ids, now)
        # Known by the id under which it was written, an edited post may be told as it read then.
        outdated = [one.last_id for one in found.data if one.last_id != one.id]
        latest = (await self._api.posts(outdated, now)).data if outdated else []
        cost = (len(found.data) + len(latest)) * POST_COST
        self._spent = {day: self._spent.get(day, 0.0) + cost}
        asked = set(external_ids)
        return Recheck(
            cost=cost,
            mentions=tuple(self._mention(one, {}, now) for one in (*found.data, *latest) if one.last_id == one.id),
            removals=tuple(
                Removal(source=self.id, external_id=fault.resource_id, reason="gone or protected")
                for fault in found.errors
                if fault.resource_id in asked
                and fault.type.endswith(("resource-not-found", "not-authorized-for-resource"))
            ),
        )

    def _recall(self, cursor: Cursor | None, now: datetime) -> Memory:
        try:
            memory = msgspec.json.decode(cursor, type=Memory) if cursor else None
        except msgspec.MsgspecError:
            memory = None
        if memory is None or memory.query != self._options.query:
            # What the day has cost stays spent, whatever is asked for now.
            day, spent = (memory.day, memory.spent) if memory is not None else ("", 0.0)
            memory = Memory(query=self._options.query, first=now.replace(microsecond=0), day=day, spent=spent)
        day = f"{now:%Y-%m-%d}"
        if memory.day != day:
            memory.day, memory.spent = day, 0.0
        return memory

    async def _measure(self, memory: Memory, now: datetime) -> tuple[Reading, ...]:
        """Read the accounts' numbers once an hour; the days since the last post tell an abandoned one."""
        ours = {name.lstrip("@").casefold(): name.lstrip("@") for name in self._options.accounts}
        names = [*ours.values(), *(name.lstrip("@") for name in self._options.compare)]
        is_due = memory.measured is None or now - memory.measured >= READINGS_EVERY
        if not names or not is_due:
            return ()
        at = memory.measured = now.replace(microsecond=0)
        memory.unmeasured = ""
        try:
            users = await self._api.users(names, now)
        except SourceError as error:  # it keeps no post back
            memory.unmeasured = f"the numbers of accounts cannot be read: {error}"
            return ()
        memory.spent += len(users) * USER_COST
        readings: list[Reading] = []
        for user in users:
            silent = (now - user.last_post).days if user.last_post else None
            values = {"followers": user.public_metrics.followers_count, "posts": user.posts, "days_silent": silent}
            readings += [
                Reading(
                    source=self.id,
                    account=user.username,
                    name=name,
                    value=value,
                    at=at,
                    own=user.username.casefold() in ours,
                    title=f"@{user.username}",
                )
                for name, value in values.items()
                if value is not None
            ]
        return tuple(readings)

    def _forgotten(self, memory: Memory, now: datetime) -> list[Gap]:
        """Go on where the search still reaches back to, and return what it has forgotten meanwhile.

        X refuses a time that lies further back, so a round that was held up would never end.
        """
        edge = to_utc_seconds(now - RECENT)
        lost = [(memory.walked, edge)] if memory.head is None and memory.walked is not None else []
        while memory.left and memory.left[-1][0] < edge:
            since, until = memory.left[-1]
            if memory.token and memory.reached is not None:  # newest first: what lies above was read
                until = min(until, memory.reached + timedelta(seconds=1))
            memory.left = [*memory.left[:-1], *([(edge, until)] if edge < until else [])]
            memory.token, memory.reached = "", None
            lost.append((since, min(until, edge)))
        reason = "X searches seven days back, and nobody asked for longer"
        return [
            Gap(source=self.id, since=since, until=until, reason=reason)
            for since, until in lost
            if since < until and until > memory.first
        ]

    async def _plan(self, memory: Memory, now: datetime) -> None:
        """Count what is new, and choose the stretches that the budget can pay."""
        head = to_utc_seconds(now - LAG)
        since = max(memory.walked or now - self._options.history, now - RECENT)
        since = to_utc_seconds(since - OVERLAP if memory.walked else since)
        counts = await self._api.counts(self._options.query, since, head, now)
        memory.spent += COUNT_COST
        memory.head, memory.expected, memory.read = head, sum(one.posts for one in counts), 0
        each = POST_COST + (USER_COST if self._options.reach else 0.0)
        affordable = max(0, int((self._pays(memory) - self._reserve(memory, now)) / each))
        memory.is_sample = memory.expected > affordable
        memory.left = _sampled(counts, affordable) if memory.is_sample else [(since, head)] if memory.expected else []

    async def _page(self, memory: Memory, now: datetime) -> tuple[Mention, ...]:
        options = self._options
        page = await self._api.search(
            options.query, memory.left[-1], token=memory.token, has_authors=options.reach, now=now
        )
        cost = len(page.data) * POST_COST + (len(page.includes.users) * USER_COST if options.reach else 0.0)
        memory.spent, memory.read = memory.spent + cost, memory.read + len(page.data)
        memory.token = page.meta.next_token or ""
        written = [moment for moment in (moment_of(one.created_at) for one in page.data) if moment is not None]
        memory.reached = min(written, default=memory.reached) if memory.token else None
        if not memory.token:
            memory.left = memory.left[:-1]
        if self._pays(memory) < cost / max(len(page.data), 1) and memory.left:
            memory.left, memory.token, memory.is_sample = [], "", True
        followers = {user.id: user.public_metrics.followers_count for user in page.includes.users}
        return tuple(
            mention if mention.published_at >= memory.first else msgspec.structs.replace(mention, history=True)
            for mention in (self._mention(one, followers, now) for one in _latest(page))
        )

    def _pays(self, memory: Memory) -> float:
        """Return how many dollars may still be spent."""
        day = self._options.budget * (1 - RECHECK_SHARE) - memory.spent
        left = self._left()
        return day if left is None else min(day, left)

    def _reserve(self, memory: Memory, now: datetime) -> float:
        """Return what counting costs until the day ends: how large a storm is must be known also when none is read.

        At most half of what is left.
        """
        end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return min(COUNT_COST * ((end - now) // self._options.every), self._pays(memory) / 2)

    def _poll(
        self, memory: Memory, mentions: tuple[Mention, ...], readings: tuple[Reading, ...], *, cost: float
    ) -> Poll:
        gaps: tuple[Gap, ...] = ()
        note, head = "", memory.head
        if not memory.left and head is not None:
            missing = memory.expected - memory.read
            if memory.is_sample and missing > 0:
                since = (memory.walked or memory.first - self._options.history) - OVERLAP
                note = (
                    f"{memory.expected} posts, {memory.read} read: the budget of "
                    f"{self._options.budget:g} dollars a day pays no more"
                )
                gaps = (Gap(source=self.id, since=since, until=head, reason=note, expected=missing),)
            memory.walked, memory.head, memory.is_sample = head, None, False
        is_done = memory.head is None
        return Poll(
            mentions=mentions,
            readings=readings,
            cursor=Cursor(msgspec.json.encode(memory).decode()),
            read_until=memory.walked if is_done else None,
            gaps=gaps,
            extent=Extent(read=memory.read, expected=memory.expected, is_exact=True) if is_done else None,
            more=not is_done,
            cost=cost,
            degraded=note or memory.unmeasured,
        )

    def _mention(self, one: Post, followers: Mapping[str, int | None], now: datetime) -> Mention:
        told = Told(
            ident=one.first_id,
            text=one.whole_text,
            published=moment_of(one.created_at),
            url=f"https://x.com/i/status/{one.id}",
            author=one.author_id,
            parent=one.referenced("replied_to|quoted"),
            reach=followers.get(one.author_id),
            language=one.lang if one.lang not in {"und", "zxx", "qme", "qst", "qht"} else None,
        )
        return mention_of(told, source=self.id, options=self._options, now=now)


def _latest(page: Posts) -> list[Post]:
    """Return each post once, as it reads after its edits: each edit is a post of its own, with a higher id."""
    found: dict[str, Post] = {}
    for one in sorted(page.data, key=lambda one: (len(one.id), one.id)):
        found[one.first_id] = one
    return list(found.values())


def _sampled(counts: Sequence[Count], affordable: int) -> list[tuple[datetime, datetime]]:
    """Return stretches whose posts the budget can pay: every k-th of those that have any, the last one always."""
    filled = [one for one in counts if one.posts]
    if not filled or affordable < 1:
        return []
    every = max(ceil(sum(one.posts for one in filled) / affordable), ceil(len(filled) / _STRETCHES))
    chosen: list[Count] = []
    for one in list(reversed(filled))[::every]:
        if sum(each.posts for each in chosen) + one.posts > affordable and chosen:
            break
        chosen.append(one)
    stretches = [(moment_of(one.start), moment_of(one.end)) for one in reversed(chosen)]
    return [(start, end) for start, end in reversed(stretches) if start is not None and end is not None]
