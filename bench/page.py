"""What the page and the API cost: 50 monitors, a million mentions, a running incident; time, size, plans, live viewers.

    python bench/page.py [--mentions N] [--keep FILE] [--rounds N] [--only PART] [--plans] [--profile] [--viewers]

The application is asked in process, by ASGI, in one event loop: what is measured is the server's time, without a
network and without a client. Beside the time that passed stands the processor time of the whole process, which a
crowded machine changes less; both are told with the load. `--keep` leaves the database for the next run (a million
mentions take minutes to write).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import gzip
import os
import pstats
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from page_rows import BURNING, FILE, MONITORS, NOW, SECRET, burn, fill, keep, learn
from sqlalchemy import Engine, event

from brandmelder import wiring
from brandmelder.settings import parse_settings
from brandmelder.store import notes
from brandmelder.store.database import Database
from brandmelder.web.api.app import mounted
from brandmelder.web.api.operation import Door
from brandmelder.web.app import app
from brandmelder.web.site import Site
from brandmelder.web.warm import warm

VIEWERS, WATCHED = 100, 30.0
CHANGED_EVERY = 5.0
PAGES = (
    "/", "/wall", f"/incidents/{BURNING}", f"/incidents/{BURNING}?range=8w", "/incidents/NF-2025-0500", "/incidents",
    "/monitors", "/monitors/m0", "/monitors/m25?range=8w", "/sources", "/mentions", "/mentions?source=s3",
    "/mentions?label=negative", "/mentions?q=rückruf", "/mentions?q=gibtesnicht", "/accounts", "/deliveries",
    "/settings", "/audit",
)  # fmt: skip
OPERATIONS = (
    "/mentions?monitor=m0", "/mentions?monitor=m25&label=negative&source=s1", "/incidents", "/incidents?state=running",
    f"/incidents/{BURNING}", f"/incidents/{BURNING}/timeline", "/monitors", "/monitors/m25", "/monitors/m25/series",
    "/monitors/m25/series?width=5m", "/monitors/m25/series?width=1d", "/silences", "/sources", "/webhooks",
)  # fmt: skip


class Asked:
    """Asks the application as a server would, and nothing else."""

    def __init__(self, application) -> None:
        self.application = application

    async def get(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of an answer."""
        address, _, query = path.partition("?")
        headers = [(b"host", b"127.0.0.1:8470"), (b"accept-encoding", b"identity"), (b"accept-language", b"de")]
        if address.startswith("/api"):
            headers.append((b"authorization", f"Bearer {SECRET}".encode()))
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": address, "raw_path": address.encode(), "query_string": quote(query, safe="=&").encode(),
            "root_path": "",
            "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8470), "state": {},
        }  # fmt: skip
        status, body, is_asked = 0, [], False

        async def receive():
            nonlocal is_asked
            if is_asked:
                await asyncio.Event().wait()
            is_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message) -> None:
            nonlocal status
            status = message.get("status", status)
            body.append(message.get("body", b""))

        await self.application(scope, receive, send)
        return status, b"".join(body)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="")
    for name in ("plans", "profile", "viewers"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    with tempfile.TemporaryDirectory() as folder:
        file = chosen.keep or Path(folder) / "page.db"
        is_new = not file.exists()
        database = Database(f"sqlite:///{file}")
        database.prepare() if is_new else database.migrate()
        settings = parse_settings(FILE, Path("bench.yaml"), {})
        parts = wiring.build(settings, database=database, sources={}, notifiers={}).parts
        if is_new:
            began = time.perf_counter()
            database.run_now(fill, chosen.mentions)
            database.run_now(learn, parts)
            database.run_now(burn)
            database.run_now(keep)
            print(f"filled in {time.perf_counter() - began:.0f} s")
        site = Site(parts=parts, settings=settings, web=settings.web, now=lambda: NOW)
        if chosen.profile:  # a profile tells of one thread
            database.look = database.run = here(database)
        site.rates.allows = lambda *_, **__: True
        door = Door(parts=parts, now=lambda: NOW)
        asked = Asked(app(site, mounts=[mounted(door, rates=site.rates)]))
        asyncio.run(measured(chosen, site, asked))
        database.close()


def here(database):
    """Return what runs a transaction in the thread that asks for it."""

    async def run(function, *arguments, **named):
        return database.run_now(function, *arguments, **named)

    return run


async def measured(chosen, site, asked) -> None:
    print(f"{chosen.mentions:,} mentions, {MONITORS} monitors; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'address':<48}{'p50 ms':>8}{'p95':>6}{'p99':>6}{'cpu p50':>9}{'p95':>6}{'asks':>6}{'kB':>6}{'gzip':>6}")
    await warm(site, NOW)  # as the service does every five minutes
    paths = [*PAGES, *(f"/api/v1{one}" for one in OPERATIONS)]
    said: list[tuple[str, object]] = []
    event.listen(Engine, "before_cursor_execute", lambda *one: said.append((one[2], one[3])))
    plans: dict[str, list[str]] = {}
    for path in (one for one in paths if chosen.only in one):
        await row(chosen, asked, path, said)
        plans[path] = [text for text, _ in said]
        if chosen.plans:
            await explained(site, said)
    if chosen.viewers:
        await watch(site, asked)


async def row(chosen, asked, path: str, said: list) -> None:
    """Measure one address and print its line."""
    walls, processors = [], []
    profile = cProfile.Profile()
    for _ in range(chosen.rounds):
        said.clear()
        wall, processor = time.perf_counter(), time.process_time()
        with profile if chosen.profile else contextlib.nullcontext():
            status, body = await asked.get(path)
        walls.append(1000 * (time.perf_counter() - wall))
        processors.append(1000 * (time.process_time() - processor))
        assert status == 200, (path, status, body[:300])
    cut, cpu = (statistics.quantiles(one, n=100, method="inclusive") for one in (walls, processors))
    print(
        f"{path:<48}{cut[49]:>8.1f}{cut[94]:>6.0f}{cut[98]:>6.0f}{cpu[49]:>9.1f}{cpu[94]:>6.0f}{len(said):>6}"
        f"{len(body) / 1000:>6.0f}{len(gzip.compress(body)) / 1000:>6.1f}",
        flush=True,
    )
    if chosen.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


async def explained(site, said: list) -> None:
    """Print how the database finds what an address asks for, and how long each question takes."""
    for text in dict.fromkeys(one for one, _ in said if one.lstrip().startswith("SELECT")):
        values = [value for one, value in said if one == text]
        began = time.perf_counter()
        await site.parts.database.run(lambda c, t=text, v=values[0]: c.exec_driver_sql(t, v).all())
        took = 1000 * (time.perf_counter() - began)
        plan = await site.parts.database.run(
            lambda c, t=text, v=values[0]: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {t}", v).all()
        )
        print(f"    {len(values)} x {took:6.2f} ms  {'; '.join(step[3] for step in plan)}")


async def watch(site, asked) -> None:
    """Hold a hundred viewers while nothing happens, and while their incident changes every few seconds.

    Each viewer fetches the page again within a second and a half of being told, as the script in a page does.
    """
    topic, path = f"incident:{BURNING}", f"/incidents/{BURNING}"
    fetched, opened = 0, time.perf_counter()
    site.now = lambda: NOW + timedelta(seconds=time.perf_counter() - opened)

    async def viewer(number: int) -> None:
        nonlocal fetched
        event = site.pulse.watch(topic, site)
        try:
            while True:
                await event.wait()
                event.clear()
                await asyncio.sleep(1.5 * number / VIEWERS)
                status, _ = await asked.get(path)
                assert status == 200
                fetched += 1
        finally:
            site.pulse.leave(topic, event)

    watching = [asyncio.create_task(viewer(number)) for number in range(VIEWERS)]
    for does_change in (False, True):
        fetched, changes = 0, 0
        before, began = time.process_time(), time.perf_counter()
        while time.perf_counter() - began < WATCHED:
            await asyncio.sleep(CHANGED_EVERY)
            if does_change:
                one = notes.Note(incident=BURNING, at=NOW, by="bench", text=f"{changes}")
                await site.parts.database.run(notes.add, one)
                changes += 1
        share = (time.process_time() - before) / (time.perf_counter() - began)
        print(
            f"{VIEWERS} live viewers, {changes} changes in {WATCHED:.0f} s, {fetched} pages fetched: "
            f"{100 * share:.1f} % of a core; load {os.getloadavg()[0]:.1f}"
        )
    for one in watching:
        one.cancel()
    await asyncio.gather(*watching, return_exceptions=True)


if __name__ == "__main__":
    main()
