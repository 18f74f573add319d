"""Known events and marked periods in the configuration: read, resolved, and every error with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from brandmelder.detect.occasions import Repeats
from brandmelder.errors import ConfigurationError
from brandmelder.settings import parse_settings

BASE = """brand: Nordfunk
sources:
  blog: {type: feed, url: "https://blog.example/feed", own_accounts: [nordfunk]}
monitors:
  nordfunk: {query: nordfunk}
  router: {query: router}
channels: {crisis: {type: console}}
alerts: [{to: [crisis]}]
"""


def read(more=""):
    return parse_settings(BASE + more, Path("brandmelder.yaml"), {})


def problems(more):
    with pytest.raises(ConfigurationError) as caught:
        read(more)
    return [str(problem) for problem in caught.value.problems]


def test_an_event_is_read_with_its_monitors():
    settings = read(
        "region: DE-BE\n"
        "calendar:\n"
        "  - {name: TV-Spot, start: 2026-12-20T19:58, end: 2026-12-20T21:30, repeats: weekly, until: 2027-02-28}\n"
        "  - {name: Preisbrief, start: '2026-12-21 08:00', end: 2026-12-23T20:00, monitors: [router], "
        "kind: brief, lift: 4}\n"
    )
    spot, letter = settings.calendar
    assert settings.region == "DE-BE"
    assert (spot.planned.repeats, spot.planned.kind, spot.monitors) == (
        Repeats.WEEKLY,
        "TV-Spot",
        ("nordfunk", "router"),
    )
    assert (letter.planned.lift, letter.planned.kind, letter.monitors) == (4.0, "brief", ("router",))


def test_a_marked_period_is_read():
    (one,) = read("marked:\n  - {start: 2026-11-01T00:00, end: 2026-11-03T00:00, why: import, monitors: all}\n").marked
    assert (f"{one.start:%d} {one.end:%d}", one.monitors) == ("01 03", ("nordfunk", "router"))


@pytest.mark.parametrize(
    ("more", "place", "said"),
    [
        ("region: Bayern\n", "9:9", "DE-BY"),
        ("calendar:\n  - {name: a, start: heute, end: 2026-01-01T10:00}\n", "10:22", "no time"),
        ("calendar:\n  - {name: a, start: 2026-01-01T10:00Z, end: 2026-01-01T10:00}\n", "10:22", "has a zone"),
        ("calendar:\n  - {name: a, start: 2026-01-01T10:00, end: 2026-01-01T09:00}\n", "10:45", "before it begins"),
        ("calendar:\n  - {name: a, start: 2026-01-01T10:00, end: 2026-01-01T11:00, lift: 0}\n", "10:69", "lift"),
        ("calendar:\n  - {name: a, start: 2026-01-01T10:00, end: 2026-01-01T11:00, repeats: hourly}\n",
         "10:72", "weekly"),
        ("calendar:\n  - {name: a, start: 2026-01-01T10:00, end: 2026-01-01T11:00, until: 2026-02-01}\n", "10:63",
         "never does"),
        ("calendar:\n  - {name: a, start: 2026-01-01T10:00, end: 2026-01-01T11:00, monitors: [rooter]}\n", "10:74",
         "router"),
        ("marked:\n  - {start: 2026-01-02T00:00, end: 2026-01-01T00:00}\n", "10:36", "before it begins"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(more, place, said):
    (problem,) = problems(more)
    assert f"brandmelder.yaml:{place}" in problem
    assert said in problem


def test_kinds_and_rules_are_read():
    settings = read().model_copy()
    assert settings.monitors["nordfunk"].kinds[0].value == "negative"
    more = BASE.replace(
        "{query: nordfunk}",
        "{query: nordfunk, kinds: [negative, share], unanswered: {after: 30m}, key_mentions: {words: [Rückruf]}}",
    )
    monitor = parse_settings(more, Path("b.yaml"), {}).monitors["nordfunk"]
    assert [kind.value for kind in monitor.kinds] == ["negative", "share"]
    assert (monitor.unanswered.after.seconds, monitor.key_mentions.words) == (1800, ("Rückruf",))


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("kinds: [negativ]", "negative"),
        ("key_mentions: {}", "reach, words or authors"),
        ("key_mentions: {words: ['(a']}", "query"),
        ("key_mentions: {reach: 0}", "reach"),
        ("unanswered: {after: 1m}", "between 5m and 24h"),
    ],
)
def test_a_wrong_kind_or_rule_is_told(block, said):
    text = BASE.replace("{query: nordfunk}", "{query: nordfunk, " + block + "}")
    with pytest.raises(ConfigurationError, match=r"brandmelder\.yaml:5") as caught:
        parse_settings(text, Path("brandmelder.yaml"), {})
    assert said in str(caught.value)


def test_unanswered_needs_accounts_that_answer():
    text = BASE.replace(", own_accounts: [nordfunk]", "").replace(
        "{query: nordfunk}", "{query: nordfunk, unanswered: {}}"
    )
    with pytest.raises(ConfigurationError, match="own_accounts"):
        parse_settings(text, Path("b.yaml"), {})
