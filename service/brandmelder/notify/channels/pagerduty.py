"""PagerDuty by its Events API v2: an incident of ours is an alert there, opened, acknowledged and resolved with it.

https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from brandmelder.errors import ChannelError
from brandmelder.model import Form, State
from brandmelder.notify.answers import refusal, unheard
from brandmelder.notify.channels.pagerduty_options import PagerDutyOptions
from brandmelder.notify.compose import plain_text
from brandmelder.notify.inert import inert
from brandmelder.notify.notifier import Found, Outcome, Sent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Tools
    from brandmelder.options import ChannelOptions

SEVERITIES = ("info", "warning", "warning", "error", "critical")
"""By our severity, 1 to 5."""
_ENDED = frozenset({State.RESOLVED, State.DISMISSED, State.DISCARDED})


class PagerDutyNotifier:
    """Sends events. A `ref` is the key under which PagerDuty joins them: the incident."""

    Options: ClassVar[type[ChannelOptions]] = PagerDutyOptions
    can_update = True
    can_find = False
    is_idempotent = True
    spacing = timedelta(seconds=1)

    def __init__(self, channel_id: ChannelId, options: PagerDutyOptions, tools: Tools) -> None:
        self.id = channel_id
        self._options, self._tools = options, tools

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Open the alert there; news of a running incident is noted on it, and opens it anew if it was resolved."""
        del thread
        ident = message.stamped(message.subject.incident if message.subject else key)
        if _action(message) == "resolve":
            return await self._send({"event_action": "resolve", "dedup_key": ident}, ident)
        event = {"event_action": "trigger", "dedup_key": ident} | self._triggered(message, form)
        return await self._send(event, ident)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Acknowledge or resolve there what was acknowledged or ended here; mere figures make no entry."""
        del key, form
        action = _action(message)
        return Sent(ref) if action == "trigger" else await self._send({"event_action": action, "dedup_key": ref}, ref)

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found:
        """Nothing is looked for: events of one incident are joined there."""
        del key, since, thread
        return Found(())

    async def delete(self, ref: str) -> Outcome:
        """Resolve the alert there."""
        return await self._send({"event_action": "resolve", "dedup_key": ref}, ref)

    async def check(self) -> Sequence[str]:
        """Nothing can be asked of PagerDuty by an integration key but to take an event."""
        return []

    async def close(self) -> None:
        """Hold nothing."""

    def _triggered(self, message: Message, form: Form) -> dict[str, Any]:
        subject = message.subject
        payload: dict[str, Any] = {
            "summary": inert(message.lock_screen, 1024),
            "source": subject.monitor if subject else "brandmelder",
            "severity": SEVERITIES[min(max(subject.severity, 1), 5) - 1] if subject else "info",
        }
        if subject is not None:
            payload |= {"timestamp": subject.opened_at, "class": "brand", "component": subject.monitor}
        if form is Form.FULL:
            facts = {line.label: "".join(span.text for span in line.spans) for line in message.lines}
            payload["custom_details"] = facts | {"text": plain_text(message)}
        links = [{"href": one.url, "text": one.label} for one in message.buttons if one.url.startswith("https://")]
        return {"client": "Brandmelder", "payload": payload, **({"links": links} if links else {})}

    async def _send(self, event: dict[str, Any], ident: str) -> Outcome:
        body = msgspec.json.encode(event | {"routing_key": self._options.routing_key.reveal()})
        try:
            reply = await self._tools.exchange(
                "POST", self._options.url, headers={"content-type": "application/json"}, body=body
            )
        except ChannelError as error:
            return unheard(error, "PagerDuty")
        return refusal(reply, "PagerDuty") or Sent(ident)


def _action(message: Message) -> str:
    state = message.subject.state if message.subject else State.OPEN
    if state in _ENDED:
        return "resolve"
    return "acknowledge" if state is State.ACKNOWLEDGED else "trigger"
