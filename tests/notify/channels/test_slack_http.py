"""Slack over HTTP: who drips a request for ever is sent away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from brandmelder.notify.channels import slack_http
from brandmelder.notify.channels.slack_http import SlackHttp
from brandmelder.options import Secret


async def test_a_request_that_never_ends_is_sent_away(monkeypatch):
    monkeypatch.setattr(slack_http, "PATIENCE", 0.05)
    answers, begun = [], iter([{"type": "http.request", "body": b"payload=", "more_body": True}])

    async def receive():
        for message in begun:
            return message
        return await asyncio.Event().wait()

    async def send(message):
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/slack", "raw_path": b"/slack", "query_string": b"", "headers": [],
        "http_version": "1.1", "scheme": "http", "root_path": "", "server": ("127.0.0.1", 1), "client": None,
    }  # fmt: skip
    place = SlackHttp(Secret("shh"), lambda: datetime(2026, 11, 20, tzinfo=UTC))
    async with asyncio.timeout(5):
        await place.app(scope, receive, send)
    assert answers[0]["status"] == 408
