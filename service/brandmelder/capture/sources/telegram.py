"""What a Telegram bot hears: groups and channels that it is a member of, over the Bot API.

Updates are numbered and kept for a day. Asking for the next confirms those before, so our rows are committed first: a
crash asks again. There is no search and there are no deletions. API: https://core.telegram.org/bots/api#getupdates
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field

from brandmelder.capture.json_api import read_json
from brandmelder.capture.mentions import Told, mention_of
from brandmelder.capture.source import Poll, Tools
from brandmelder.errors import AuthRefused, Gone, RateLimited, ShapeChanged, SourceError
from brandmelder.model import Cursor, Extent, Gap, Mention, SourceId
from brandmelder.options import SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from brandmelder.capture.source import Answer

PAGE: Final = 100
KEPT: Final = timedelta(hours=24)
"""How long Telegram keeps what nobody asked for."""
_SERVICE: Final = "the Bot API"
_TOLD: Final = frozenset({400, 401, 403, 404, 409, 429})
_KINDS: Final = '["message","edited_message","channel_post","edited_channel_post"]'


class TelegramOptions(SourceOptions):
    """Groups and channels that a bot of yours is a member of."""

    token: SecretText
    """The bot's token, from @BotFather."""
    chats: Annotated[tuple[Annotated[str, Field(pattern=r"^(-?\d{1,20}|@?[A-Za-z0-9_]{4,32})$")], ...], Field()] = ()
    """Only these, by id or @name; by default all that the bot is in."""
    url: WebAddress = "https://api.telegram.org"
    """Where the API stands."""


class _Chat(Struct, frozen=True):
    id: int
    username: str = ""
    title: str = ""
    type: str = ""


class _Person(Struct, frozen=True):
    username: str = ""
    first_name: str = ""


class _Answered(Struct, frozen=True):
    message_id: int


class _Message(Struct, frozen=True, rename={"person": "from"}):
    message_id: int
    date: int
    chat: _Chat
    text: str = ""
    caption: str = ""
    person: _Person | None = None
    sender_chat: _Chat | None = None
    reply_to_message: _Answered | None = None


class _Update(Struct, frozen=True):
    update_id: int
    message: _Message | None = None
    edited_message: _Message | None = None
    channel_post: _Message | None = None
    edited_channel_post: _Message | None = None

    @property
    def said(self) -> _Message | None:
        return self.message or self.edited_message or self.channel_post or self.edited_channel_post


class _Updates(Struct, frozen=True):
    result: list[_Update]


class _Parameters(Struct, frozen=True):
    retry_after: int = 0


class _Refused(Struct, frozen=True):
    description: str = ""
    parameters: _Parameters = _Parameters()


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds."""

    v: int = 1
    first: datetime
    offset: int = 0
    """The first update that was not read yet; 0 for whichever is."""
    asked: datetime | None = None
    """When everything was read last."""


class TelegramSource:
    """Reads the next updates."""

    Options: ClassVar[type[SourceOptions]] = TelegramOptions

    def __init__(self, source_id: SourceId, options: TelegramOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._chats = {name.lstrip("@").casefold() for name in options.chats}

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read up to a hundred updates; the next question tells Telegram that they were kept."""
        memory = self._recall(cursor, now)
        updates = await self._ask(memory.offset, now)
        is_last = len(updates) < PAGE
        gaps = self._gaps(memory.asked, now)
        memory.offset = _following(updates)
        memory.asked = now.replace(microsecond=0) if is_last else memory.asked
        found = {one.external_id: one for one in (self._mention(update, now) for update in updates) if one}
        return Poll(
            mentions=tuple(
                replace(one, history=True) if one.published_at < memory.first else one for one in found.values()
            ),
            cursor=Cursor(msgspec.json.encode(memory).decode()),
            read_until=now if is_last else None,
            gaps=gaps if is_last else (),
            extent=Extent(read=len(updates)),
            more=not is_last,
        )

    def _recall(self, cursor: Cursor | None, now: datetime) -> Memory:
        try:
            memory = msgspec.json.decode(cursor, type=Memory) if cursor else None
        except msgspec.MsgspecError:
            memory = None
        return memory or Memory(first=now.replace(microsecond=0))

    def _gaps(self, asked: datetime | None, now: datetime) -> tuple[Gap, ...]:
        """Return what Telegram no longer keeps, if nobody asked for longer than a day."""
        if asked is None or now - asked <= KEPT:
            return ()
        reason = "nobody asked for more than a day, and Telegram keeps no more"
        until = (now - KEPT).replace(microsecond=0)
        return (Gap(source=self.id, since=asked, until=until, reason=reason),)

    async def _ask(self, offset: int, now: datetime) -> list[_Update]:
        asked = {"limit": PAGE, "timeout": 0, "allowed_updates": _KINDS} | ({"offset": offset} if offset else {})
        base = self._options.url.rstrip("/")
        address = f"{base}/bot{self._options.token.reveal()}/getUpdates?{urlencode(asked)}"
        answer = await self._tools.fetch(address, now=now, takes=_TOLD)
        if answer.status in _TOLD:
            raise self._refusal(answer, now).about(self.id)
        return read_json(answer, _Updates, source=self.id, service=_SERVICE).result

    def _refusal(self, answer: Answer, now: datetime) -> SourceError:
        if answer.status in {401, 403, 404}:
            return AuthRefused("refuses the token; ask @BotFather for a new one")
        if answer.status == 409:
            return Gone("something else hears this bot: a webhook, or a second program; end that, or make another bot")
        try:
            told = read_json(answer, _Refused, source=self.id, service=_SERVICE)
        except ShapeChanged:
            if answer.status != 429:
                raise
            return RateLimited("is asked too often; it is asked again in a minute", now + timedelta(minutes=1))
        if answer.status == 429:
            wait = timedelta(seconds=min(max(told.parameters.retry_after, 1), 86_400))
            return RateLimited(f"is asked too often; it is asked again in {wait}", now + wait)
        return ShapeChanged(f"refuses the question ({told.description[:120]})")

    def _mention(self, update: _Update, now: datetime) -> Mention | None:
        said = update.said
        if said is None or not (said.text or said.caption):
            return None
        chat = said.chat
        if self._chats and not {str(chat.id), chat.username.casefold()} & self._chats:
            return None
        by = said.person or _Person()
        told = Told(
            ident=f"{chat.id}:{said.message_id}",
            text=said.text or said.caption,
            published=datetime.fromtimestamp(said.date, UTC) if 0 < said.date < 7_000_000_000 else None,
            url=_link(chat, said.message_id),
            author=by.username or by.first_name or (said.sender_chat or chat).username or chat.title,
            context=chat.title,
            parent=f"{chat.id}:{said.reply_to_message.message_id}" if said.reply_to_message else None,
        )
        return mention_of(told, source=self.id, options=self._options, now=now)


def _following(updates: list[_Update]) -> int:
    """Return which update is asked for next; 0 once all are confirmed, which an empty answer shows.

    After a week without any, the next one gets a number drawn anew. Were it lower than the one asked for, it would be
    confirmed and gone before anybody read it.
    """
    return max([one.update_id + 1 for one in updates], default=0)


def _link(chat: _Chat, number: int) -> str:
    if chat.username:
        return f"https://t.me/{chat.username}/{number}"
    ident = str(chat.id)
    return f"https://t.me/c/{ident.removeprefix('-100')}/{number}" if ident.startswith("-100") else ""
