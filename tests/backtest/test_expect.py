"""Recorded incidents as tests: what has to be told, what must not, and what is wrong with the file that says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from backtest.conftest import CONFIG, STORY
from brandmelder.backtest.expect import check, read_expectations
from brandmelder.backtest.recorder import Recorder
from brandmelder.backtest.replay import Replay, Told, _read
from brandmelder.errors import ConfigurationError
from brandmelder.model import Evidence, State
from brandmelder.settings import parse_settings
from brandmelder.store import incidents
from brandmelder.store.database import Database
from notify.stories import INCIDENT

BERLIN = ZoneInfo("Europe/Berlin")
OPENED = datetime(2026, 12, 15, 20, 4, tzinfo=BERLIN)


def replayed(*opened, severity=4):
    told = tuple(
        Told(
            incident=replace(INCIDENT, id=f"NF-{number}", monitor="nordfunk", opened_at=at, severity=severity),
            evidence=Evidence(),
            timeline=(),
        )
        for number, at in enumerate(opened, 1)
    )
    since = datetime(2026, 12, 1, tzinfo=UTC)
    return Replay(since=since, until=since + timedelta(days=30), mentions=9, matched={}, unknown_sources={}, told=told)


@pytest.fixture
def settings(tmp_path):
    return parse_settings(CONFIG, tmp_path / "brandmelder.yaml", {"TOKEN_NOBODY_SET": "xoxb-1"})


@pytest.fixture
def read(tmp_path, settings):
    def read(text):
        file = tmp_path / "expect.yaml"
        file.write_text(text, "utf-8")
        return read_expectations(file, settings)

    return read


@pytest.mark.parametrize(
    ("wanted", "opened", "said", "is_met"),
    [
        ("begins: 2026-12-15T19:58", [OPENED], "NF-1 opened after 6 min, severity 4", True),
        ("begins: 2026-12-15T19:58", [], "no incident opened", False),
        ("begins: 2026-12-15T20:05", [OPENED], "no incident opened", False),
        (
            "begins: 2026-12-15T19:58, within: 5m",
            [OPENED],
            "NF-1 opened after 6 min, expected within 5 min",
            False,
        ),
        (
            "begins: 2026-12-15T19:58, severity: 5",
            [OPENED],
            "NF-1 reached severity 4, expected at least 5",
            False,
        ),
        (
            "begins: 2026-12-15T19:58",
            [OPENED - timedelta(days=1), OPENED, OPENED + timedelta(days=1)],
            "NF-2 opened after 6 min, severity 4",
            True,
        ),
    ],
)
def test_an_incident_that_has_to_open(read, wanted, opened, said, is_met):
    (one,) = check(read(f"incidents:\n  - {{monitor: nordfunk, {wanted}}}\n"), replayed(*opened), BERLIN)
    assert one.text.endswith(said)
    assert one.is_met is is_met


@pytest.mark.parametrize(
    ("opened", "said", "is_met"),
    [
        ([], "nothing opened", True),
        ([OPENED], "NF-1 (2026-12-15 20:04) opened", False),
        ([OPENED - timedelta(days=9)], "nothing opened", True),
    ],
)
def test_a_span_that_has_to_stay_quiet(read, opened, said, is_met):
    text = "quiet:\n  - {monitor: nordfunk, begins: 2026-12-14T00:00, ends: 2026-12-17T00:00}\n"
    (one,) = check(read(text), replayed(*opened), BERLIN)
    assert one.text.endswith(said)
    assert one.is_met is is_met


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "incidents: [{monitor: nordfnk, begins: 2026-12-15T19:58}]",
            r'yaml:1:23: .*unknown monitor "nordfnk".*nordfunk',
        ),
        ("incidents: [{monitor: nordfunk, begin: 2026-12-15T19:58}]", r"yaml:1:33: .*begin"),
        ("incidents: [{monitor: nordfunk, begins: soon}]", r"yaml:1:41: .*no time"),
        (
            "quiet: [{monitor: nordfunk, begins: 2026-12-15T19:58, ends: 2026-12-15T19:00}]",
            r"yaml:1:61: .*ends before it begins",
        ),
        ("{}", "nothing is expected"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_with_its_place(read, text, problem):
    with pytest.raises(ConfigurationError, match=problem):
        read(text)


def test_the_command_fails_where_the_replay_tells_otherwise(backtest, story_file, tmp_path):
    onset = STORY.onset.astimezone(BERLIN)
    file = tmp_path / "expect.yaml"
    file.write_text(
        f"incidents:\n  - {{monitor: nordfunk, begins: {onset:%Y-%m-%dT%H:%M}, within: 15m, severity: 3}}\n"
        f"quiet:\n  - {{monitor: nordfunk, begins: {onset:%Y-%m-%dT%H:%M}, ends: {onset:%Y-%m-%d}T23:00}}\n",
        "utf-8",
    )
    result = backtest(story_file, "--from", STORY.evening.isoformat(), "--expect", str(file))
    assert result.exit_code == 1
    assert "\nmet    nordfunk, 2026-12-15 19:58: NF-2026-001 opened after " in result.stdout
    assert "\nMISSED nordfunk, quiet 2026-12-15 19:58 to 2026-12-15 23:00: NF-2026-001 (2026-12-15 20:" in result.stdout


def test_what_was_only_suspected_is_no_incident_of_a_replay(settings):
    database = Database("sqlite://")
    database.prepare()
    for number, state in enumerate(State):
        incident = replace(INCIDENT, id=f"NF-{number}", monitor=f"m{number}", state=state)
        database.run_now(incidents.save_incident, incident, Evidence(), [], expected_revision=None)
    told, _, _ = database.run_now(_read, Recorder(), settings)
    database.close()
    assert {one.incident.state for one in told} == set(State) - {State.PENDING, State.DISCARDED}
