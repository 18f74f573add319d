"""Letters in a mailbox, over IMAP and without touching them; our own answers in the folder of sent ones.

Letters are read forward by their numbers. When the server numbers anew (UIDVALIDITY), the folder is read again, and the
Message-ID tells what is known. A letter that staff move or delete stays counted: tidying up is no deletion by its
author. Machines' letters (out of office, bounces, newsletters) are left out.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field, model_validator

from brandmelder.capture.imap import Account, Folder, Letter, Security, Session
from brandmelder.capture.letters import read_letter
from brandmelder.capture.mentions import Told, mention_of
from brandmelder.capture.source import Poll, Tools
from brandmelder.errors import ShapeChanged, SourceError
from brandmelder.model import Cursor, Extent, Mention, SourceId
from brandmelder.options import SecretText, SourceOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

log = structlog.get_logger()

LETTERS: Final = 50
"""How many letters one poll reads."""
BYTES: Final = 8 << 20
"""How many bytes of letters one poll reads, one letter at the least: a slow line must bring them within the visit."""
QUIET: Final = timedelta(minutes=4)
"""Of a connection without a word for so long nobody knows whether it still stands: some servers drop one after five."""
WHOLE: Final = timedelta(minutes=28)
"""How long one may stay: servers may end it after 29 (RFC 2177)."""
AGAIN: Final = timedelta(minutes=5)
_PORTS: Final = {"tls": 993, "starttls": 143, "none": 143}


class MailboxOptions(SourceOptions):
    """Letters in a mailbox, read over IMAP; nothing there is marked or moved."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")]
    """The IMAP server."""
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """Its port; by default 993, without `tls` 143."""
    security: Security = "tls"
    """`tls`, `starttls`, or `none` for a server inside the house."""
    user: Annotated[str, Field(min_length=1)]
    """Who logs in."""
    password: SecretText
    """The password, an application password, or with `oauth` an access token."""
    oauth: bool = False
    """The password is an OAuth 2 access token, as Google and Microsoft demand it."""
    folder: Annotated[str, Field(min_length=1, max_length=200)] = "INBOX"
    """Where letters arrive."""
    sent: str | None = None
    """Where our answers are kept, as in `Sent`: they are read as responses."""
    idle: bool = True
    """Stay connected and be told of new letters at once, where the server can; the polls go on beside it."""

    @model_validator(mode="after")
    def _not_in_clear(self) -> Self:
        if self.security == "none" and not self.allow_private:
            raise ValueError("a password is sent over tls or starttls; security: none needs allow_private: true")
        return self


class _Place(Struct, frozen=True):
    validity: int = 0
    last: int = 0


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds: how far each folder was read."""

    v: int = 1
    first: datetime
    folders: dict[str, _Place] = {}


class _Found(Struct, frozen=True):
    folder: Folder
    letters: list[Letter]
    left: int
    last: int
    """The highest number that was asked for: who did not come was deleted meanwhile."""


class MailboxSource:
    """Reads one mailbox."""

    Options: ClassVar[type[SourceOptions]] = MailboxOptions

    def __init__(self, source_id: SourceId, options: MailboxOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._account = Account(
            host=options.host,
            port=options.port or _PORTS[options.security],
            user=options.user,
            password=options.password,
            security=options.security,
            is_token=options.oauth,
            allow_private=options.allow_private,
        )

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read what arrived; the first time what arrived within the history."""
        if self._tools.mailboxes is None:
            raise ShapeChanged("needs a house that lends mailboxes").about(self.id)
        memory = self._recall(cursor, now)
        begin = now - self._options.history
        folders = [self._options.folder, *([self._options.sent] if self._options.sent else [])]
        known = {name: memory.folders.get(name, _Place()) for name in folders}

        def visit(session: Session) -> dict[str, _Found]:
            return {name: _read(session, name, known[name], begin) for name in folders}

        found = await self._tools.mailboxes.visit(self.id, self._account, visit)
        mentions: dict[str, Mention] = {}
        for name, one in found.items():
            is_own = name != self._options.folder
            read = partial(self._mentions, one, now, memory.first, is_own=is_own)
            mentions |= {each.external_id: each for each in await asyncio.to_thread(read)}  # fifty megabytes, perhaps
            memory.folders[name] = _Place(one.folder.validity, one.last)
        left = sum(one.left for one in found.values())
        taken = sum(len(one.letters) for one in found.values())
        return Poll(
            mentions=tuple(mentions.values()),
            cursor=Cursor(msgspec.json.encode(memory).decode()),
            read_until=None if left else now,
            extent=Extent(read=taken, expected=taken + left, is_exact=True),
            more=left > 0,
        )

    async def listen(self, nudge: Callable[[], None]) -> None:
        """Have the mailbox polled whenever a letter arrives. What goes wrong here, the next poll tells."""
        mailboxes, loop = self._tools.mailboxes, asyncio.get_running_loop()
        if mailboxes is None or not self._options.idle:
            return

        def wait(session: Session) -> None:
            session.open(self._options.folder)
            session.idle(lambda: loop.call_soon_threadsafe(nudge), QUIET)

        while True:
            begun = loop.time()
            try:
                await mailboxes.visit(self.id, self._account, wait, deadline=WHOLE)
            except SourceError as error:
                log.info("mailbox.idle_ended", source=self.id, error=type(error).__name__)
            if loop.time() - begun < AGAIN.total_seconds():  # it cannot, or not now: no storm of log-ins
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN.total_seconds()):
                        await asyncio.Event().wait()

    def _recall(self, cursor: Cursor | None, now: datetime) -> Memory:
        try:
            memory = msgspec.json.decode(cursor, type=Memory) if cursor else None
        except msgspec.MsgspecError:
            memory = None
        return memory or Memory(first=now.replace(microsecond=0))

    def _mentions(self, found: _Found, now: datetime, first: datetime, *, is_own: bool) -> Sequence[Mention]:
        mentions: list[Mention] = []
        for letter in found.letters:
            told = read_letter(letter.raw)
            if told.is_automatic or not (told.text or told.subject):
                continue
            one = Told(
                ident=told.ident or f"{found.folder.validity}.{letter.uid}",
                text=told.text or told.subject,
                context=told.subject,
                published=told.written or letter.arrived,
                indexed=None if is_own else letter.arrived,
                author=told.author,
                parent=told.parent or None,
                own=is_own,
                flags=() if told.ident else ("weak_id",),
            )
            mention = mention_of(one, source=self.id, options=self._options, now=now)
            mentions.append(replace(mention, history=True) if mention.published_at < first else mention)
        return mentions


def _read(session: Session, name: str, known: _Place, begin: datetime) -> _Found:
    """Read the next letters of a folder, lowest number first."""
    folder = session.open(name)
    is_known = known.validity == folder.validity
    if is_known and folder.next_uid and folder.next_uid <= known.last + 1:
        return _Found(folder, [], 0, known.last)
    last = known.last if is_known else 0
    uids = session.after(last) if last else session.since(begin - timedelta(days=1))
    asked = _affordable(session.sizes(uids[:LETTERS])) if uids else []
    letters = session.read(asked) if asked else []
    return _Found(folder, letters, len(uids) - len(asked), max(asked, default=last))


def _affordable(sizes: Mapping[int, int]) -> list[int]:
    """Return the first letters that one poll can bring, lowest number first."""
    asked: list[int] = []
    total = 0
    for uid in sorted(sizes):
        total += sizes[uid]
        if asked and total > BYTES:
            break
        asked.append(uid)
    return asked
