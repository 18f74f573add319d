"""The calls of Slack's Web API on a workspace: arguments, rights, content, answers.

After https://docs.slack.dev/reference/methods. What Slack refuses is raised as `Refused` with Slack's own name for it.
"""

import base64
import json
import re
import secrets
import time
from collections import defaultdict, deque
from dataclasses import replace

from peers.slack import blocks as block_kit
from peers.slack import views
from peers.slack.workspace import Seen

MOST_METADATA = 8_000
TIERS = {"chat.update": 50, "chat.delete": 50, "conversations.history": 50, "conversations.replies": 50}
"""Calls a minute for each method, where not one a second for each channel."""
POST_ARGUMENTS = frozenset(
    {"channel", "text", "blocks", "thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media", "metadata"}
    | {"mrkdwn", "parse", "link_names", "attachments", "icon_emoji", "icon_url", "username", "as_user"}
)
UPDATE_ARGUMENTS = frozenset(
    {"channel", "ts", "text", "blocks", "metadata", "parse", "link_names", "reply_broadcast", "attachments", "as_user"}
)


class Refused(Exception):
    """Slack says no."""

    def __init__(self, name, *, status=200, headers=(), **extra):
        super().__init__(name)
        self.name, self.status, self.headers, self.extra = name, status, tuple(headers), extra


class Api:
    """Carries out calls; keeps what was asked (`requests`) and what Slack asks not to be done (`complaints`)."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.requests = []
        self.complaints = []
        self.url = ""
        """Where files are uploaded to, set by the server."""
        self._posts = {}
        self._calls = defaultdict(deque)
        self.connect_url = lambda: ""
        """Makes an address for one connection; the server knows where it listens."""

    def call(self, method, arguments, token, *, late=0.0):
        """Carry out one call and return Slack's answer. Raises Refused with its error."""
        self.workspace.land()
        self.requests.append((method, arguments))
        if method == "api.test":
            return {"ok": True, "args": arguments}
        if method == "apps.connections.open":
            return self._connect(token)
        bot = self._bot(token)
        act = {
            "auth.test": lambda bot, _: _who(bot),
            "conversations.info": self._info,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "users.info": self._user,
            "views.open": self._open_view,
            "files.getUploadURLExternal": self._announce,
            "files.completeUploadExternal": self._complete,
        }.get(method)
        if act is None:
            raise Refused("unknown_method", req_method=method)
        self._pace(method)
        if act == self._post:
            return self._post(bot, arguments, late=late)
        return act(bot, arguments)

    def _info(self, bot, arguments):
        channel = self._channel(bot, arguments, must_be_member=False)
        self._need(bot, "groups:read" if channel.is_private else "channels:read")
        return {
            "ok": True,
            "channel": {
                "id": channel.id,
                "name": channel.name,
                "is_channel": True,
                "is_private": channel.is_private,
                "is_archived": channel.is_archived,
                "is_member": bot.user_id in channel.members,
            },
        }

    def _history(self, bot, arguments):
        channel = self._readable(bot, arguments)
        found = [
            one
            for one in reversed(self.workspace.visible(channel.id))
            if (not one.thread_ts or one.is_broadcast) and _within(one.ts, arguments)
        ]
        return self._page(found, arguments, default=100)

    def _replies(self, bot, arguments):
        channel = self._readable(bot, arguments)
        parent = self.workspace.messages.get((channel.id, arguments.get("ts", "")))
        if parent is None:
            raise Refused("thread_not_found")
        replies = self.workspace.replies_to(parent)
        return self._page([parent, *(one for one in replies if _within(one.ts, arguments))], arguments, default=1000)

    def _post(self, bot, arguments, *, late=0.0):
        self._need(bot, "chat:write")
        self._known(arguments, POST_ARGUMENTS)
        channel = self._channel(bot, arguments)
        if channel.is_archived:
            raise Refused("is_archived")
        self._check_content(arguments)
        self._check_metadata(arguments)
        thread = arguments.get("thread_ts", "")
        if thread and (channel.id, thread) not in self.workspace.messages:
            raise Refused("thread_not_found")
        if arguments.get("reply_broadcast") and not thread:
            raise Refused("invalid_arguments", detail="reply_broadcast without thread_ts")
        self._pace_post(channel)
        seen = Seen(
            channel=channel.id,
            ts=self.workspace.stamp(late=late),
            text=arguments.get("text", ""),
            user=bot.user_id,
            bot_id=bot.bot_id,
            blocks=tuple(arguments.get("blocks") or ()),
            thread_ts=thread,
            is_broadcast=bool(arguments.get("reply_broadcast")),
            metadata=arguments.get("metadata"),
        )
        self.workspace.put(seen, late=late)
        return {"ok": True, "channel": channel.id, "ts": seen.ts, "message": _shown(seen, (), with_metadata=False)}

    def _post_ephemeral(self, bot, arguments):
        self._need(bot, "chat:write")
        self._known(arguments, POST_ARGUMENTS | {"user"})
        channel = self._channel(bot, arguments)
        if arguments.get("user") not in channel.members:
            raise Refused("user_not_in_channel")
        self._check_content(arguments)
        person, ts = arguments["user"], self.workspace.stamp()
        self.workspace.whispers[person, ts] = Seen(
            channel=channel.id,
            ts=ts,
            text=arguments.get("text", ""),
            user=bot.user_id,
            bot_id=bot.bot_id,
            blocks=tuple(arguments.get("blocks") or ()),
            thread_ts=arguments.get("thread_ts", ""),
        )
        return {"ok": True, "message_ts": ts}

    def _connect(self, token):
        refused = self.workspace.app_tokens.get(token, "not_allowed_token_type" if token else "not_authed")
        if refused:
            raise Refused("invalid_auth" if token.startswith("xapp-") and refused.startswith("not") else refused)
        return {"ok": True, "url": self.connect_url()}

    def _user(self, bot, arguments):
        self._need(bot, "users:read")
        person = self.workspace.people.get(arguments.get("user", ""))
        if person is None:
            raise Refused("user_not_found")
        profile = {"display_name": person.name, "real_name": person.name}
        user = {"id": arguments["user"], "name": person.handle, "real_name": person.name, "profile": profile}
        return {"ok": True, "user": user | {"is_bot": False, "deleted": False}}

    def _open_view(self, _bot, arguments):
        self._known(arguments, {"trigger_id", "view", "interactivity_pointer"})
        born = self.workspace.triggers.pop(arguments.get("trigger_id", ""), None)
        if born is None:
            raise Refused("invalid_trigger_id")
        if time.monotonic() - born[0] > 3.0:
            raise Refused("expired_trigger_id")
        view = arguments["view"]
        view = json.loads(view) if isinstance(view, str) else view
        why = views.refusals(view)
        if why:
            raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {w}" for w in why]})
        shown = view | {"id": f"V{secrets.token_hex(5).upper()}"}
        self.workspace.forms[born[1]] = shown
        return {"ok": True, "view": shown}

    def _update(self, bot, arguments):
        self._need(bot, "chat:write")
        self._known(arguments, UPDATE_ARGUMENTS)
        channel = self._channel(bot, arguments)
        if channel.is_archived:
            raise Refused("is_inactive")
        before = self._own(bot, channel, arguments, "cant_update_message")
        if not self.workspace.edit_window:
            raise Refused("edit_window_closed")
        self._check_content(arguments)
        self._check_metadata(arguments)
        blocks = before.blocks if "blocks" not in arguments and "text" not in arguments else arguments.get("blocks", ())
        if _has_rich_text(before.blocks) and not _has_rich_text(blocks):
            raise Refused("block_mismatch")
        self._watch_block_ids(before.blocks, blocks)
        metadata = arguments.get("metadata", before.metadata) or None
        seen = replace(
            before,
            text=arguments.get("text", before.text),
            blocks=tuple(blocks),
            metadata=metadata,
            edited=f"{self.workspace.clock():.6f}",
        )
        self.workspace.put(seen)
        return {"ok": True, "channel": channel.id, "ts": seen.ts, "text": seen.text}

    def _delete(self, bot, arguments):
        self._need(bot, "chat:write")
        self._known(arguments, {"channel", "ts", "as_user"})
        channel = self._channel(bot, arguments)
        seen = self._own(bot, channel, arguments, "cant_delete_message")
        self.workspace.take(channel.id, seen.ts)
        return {"ok": True, "channel": channel.id, "ts": seen.ts}

    # ------------------------------------------------------------------------- files

    def _announce(self, bot, arguments):
        self._need(bot, "files:write")
        self._known(arguments, {"filename", "length", "alt_txt", "snippet_type"})
        length = str(arguments.get("length", ""))
        if not arguments.get("filename") or not length.isdecimal() or length == "0":
            raise Refused("invalid_arguments")
        if len(arguments.get("alt_txt", "")) > 1_000:
            raise Refused("alt_txt_too_large")
        ident = f"F{len(self.workspace.uploads):010}"
        self.workspace.uploads[ident] = {
            "name": arguments["filename"],
            "alt_txt": arguments.get("alt_txt", ""),
            "size": int(length),
            "content": None,
        }
        return {"ok": True, "file_id": ident, "upload_url": f"{self.url}upload/v1/{ident}"}

    def receive(self, ident, content):
        """Take the bytes of an announced file; says whether they are as many as were announced."""
        file = self.workspace.uploads.get(ident)
        if file is None or len(content) != file["size"]:
            return False
        file["content"] = content
        return True

    def _complete(self, bot, arguments):
        self._need(bot, "files:write")
        self._known(arguments, {"files", "channel_id", "channels", "thread_ts", "initial_comment", "blocks"})
        asked = arguments.get("files")
        asked = json.loads(asked) if isinstance(asked, str) else asked
        files = [{"id": one.get("id"), "title": one.get("title")} for one in asked or ()]
        if not files or any((self.workspace.uploads.get(one["id"]) or {}).get("content") is None for one in files):
            raise Refused("file_not_found")
        channel = self._channel(bot, {"channel": arguments.get("channel_id", "")})
        thread = arguments.get("thread_ts", "")
        if thread and (channel.id, thread) not in self.workspace.messages:
            raise Refused("thread_not_found")
        kept = [
            one | {name: self.workspace.uploads[one["id"]][name] for name in ("name", "alt_txt", "size")}
            for one in files
        ]
        seen = Seen(
            channel=channel.id,
            ts=self.workspace.stamp(),
            text=arguments.get("initial_comment", ""),
            user=bot.user_id,
            bot_id=bot.bot_id,
            thread_ts=thread,
            files=tuple(kept),
        )
        self.workspace.put(seen)
        return {"ok": True, "files": files}

    # ------------------------------------------------------------------------ rights

    def _bot(self, token):
        if not token:
            raise Refused("not_authed")
        if token not in self.workspace.bots:
            raise Refused("invalid_auth")
        bot = self.workspace.bots[token]
        if bot.refused:
            raise Refused(bot.refused)
        return bot

    def _need(self, bot, scope):
        if scope not in bot.scopes:
            raise Refused("missing_scope", needed=scope, provided=",".join(sorted(bot.scopes)))

    def _channel(self, bot, arguments, *, must_be_member=True):
        channel = self.workspace.channels.get(arguments.get("channel", ""))
        if channel is None or (channel.is_private and bot.user_id not in channel.members):
            raise Refused("channel_not_found")
        if must_be_member and bot.user_id not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def _readable(self, bot, arguments):
        channel = self._channel(bot, arguments)
        self._need(bot, "groups:history" if channel.is_private else "channels:history")
        return channel

    def _own(self, bot, channel, arguments, otherwise):
        seen = self.workspace.messages.get((channel.id, arguments.get("ts", "")))
        if seen is None:
            raise Refused("message_not_found")
        if seen.bot_id != bot.bot_id:
            raise Refused(otherwise)
        return seen

    # ----------------------------------------------------------------------- content

    def _known(self, arguments, names):
        unknown = sorted(arguments.keys() - names)
        if unknown:
            raise Refused("invalid_arguments", response_metadata={"messages": [f"unknown argument {unknown[0]}"]})

    def _check_content(self, arguments):
        text, blocks = arguments.get("text", ""), arguments.get("blocks")
        if not isinstance(text, str) or len(text) > 4_000:
            raise Refused("msg_too_long")
        if not text.strip() and not blocks:
            raise Refused("no_text")
        if blocks is None:
            return
        why = block_kit.refusals(blocks)
        if not self.workspace.draws and any(one.get("type") == "data_visualization" for one in blocks):
            why = [*why, "unsupported type: data_visualization"]
        if why:
            raise Refused("invalid_blocks", errors=why, response_metadata={"messages": [f"[ERROR] {w}" for w in why]})
        if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > block_kit.MOST_CHARACTERS:
            raise Refused("msg_blocks_too_long")

    def _check_metadata(self, arguments):
        metadata = arguments.get("metadata")
        if not metadata:
            return
        if not isinstance(metadata, dict) or metadata.keys() != {"event_type", "event_payload"}:
            raise Refused("invalid_metadata_format")
        if not re.fullmatch(r"\w{1,255}", str(metadata["event_type"])) or not isinstance(
            metadata["event_payload"], dict
        ):
            raise Refused("invalid_metadata_schema")
        if len(json.dumps(metadata)) > MOST_METADATA:
            raise Refused("metadata_too_large")

    def _watch_block_ids(self, before, after):
        old = {block.get("block_id"): block for block in before}
        for block in after:
            same = old.get(block.get("block_id"))
            if same is not None and same != block:
                self.complaints.append(f"block_id {block['block_id']} was kept although its block changed")

    # -------------------------------------------------------------------------- rate

    def _pace_post(self, channel):
        now = self.workspace.clock()
        if now - self._posts.get(channel.id, float("-inf")) < 1.0:
            raise Refused("ratelimited", status=429, headers=[("Retry-After", "1")])
        self._posts[channel.id] = now

    def _pace(self, method):
        if method not in TIERS:
            return
        calls, now = self._calls[method], self.workspace.clock()
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= TIERS[method]:
            wait = int(calls[0] + 60 - now) + 1
            raise Refused("ratelimited", status=429, headers=[("Retry-After", str(wait))])
        calls.append(now)

    # ------------------------------------------------------------------------ answers

    def _page(self, found, arguments, *, default):
        limit = min(int(arguments.get("limit") or default), self.workspace.page)
        start = 0
        if arguments.get("cursor"):
            start = int(base64.b64decode(arguments["cursor"]).decode().removeprefix("next:"))
        page = found[start : start + limit]
        more = start + limit < len(found)
        cursor = base64.b64encode(f"next:{start + limit}".encode()).decode() if more else ""
        with_metadata = _is_true(arguments.get("include_all_metadata"))
        return {
            "ok": True,
            "messages": [_shown(one, self.workspace.replies_to(one), with_metadata=with_metadata) for one in page],
            "has_more": more,
            "response_metadata": {"next_cursor": cursor},
        }


def _shown(seen, replies, *, with_metadata):
    shown = {"type": "message", "ts": seen.ts, "user": seen.user, "text": seen.text}
    if seen.bot_id:
        shown |= {"bot_id": seen.bot_id, "app_id": "A0BRANDMELD"}
    if seen.blocks:
        shown["blocks"] = list(seen.blocks)
    if replies:
        shown |= {"thread_ts": seen.ts, "reply_count": len(replies)}
        shown["reply_users"] = sorted({one.user for one in replies})
    if seen.thread_ts:
        shown["thread_ts"] = seen.thread_ts
    if seen.is_broadcast:
        shown["subtype"] = "thread_broadcast"
    if seen.edited:
        shown["edited"] = {"user": seen.user, "ts": seen.edited}
    if seen.metadata:
        shown["metadata"] = seen.metadata if with_metadata else {"event_type": seen.metadata["event_type"]}
    return shown


def _who(bot):
    return {
        "ok": True,
        "url": "https://nordfunk.slack.example/",
        "team": bot.team,
        "user": bot.user,
        "team_id": "T0NORDFUNK",
        "user_id": bot.user_id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


def _within(ts, arguments):
    oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
    inclusive = _is_true(arguments.get("inclusive"))
    return oldest <= float(ts) <= latest if inclusive else oldest < float(ts) < latest


def _is_true(value):
    return value in {True, "1", "true"}


def _has_rich_text(blocks):
    return any(block.get("type") == "rich_text" for block in blocks or ())
