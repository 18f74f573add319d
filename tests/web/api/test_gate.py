"""Nobody reads or does anything without a token that holds and has the right; this table knows every address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from brandmelder.model import Scope
from brandmelder.store import audit, tokens
from brandmelder.web.api.app import SCHEMA, api
from brandmelder.web.api.gate import MOST, MOST_STRANGERS
from brandmelder.web.api.operation import MOST_BODY, Door
from brandmelder.web.api.table import OPERATIONS
from pipeline.world import STORM, World
from web.api.house import SECRET, client, served, token

NAMES = [one.name for one in OPERATIONS]
JSON = {"content-type": "application/json"}
FILLED = {"id": "1", "mention": "1"}


@pytest.fixture
async def world():
    made = World([])
    await made.begin(STORM)
    yield made
    made.database.close()


def send(one, browser, **more):
    path = one.path.format(**{name: FILLED[name] for name in one.path_types})
    query = {"monitor": "nordfunk"} if one.name == "listMentions" else {}
    return browser.request(one.method, path.removeprefix("/"), params=query, **more)


def test_every_route_is_in_the_table_but_the_description(world):
    door = Door(parts=world.pipeline.parts, now=world.clock.now)
    paths = {route.path for route in api(door).routes if isinstance(route, Route)}
    assert paths == {one.path for one in OPERATIONS} | {SCHEMA}
    assert len(NAMES) == len(set(NAMES))
    assert {one.scope for one in OPERATIONS} == set(Scope)


@pytest.mark.parametrize("one", OPERATIONS, ids=NAMES)
def test_without_a_token_nothing_is_read_or_done(world, one):
    app, asked = served(world)
    answer = send(one, client(app, None))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:brandmelder:token"
    assert (asked.woken, asked.brought) == (0, 0)


@pytest.mark.parametrize("one", OPERATIONS, ids=NAMES)
def test_without_its_scope_a_token_does_not_pass_and_with_it_alone_it_does(world, one):
    app, _ = served(world)
    others = [scope for scope in Scope if scope is not one.scope]
    token(world, *others)
    refused = send(one, client(app))
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:brandmelder:scope")
    assert one.scope.value in refused.json()["detail"]
    token(world, one.scope, secret="bm_" + "t" * 43, ident="fedcba987654")
    assert send(one, client(app, "bm_" + "t" * 43)).status_code not in {401, 403}


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic " + SECRET, SECRET, "Bearer " + SECRET[:-1], "Bearer x" + SECRET, "bearer bm_",
     "Bearer bm_" + "s" * 4000, "Bearer \u00e4", "Bearer " + SECRET + " x"],
)  # fmt: skip
def test_what_is_no_token_opens_nothing(world, header):
    app, _ = served(world)
    token(world)
    browser = client(app, None)
    assert browser.get("incidents", headers={"authorization": header.encode()}).status_code == 401


@given(st.text(max_size=60))
@settings(max_examples=30, deadline=timedelta(seconds=5))
def test_no_guess_opens_anything(secret):
    world = World([])
    assert world.database.run_now(tokens.find, secret, STORM) is None
    world.database.close()


def test_an_ended_or_revoked_token_opens_nothing(world):
    app, _ = served(world)
    token(world, expires=world.clock.now() + timedelta(minutes=1))
    assert client(app).get("incidents").status_code == 200
    world.clock.move_to(world.clock.now() + timedelta(minutes=1))
    assert client(app).get("incidents").status_code == 401
    token(world, secret="bm_" + "t" * 43, ident="fedcba987654")
    assert client(app, "bm_" + "t" * 43).get("incidents").status_code == 200
    assert world.database.run_now(tokens.revoke, "fedcba987654", world.clock.now())
    assert client(app, "bm_" + "t" * 43).get("incidents").status_code == 401


def test_a_secret_is_kept_as_a_hash_and_its_last_use_to_the_minute(world):
    app, _ = served(world)
    token(world)
    browser = client(app)
    browser.get("incidents")
    (kept,) = world.database.run_now(tokens.every)
    assert kept.used_at == world.clock.now()
    world.clock.move_to(world.clock.now() + timedelta(seconds=30))
    browser.get("incidents")
    assert world.database.run_now(tokens.every)[0].used_at == kept.used_at
    rows = world.database.run_now(lambda connection: str(connection.exec_driver_sql("SELECT * FROM token").all()))
    assert SECRET not in rows
    (noted,) = world.database.run_now(audit.newest, 1)
    assert (noted.act, noted.subject) == ("token.add", kept.id)
    assert SECRET not in noted.detail


def test_too_many_requests_are_told_to_wait(world):
    app, _ = served(world)
    token(world)
    browser, stranger = client(app), client(app, None)
    statuses = [browser.get("monitors").status_code for _ in range(MOST + 1)]
    assert statuses == [200] * MOST + [429]
    assert browser.get("monitors").headers["retry-after"] == "60"
    guesses = [stranger.get("monitors").status_code for _ in range(MOST_STRANGERS + 1)]
    assert guesses == [401] * MOST_STRANGERS + [429]
    world.clock.move_to(world.clock.now() + timedelta(minutes=2))
    assert browser.get("monitors").status_code == 200


# ------------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize(
    ("request_", "known", "status", "where"),
    [
        ("GET incidents?limit=0", {}, 422, "query limit"),
        ("GET incidents?limit=5&limit=6", {}, 422, "query limit"),
        ("GET incidents?wat=1", {}, 422, "query wat"),
        ("GET incidents?after=%FF", {}, 422, "query after"),
        ("GET incidents?since=gestern", {}, 422, "query since"),
        ("GET mentions", {}, 422, "query monitor"),
        ("GET incidents?since=5", {}, 422, "query since"),
        ("GET incidents/x", {"headers": {"if-none-match": "x"}}, 422, "header if-none-match"),
        ("POST mentions", {"content": b"{"}, 415, "header content-type"),
        ("POST mentions", {"content": b"{", "headers": {"content-type": "application/json"}}, 422, "body"),
        ("POST mentions", {"json": {"source": "blog", "mentions": []}}, 422, "body $.mentions"),
        ("POST mentions", {"json": {"source": "blog", "mentions": [{}]}}, 422, "body $.mentions[0]"),
        ("POST incidents/x/acts", {"json": {"act": "explode"}}, 422, "body $.act"),
        ("POST silences", {"json": {"reason": "\u200b", "minutes": 5}}, 422, "body $.reason"),
        ("POST silences/0/expire", {}, 422, "path id"),
        ("POST mentions", {"content": b"[", "headers": JSON}, 422, "body"),
        ("POST mentions", {"content": b'"x', "headers": JSON}, 422, "body"),
        ("POST mentions", {"content": b"[1, \xff]", "headers": JSON}, 422, "body"),
        ("POST mentions", {"content": b"[" * 200_000, "headers": JSON}, 422, "body"),
        ("POST silences", {"content": b'{"minutes": 1e999}', "headers": JSON}, 422, "body $.minutes"),
        ("POST mentions", {"content": b'{"source": [' + b"[" * 900 + b"]" * 901 + b"}",
                           "headers": JSON}, 422, "body $.source"),
        ("GET incidents/NF-1", {}, 404, "path id"),
        ("GET monitors/x/series", {}, 404, "path id"),
    ],
)  # fmt: skip
def test_a_problem_says_what_is_wrong_and_where(world, request_, known, status, where):
    app, _ = served(world)
    token(world)
    answer = client(app).request(*request_.split(), **known)
    assert (answer.status_code, answer.json()["where"]) == (status, where)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert len(answer.json()["detail"]) > 10


def test_a_wrong_method_and_a_wrong_address_are_said_to_be(world):
    app, _ = served(world)
    browser = client(app)
    wrong = browser.put("incidents")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert browser.get("nowhere").status_code == 404
    assert browser.get("nowhere").headers["content-type"] == "application/problem+json"


def test_a_body_without_end_is_not_read_to_it(world):
    app, _ = served(world)
    token(world)
    sent = 0

    def endless():
        nonlocal sent
        while sent < 50 * MOST_BODY:
            sent += 65536
            yield b"x" * 65536

    told = client(app).post("mentions", content=b"x" * (MOST_BODY + 1), headers={"content-type": "application/json"})
    assert (told.status_code, told.json()["where"]) == (413, "body")
    untold = client(app).post("mentions", content=endless(), headers={"content-type": "application/json"})
    assert untold.status_code == 413


def test_what_goes_wrong_inside_is_no_ones_to_read(world):
    def broken():
        raise RuntimeError("secret of the house")

    app, _ = served(world, now=broken)
    answer = client(app).get("monitors")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_address_with_a_stroke_too_many_leads_nowhere(world):
    app, _ = served(world)
    token(world)
    answer = client(app).get("incidents/", headers={"host": "evil.example"}, follow_redirects=False)
    assert (answer.status_code, answer.headers.get("location")) == (404, None)
