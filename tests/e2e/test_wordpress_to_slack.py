"""The whole way: a real WordPress, the installed command as a process, the real slack-sdk, and exactly one alert."""

from __future__ import annotations

import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from brandmelder.demo import scenario
from brandmelder.model import Incident, Label
from e2e.service import Brandmelder, wait_until
from e2e.slack import CHANNEL, TOKEN, Slack
from peers.wordpress import Comment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from brandmelder.demo.events import Event
    from peers.wordpress import WordPress

pytestmark = pytest.mark.e2e

STORY = scenario.build()
EIGHT_WEEKS = timedelta(days=55, hours=23)
STORM = [event for event in STORY.comments(STORY.onset, STORY.end) if not event.own][:150]

SETTINGS = """\
brand: Nordfunk
language: de
timezone: Europe/Berlin
database: sqlite:///{home}/brandmelder.db
sources:
  blog: {{type: wordpress, url: "{blog}", every: 2s, own_accounts: [nordfunk], allow_private: true}}
monitors:
  nordfunk:
    query: '(nordfunk OR "nord funk" OR #nordfunk) -stellenanzeige'
    sources: [blog]
    false_alarms: 1 per 30 days
channels:
  crisis: {{type: slack, token: "${{SLACK_BOT_TOKEN}}", channel: {channel}, api_url: "{slack}"}}
alerts:
  - {{monitors: all, to: [crisis]}}
"""

STORED = "select count(*) from mention where removed_at is null"
STORED_STORM = "select count(*) from mention where not history and not own"
IN_WINDOW = (
    "select sum(labelled), sum(negative) from match where not history and published_at >= ? and published_at < ?"
)
LAST_POLL = "select last_success_at from source"
UNSETTLED = "select count(*) from delivery where state in ('due', 'sending', 'unclear')"


@pytest.fixture
def slack(tmp_path: Path):
    with Slack(tmp_path) as peer:
        yield peer


@pytest.fixture
def history(wordpress: WordPress):
    """Eight weeks of comments, and nothing else."""
    wordpress.forget()
    return wordpress.import_history(_eight_weeks(datetime.now(UTC)))


@pytest.fixture
def service(tmp_path: Path, wordpress: WordPress, slack: Slack):
    settings = SETTINGS.format(home=tmp_path, blog=wordpress.url, slack=slack.url, channel=CHANNEL)
    with Brandmelder(tmp_path, settings, {"SLACK_BOT_TOKEN": TOKEN}) as brandmelder:
        yield brandmelder


class Stopwatch:
    """Tells how long each part took, past pytest's capture."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._last = self._first = time.monotonic()

    def lap(self, what: str) -> None:
        now = time.monotonic()
        with self._capsys.disabled():
            sys.stdout.write(f"\n{what:70} {now - self._last:6.1f} s {now - self._first:7.1f} s")
        self._last = now


@pytest.fixture
def watch(capsys: pytest.CaptureFixture[str]):
    return Stopwatch(capsys)


def _eight_weeks(now: datetime) -> list[Comment]:
    """Two stories' quiet weeks in one blog, moved so that they end now; more than one poll can read."""
    found = []
    for seed in (1, 2):
        story = scenario.build(seed)
        events = story.comments(story.onset - EIGHT_WEEKS, story.onset)
        places = {event.ref: len(found) + place for place, event in enumerate(events)}
        found += [
            Comment(
                text=event.text,
                author=event.author,
                date_gmt=event.published_at + (now - story.onset),
                parent=places[event.parent] - places[event.ref] if event.parent in places else 0,
            )
            for event in events
        ]
    return found


def _write(wordpress: WordPress, events: Iterable[Event]) -> None:
    for event in events:
        wordpress.comment(event.text, event.author, datetime.now(UTC))


@contextmanager
def _writing(wordpress: WordPress, events: Iterable[Event]):
    """Write while something else happens; all is written in the end."""
    with ThreadPoolExecutor(max_workers=1) as writer:
        written = writer.submit(_write, wordpress, events)
        yield
        written.result()


def _wait_for_history(service: Brandmelder, count: int) -> None:
    wait_until(lambda: service.one(STORED) == count, 60, "the whole history")
    wait_until(lambda: service.one("select min(history_done) from source"), 60, "the end of the first contact")
    assert service.one("select count(*) from mention where not history") == 0


def _incident(service: Brandmelder) -> Incident:
    bodies = service.rows("select body from incident")
    assert len(bodies) == 1
    return msgspec.msgpack.decode(bodies[0][0], type=Incident)


def _shown(alert: dict[str, Any]) -> int:
    found = re.search(r"(\d+) in \d+ (?:min|Min|Std)", alert["text"])
    assert found is not None, alert["text"]
    return int(found[1])


def _is_told(service: Brandmelder, slack: Slack) -> bool:
    """Whether nothing waits to be sent and people see the latest figures."""
    if service.one(UNSETTLED) or not slack.alerts():
        return False
    return _shown(slack.alerts()[0]) == _incident(service).spike.observed


def _assert_exactly_one(service: Brandmelder, slack: Slack, opening: dict[str, Any]) -> int:
    """One alert, the one that was opened, edited since; its number is what the store holds. Returns the number."""
    (alert,) = slack.alerts()
    assert alert["ts"] == opening["ts"]
    assert alert["edited"]
    assert len({one["key"] for one in slack.visible()}) == len(slack.visible())
    incident = _incident(service)
    since, until = int(incident.spike.since.timestamp()), int(incident.spike.until.timestamp())
    ((labelled, expected),) = service.rows(IN_WINDOW, since, until)
    assert _shown(alert) == round(expected if incident.spike.is_estimate else labelled)
    return _shown(alert)


def test_exactly_one_alert_reaches_slack_through_three_kills(
    wordpress: WordPress, history: list[int], service: Brandmelder, slack: Slack, watch: Stopwatch
):
    watch.lap(f"WordPress has a history of {len(history)} comments")
    service.start()
    wait_until(lambda: service.one(STORED), 30, "the first page of the history", every=0.002)
    service.kill()
    read = service.one(STORED)
    watch.lap(f"killed while polling history: {read} of {len(history)} read")
    assert 0 < read < len(history)

    service.start()
    _wait_for_history(service, len(history))
    watch.lap("started again: all history is read")
    last = service.one(LAST_POLL)
    wait_until(lambda: service.one(LAST_POLL) > last + 2, 30, "two polls of a quiet blog")
    assert slack.visible() == []

    slack.plan("chat.postMessage", answer="slow", seconds=20, lands=True)
    with _writing(wordpress, STORM[:60]):
        (opening,) = wait_until(slack.alerts, 60, "the alert", every=0.02)
        service.kill()
        watch.lap("killed after the opening, Slack's answer still on its way")
        assert service.rows("select state from delivery") == [("sending",)]
    watch.lap("60 comments are written")

    service.start()
    wait_until(lambda: service.one(STORED_STORM) == 60, 60, "what is written so far")
    with _writing(wordpress, STORM[60:100]):
        wait_until(lambda: service.one(STORED_STORM) > 60, 60, "more of the storm", every=0.01)
        service.kill()
        read = service.one(STORED_STORM)
        watch.lap(f"killed during the storm: {read} of {len(STORM)} read")
    with _writing(wordpress, STORM[100:]):
        service.start()
    wait_until(lambda: service.one(STORED_STORM) == len(STORM), 60, "the whole storm")
    watch.lap(f"all {len(STORM)} comments are in the store")
    wait_until(lambda: _is_told(service, slack), 240, "the last figures in Slack", every=0.5)
    watch.lap("the figures in Slack are the latest")

    assert service.is_running()
    shown = _assert_exactly_one(service, slack, opening)
    assert shown > _shown(opening)
    truth = sum(event.truth is Label.NEGATIVE and event.is_about_brand for event in STORM)
    watch.lap(f"shown {_shown(opening)} at first, {shown} in the end; negative in truth {truth} of {len(STORM)}")
    assert shown == pytest.approx(truth, rel=0.25)
    assert service.stop() == 0


def test_an_alarm_that_rises_while_slack_is_down_is_told_once_after_a_kill(
    wordpress: WordPress, history: list[int], service: Brandmelder, slack: Slack, watch: Stopwatch
):
    slack.unplug()
    service.start()
    _wait_for_history(service, len(history))
    _write(wordpress, STORM[:60])
    wait_until(lambda: service.rows("select state from delivery"), 60, "a promise to tell Slack", every=0.002)
    service.kill()
    watch.lap("killed between the incident and its delivery")
    assert _incident(service).state == "open"

    slack.plug_in()
    assert slack.visible() == []
    service.start()
    (opening,) = wait_until(slack.alerts, 150, "the alert")
    watch.lap("the alert is told")
    _write(wordpress, STORM[60:80])
    wait_until(lambda: service.one(STORED_STORM) == 80, 60, "the rest")
    wait_until(lambda: slack.alerts()[0]["edited"], 240, "an edit", every=0.5)
    wait_until(lambda: _is_told(service, slack), 240, "the last figures in Slack", every=0.5)
    watch.lap("the figures in Slack are the latest")
    _assert_exactly_one(service, slack, opening)
    assert service.stop() == 0
