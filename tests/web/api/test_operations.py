"""What the API does and shows, over a storm that the pipeline told of."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime, timedelta

import pytest

from brandmelder.model import DeliveryKind, Label
from brandmelder.pipeline.judge import judge
from brandmelder.store import audit, labels, silences, subscriptions
from pipeline.world import STORM, YAML
from web.api.house import client, opened, served, token

HOUR = timedelta(hours=1)


@pytest.fixture
def world(storm_file, tmp_path):
    made = opened(storm_file, tmp_path)
    token(made)
    yield made
    made.database.close()


@pytest.fixture
def browser(world):
    app, asked = served(world)
    made = client(app)
    made.asked = asked
    return made


def new(ident="n1", text="Nordfunk ist eine Katastrophe, nie wieder!", **more):
    return {"external_id": ident, "text": text, "published_at": "2026-12-15T20:20:00+01:00"} | more


def bring(browser, *mentions, key=None, source="blog"):
    headers = {} if key is None else {"idempotency-key": key}
    return browser.post("mentions", json={"source": source, "mentions": list(mentions)}, headers=headers)


# ------------------------------------------------------------------------ mentions


def test_what_is_brought_is_stored_judged_and_counted_as_if_it_had_been_polled(world, browser):
    answer = bring(browser, new(author="anna", title="Ärger"), new("n2", own=True), new("n3", text="\u200b"))
    assert answer.status_code == 201
    assert answer.json() == {"new": 2, "edited": 0, "repeated": 0, "ignored": 1}
    assert browser.asked.brought == 1
    asyncio.run(judge(world.pipeline.parts))
    shown = browser.get("mentions", params={"monitor": "nordfunk", "limit": 200}).json()["items"]
    found = {one["external_id"]: one for one in shown}
    assert found["n1"]["label"] == "negative"
    assert found["n1"]["counted"] > 0
    assert "n2" not in found, "what is our own counts for no monitor"
    authors = world.database.run_now(
        lambda connection: connection.exec_driver_sql("SELECT author FROM mention WHERE external_id = 'n1'").scalar()
    )
    assert authors
    assert "anna" not in authors


def test_the_same_mention_again_is_a_repeat_and_with_another_text_an_edit(browser):
    assert bring(browser, new()).json()["new"] == 1
    assert bring(browser, new()).json() == {"new": 0, "edited": 0, "repeated": 1, "ignored": 0}
    assert bring(browser, new(text="Doch nicht so schlimm, Nordfunk.")).json()["edited"] == 1


def test_the_same_key_with_the_same_body_is_done_once(browser):
    first = bring(browser, new(), key="k1")
    again = bring(browser, new(), key="k1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = bring(browser, new("n2"), key="k1")
    assert (other.status_code, other.json()["type"]) == (409, "urn:brandmelder:key-reused")
    assert bring(browser, new("n2"), key="k2").json()["new"] == 1


def test_a_key_is_forgotten_after_a_day(world, browser):
    assert bring(browser, new(), key="k1").status_code == 201
    world.clock.move_to(world.clock.now() + timedelta(hours=25))
    assert bring(browser, new("n2"), key="k1").status_code == 201


def test_a_batch_is_for_a_source_of_the_configuration(browser):
    answer = bring(browser, new(), source="nowhere")
    assert (answer.status_code, answer.json()["where"]) == (404, "body $.source")
    assert "blog" in answer.json()["detail"]


def test_mentions_are_listed_page_by_page_without_gap_or_repeat(browser):
    seen, after = [], None
    while True:
        params = {"monitor": "nordfunk", "limit": 13} | ({} if after is None else {"after": after})
        page = browser.get("mentions", params=params).json()
        seen += [(one["published_at"], one["id"]) for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len({ident for _, ident in seen}) == len(seen) > 100
    negative = browser.get("mentions", params={"monitor": "nordfunk", "label": "negative", "source": "blog"}).json()
    assert {one["label"] for one in negative["items"]} == {"negative"}


# ----------------------------------------------------------------------- incidents


def test_an_incident_is_read_whole_and_not_again_while_it_stands(browser):
    (listed,) = browser.get("incidents", params={"state": "running", "monitor": "nordfunk"}).json()["items"]
    answer = browser.get(f"incidents/{listed['id']}")
    whole = answer.json()
    assert {name: whole[name] for name in listed} == listed
    assert whole["quotes"]
    assert whole["sources"] == {"blog": whole["negatives"]}
    again = browser.get(f"incidents/{listed['id']}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    steps = browser.get(f"incidents/{listed['id']}/timeline").json()["items"]
    assert [one["act"] for one in steps][:2] == ["suspect", "open"]


def act(browser, act, *, tag=None, **more):
    headers = {} if tag is None else {"if-match": tag}
    return browser.post("incidents/NF-2026-001/acts", json={"act": act, **more}, headers=headers)


def test_an_act_goes_the_way_of_a_click_and_is_told(world, browser):
    before = browser.get("incidents/NF-2026-001").headers["etag"]
    answer = act(browser, "acknowledge", tag=before)
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["acknowledged_by"]) == ("acknowledged", "Leitstelle")
    assert browser.asked.woken == 1
    assert any(
        one.kind is DeliveryKind.UPDATE and one.revision == answer.json()["revision"] for one in world.deliveries()
    )
    (noted,) = world.database.run_now(audit.newest, 1)
    assert (noted.act, noted.actor) == ("incident.acknowledge", "Leitstelle")
    assert "token:0123456789ab" in noted.detail
    late = act(browser, "resolve", tag=before)
    assert (late.status_code, late.json()["type"]) == (412, "urn:brandmelder:stale")
    assert browser.get("incidents/NF-2026-001").json()["state"] == "acknowledged"


def test_all_acts_are_done_and_what_is_not_due_is_refused_with_the_reason(browser):
    assert act(browser, "snooze", minutes=90).json()["snoozed_until"] is not None
    assert act(browser, "acknowledge").json()["state"] == "acknowledged"
    assert act(browser, "hand_over", to="Ben").json()["acknowledged_by"] == "Ben"
    refused = act(browser, "undo")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:brandmelder:illegal")
    dismissed = act(browser, "dismiss", reason="sarcasm", words="ein Witz").json()
    assert (dismissed["state"], dismissed["label"]) == ("dismissed", "sarcasm")
    assert act(browser, "undo").json()["state"] == "acknowledged"
    assert act(browser, "resolve").json()["closed_by"] == "Leitstelle"
    assert act(browser, "reopen").json()["state"] == "open"


def test_names_are_roles_where_the_configuration_wants_it(storm_file, tmp_path):
    world = opened(storm_file, tmp_path, yaml=YAML + "people_in_figures: false\n")
    token(world, name="Anna")
    browser = client(served(world)[0])
    assert act(browser, "acknowledge").json()["acknowledged_by"] == "on call"
    assert "Anna" not in browser.get("incidents/NF-2026-001/timeline").text
    assert "Anna" not in browser.get("incidents").text
    world.database.close()


# -------------------------------------------------------- monitors, sources, silences


def test_a_series_has_its_band_and_says_what_was_seen(browser):
    answer = browser.get("monitors/nordfunk/series", params={"width": "1h", "since": "2026-12-14T12:00:00Z"}).json()
    bins = answer["bins"]
    starts = [datetime.fromisoformat(one["start"]) for one in bins]
    assert starts[0] == datetime.fromisoformat("2026-12-14T12:00:00+00:00")
    assert {later - sooner for sooner, later in itertools.pairwise(starts)} == {HOUR}
    storm = bins[starts.index(STORM)]
    assert storm["negative"] > storm["usual_high"] + 10
    assert 0 < storm["exposure"] < 1
    assert bins[0]["exposure"] > 0.9
    (monitor,) = browser.get("monitors").json()["items"]
    assert monitor == browser.get("monitors/nordfunk").json()
    assert monitor["running"] == ["NF-2026-001"]
    narrow = browser.get("monitors/nordfunk/series", params={"width": "5m", "since": "2020-01-01T00:00:00Z"}).json()
    assert len(narrow["bins"]) == 500


def test_sources_say_until_when_they_were_read(browser):
    blog, press = browser.get("sources").json()["items"]
    assert (blog["id"], blog["state"], press["source_class"]) == ("blog", "ok", "news")
    assert blog["read_until"] > "2026-12-15T19:"


def test_a_silence_is_made_once_listed_and_ended(world, browser):
    asked = {"reason": "Wartung", "minutes": 120, "monitors": ["nordfunk"], "below": 4}
    made = browser.post("silences", json=asked, headers={"idempotency-key": "s"})
    again = browser.post("silences", json=asked, headers={"idempotency-key": "s"})
    assert (made.status_code, again.status_code, made.json()) == (201, 200, again.json())
    assert browser.get("silences").json()["items"] == [made.json()]
    assert world.database.run_now(silences.find, made.json()["id"]).by == "Leitstelle"
    ended = browser.post(f"silences/{made.json()['id']}/expire")
    assert ended.json()["holds"] is False
    assert browser.get("silences").json()["items"] == []
    assert len(browser.get("silences", params={"ended": "true"}).json()["items"]) == 1
    assert browser.post(f"silences/{made.json()['id']}/expire").status_code == 409


def test_a_silence_over_everything_ends_within_a_day(browser):
    answer = browser.post("silences", json={"reason": "Urlaub", "minutes": 2000})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:brandmelder:limit")
    unknown = browser.post("silences", json={"reason": "x", "minutes": 5, "monitors": ["nordfunkk"]})
    assert (unknown.status_code, unknown.json()["where"]) == (404, "body $.monitors")


# ---------------------------------------------------------------- labels, webhooks


def test_labels_are_kept_all_or_none_and_can_be_taken_back(world, browser):
    first, second = (one["id"] for one in browser.get("mentions?monitor=nordfunk&limit=2").json()["items"])
    missing = browser.post(
        "labels", json={"labels": [{"mention": first, "label": "positive"}, {"mention": 9999999, "label": "neutral"}]}
    )
    assert missing.status_code == 404
    assert world.database.run_now(labels.read) == []
    both = [{"mention": first, "label": "positive"}, {"mention": second, "label": "neutral"}]
    assert browser.post("labels", json={"labels": both}).json()["kept"] == 2
    kept = world.database.run_now(labels.read)
    assert {one.label for one in kept} == {Label.POSITIVE, Label.NEUTRAL}
    assert {one.by for one in kept} == {"Leitstelle"}
    assert browser.delete(f"labels/{first}").status_code == 200
    assert browser.delete(f"labels/{first}").status_code == 404


def test_a_subscription_shows_its_secret_once_and_can_be_ended(world, browser):
    made = browser.post("webhooks", json={"url": "https://hooks.example/in?x=1", "monitors": ["nordfunk"]})
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret.startswith("whsec_")
    assert browser.asked.woken == 1
    (told,) = browser.asked.subscribed
    assert (told.id, told.url) == (made.json()["id"], "https://hooks.example/in?x=1")
    assert told.monitors == {"nordfunk"}
    (listed,) = browser.get("webhooks").json()["items"]
    assert "secret" not in listed
    whole = world.database.run_now(
        lambda connection: str(connection.exec_driver_sql("SELECT * FROM subscription").all())
    )
    assert secret not in whole
    assert browser.delete(f"webhooks/{listed['id']}").status_code == 204
    assert browser.asked.unsubscribed == [listed["id"]]
    assert world.database.run_now(subscriptions.every) == []
    assert browser.delete(f"webhooks/{listed['id']}").status_code == 404


@pytest.mark.parametrize(
    "url", ["http://a.example/", "https://", "ftp://a.example", "https://a b.example", "https://u:p@a.example/"]
)
def test_an_address_that_is_none_is_refused(browser, url):
    assert browser.post("webhooks", json={"url": url}).status_code == 422
