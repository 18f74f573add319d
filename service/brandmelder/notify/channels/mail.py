"""Mail: one letter for the alert, one in its thread for every news. What was sent is not edited."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, ClassVar, TypeVar

from brandmelder.model import Form
from brandmelder.notify.channels.mail_letter import illustrate, letter, recipients
from brandmelder.notify.channels.mail_options import MailOptions, address_of
from brandmelder.notify.channels.mail_outcomes import outcome_of
from brandmelder.notify.channels.mail_session import Session, system_trust
from brandmelder.notify.chart import svg
from brandmelder.notify.notifier import Found, Outcome, RefusedPlace, Sent, Uneditable, Unreadable
from brandmelder.notify.raster import can_draw, png

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Tools
    from brandmelder.options import ChannelOptions

DEADLINE = timedelta(seconds=15)
DRAWING = 5.0
"""Seconds that a picture may take; the letter goes without it rather than late."""

T = TypeVar("T")


class MailNotifier:
    """Letters over SMTP, by the standard library in a thread (decision 0047). A `ref` is a Message-ID."""

    Options: ClassVar[type[ChannelOptions]] = MailOptions
    can_update = False
    can_find = False
    is_idempotent = False
    """A mailbox may drop a second letter with the same Message-ID, or show both."""
    spacing = timedelta(seconds=1)

    def __init__(
        self,
        channel_id: ChannelId,
        options: MailOptions,
        tools: Tools,
        *,
        trust: ssl.SSLContext | None = None,
        deadline: timedelta = DEADLINE,
    ) -> None:
        self.id = channel_id
        self._options, self._tools = options, tools
        self._trust, self._deadline = trust, deadline.total_seconds()

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Send a letter, in the conversation of the letter `thread` if given."""
        mail = letter(message, key=key, thread=thread, form=form, options=self._options)
        mail["Date"] = format_datetime(self._tools.now())
        if form is Form.FULL and (picture := await _drawn(message)) is not None:
            illustrate(mail, message, picture)
        sender = address_of(self._options.sender).addr_spec
        places = [one.addr_spec for one in recipients(message, self._options)]
        session = self._session()
        try:
            return await self._in_thread(session, lambda: session.send(mail, sender=sender, recipients=places))
        except TimeoutError as error:
            return outcome_of(error, session.phase)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Say that a letter stays as it is."""
        del ref, message, key, form
        return Uneditable("what was mailed is not edited")

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found | Unreadable:
        """Say that nobody looks into the mailboxes of others."""
        del key, since, thread
        return Unreadable("mailboxes are not ours to read")

    async def delete(self, ref: str) -> Outcome:
        """Say that a letter cannot be called back."""
        return RefusedPlace(f"{ref} cannot be called back")

    async def check(self) -> Sequence[str]:
        """Connect and log in; returns what is wrong, in sentences."""
        session = self._session()
        try:
            trouble = await self._in_thread(session, session.greet)
        except TimeoutError as error:
            outcome = outcome_of(error, session.phase)
            trouble = "" if isinstance(outcome, Sent) else outcome.reason
        return [trouble] if trouble else []

    async def close(self) -> None:
        """Hold nothing: every letter has a connection of its own."""

    def _session(self) -> Session:
        self._trust = self._trust or system_trust()
        return Session(self._options, self._trust)

    async def _in_thread(self, session: Session, talk: Callable[[], T]) -> T:
        """Run a conversation; when its time is over it is cut off, since a thread cannot be."""
        talking = asyncio.create_task(asyncio.to_thread(talk))
        try:
            async with asyncio.timeout(self._deadline):
                return await asyncio.shield(talking)
        except TimeoutError:
            if talking.done():
                raise
            session.hang_up()
            raise


async def _drawn(message: Message) -> bytes | None:
    """Return the message's chart as PNG; None if there is none, or if it cannot be drawn in time."""
    if message.chart is None or not can_draw():
        return None
    try:
        async with asyncio.timeout(DRAWING):
            return await png(svg(message.chart))
    except TimeoutError:
        return None
