"""Mattermost: by a bot one message, edited, with news in its thread; by an incoming webhook a message for every news.

https://developers.mattermost.com/api-documentation/ (posts), .../integrate/reference/message-attachments/
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from brandmelder.errors import ChannelError
from brandmelder.model import Form, State
from brandmelder.notify.answers import is_success, refusal, unheard
from brandmelder.notify.channels.mattermost_options import MattermostOptions
from brandmelder.notify.markdown import Dialect, escaped
from brandmelder.notify.notifier import Found, Outcome, RefusedPlace, Sent, Unclear, Uneditable, Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import ChannelId
    from brandmelder.notify.answers import Refusal
    from brandmelder.notify.message import Message
    from brandmelder.notify.notifier import Reply, Tools
    from brandmelder.options import ChannelOptions

DIALECT = Dialect(show=escaped, bold="**", link="[{label}](<{url}>)")
KEY = "brandmelder_key"
"""The property of a post that carries its key."""
_COLOURS = {State.OPEN: "#c8102e", State.ACKNOWLEDGED: "#d9a400", State.RESOLVED: "#2e7d32"}


class MattermostNotifier:
    """One channel. A `ref` is a post's id, of a webhook's post the delivery's key."""

    Options: ClassVar[type[ChannelOptions]] = MattermostOptions
    is_idempotent = False
    spacing = timedelta(seconds=1)

    def __init__(self, channel_id: ChannelId, options: MattermostOptions, tools: Tools) -> None:
        self.id = channel_id
        self._options, self._tools = options, tools
        self.can_update = self.can_find = options.webhook is None
        self._me = ""

    async def push(self, message: Message, *, key: str, thread: str | None, form: Form) -> Outcome:
        """Post a message, with a bot into the thread under `thread` if given."""
        post = _post(message, form)
        if self._options.webhook is not None:
            return await self._told("POST", self._options.webhook.reveal(), post, ref=key)
        props = {"attachments": post.get("attachments", []), KEY: message.stamped(key)}
        body = {"channel_id": self._options.channel, "message": post["text"], "root_id": thread or "", "props": props}
        return await self._told("POST", self._url("posts"), body)

    async def update(self, ref: str, message: Message, *, key: str, form: Form) -> Outcome:
        """Replace the post under `ref`; it keeps the key under which it was posted."""
        del key
        if not self.can_update:
            return Uneditable("what came by a webhook is not edited")
        standing = await self._asked("GET", self._url(f"posts/{ref}"))
        if not isinstance(standing, dict):
            return standing
        post = _post(message, form)
        props = {**(standing.get("props") or {}), "attachments": post.get("attachments", [])}
        return await self._told("PUT", self._url(f"posts/{ref}/patch"), {"message": post["text"], "props": props})

    async def find(self, key: str, *, since: datetime, thread: str | None) -> Found | Unreadable:
        """Look for our own post with this key."""
        if not self.can_find:
            return Unreadable("a webhook only writes")
        if not self._me:
            me = await self._asked("GET", self._url("users/me"))
            if not isinstance(me, dict):
                return Unreadable(me.reason)
            self._me = str(me.get("id", ""))
        moment = int(since.timestamp() * 1000)
        place = f"posts/{thread}/thread" if thread else f"channels/{self._options.channel}/posts?since={moment}"
        page = await self._asked("GET", self._url(place))
        if not isinstance(page, dict):
            return Unreadable(page.reason)
        posts = (page.get("posts") or {}).values()
        ours = [one for one in posts if self._carries(one, key) and one.get("create_at", 0) >= moment]
        return Found(tuple(str(one["id"]) for one in sorted(ours, key=lambda one: one.get("create_at", 0))))

    async def delete(self, ref: str) -> Outcome:
        """Take a twin away again."""
        if not self.can_find:
            return RefusedPlace(f"{ref} cannot be taken back")
        outcome = await self._told("DELETE", self._url(f"posts/{ref}"), None, ref=ref)
        return Sent(ref) if isinstance(outcome, Uneditable) and outcome.is_gone else outcome

    async def check(self) -> Sequence[str]:
        """Return whether the bot may see its channel; of a webhook nothing can be asked."""
        if not self.can_find:
            return []
        seen = await self._asked("GET", self._url(f"channels/{self._options.channel}"))
        return [] if isinstance(seen, dict) else [seen.reason]

    async def close(self) -> None:
        """Hold nothing."""

    def _url(self, path: str) -> str:
        return f"{(self._options.server or '').rstrip('/')}/api/v4/{path}"

    def _carries(self, post: dict[str, Any], key: str) -> bool:
        told = str((post.get("props") or {}).get(KEY, ""))
        is_key = told == key or told.startswith(f"{key}:")
        return is_key and post.get("user_id") == self._me and not post.get("delete_at")

    async def _told(self, method: str, url: str, body: dict[str, Any] | None, *, ref: str | None = None) -> Outcome:
        try:
            reply = await self._exchange(method, url, body)
        except ChannelError as error:
            return unheard(error, "Mattermost")
        if (refused := self._refused(reply, url)) is not None:
            return refused
        if ref is not None:
            return Sent(ref)
        ident = _decoded(reply).get("id")
        return Sent(ident) if isinstance(ident, str) and ident else Unclear("Mattermost did not say which post it is")

    async def _asked(self, method: str, url: str) -> dict[str, Any] | Refusal:
        try:
            reply = await self._exchange(method, url, None)
        except ChannelError as error:
            return unheard(error, "Mattermost")
        if (refused := self._refused(reply, url)) is not None:
            return refused
        return _decoded(reply)

    async def _exchange(self, method: str, url: str, body: dict[str, Any] | None) -> Reply:
        headers = {"content-type": "application/json"}
        if self._options.token is not None:
            headers["authorization"] = f"Bearer {self._options.token.reveal()}"
        content = b"" if body is None else msgspec.json.encode(body)
        return await self._tools.exchange(method, url, headers=headers, body=content)

    def _refused(self, reply: Reply, url: str) -> Refusal | None:
        if reply.status == 404 and "/posts/" in url and self._options.webhook is None:
            return Uneditable("the post is gone", is_gone=True)
        return None if is_success(reply) else refusal(reply, "Mattermost")


def _post(message: Message, form: Form) -> dict[str, Any]:
    text = f"**{escaped(message.lock_screen)}**"
    if form is not Form.FULL:
        return {"text": text}
    colour = _COLOURS.get(message.subject.state, "#8a929c") if message.subject else "#8a929c"
    attachment = {
        "fallback": message.lock_screen.replace("@", "＠"),
        "color": colour,
        "text": DIALECT.body(message),
        "fields": list(DIALECT.fields(message)),
    }
    return {"text": text, "attachments": [attachment]}


def _decoded(reply: Reply) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}
