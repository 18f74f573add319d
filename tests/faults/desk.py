"""The installed service with a desk that sends to it, a feed that it reads, and a probe that asks it how it is."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from e2e.service import Brandmelder, wait_until
from peers.wordpress.processes import free_port

CONFIG = """\
brand: Nordfunk
database: sqlite:///{home}/brandmelder.db
health: {{listen: "127.0.0.1:{probe}"}}
sources:
  desk: {{type: webhook, token: "${{DESK_TOKEN}}", listen: "127.0.0.1:{door}"}}
{more}monitors:
  nordfunk: {{query: nordfunk}}
channels:
  console: {{type: console}}
alerts:
  - {{monitors: all, to: [console]}}
"""


class Desk(Brandmelder):
    """`brandmelder run`, and its sender, who remembers what was acknowledged."""

    def __init__(self, home, *, more="", environment=None):
        self.probe, self.door = free_port(), free_port()
        self.acknowledged, self._sent = set(), 0
        told = {"DESK_TOKEN": "from-the-desk", **(environment or {})}
        super().__init__(home, CONFIG.format(home=home, probe=self.probe, door=self.door, more=more), told)

    def send(self, text=None):
        """Send a mention; returns the status, and remembers what was acknowledged."""
        self._sent += 1
        written = datetime.now(UTC).isoformat()
        row = {
            "external_id": f"t-{self._sent}",
            "text": text or f"Nordfunk, Frage {self._sent}?",
            "published_at": written,
        }
        answer = httpx.post(
            f"http://127.0.0.1:{self.door}/in/desk",
            content=json.dumps({"type": "mention.created", "data": row}),
            headers={"authorization": "Bearer from-the-desk"},
            timeout=60,
        )
        if answer.status_code == 204:
            self.acknowledged.add(row["external_id"])
        return answer.status_code

    def ask_probe(self, what):
        """Return whether it says that it is well, and what it says besides."""
        answer = httpx.get(f"http://127.0.0.1:{self.probe}/{what}", timeout=5)
        return answer.status_code == 200, answer.json()

    def is_ready(self):
        return self.ask_probe("readyz")[0]

    def begin(self):
        """Start it; returns when it is ready and its door is open."""
        self.start()
        wait_until(self._hears, 30, "the door")
        wait_until(self.is_ready, 30, "ready")

    def _hears(self):
        try:
            return self.send() == 204
        except httpx.TransportError:
            return False

    def kept(self):
        return {ident for (ident,) in self.rows("select external_id from mention")}

    @property
    def process(self):
        assert self._process is not None
        return self._process.pid


class Feed:
    """A feed of some entries; entered, it is served."""

    def __init__(self):
        self.entries = []
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = feed.written().encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/rss+xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/feed"

    def written(self):
        rows = "".join(
            f"<item><guid>{ident}</guid><title>Nordfunk, {ident}</title><link>{self.url}/{ident}</link></item>"
            for ident in self.entries
        )
        return f'<rss version="2.0"><channel><title>Press</title>{rows}</channel></rss>'

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
