"""Dead letters from the command line: seen, tried again, put away."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from brandmelder.cli import main
from brandmelder.model import ChannelId, Delivery, DeliveryKind, DeliveryState, IncidentId
from brandmelder.notify.delivery import next_moment
from brandmelder.store import deliveries
from brandmelder.store.database import Database

AT = datetime(2026, 12, 15, 19, 0, tzinfo=UTC)
YAML = """
brand: Nordfunk
database: sqlite:///{}
sources: {{blog: {{type: feed, url: "https://blog.example/feed"}}}}
monitors: {{nordfunk: {{query: nordfunk}}}}
channels: {{crisis: {{type: console}}}}
alerts: [{{monitors: all, to: [crisis]}}]
"""


def a_delivery(kind, state, error=None):
    return Delivery(
        key=f"NF-2026-001:{kind.value}:crisis",
        incident=IncidentId("NF-2026-001"),
        channel=ChannelId("crisis"),
        kind=kind,
        revision=1,
        state=state,
        due_at=AT,
        created_at=AT,
        attempts=3,
        last_error=error,
    )


DEAD = a_delivery(DeliveryKind.OPEN, DeliveryState.DEAD, "Slack does not take it in this channel: token_revoked")
WAITING = a_delivery(DeliveryKind.THREAD, DeliveryState.DUE, "no connection")
TOLD = a_delivery(DeliveryKind.RESOLVE, DeliveryState.SENT)


class Desk:
    def __init__(self, folder):
        self.file = folder / "brandmelder.yaml"
        self.file.write_text(YAML.format(folder / "a.db"))
        self.url = f"sqlite:///{folder / 'a.db'}"
        self.on(lambda connection: deliveries.promise(connection, [(one, None) for one in (DEAD, WAITING, TOLD)]))

    def on(self, function):
        database = Database(self.url)
        database.prepare()
        try:
            return database.run_now(function)
        finally:
            database.close()

    def says(self, *arguments, code=0):
        result = CliRunner().invoke(main, ["deliveries", *arguments, "--config", str(self.file)])
        assert result.exit_code == code, result.output
        return result.output.splitlines()

    def stored(self, key):
        return self.on(lambda connection: deliveries.find(connection, key))


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_what_is_not_told_is_listed_with_its_trouble(desk):
    lines = desk.says("list")
    assert [line.split()[0] for line in lines] == [DEAD.key, WAITING.key]
    assert lines[0].endswith("token_revoked")
    assert [line.split()[0] for line in desk.says("list", "--dead")] == [DEAD.key]
    assert len(desk.says("list", "--all")) == 3
    assert [json.loads(line)["key"] for line in desk.says("list", "--json")] == [DEAD.key, WAITING.key]


def test_one_is_shown_with_all_that_is_known(desk):
    assert "  attempts               3" in desk.says("show", DEAD.key)
    assert json.loads(desk.says("show", DEAD.key, "--json")[0])["state"] == "dead"


def test_what_is_dead_is_tried_again_at_once(desk):
    assert desk.says("retry", DEAD.key) == [f"{DEAD.key} is tried again"]
    again = desk.stored(DEAD.key)
    assert again.state is DeliveryState.DUE
    wanted = desk.on(deliveries.next_attention)
    assert wanted == next_moment(again)
    assert desk.says("retry", "--all-dead") == ["nothing is dead"]


def test_everything_that_is_dead_may_be_tried_again(desk):
    assert desk.says("retry", "--all-dead") == [f"{DEAD.key} is tried again"]


def test_what_waits_or_is_dead_is_put_away_and_by_whom_is_kept(desk):
    desk.says("discard", DEAD.key, WAITING.key, "--by", "anna")
    assert desk.says("list", "--dead")[0].split()[:2] == [WAITING.key, "dead"]
    assert desk.stored(DEAD.key).last_error.startswith("discarded by anna: ")
    desk.says("discard", WAITING.key)
    assert desk.says("list") == ["everything is told"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "NF-1:open:x"), 1, "there is no delivery"),
        (("retry", WAITING.key), 1, "only what is dead"),
        (("retry",), 2, "name a key"),
        (("discard", TOLD.key), 1, "only what waits or is dead"),
        (("retry", DEAD.key, TOLD.key), 1, "only what is dead"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(desk, arguments, code, said):
    assert said in "\n".join(desk.says(*arguments, code=code))
    assert desk.stored(DEAD.key) == DEAD
