"""Where calendars are read from: an address by the house's client, with validators, or a file."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from brandmelder import wiring
from brandmelder.errors import Transient
from brandmelder.model import RotaId
from brandmelder.notify.ical import CalendarUnreadable
from brandmelder.settings import parse_settings
from brandmelder.store.rotas import Copy
from pipeline.test_duty import ICS, KEPT

NOW = datetime(2026, 12, 15, 19, 0, tzinfo=UTC)


@pytest.fixture
def shelf():
    """A server on which the calendar lies, as it is read by people's calendars."""

    class Shelf(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(dict(self.headers))
            if self.headers.get("if-none-match") == '"1"':
                self.send_response(304)
                self.end_headers()
            elif self.path == "/broken.ics":
                self.send_error(503)
            else:
                self.send_response(200)
                self.send_header("etag", '"1"')
                self.send_header("last-modified", "Tue, 15 Dec 2026 08:00:00 GMT")
                self.send_header("content-length", str(len(ICS)))
                self.end_headers()
                self.wfile.write(ICS)

        def log_message(self, *_):
            pass

    asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def read(place, folder, kept=None):
    """Read the calendar of a configuration that keeps it at `place`."""
    private = ", allow_private: true" if "://" in place else ""
    text = KEPT.replace("{calendar: crisis.ics", f'{{calendar: "{place}"{private}')
    settings = parse_settings(text, folder / "brandmelder.yaml", {})

    async def run():
        reach = wiring.outside()
        try:
            return await wiring.build_calendars(settings, reach)[RotaId("crisis")](kept, NOW)
        finally:
            await reach.close()

    return asyncio.run(run())


def test_a_calendar_is_fetched_with_its_validators(shelf, tmp_path):
    address, asked = shelf
    first = read(f"{address}/crisis.ics", tmp_path)
    assert (first.content, first.etag) == (ICS, '"1"')
    kept = Copy(
        rota=RotaId("crisis"),
        place=f"{address}/crisis.ics",
        content=ICS,
        etag=first.etag,
        modified=first.modified,
        tried_at=NOW,
    )
    assert read(f"{address}/crisis.ics", tmp_path, kept).content is None
    headers = {name.lower(): value for name, value in asked[-1].items()}
    assert (headers["if-none-match"], headers["if-modified-since"]) == ('"1"', "Tue, 15 Dec 2026 08:00:00 GMT")


def test_an_address_that_answers_with_trouble_says_which_rota_it_is_about(shelf, tmp_path):
    address, _ = shelf
    with pytest.raises(Transient, match='"rota crisis"'):
        read(f"{address}/broken.ics", tmp_path)


def test_a_file_lies_beside_the_configuration(tmp_path):
    (tmp_path / "crisis.ics").write_bytes(ICS)
    assert read("crisis.ics", tmp_path).content == ICS


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CalendarUnreadable, match=r"nowhere\.ics cannot be read: No such file"):
        read("nowhere.ics", tmp_path)
