"""Planted secrets, handles and texts appear in no log line, no error and no trace, whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.cli.logs import LONGEST, clean, log_to
from brandmelder.errors import BrandmelderError, StoreError, Transient
from brandmelder.store import mentions
from brandmelder.store.database import Database
from cli.test_commands import CONFIG
from pipeline.places import Place
from pipeline.world import STORM, World, mention, quiet_weeks, storm

MINUTE = timedelta(minutes=1)
TEXT, HANDLE, SECRET, TITLE = "GEHEIMER-TEXT-4711", "otto.klarname", "xoxb-7777-planted-secret", "TITEL-4712"
MARKS = (TEXT, HANDLE, SECRET, TITLE)


@pytest.fixture
def lines(monkeypatch):
    """Log as the service does, into a buffer; returns what reads its lines."""
    out = io.StringIO()
    root, hook = logging.getLogger(), sys.excepthook
    before = root.handlers[:], root.level
    log_to(out, is_terminal=False)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:], root.level = before
    sys.excepthook = hook


def marks_in(found):
    said = json.dumps(found, ensure_ascii=False)
    return [mark for mark in MARKS if mark in said]


def planted():
    angry = [
        replace(
            one,
            text=f"{one.text} {TEXT}",
            author=f"{HANDLE}{one.external_id}",
            context=TITLE,
            url=f"https://b.example/{HANDLE}/{TEXT}",
        )
        for one in storm(STORM, 40, spread=12 * MINUTE)
    ]
    return quiet_weeks(STORM - 6 * MINUTE, days=2) + angry


async def evening(**places):
    world = World(planted(), places=places or {"crisis": Place("crisis")})
    await world.begin(STORM - 6 * MINUTE)
    await world.run_until(STORM + 14 * MINUTE)
    return world


async def test_an_evening_that_goes_well_is_told_without_them(lines):
    world = await evening()
    assert world.incidents()
    assert {one["event"] for one in lines()} >= {"incident.changed", "delivery.tried"}
    assert marks_in(lines()) == []


class Broken(Place):
    async def push(self, message, *, key, thread, form):
        secret = SECRET  # noqa: F841 -- a local that a trace must not show
        raise RuntimeError(f"{message.headline} {TEXT} {HANDLE} {SECRET}")


@pytest.mark.parametrize("where", ["source", "judge", "store"])
async def test_faults_anywhere_are_told_without_them(lines, monkeypatch, where):
    def fails(*arguments, **named):
        text, author, token = TEXT, HANDLE, SECRET  # noqa: F841 -- locals that a trace must not show
        raise ValueError(f"cannot read {TEXT} of {HANDLE} with {SECRET}: {arguments!r}")

    world = World(planted(), places={"crisis": Place("crisis")})
    await world.begin(STORM)
    log = structlog.get_logger()
    if where == "source":
        monkeypatch.setattr(world._sources["blog"], "poll", fails)
    elif where == "judge":
        monkeypatch.setattr(world.pipeline.parts.classifier, "classify", fails, raising=False)
    else:
        monkeypatch.setattr(mentions, "insert_mentions", fails)
    try:
        await world.run_until(STORM + 6 * MINUTE)
    except ValueError:
        log.exception("timer.bug")
    assert any("ValueError" in str(one.get("fault")) for one in lines())
    assert any(".py:" in str(one.get("fault")) for one in lines()), "where the fault lies is told"
    assert marks_in(lines()) == []


async def test_a_channel_that_breaks_is_told_without_them(lines):
    try:
        await evening(crisis=Broken("crisis"))
    except RuntimeError:
        structlog.get_logger().exception("timer.bug")
    assert any("RuntimeError" in str(one.get("fault")) for one in lines())
    assert marks_in(lines()) == []


def test_a_statement_that_fails_shows_no_parameters(lines):
    database = Database("sqlite://")
    database.prepare()
    one = mention(1, STORM, angry=True, author=HANDLE)
    broken = replace(one, text=TEXT, source=None)
    with pytest.raises(StoreError) as caught:
        database.run_now(mentions.insert_mentions, [broken], ["x"])
    structlog.get_logger().error("work.put_off", exc_info=caught.value)
    assert marks_in(lines()) == []
    assert TEXT not in repr(caught.value.__cause__)
    database.close()


async def test_a_source_whose_past_is_read_is_told_once_with_how_much_it_was(lines):
    world = World(quiet_weeks(STORM, days=2))
    await world.begin(STORM - timedelta(hours=1))
    await world.run_until(STORM)
    told = [line for line in lines() if line["event"] == "source.history_read"]
    known = world.database.run_now(mentions.count)
    assert {line["source"] for line in told} == set(world.settings.sources)
    assert len(told) == len(world.settings.sources)
    assert 0 < sum(line["mentions"] for line in told) <= known
    world.database.close()


def test_secrets_in_addresses_and_headers_are_taken_out(lines):
    structlog.get_logger().warning(
        "source.failed",
        reason=f"https://user:{SECRET}@a.example/x?access_token={SECRET}&page=2",
        header=f"Bearer {SECRET}",
        nested={"paging": [f"https://a.example/?key={SECRET}"]},
    )
    assert marks_in(lines()) == []
    assert "page=2" in lines()[0]["reason"]


@pytest.mark.parametrize(
    "secret",
    [
        "1234567890:AAF-planted_secret-of-a-bot-0123456789",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJl",
    ],
)
def test_tokens_that_stand_in_paths_and_sentences_are_taken_out(lines, secret):
    structlog.get_logger().warning("source.failed", reason=f"https://api.telegram.org/bot{secret}/getUpdates said no")
    (line,) = lines()
    assert secret not in str(line)
    assert "getUpdates said no" in line["reason"]


def test_libraries_are_heard_without_what_they_put_into_their_sentences(lines):
    logging.getLogger("some.library").warning("request to %s failed with %s", HANDLE, SECRET)
    logging.getLogger("some.library").info("nobody needs this: %s", TEXT)
    try:
        raise OSError(TEXT)  # noqa: TRY301
    except OSError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved\nfuture: <Task %s>", TEXT)
    first, second = lines()
    assert (first["library"], first["template"]) == ("some.library", "request to %s failed with %s")
    assert second["template"] == "Task exception was never retrieved"
    assert "OSError" in second["fault"][0]
    assert marks_in(lines()) == []


def test_a_crash_is_told_without_them(lines):
    try:
        raise KeyError(HANDLE) from RuntimeError(TEXT)  # noqa: TRY301
    except KeyError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    (line,) = lines()
    assert line["event"] == "service.crashed"
    assert marks_in([line]) == []
    assert any("RuntimeError" in one for one in line["fault"]), "the cause is told, too"


def test_a_sentence_of_our_own_is_kept(lines):
    try:
        raise Transient("blog.example was silent for 10 s; is it overloaded?")
    except BrandmelderError:
        structlog.get_logger().exception("source.bug")
    assert "was silent for 10 s" in lines()[0]["fault"][0]


def test_nobody_forges_a_line_or_moves_a_cursor(lines):
    structlog.get_logger().info("x", reason='a\n{"event":"forged"}\r\x1b[2J\u202e\x9b')
    (line,) = lines()
    assert line["event"] == "x"
    assert not any(sign in line["reason"] for sign in "\n\r\x1b\u202e\x9b")


@given(st.dictionaries(st.text(max_size=5), st.recursive(st.text(max_size=2000) | st.integers() | st.none(), st.lists)))
def test_whatever_is_logged_is_one_bounded_line_of_json(fields):
    event = clean(None, "info", fields)
    line = structlog.processors.JSONRenderer(ensure_ascii=False)(None, "info", dict(event))
    assert "\n" not in line
    assert all(len(value) <= LONGEST for value in event.values() if isinstance(value, str))


@pytest.fixture
def seen(monkeypatch):
    """Log as the service does on a terminal; returns what reads it."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    root, hook = logging.getLogger(), sys.excepthook
    before = root.handlers[:], root.level
    log_to(out, is_terminal=True)
    yield out.getvalue
    structlog.reset_defaults()
    root.handlers[:], root.level = before
    sys.excepthook = hook


def test_on_a_terminal_the_same_is_told(seen):
    try:
        token = SECRET  # noqa: F841 -- a local that a trace must not show
        raise ValueError(TEXT)  # noqa: TRY301
    except ValueError:
        structlog.get_logger().exception("timer.bug", reason=f"?token={SECRET}")
    assert "timer.bug" in seen()
    assert not [mark for mark in MARKS if mark in seen()]


def test_what_is_for_machines_or_said_in_a_sentence_stands_in_the_log_alone(lines):
    def happen():
        structlog.get_logger().info("audit.head", digest="d1", rows=1)
        structlog.get_logger().warning("source.failed", source="blog", failures=1)
        structlog.get_logger().info("source.recovered", source="blog")

    happen()
    assert [line["event"] for line in lines()] == ["audit.head", "source.failed", "source.recovered"]
    out = io.StringIO()
    log_to(out, is_terminal=True)
    happen()
    assert out.getvalue() == ""


def test_a_failure_that_is_not_said_anew_is_logged_on_a_terminal(seen):
    structlog.get_logger().warning("source.failed", source="blog", failures=2)
    assert "source.failed" in seen()
    assert "\x1b[" in seen()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_no_colour_gets_none(seen, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    out = io.StringIO()
    log_to(out, is_terminal=True)
    structlog.get_logger().info("incident.changed", incident="NF-2026-001")
    assert "incident.changed" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_the_first_words_of_the_service_on_a_terminal_are_for_people(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    (tmp_path / "past.jsonl").touch()
    feed = '{type: feed, url: "https://press.example/feed"}'
    config.write_text(CONFIG.format(folder=tmp_path).replace(feed, "{type: archive, path: past.jsonl}"), "utf-8")
    ours, theirs = pty.openpty()
    service = subprocess.Popen(
        [sys.executable, "-m", "brandmelder", "run", "--config", str(config)],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        said = b""
        while b"silent" not in said:
            said += os.read(ours, 4096)
        service.send_signal(signal.SIGINT)
        assert service.wait(timeout=30) == 0
    finally:
        service.kill()
        service.wait()
        os.close(ours)
    assert said.decode().startswith("watching 1 monitor over 1 source; the first poll of a source reads its past")
