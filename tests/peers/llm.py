"""A strict server that speaks as OpenAI's chat completions do, and on demand as servers should not.

It answers 400 to anything that is not exactly the question we mean to ask; `mood` turns what it answers.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "sesame"
ENUM = ["negative", "neutral", "positive", "not_about_brand"]


@dataclass
class Model:
    """What was asked, and how to answer: `labels` maps a part of a post to its label."""

    mood: str = "good"
    labels: dict[str, str] = field(default_factory=dict)
    default: str = "negative"
    tokens: int = 60
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def posts(self) -> list[str]:
        return [json.loads(one["messages"][1]["content"])["post"] for one in self.asked]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(request)
        finally:
            self.at_once -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        fault = fault_of(request, raw)
        if fault:
            self.faults.append(fault)
            return web.json_response({"error": {"message": fault}}, status=400)
        self.asked.append(json.loads(raw))
        post = self.posts()[-1]
        label = next((label for part, label in self.labels.items() if part in post), self.default)
        return await self._in_mood(json.dumps({"label": label}))

    async def _in_mood(self, content: str) -> web.StreamResponse:
        if self.mood == "slow":
            await asyncio.Event().wait()
        if self.mood in WHOLE:
            return WHOLE[self.mood]()
        if self.mood in ANSWERS:
            return self.completion(*ANSWERS[self.mood])
        return self.completion(content)

    def completion(self, content: str | None, finish: str = "stop", refusal: str | None = None) -> web.Response:
        usage = {"prompt_tokens": self.tokens - 5, "completion_tokens": 5, "total_tokens": self.tokens}
        return web.json_response(
            {"id": "x", "object": "chat.completion", "choices": [choice(content, finish, refusal)], "usage": usage}
        )


WHOLE = {
    "busy": lambda: web.json_response({"error": "slow down"}, status=429, headers={"retry-after": "600"}),
    "broken": lambda: web.Response(status=500, text="oops"),
    "html": lambda: web.Response(text="<html>Welcome</html>", content_type="text/html"),
    "bytes": lambda: web.Response(body=b"\xff\xfe\x00" * 50),
    "huge": lambda: web.Response(body=b" " * (3 << 20)),
    "two": lambda: web.json_response({"choices": [choice('{"label": "negative"}')] * 2}),
    "none": lambda: web.json_response({"choices": []}),
}
ANSWERS = {
    "silent": (None,),
    "refusal": (None, "stop", "I cannot help with that"),
    "cut": ('{"lab', "length"),
    "prose": ("The sentiment is negative.",),
    "other schema": ('{"sentiment": "negative"}',),
    "more keys": ('{"label": "negative", "note": "call this number"}',),
    "other word": ('{"label": "catastrophic"}',),
    "list": ('{"label": ["negative", "positive"]}',),
}
BAD_MOODS = (*WHOLE, *ANSWERS)
SCHEMA = {
    "type": "object",
    "properties": {"label": {"type": "string", "enum": ENUM}},
    "required": ["label"],
    "additionalProperties": False,
}


def choice(content: str | None, finish: str = "stop", refusal: str | None = None) -> dict[str, Any]:
    return {
        "index": 0,
        "message": {"role": "assistant", "content": content, "refusal": refusal},
        "finish_reason": finish,
    }


def fault_of(request: web.Request, raw: bytes) -> str:
    """Return what is wrong with a question, or nothing."""
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return "wrong token"
    if request.content_type != "application/json":
        return "no JSON"
    body = json.loads(raw)
    if set(body) != {"model", "temperature", "max_tokens", "response_format", "messages"}:
        return f"other keys: {sorted(body)}"
    if body["temperature"] != 0 or body["max_tokens"] > 64:
        return "not deterministic or not short"
    shape = body["response_format"]
    schema = {name: shape.get("json_schema", {}).get(name) for name in ("strict", "schema")}
    if shape.get("type") != "json_schema" or schema != {"strict": True, "schema": SCHEMA}:
        return "no strict schema"
    return fault_of_messages(body["messages"])


def fault_of_messages(messages: list[dict[str, str]]) -> str:
    if [one["role"] for one in messages] != ["system", "user"]:
        return "other roles"
    content = json.loads(messages[1]["content"])
    if set(content) != {"brand", "post"} or len(content["post"]) > 600:
        return "the post is not one JSON string of at most 600 characters"
    return ""


@asynccontextmanager
async def running(model: Model):
    """Serve on a free port of the loopback; `model.url` says where."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    model.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/chat/completions"
    try:
        yield model
    finally:
        await runner.cleanup()
