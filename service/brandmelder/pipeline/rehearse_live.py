"""Tries a channel out: posts, finds, edits, answers, takes away; says what the place allows, and how fast it is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.model import Form
from brandmelder.notify.notifier import Able, Found, Sent
from brandmelder.notify.patience import QUIESCE
from brandmelder.pipeline.rehearse import example

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from brandmelder.clock import Clock
    from brandmelder.notify.compose import Context
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Notifier, Outcome

LOOKS = 5
"""How often a message is looked for that was just posted."""
BACK = timedelta(minutes=2)


class Finding(Struct, frozen=True, kw_only=True):
    """What one step of the trial showed."""

    step: str
    is_good: bool
    text: str = ""
    took: timedelta | None = None


class Trial:
    """One trial of one channel. It deletes what it posted; of a channel that cannot, the example stays."""

    def __init__(
        self, notifier: Notifier, context: Context, clock: Clock, *, pause: Callable[[timedelta], Awaitable[None]]
    ) -> None:
        self._notifier, self._clock, self._pause = notifier, clock, pause
        self._message, self._key = example(notifier.id, context)
        self._begun = context.now
        self.findings: list[Finding] = []

    async def run(self) -> list[Finding]:
        """Do every step that the channel offers; returns what they showed, in order."""
        notifier, message, key = self._notifier, self._message, self._key
        for trouble in await notifier.check():
            self.findings.append(Finding(step="check", is_good=False, text=trouble))
        if self.findings:
            return self.findings
        ref = await self._step("post", notifier.push(message, key=key, thread=None, form=Form.FULL))
        if ref is None:
            return self.findings
        await self._find(key, None)
        if notifier.can_update:
            await self._pause(notifier.spacing)
            edited = replace(message, emoji="🟢", revision=message.revision + 1)
            await self._step("edit", notifier.update(ref, edited, key=f"{key}:edit", form=Form.FULL))
        reply = await self._reply(message, ref)
        if isinstance(notifier, Able):
            self.findings += [
                Finding(step=f"may {one.what}", is_good=one.is_there, text="" if one.is_there else one.otherwise)
                for one in await notifier.abilities()
            ]
        for posted in (reply, ref):
            if posted is not None and notifier.can_find:
                await self._step("take away", notifier.delete(posted))
        return self.findings

    async def _reply(self, message: Message, ref: str) -> str | None:
        await self._pause(self._notifier.spacing)
        key = f"{self._key}:reply"
        bare = replace(message, lines=(), quotes=(), spark="", chart=None)
        reply = await self._step("answer", self._notifier.push(bare, key=key, thread=ref, form=Form.FULL))
        if reply is not None:
            await self._find(key, ref)
        return reply

    async def _step(self, step: str, act: Awaitable[Outcome]) -> str | None:
        begun = self._clock.now()
        outcome = await act
        took = self._clock.now() - begun
        if isinstance(outcome, Sent):
            self.findings.append(Finding(step=step, is_good=True, text=outcome.note or "", took=took))
            return outcome.ref
        self.findings.append(Finding(step=step, is_good=False, text=outcome.reason, took=took))
        return None

    async def _find(self, key: str, thread: str | None) -> None:
        """Look for what was just posted; a history that lags is what the quiesce of a delivery is for."""
        if not self._notifier.can_find:
            return
        begun, step = self._clock.now(), "find by its key" if thread is None else "find the answer by its key"
        for look in range(1, LOOKS + 1):
            found = await self._notifier.find(key, since=self._begun - BACK, thread=thread)
            took = self._clock.now() - begun
            if not isinstance(found, Found):
                self.findings.append(Finding(step=step, is_good=False, text=found.reason, took=took))
                return
            if found.refs:
                text = "" if look == 1 else f"at look {look}"
                self.findings.append(Finding(step=step, is_good=True, text=text, took=took))
                return
        text = f"not yet there; a delivery looks {QUIESCE.total_seconds():g} s after its attempt, try again"
        self.findings.append(Finding(step=step, is_good=False, text=text, took=self._clock.now() - begun))
