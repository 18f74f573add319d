"""A channel that tells nobody: it keeps what people would have read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from brandmelder.notify.compose import plain_text
from brandmelder.notify.notifier import Found, Sent
from brandmelder.options import ChannelOptions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from brandmelder.model import ChannelId, Form
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Notifier, Outcome


class Recorder:
    """Keeps the first message of each incident, and counts the rest."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.pushed = 0

    def channels(self, names: Iterable[ChannelId]) -> dict[ChannelId, Notifier]:
        """Return a recording channel for every configured one."""
        return {name: _Channel(name, self) for name in names}


class _Channel:
    Options: ClassVar[type[ChannelOptions]] = ChannelOptions
    can_update = True
    can_find = True
    is_idempotent = True
    spacing = timedelta(0)

    def __init__(self, ident: ChannelId, recorder: Recorder) -> None:
        self.id, self._recorder = ident, recorder

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        del form
        self._recorder.pushed += 1
        if thread is None:
            self._recorder.first.setdefault(message.incident, plain_text(message))
        return Sent(ref=key)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        del message, key, form
        return Sent(ref=ref)

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found:
        del since, thread
        return Found(refs=(key,))

    async def delete(self, ref: str) -> Outcome:
        return Sent(ref=ref)

    async def check(self) -> tuple[str, ...]:
        return ()

    async def close(self) -> None:
        """Hold nothing."""
