"""The ready-made mappings of the how-to pages, each against an answer of the shape that its service gives."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from brandmelder import plugins
from brandmelder.capture import feed_parser
from brandmelder.capture.source import Tools
from brandmelder.errors import ShapeChanged
from brandmelder.model import SourceId
from brandmelder.options import Secret
from capture.conftest import NOW
from capture.hostile_server import reply

PAGES = [Path(__file__).parents[3] / "docs/how-to" / name for name in ("mappings.md", "reviews.md")]
JSON, TEXT = {"Content-Type": "application/json"}, {"Content-Type": "text/html; charset=utf-8"}
HOUR = timedelta(hours=1)

GDELT = {"articles": [{"url": "https://news.example/81", "url_mobile": "", "title": "Nordfunk recalls router",
    "seendate": "20261120T121500Z", "socialimage": "", "domain": "news.example", "language": "German",
    "sourcecountry": "Germany"}]}  # fmt: skip
TRUSTPILOT = {"links": [], "reviews": [{"id": "5f3", "stars": 1, "title": "Nie wieder",
    "text": "Drei Wochen ohne Netz.", "createdAt": "2026-11-20T12:00:00Z",
    "language": "de", "consumer": {"id": "c1", "displayName": "Mia"}}]}  # fmt: skip
LEMMY = {"comments": [
    {"comment": {"id": 7, "content": "Nordfunk?", "published": "2026-11-20T12:00:00.123456Z",
                 "ap_id": "https://feddit.org/comment/7", "deleted": False, "removed": False},
     "creator": {"name": "mia"}, "post": {"name": "Anbieter"}},
    {"comment": {"id": 6, "content": "weg", "published": "2026-11-20T11:00:00Z", "ap_id": "https://feddit.org/comment/6",
                 "deleted": False, "removed": True}, "creator": {"name": "jo"}, "post": {"name": "Anbieter"}},
]}  # fmt: skip
GOOGLE_NEWS = (
    '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>"nordfunk" - Google News</title>'
    "<item><title>Nordfunk ruft Router zurück - Tagblatt</title><link>https://news.google.com/rss/articles/CBMi1</link>"
    '<guid isPermaLink="false">CBMi1</guid><pubDate>Fri, 20 Nov 2026 12:00:00 GMT</pubDate>'
    '<description>&lt;a href="https://news.google.com/rss/articles/CBMi1"&gt;Nordfunk ruft Router zurück&lt;/a&gt;'
    '</description><source url="https://tagblatt.example">Tagblatt</source></item></channel></rss>'
).encode()


def block(name):
    """Return a source's block as it stands on its page."""
    for page in PAGES:
        for text in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            found = yaml.safe_load(text)["sources"]
            if name in found:
                return found[name]
    raise AssertionError(f"no page has {name}")


async def parse(body, content_type):
    return feed_parser.parse(body, content_type)


async def poll(server, fetch, name, answer, headers=JSON):
    written = block(name)
    path = "/" + written["url"].split("/", 3)[3].partition("?")[0]
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    async def script(wire, request):
        asked.append(request.target)
        await wire.send(reply(200, body, headers))

    asked = []
    server.on(path, script)
    written["url"] = server.url + "/" + written["url"].split("/", 3)[3]
    if "token" in written:
        written["token"] = Secret("geheim")
    kind = plugins.load("sources", written["type"])
    source = kind(SourceId(name), kind.Options(**written, allow_private=True), Tools(fetch=fetch, parse_feed=parse))
    return await source.poll(None, NOW), asked


async def test_gdelt(server, fetch):
    found, asked = await poll(server, fetch, "gdelt", GDELT)
    (one,) = found.mentions
    assert (one.text, one.author, one.url) == ("Nordfunk recalls router", "news.example", "https://news.example/81")
    assert one.published_at == datetime(2026, 11, 20, 12, 15, tzinfo=UTC)
    assert "query=%22nordfunk%22" in asked[0]


async def test_gdelt_says_what_is_wrong_as_text_with_200(server, fetch):
    with pytest.raises(ShapeChanged, match="answered HTML instead of JSON"):
        await poll(server, fetch, "gdelt", b"Your search contained an illegal character.", TEXT)
    found, _ = await poll(server, fetch, "gdelt", {})
    assert found.mentions == (), "no articles at all are told as an empty object"


async def test_google_news(server, fetch):
    found, asked = await poll(server, fetch, "google_news", GOOGLE_NEWS, {"Content-Type": "application/xml"})
    (one,) = found.mentions
    assert (one.external_id, one.published_at) == ("CBMi1", NOW - HOUR)
    assert one.text.startswith("Nordfunk ruft Router zurück")
    assert "when:1d" in asked[0]


async def test_trustpilot(server, fetch):
    found, asked = await poll(server, fetch, "trustpilot", TRUSTPILOT)
    (one,) = found.mentions
    assert (one.text, one.author, one.language) == ("Nie wieder Drei Wochen ohne Netz.", "Mia", "de")
    assert asked[0].endswith("perPage=100&page=1&apikey=geheim")


async def test_lemmy(server, fetch):
    found, _ = await poll(server, fetch, "lemmy", LEMMY)
    (one,) = found.mentions
    assert (one.external_id, one.context, one.url) == ("7", "Anbieter", "https://feddit.org/comment/7")
    assert [gone.external_id for gone in found.removals] == ["6"]
