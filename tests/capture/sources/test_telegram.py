"""Telegram against a face that answers as the Bot API is documented."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from brandmelder.capture.sources.telegram import TelegramOptions, TelegramSource
from brandmelder.errors import AuthRefused, Gone, RateLimited
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR, MINUTE

TOKEN = "12345:geheim"


class TelegramFace(Face):
    """Numbered updates, kept for a day; an offset confirms those before it, which are never seen again."""

    def __init__(self):
        super().__init__()
        self.updates, self.refused, self.first = [], None, 870_000

    def write(self, at, text="Nordfunk?", **more):
        post = super().write(at, text, **more)
        self._tell("message", post)
        return post

    def edit(self, post, text):
        super().edit(post, text)
        self._tell("edited_message", self.posts[post.number])

    def ident(self, post):
        return f"-1007:{post.number}"

    def _tell(self, kind, post):
        message = {
            "message_id": post.number, "date": int(post.at.timestamp()), "text": post.text,
            "chat": {"id": -1007, "title": "Nordfunk-Kunden", "type": "supergroup"},
            "from": {"id": 9, "is_bot": False, "first_name": "Mia", "username": post.author},
        }  # fmt: skip
        number = self.updates[-1]["update_id"] + 1 if self.updates else self.first
        self.updates.append({"update_id": number, kind: message})

    def answer(self, asked):
        if asked.path != f"/bot{TOKEN}/getUpdates":
            return Said.json({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        assert json.loads(asked.query["allowed_updates"])[0] == "message"
        assert 1 <= int(asked.query["limit"]) <= 100
        if self.refused is not None:
            return self.refused
        offset, oldest = int(asked.query.get("offset", "0")), (self.now() - timedelta(hours=24)).timestamp()
        if offset:
            self.updates = [one for one in self.updates if one["update_id"] >= offset]
        kept = [one for one in self.updates if next(iter(list(one.values())[1:]))["date"] >= oldest]
        return Said.json({"ok": True, "result": kept[: int(asked.query["limit"])]})


class TestTelegram(SourceConformance):
    follows_deletions = releases_late = False

    def make_face(self):
        return TelegramFace()

    def make_source(self, tools, url, **options):
        values = {"type": "telegram", "token": Secret(TOKEN), "url": url} | options
        return TelegramSource(SourceId("one"), TelegramOptions(**values), tools)

    async def test_what_is_written_and_deleted_during_a_walk_hides_nothing_else(self):
        """A bot hears of no deletion: what it was sent stays."""

    async def test_a_message_becomes_a_mention(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - MINUTE)
            await stage.reader.poll()
            (one,) = stage.reader.stored.values()
            assert (one.author, one.context, one.url) == ("mia", "Nordfunk-Kunden", "https://t.me/c/7/1")

    async def test_a_pause_longer_than_updates_are_kept_is_a_declared_gap(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            asked = stage.now
            stage.face.write(asked + HOUR, "Nordfunk verpasst")
            stage.later(timedelta(hours=30))
            stage.face.write(stage.now - HOUR, "Nordfunk gesehen")
            await stage.reader.poll()
            (gap,) = stage.reader.gaps
            assert (gap.since, gap.until) == (asked, stage.now - timedelta(hours=24))
            assert stage.reader.texts() == {"Nordfunk gesehen"}

    async def test_numbers_that_begin_lower_after_a_quiet_week_hide_nothing(self):
        """Without an update for a week the next one's number is drawn anew, and an offset above it would confirm it."""
        async with self.reading() as stage:
            stage.face.write(stage.now - MINUTE, "Nordfunk vorher")
            await stage.reader.poll()
            for _ in range(8):
                stage.later(timedelta(hours=24))
                await stage.reader.poll()
            stage.face.first = 300_000
            stage.face.write(stage.now, "Nordfunk nach einer Woche")
            stage.later(MINUTE)
            await stage.reader.poll()
            stage.face.write(stage.now, "Nordfunk danach")
            stage.later(MINUTE)
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk vorher", "Nordfunk nach einer Woche", "Nordfunk danach"}
            assert not stage.reader.gaps

    async def test_only_chosen_chats_are_read(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - MINUTE)
            stage.reader.source = self.make_source(stage.reader.source._tools, stage.url, chats=("@andere", "-1008"))
            await stage.reader.poll()
            assert stage.reader.stored == {}
            assert json.loads(stage.reader.cursor)["offset"] == 870_001

    @pytest.mark.parametrize(
        ("refused", "kind", "said"),
        [
            (Said.json({"ok": False, "description": "Conflict: terminated by other getUpdates request"}, status=409),
             Gone, "something else hears this bot"),
            (Said.json({"ok": False, "parameters": {"retry_after": 35}}, status=429), RateLimited, "0:00:35"),
            (Said(status=429, headers={"content-type": "text/html"}, body=b"<html>slow</html>"), RateLimited, "minute"),
        ],
    )  # fmt: skip
    async def test_refusals_say_what_to_do(self, refused, kind, said):
        async with self.reading() as stage:
            stage.face.refused = refused
            with pytest.raises(kind, match=said) as told:
                await stage.reader.turn()
            assert "geheim" not in str(told.value)

    async def test_a_wrong_token_is_told_without_showing_it(self):
        async with self.reading() as stage:
            tools = stage.reader.source._tools
            stage.reader.source = self.make_source(tools, stage.url, token=Secret("12345:falsch"))
            with pytest.raises(AuthRefused, match="refuses the token") as told:
                await stage.reader.turn()
            assert "falsch" not in str(told.value)
