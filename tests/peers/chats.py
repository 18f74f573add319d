"""What PagerDuty, ntfy, Teams, Rocket.Chat and Mattermost take, by their documents; the rest is refused."""

import json
import re

from peers.receiver import Answer

TOKEN = "mm-token"
CHANNEL = "c" * 26
BOT = "b" * 26


def _no(status, why):
    return Answer(status, json.dumps({"why": why}).encode())


class PagerDuty:
    """Events API v2: alerts by dedup key, each with its state and its log."""

    ROUTING = "R" * 32

    def __init__(self):
        self.alerts = {}

    def __call__(self, request):
        event = request.json
        if request.path != "/v2/enqueue" or request.method != "POST" or event.get("routing_key") != self.ROUTING:
            return _no(400, "Invalid routing key")
        action, key = event.get("event_action"), event.get("dedup_key", "")
        if action not in {"trigger", "acknowledge", "resolve"} or not 0 < len(key) <= 255:
            return _no(400, "event_action, dedup_key")
        if action == "trigger":
            payload = event.get("payload", {})
            known = {"critical", "error", "warning", "info"}
            if not (0 < len(payload.get("summary", "")) <= 1024 and payload.get("source")) or (
                payload.get("severity") not in known
            ):
                return _no(400, "payload")
            if self.alerts.get(key, ("resolved",))[0] == "resolved":
                self.alerts[key] = ("triggered", [])
            self.alerts[key][1].append(payload["summary"])
        elif key in self.alerts:
            self.alerts[key] = ("acknowledged" if action == "acknowledge" else "resolved", self.alerts[key][1])
        return Answer(202, json.dumps({"status": "success", "dedup_key": key}).encode())


class Ntfy:
    """Publishing as JSON; a sequence id replaces what it published before."""

    TOPIC = "brand-7f3a"

    def __init__(self):
        self.shown = {}

    def __call__(self, request):
        said = request.json
        known = {"topic", "title", "message", "priority", "sequence_id", "click", "actions", "tags"}
        if request.path != "/" or said.get("topic") != self.TOPIC or set(said) - known:
            return _no(400, "topic or an unknown key")
        if said["priority"] not in range(1, 6) or not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", said["sequence_id"]):
            return _no(400, "priority or sequence_id")
        if len(said["message"].encode()) > 4096 or len(said.get("actions", ())) > 3:
            return _no(400, "too much")
        self.shown[said["sequence_id"]] = said
        return Answer(200, json.dumps(said | {"id": "x"}).encode())


class Teams:
    """A workflow: takes a message with one adaptive card of at most 28 kB, and says 202 before it posts."""

    BLOCKS = frozenset({"RichTextBlock", "Container", "TextRun", "AdaptiveCard", "Action.OpenUrl"})

    def __init__(self):
        self.cards = []

    def __call__(self, request):
        said = request.json
        if len(request.body) > 28 * 1024:
            return _no(413, "Request Entity too large")
        attachments = said.get("attachments", [])
        if said.get("type") != "message" or len(attachments) != 1:
            return _no(400, "message with one attachment")
        if attachments[0].get("contentType") != "application/vnd.microsoft.card.adaptive":
            return _no(400, "contentType")
        card = attachments[0]["content"]
        if {one["type"] for one in walk(card) if "type" in one} - self.BLOCKS or card["version"] != "1.5":
            return _no(400, "block")
        self.cards.append(card)
        return Answer(202)


class RocketChat:
    def __init__(self):
        self.messages = []

    def __call__(self, request):
        if set(request.json) - {"text", "attachments", "parseUrls"} or not request.json.get("text"):
            return _no(400, "text")
        self.messages.append(request.json)
        return Answer(200, b'{"success":true}')


class Mattermost:
    """Posts with memory: an incoming webhook, and the part of the REST API that a bot needs."""

    def __init__(self):
        self.posts, self.hooked, self.now = {}, [], 1_000_000

    def __call__(self, request):
        if request.path == "/hooks/xyz":
            self.hooked.append(request.json)
            return Answer(200, b"ok")
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _no(401, "token")
        path = request.path.removeprefix("/api/v4/")
        for pattern, answer in (
            (r"GET users/me", lambda: {"id": BOT}),
            (rf"GET channels/{CHANNEL}", lambda: {"id": CHANNEL}),
            (r"POST posts", lambda: self._new(request.json)),
            (rf"GET channels/{CHANNEL}/posts\?since=(\d+)", self._since),
            (r"GET posts/(\w+)/thread", self._thread),
            (r"GET posts/(\w+)", self._get),
            (r"PUT posts/(\w+)/patch", lambda ident: self._patch(ident, request.json)),
            (r"DELETE posts/(\w+)", self._delete),
        ):
            if match := re.fullmatch(pattern, f"{request.method} {path}"):
                said = answer(*match.groups())
                return _no(404, "not found") if said is None else Answer(200, json.dumps(said).encode())
        return _no(404, path)

    def person_posts(self, message, **fields):
        return self._new({"channel_id": CHANNEL, "message": message, **fields}, user="p" * 26)

    def _new(self, said, user=BOT):
        if said["channel_id"] != CHANNEL or len(said["message"]) > 16383:
            return None
        if said.get("root_id") and said["root_id"] not in self.posts:
            return None
        self.now += 1000
        ident = f"{len(self.posts):026}"
        post = {
            "id": ident,
            "create_at": self.now,
            "delete_at": 0,
            "user_id": user,
            "edit_at": 0,
            "root_id": "",
            **said,
        }
        self.posts[ident] = post
        return post

    def _get(self, ident):
        post = self.posts.get(ident)
        return None if post is None or post["delete_at"] else post

    def _patch(self, ident, said):
        post = self._get(ident)
        return (post and post.update(said, edit_at=self.now)) or post

    def _delete(self, ident):
        post = self._get(ident)
        return (post and post.update(delete_at=self.now)) or (post and {"status": "OK"})

    def _since(self, moment):
        return {"posts": {ident: post for ident, post in self.posts.items() if post["create_at"] >= int(moment)}}

    def _thread(self, ident):
        if self._get(ident) is None:
            return None
        return {"posts": {one: post for one, post in self.posts.items() if ident in {one, post["root_id"]}}}


def walk(block):
    """Yield every block within a block."""
    if isinstance(block, dict):
        yield block
        block = list(block.values())
    if isinstance(block, list):
        for one in block:
            yield from walk(one)
