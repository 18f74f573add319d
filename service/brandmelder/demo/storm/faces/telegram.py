"""Telegram's Bot API: what a bot hears in one group, as numbered updates kept for a day; nothing tells of deletions.

https://core.telegram.org/bots/api#getupdates
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Said, Wall

CHAT: Final = -1_001_234_567_890
KEPT: Final = timedelta(hours=24)
_FIRST: Final = 700_000_000
_MOST: Final = 100
_BOT: Final = {"id": 4_000_000, "is_bot": True, "first_name": "Nordfunk", "username": "nordfunkbot"}


class TelegramFace:
    """Who the bot is, and what it hears; an offset confirms what stands before it, which is never asked for again."""

    def ident(self, post: Post) -> str:
        """Return the chat and the message's number in it."""
        return f"{CHAT}:{post.number}"

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer the updates from an offset on."""
        bot, _, method = asked.path.removeprefix("/bot").partition("/")
        if bot != "token":
            return _refused(401, "Unauthorized")
        if method == "getMe":
            return said({"ok": True, "result": _BOT})
        if method != "getUpdates":
            return _refused(404, "Not Found")
        told = dict(parse_qsl(asked.body.decode())) | dict(asked.query)  # it takes both
        size, first = min(max(int(told.get("limit", "100")), 1), _MOST), int(told.get("offset", "0"))
        recent = [update for at, update in _updates(wall) if wall.now - KEPT <= at <= wall.now]
        kept = [update for update in recent if update["update_id"] >= first]
        return said({"ok": True, "result": kept[:size]})

    def refusal(self, _wall: Wall) -> Said:
        """Say how long to wait."""
        return _refused(429, "Too Many Requests: retry after 35", retry_after=35)


def _updates(wall: Wall) -> list[tuple[datetime, dict[str, Any]]]:
    """Return all updates of the story: each message when it is written, and again when it is changed."""
    events = [(post.shown_at, post.number, "message", post, post.text) for post in wall.posts]
    events += [
        (at, post.number, "edited_message", post, text)
        for post in wall.posts
        for at, text in post.edits
        if at > post.shown_at and (post.gone_at is None or at < post.gone_at)
    ]
    events.sort(key=lambda event: (event[0], event[1]))
    found = []
    for number, (at, _, kind, post, text) in enumerate(events):
        told = _message(post, text) | ({"edit_date": int(at.timestamp())} if kind == "edited_message" else {})
        found.append((at, {"update_id": _FIRST + number, kind: told}))
    return found


def _message(post: Post, text: str) -> dict[str, Any]:
    person = int(post.author.removeprefix("mensch"))
    return {
        "message_id": post.number,
        "date": int(post.at.timestamp()),
        "chat": {"id": CHAT, "type": "supergroup", "title": "Nordfunk hilft", "username": "nordfunkhilft"},
        "from": {"id": 5_000_000 + person, "is_bot": False, "first_name": post.author, "username": post.author},
        "text": text,
    }


def _refused(status: int, description: str, **parameters: int) -> Said:
    told: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return said(told | ({"parameters": parameters} if parameters else {}), status)
