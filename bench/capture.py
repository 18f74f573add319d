"""How fast do answers become mentions? Feed items and JSON entries per CPU second, beside the bare parsers.

Everything between the bytes and the commit is done: parsing, cleaning, mapping, the source's own cursor, pseudonyms,
fingerprints. Parsing happens in this process here; the service does it in a child, on another core.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import feedparser
from rich.console import Console
from rich.table import Table

from brandmelder.capture import feed_parser
from brandmelder.capture.normalise import fingerprint
from brandmelder.capture.source import Answer, Tools
from brandmelder.capture.sources.feed import FeedOptions, FeedSource
from brandmelder.capture.sources.json import JsonOptions, JsonSource
from brandmelder.demo.voices import Voices
from brandmelder.model import SourceId
from brandmelder.pipeline.poll import ready

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ITEMS, DOCUMENTS = 100, 60
KEY = b"k" * 32


def texts(count: int) -> list[str]:
    voices = Voices(random.Random(5))
    return [voices.say(("quiet", "storm")[n % 2], ("neutral", "critic")[n % 2]).text for n in range(count)]


def feeds() -> list[bytes]:
    said, found = texts(ITEMS), []
    for number in range(DOCUMENTS):
        rows = []
        for at, text in enumerate(said):
            ident = number * ITEMS + at
            moment = format_datetime(NOW - timedelta(minutes=ident % 5000))
            rows.append(
                f"<item><title>Kommentar {ident}</title><link>https://b.example/?p={ident}</link><dc:creator>anna{at}"
                f"</dc:creator><pubDate>{moment}</pubDate><guid isPermaLink='false'>c-{ident}</guid>"
                f"<content:encoded><![CDATA[<p>{text} <b>Nordfunk</b> {ident}</p>]]></content:encoded></item>"
            )
        head = (
            "<?xml version='1.0'?><rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' "
            "xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>Blog</title>"
        )
        found.append(f"{head}{''.join(rows)}</channel></rss>".encode())
    return found


def pages() -> list[bytes]:
    said = texts(ITEMS)
    return [
        json.dumps(
            {
                "tickets": [
                    {
                        "id": number * ITEMS + at,
                        "subject": "Nordfunk",
                        "body": text,
                        "web_url": f"https://desk.example/{number}/{at}",
                        "created_at": (NOW - timedelta(minutes=at)).isoformat(),
                        "requester": {"name": f"anna{at}"},
                    }
                    for at, text in enumerate(said)
                ]
            }
        ).encode()
        for number in range(DOCUMENTS)
    ]


async def through(source, documents: list[bytes], content_type: str) -> tuple[int, float]:
    """Poll once for each document; returns how many mentions came of it, and CPU seconds."""
    count, cursor, before = 0, None, time.process_time()
    for number, body in enumerate(documents):
        source.answers = Answer(url="https://b.example/", status=200, headers={"content-type": content_type}, body=body)
        poll = await source.source.poll(cursor, NOW + timedelta(minutes=number))
        cursor = poll.cursor
        for one in poll.mentions:
            kept = ready(one, KEY)
            fingerprint(kept.text, kept.author, kept.parent_id or "")
        count += len(poll.mentions)
    return count, time.process_time() - before


class Played:
    """A source and the answer it gets next."""

    def __init__(self, make) -> None:
        self.answers: Answer | None = None

        async def fetch(_url, **_rest):
            return self.answers

        async def parse(body, content_type):
            return feed_parser.parse(body, content_type)

        self.source = make(Tools(fetch=fetch, parse_feed=parse))


def main() -> None:
    table = Table(title=f"{DOCUMENTS} documents of {ITEMS} entries, per CPU second")
    for column in ("what", "entries/s", "aim"):
        table.add_column(column, justify="left" if column == "what" else "right")
    documents = feeds()
    options = FeedOptions(type="feed", url="https://b.example/feed")
    count, took = asyncio.run(
        through(Played(lambda tools: FeedSource(SourceId("f"), options, tools)), documents, "application/rss+xml")
    )
    table.add_row(f"a feed through capture ({count} mentions)", f"{count / took:,.0f}", "3,000")
    before = time.process_time()
    parsed = sum(len(feedparser.parse(io.BytesIO(body)).entries) for body in documents[:10])
    table.add_row("the same by feedparser alone", f"{parsed / (time.process_time() - before):,.0f}", "")
    documents = pages()
    mapping = JsonOptions(
        type="json",
        url="https://desk.example/api",
        items="tickets[*]",
        fields={
            "external_id": "id",
            "text": "join(' ', [subject, body][?@])",
            "url": "web_url",
            "published_at": "created_at",
            "author": "requester.name",
        },
    )
    count, took = asyncio.run(
        through(Played(lambda tools: JsonSource(SourceId("j"), mapping, tools)), documents, "application/json")
    )
    table.add_row(f"JSON by a mapping through capture ({count} mentions)", f"{count / took:,.0f}", "10,000")
    before = time.process_time()
    parsed = sum(len(json.loads(body)["tickets"]) for body in documents)
    table.add_row("the same by json.loads alone", f"{parsed / (time.process_time() - before):,.0f}", "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
