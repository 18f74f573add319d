"""Bad days of the installed command: each has a clear message, nothing is lost, and other sources go on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from brandmelder.demo import scenario
from brandmelder.model import Label
from e2e.service import Brandmelder, wait_until
from e2e.slack import CHANNEL, TOKEN, Slack
from peers.wordpress import Comment
from peers.wordpress.processes import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from peers.wordpress import WordPress

pytestmark = pytest.mark.e2e

STORY = scenario.build()
CRITICS = [event for event in STORY.comments(STORY.onset, STORY.end) if event.truth is Label.NEGATIVE]

STORED = "select count(*) from mention where source = ? and removed_at is null"
STATE = "select state from source where id = ?"

SETTINGS = """\
brand: Nordfunk
language: de
timezone: Europe/Berlin
database: sqlite:///{home}/brandmelder.db
sources:
  blog: {{type: wordpress, url: "{blog}", every: 2s, own_accounts: [nordfunk], allow_private: true}}
  press: {{type: feed, url: "{press}", every: 2s, class: news, allow_private: true}}
monitors:
  nordfunk:
    query: '(nordfunk OR "nord funk" OR #nordfunk) -stellenanzeige'
    sources: [blog, press]
channels:
  {channel}
alerts:
  - {{monitors: all, to: [crisis]}}
"""
CONSOLE = "crisis: {type: console}"
PRESS_LINE = 7


def _settings(home: Path, wordpress: WordPress, press: str, channel: str = CONSOLE) -> str:
    return SETTINGS.format(home=home, blog=wordpress.url, press=press, channel=channel)


def _write(wordpress: WordPress, count: int, *, skip: int = 0) -> None:
    for event in CRITICS[skip : skip + count]:
        wordpress.comment(event.text, event.author, datetime.now(UTC))


@pytest.fixture
def blog(wordpress: WordPress):
    """A blog with a week of ten comments a day."""
    wordpress.forget()
    start = datetime.now(UTC) - timedelta(days=8)
    wordpress.import_history(
        Comment(text=f"Nordfunk, Frage Nummer {n}?", author=f"A{n}", date_gmt=start + n * timedelta(hours=2.4))
        for n in range(70)
    )
    return wordpress


def test_an_unreachable_source_is_named_and_the_others_go_on(tmp_path: Path, blog: WordPress):
    nobody = f"http://127.0.0.1:{free_port()}/feed/"
    with Brandmelder(tmp_path, _settings(tmp_path, blog, nobody)) as service:
        service.start()
        wait_until(lambda: service.one(STORED, "blog") == 70, 30, "the blog's history")
        wait_until(lambda: f"brandmelder.yaml:{PRESS_LINE}" in service.said(), 30, "a word about the press")
        assert "cannot be reached" in service.said()
        _write(blog, 3)
        wait_until(lambda: service.one(STORED, "blog") == 73, 30, "the blog's news")
        wait_until(lambda: service.one(STATE, "press") == "failing", 60, "the press is failing")
        assert service.one(STATE, "blog") == "ok"
        assert service.stop() == 0


def test_comments_written_while_the_blog_is_down_are_read_when_it_is_back(tmp_path: Path, blog: WordPress):
    press = f"{blog.url}/feed/"
    with Brandmelder(tmp_path, _settings(tmp_path, blog, press)) as service:
        service.start()
        wait_until(lambda: service.one(STORED, "blog") == 70, 30, "the blog's history")
        blog.unplug()
        try:
            wait_until(lambda: "cannot be reached" in service.said(), 30, "a word about the blog")
            now = datetime.now(UTC)
            blog.import_history(
                Comment(text=f"Nordfunk, hallo {n}?", author=f"B{n}", date_gmt=now + timedelta(seconds=n / 50))
                for n in range(120)
            )
        finally:
            blog.plug_in()
        wait_until(lambda: service.one(STORED, "blog") == 190, 120, "what was written meanwhile")
        wait_until(lambda: 'source "blog": answers again' in service.said(), 30, "a word about its return")
        assert service.stop() == 0


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nix/", ["404"]),
        ("/", ["feed", "HTML"]),
    ],
    ids=["404", "HTML for a feed"],
)
def test_a_wrong_feed_is_named_and_the_blog_goes_on(tmp_path: Path, blog: WordPress, path: str, words: list[str]):
    with Brandmelder(tmp_path, _settings(tmp_path, blog, blog.url + path)) as service:
        checked = service.ask("check", "--live")
        assert checked.returncode != 0
        told = checked.stdout + checked.stderr
        for word in words:
            assert word in told
        service.start()
        wait_until(lambda: service.one(STORED, "blog") == 70, 30, "the blog's history")
        wait_until(lambda: f"brandmelder.yaml:{PRESS_LINE}" in service.said(), 30, "a word about the press")
        for word in words:
            assert word in service.said()
        _write(blog, 2)
        wait_until(lambda: service.one(STORED, "blog") == 72, 30, "the blog's news")
        assert service.stop() == 0


def test_a_revoked_token_is_told_and_the_incident_is_kept(tmp_path: Path, blog: WordPress):
    with Slack(tmp_path) as slack:
        channel = f'crisis: {{type: slack, token: "${{TOKEN}}", channel: {CHANNEL}, api_url: "{slack.url}"}}'
        settings = _settings(tmp_path, blog, f"{blog.url}/feed/", channel)
        with Brandmelder(tmp_path, settings, {"TOKEN": TOKEN}) as service:
            slack.revoke()
            tested = service.ask("send-test")
            assert tested.returncode == 1
            assert "revoked" in tested.stderr
            service.start()
            wait_until(lambda: service.one(STORED, "blog") == 70, 30, "the blog's history")
            wait_until(lambda: service.one("select min(history_done) from source"), 30, "the whole history")
            _write(blog, 40)
            wait_until(lambda: "revoked" in service.said(), 60, "a word about the token")
            assert "'crisis'" in service.said()
            assert service.one("select state from incident") == "open"
            assert slack.visible() == []
            assert TOKEN not in tested.stdout + tested.stderr + service.said()
            assert service.stop() == 0

            slack.unplug()
            slack.plug_in()
            service.start()
            _write(blog, 5, skip=40)
            wait_until(slack.alerts, 120, "the alert, with a token that is good")
            assert service.stop() == 0


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of four megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_told_and_nothing_is_lost(small_disk: Path, blog: WordPress):
    with Brandmelder(small_disk, _settings(small_disk, blog, f"{blog.url}/feed/")) as service:
        service.log = small_disk.parent / "run.log"
        service.start()
        wait_until(lambda: service.one(STORED, "blog") == 70, 30, "the blog's history")
        ballast = small_disk / "ballast"
        _fill(ballast)
        _write(blog, 60)
        wait_until(lambda: "disk is full" in service.said(), 60, "a word about the disk")
        assert service.is_running()
        ballast.unlink()
        wait_until(lambda: service.one(STORED, "blog") == 130, 90, "what was written meanwhile")
        assert service.stop() == 0


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def test_a_database_of_a_newer_version_is_refused_untouched(tmp_path: Path, blog: WordPress):
    with Brandmelder(tmp_path, _settings(tmp_path, blog, f"{blog.url}/feed/")) as service:
        service.start()
        wait_until(lambda: service.one(STORED, "blog") == 70, 30, "the blog's history")
        assert service.stop() == 0
        with closing(sqlite3.connect(service.database)) as connection, connection:
            connection.execute("update alembic_version set version_num = '9999'")
        before, said = service.database.read_bytes(), service.said()
        service.start()
        assert service.ended() == 1
        news = service.said().removeprefix(said)
        assert "newer version" in news
        assert len(news.splitlines()) == 1
        assert service.database.read_bytes() == before
        assert service.one(STORED, "blog") == 70


def test_two_services_never_share_a_database(tmp_path: Path, blog: WordPress):
    settings = _settings(tmp_path, blog, f"{blog.url}/feed/")
    with Brandmelder(tmp_path, settings) as first:
        first.start()
        wait_until(lambda: first.one(STORED, "blog") == 70, 30, "the blog's history")
        second = first.ask("run", within=30)
        assert second.returncode == 1
        assert "another brandmelder runs on it" in second.stderr
        assert first.stop() == 0
