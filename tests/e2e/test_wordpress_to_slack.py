"""The whole way: a real WordPress, the installed command as a process, the real slack-sdk, and exactly one alert."""

from __future__ import annotations

import re
import sys
import time
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
UNSETTLED = "select count(*) from delivery where state in ('due', 'sending', 'unclear')"


@pytest.fixture
def slack(tmp_path: Path):
    with Slack(tmp_path) as peer:
        yield peer


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


def _eight_weeks(now: datetime) -> Iterable[Comment]:
    """The story's quiet weeks, moved so that they end now."""
    events = STORY.comments(STORY.start, STORY.onset)
    places = {event.ref: place for place, event in enumerate(events)}
    for place, event in enumerate(events):
        yield Comment(
            text=event.text,
            author=event.author,
            date_gmt=event.published_at + (now - STORY.onset),
            parent=places[event.parent] - place if event.parent in places and places[event.parent] < place else 0,
        )


def _write(wordpress: WordPress, events: Iterable[Event]) -> None:
    for event in events:
        wordpress.comment(event.text, event.author, datetime.now(UTC))


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


def test_exactly_one_alert_reaches_slack_through_three_kills(
    wordpress: WordPress, service: Brandmelder, slack: Slack, watch: Stopwatch
):
    history = wordpress.import_history(_eight_weeks(datetime.now(UTC) - timedelta(minutes=1)))
    watch.lap(f"WordPress has a history of {len(history)} comments")

    service.start()
    wait_until(lambda: service.one(STORED), 30, "the first page of the history", every=0.002)
    service.kill()
    read = service.one(STORED)
    watch.lap(f"killed while polling history, {read} of {len(history)} read")
    assert 0 < read < len(history)

    service.start()
    wait_until(lambda: service.one(STORED) == len(history), 60, "the whole history")
    wait_until(lambda: service.one("select evaluated_through from monitor"), 60, "a first evaluation")
    assert service.one("select count(*) from mention where not history") == 0
    watch.lap("started again, all history read and evaluated")
    time.sleep(5)
    assert slack.visible() == []

    slack.plan("chat.postMessage", answer="slow", seconds=20, lands=True)
    _write(wordpress, STORM[:60])
    watch.lap("60 comments written")
    (opening,) = wait_until(slack.alerts, 60, "the alert")
    service.kill()
    watch.lap("alert seen; killed while Slack's answer was on its way")
    assert service.rows("select state from delivery") == [("sending",)]

    _write(wordpress, STORM[60:80])
    service.start()
    _write(wordpress, STORM[80:110])
    wait_until(lambda: service.one(STORED_STORM) >= 90, 60, "half the storm")
    service.kill()
    watch.lap(f"killed during the storm, {service.one(STORED_STORM)} of 110 read")

    _write(wordpress, STORM[110:130])
    service.start()
    _write(wordpress, STORM[130:])
    wait_until(lambda: service.one(STORED_STORM) == len(STORM), 60, "the whole storm")
    watch.lap("all 150 comments are in the store")
    wait_until(lambda: _is_told(service, slack), 240, "the last figures in Slack", every=0.5)
    watch.lap("the figures in Slack are the latest")

    assert service.is_running()
    (alert,) = slack.alerts()
    assert alert["ts"] == opening["ts"]
    assert alert["edited"]
    assert len({one["key"] for one in slack.visible()}) == len(slack.visible())
    incident = _incident(service)
    assert _shown(alert) > _shown(opening)
    labelled, expected = service.rows(
        IN_WINDOW, int(incident.spike.since.timestamp()), int(incident.spike.until.timestamp())
    )[0]
    assert _shown(alert) == round(expected if incident.spike.is_estimate else labelled)
    truth = sum(event.truth is Label.NEGATIVE and event.is_about_brand for event in STORM)
    watch.lap(f"shown {_shown(alert)}, negative in truth {truth} of {len(STORM)}")
    assert _shown(alert) == pytest.approx(truth, rel=0.25)
    assert service.stop() == 0
