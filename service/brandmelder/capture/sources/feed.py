"""RSS and Atom feeds: a window without pages, so what falls out of it between two polls is a declared gap."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urljoin

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.capture.headers import seen_until, stays_fresh
from brandmelder.capture.known import KEPT, key_of, last, pack, print_of, unpack
from brandmelder.capture.normalise import canonical_url, clean_text, settle_time, to_utc_seconds
from brandmelder.capture.source import Answer, Entry, ParsedFeed, Poll, Tools
from brandmelder.errors import ShapeChanged, SourceError
from brandmelder.model import Cursor, Extent, Gap, Mention, SourceId
from brandmelder.options import SourceOptions, WebAddress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

VALIDATORS_LAST: Final = timedelta(days=8)
"""After this the whole feed is asked for again: some servers are stuck on 304."""
_VALIDATOR_CHARACTERS = 512
_ID_CHARACTERS = 500
_ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"


class FeedOptions(SourceOptions):
    """A feed: RSS 2.0, RSS 1.0 or Atom, of a press site, a forum, or of a blog's comments."""

    url: WebAddress
    """The feed's own address."""


class State(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the cursor holds."""

    v: int = 1
    place: str
    """Of which address it speaks, hashed: another address is another first contact."""
    read: datetime
    """When the whole content was last read."""
    newest: datetime | None = None
    etag: str = ""
    modified: str = ""
    body: str = ""
    """Hash of the last answer, if it was whole."""
    count: int = 0
    """How many entries the last answer held; they are the last ones of `known`."""
    known: str = ""


class Told(Struct, frozen=True):
    """An entry with the id it goes by."""

    entry: Entry
    ident: str
    mark: int
    is_weak: bool = False


class FeedSource:
    """Polls one feed. Ids are the feed's own; where it has none or repeats them, link or content stand in."""

    Options: ClassVar[type[SourceOptions]] = FeedOptions

    def __init__(self, source_id: SourceId, options: FeedOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._place = _digest(options.url.encode())

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Ask for the feed and return what is new or changed in it; the first time everything, as history."""
        state = self._restore(cursor)
        answer = await self._tools.fetch(self._options.url, now=now, headers=_conditions(state, now))
        if answer.status == 304 or (state is not None and state.body == _digest(answer.body)):
            return Poll(
                cursor=_dump(_validated(state, answer, now)) if state and answer.status != 304 else None,
                read_until=seen_until(answer.headers, now),
                not_before=self._not_before(answer, timedelta(0), now),
            )
        return self._told(state, answer, await self._parse(answer), now)

    async def _parse(self, answer: Answer) -> ParsedFeed:
        try:
            feed = await self._tools.parse_feed(answer.body, answer.content_type)
        except SourceError as error:
            error.about(self.id)
            raise
        if not feed.version:
            raise ShapeChanged(f"answered {feed.refusal}, not a feed; mend its url or ask its operator").about(self.id)
        return feed

    def _told(self, state: State | None, answer: Answer, feed: ParsedFeed, now: datetime) -> Poll:
        told = tell_apart(feed.entries)
        before = unpack(state.known) if state else {}
        marks = {key_of(one.ident): one.mark for one in told}
        mentions = [self._mention(one, answer.url, now, history=state is None) for one in _fresh(told, before)]
        if state is None:
            mentions = [one for one in mentions if one.published_at >= now - self._options.history]
        times = [one.entry.published for one in told if one.entry.published and one.entry.published <= now]
        older = {key: mark for key, mark in before.items() if key not in marks}
        newest = max(times, default=state.newest if state else None)
        # Half an answer says nothing of what fell out of the window: the next whole one is held against the last whole.
        is_whole = not feed.is_cut or state is None
        after = State(
            place=self._place,
            read=now,
            newest=newest if is_whole or state is None else state.newest,
            body="" if feed.is_cut else _digest(answer.body),
            count=min(len(marks), KEPT) if is_whole or state is None else state.count,
            known=pack(older | marks if is_whole else {**marks, **before, **marks}),
        )
        return Poll(
            mentions=tuple(mentions),
            cursor=_dump(after if feed.is_cut else _validated(after, answer, now)),
            read_until=seen_until(answer.headers, now),
            gaps=self._gaps(state, before, marks, min(times, default=now)) if is_whole else (),
            extent=Extent(read=len(feed.entries)),
            not_before=self._not_before(answer, feed.time_to_live or timedelta(0), now),
            degraded="the feed was cut off; its last entry is left out" if feed.is_cut else "",
        )

    def _mention(self, told: Told, base: str, now: datetime, *, history: bool) -> Mention:
        entry = told.entry
        published, flags = settle_time(entry.published, now)
        text, context = compose(entry)
        return Mention(
            source=self.id,
            external_id=told.ident,
            text=text,
            context=context,
            url=canonical_url(_joined(base, entry.link)) if entry.link else "",
            author=entry.author,
            parent_id=entry.parent or None,
            language=self._options.language,
            own=self._options.owns(entry.author),
            published_at=published,
            captured_at=to_utc_seconds(now),
            history=history,
            flags=(*(("weak_id",) if told.is_weak else ()), *flags),
        )

    def _gaps(
        self, state: State | None, before: Mapping[int, int], marks: Mapping[int, int], oldest: datetime
    ) -> tuple[Gap, ...]:
        """Return what fell out of the window unseen: nothing of a full last answer is left in this one."""
        if state is None or not state.count or len(marks) < state.count:
            return ()
        seen = last(before, state.count)
        if seen.keys() & marks.keys() or set(seen.values()) & set(marks.values()):
            return ()
        since, until = state.newest or state.read, oldest
        if since >= until:
            since, until = min(state.read, until), max(state.read, until) + timedelta(seconds=1)
        reason = f"none of the {state.count} entries seen last is left in the feed: what came in between was missed"
        return (Gap(source=self.id, since=to_utc_seconds(since), until=to_utc_seconds(until), reason=reason),)

    def _not_before(self, answer: Answer, life: timedelta, now: datetime) -> datetime | None:
        """Return when other people's servers want to be asked again; our own are asked as often as we like."""
        fresh = max(stays_fresh(answer.headers), life)
        return now + fresh if fresh and self._options.class_ != "own" else None

    def _restore(self, cursor: Cursor | None) -> State | None:
        try:
            state = msgspec.json.decode(cursor, type=State) if cursor else None
        except msgspec.MsgspecError:
            return None
        return state if state and state.place == self._place else None


def _joined(base: str, link: str) -> str:
    """Return a link made whole; empty for one that is none, as anybody may write."""
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


def compose(entry: Entry) -> tuple[str, str]:
    """Return an entry's text and its context.

    A headline belongs to the text, unless the text begins with it; the title of a comment names the post and the
    author, so it is context.
    """
    if "#comment-" in entry.link and entry.text:
        return entry.text, entry.title
    start = entry.title.rstrip("….").casefold()
    if not entry.title or (start and entry.text.casefold().startswith(start)):
        return entry.text, ""
    return clean_text(f"{entry.title}\n\n{entry.text}"), ""


def tell_apart(entries: Iterable[Entry]) -> Sequence[Told]:
    """Give each entry an id: its own if no other bears it, else its link, else a hash of what it says (`weak_id`)."""
    marked = {(one.id, mark): (one, mark) for one, mark in ((one, _mark(one)) for one in entries)}.values()
    ids = Counter(one.id for one, _ in marked)
    links = Counter(one.link for one, _ in marked)
    told: dict[str, Told] = {}
    for one, mark in marked:
        if one.id and ids[one.id] == 1:
            found = Told(one, _short(one.id), mark)
        elif one.link and links[one.link] == 1:
            found = Told(one, _short(one.link), mark)
        else:
            said = f"{one.title or one.text}\n{one.published}\n{one.author}"
            found = Told(one, f"weak:{_digest(said.encode())}", mark, is_weak=True)
        told.setdefault(found.ident, found)
    return tuple(told.values())


def _mark(entry: Entry) -> int:
    return print_of(entry.link, entry.title, entry.text, entry.author)


def _fresh(told: Sequence[Told], before: Mapping[int, int]) -> list[Told]:
    """Return what is new or edited. What comes back unchanged under another id is neither."""
    marks = set(before.values())
    keys = [(one, before.get(key_of(one.ident))) for one in told]
    return [one for one, mark in keys if one.mark != mark and (mark is not None or one.mark not in marks)]


def _conditions(state: State | None, now: datetime) -> dict[str, str]:
    headers = {"accept": _ACCEPT}
    if state is not None and now - state.read < VALIDATORS_LAST:
        headers |= {"if-none-match": state.etag} if state.etag else {}
        headers |= {"if-modified-since": state.modified} if state.modified else {}
    return headers


def _validated(state: State, answer: Answer, now: datetime) -> State:
    """Return `state` with the validators of a 200, which go back verbatim; odd ones are not kept."""
    etag, modified = (
        value if value.isascii() and value.isprintable() and len(value) <= _VALIDATOR_CHARACTERS else ""
        for value in (answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))
    )
    return replace(state, read=now, etag=etag, modified=modified)


def _dump(state: State) -> Cursor:
    return Cursor(msgspec.json.encode(state).decode())


def _short(ident: str) -> str:
    return ident if len(ident) <= _ID_CHARACTERS else f"long:{_digest(ident.encode())}"


def _digest(raw: bytes) -> str:
    return hashlib.blake2b(raw, digest_size=16).hexdigest()
