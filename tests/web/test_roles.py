"""Who may what: every address of the page held against every role, as the how-to says it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from brandmelder.options import Role
from brandmelder.store import members
from brandmelder.web.app import PAGES
from web.house import INCIDENT, House

NOBODY = "nobody"
ALL = frozenset({"viewer", "responder", "admin", "privacy_officer"})
ACTING = frozenset({"responder", "admin"})
MAY = {
    "GET /": ALL,
    "GET /wall": ALL,
    "GET /live": ALL,
    "GET /sign-in": ALL | {NOBODY},
    "POST /sign-in": ALL | {NOBODY},
    "POST /sign-in/code": ALL | {NOBODY},
    "GET /oidc": ALL | {NOBODY},
    "GET /oidc/answer": ALL | {NOBODY},
    "POST /sign-out": ALL | {NOBODY},
    "POST /preferences": ALL | {NOBODY},
    "GET /me": ALL,
    "POST /me/password": ALL,
    "POST /me/factor": ALL,
    "POST /me/sessions": ALL,
    "GET /incidents": ALL,
    "GET /incidents/{ident}": ALL,
    "POST /incidents/{ident}": ACTING,
    "POST /incidents/{ident}/labels": ACTING,
    "POST /incidents/{ident}/notes": ACTING,
    "GET /monitors": ALL,
    "GET /monitors/{ident}": ALL,
    "GET /sources": ALL,
    "GET /mentions": ALL,
    "GET /accounts": ALL,
    "GET /deliveries": ALL,
    "POST /deliveries": ACTING,
    "GET /settings": {"admin"},
    "GET /audit": {"admin", "privacy_officer"},
}
"""docs/how-to/page.md, "For a team". Whatever has a new address says here who may."""
NAMES = {"viewer": "vera", "responder": "anna", "admin": "adam", "privacy_officer": "paula"}
OPEN_LINE = "GET /live"
"""Answered for as long as somebody looks: not asked here by those who may."""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with House(tmp_path_factory.mktemp("roles") / "a.db") as found:
        found.site.rates.allows = lambda *_, **__: True
        yield found


@pytest.fixture(scope="module")
def browsers(house):
    return {NOBODY: house.browser()} | {role: house.browser(name) for role, name in NAMES.items()}


def test_every_address_of_the_page_says_here_who_may():
    assert set(MAY) == {f"{method} {path}" for method, path, *_ in PAGES}


@pytest.mark.parametrize("role", [NOBODY, *NAMES])
@pytest.mark.parametrize("address", MAY)
def test_each_role_reaches_what_is_its_own_and_no_more(browsers, address, role):
    method, path = address.split()
    if address == OPEN_LINE and role in MAY[address]:
        path = "/live?topic=none"  # let in, and told that there is no such topic
    answer = browsers[role].request(method, path.replace("{ident}", INCIDENT))
    is_asked_to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?")
    if role in MAY[address]:
        assert answer.status_code != 403
        assert not is_asked_to_sign_in
    elif role == NOBODY:
        assert is_asked_to_sign_in or (path == "/incidents/{ident}" and answer.status_code == 401)
        assert "Nordfunk gesamt" not in answer.text
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize(("method", "path"), [one[:2] for one in PAGES if one[0] == "POST"])
def test_no_form_is_taken_without_its_token_whoever_sends_it(house, browsers, method, path):
    before = house.database.run_now(lambda connection: list(connection.connection.iterdump()))
    browser = browsers["admin"]
    fields = {"act": "acknowledge", "text": "x", "label": "neutral", "mention": "1", "wish": "discard", "key": "x"}
    for token in ({}, {"csrf": ""}, {"csrf": browsers["responder"].token("/me")}):
        answer = browser.request(method, path.replace("{ident}", INCIDENT), data=fields | token)
        assert answer.status_code == 400
    assert house.database.run_now(lambda connection: list(connection.connection.iterdump())) == before
    assert browser.get("/me").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "GET", "HEAD"])
def test_another_method_does_nothing(browsers, method):
    for path in {one[1] for one in PAGES if one[0] == "POST"} - {one[1] for one in PAGES if one[0] == "GET"}:
        assert browsers["admin"].request(method, path.replace("{ident}", INCIDENT)).status_code == 405


def test_on_every_page_one_can_sign_out(browsers):
    for method, path, *_ in PAGES:
        if method == "GET" and path not in {"/wall", "/live", "/sign-in", "/oidc", "/oidc/answer"}:
            page = browsers["admin"].get(path.replace("{ident}", INCIDENT)).text
            assert 'action="/sign-out"' in page, path


def test_rights_that_are_taken_in_the_middle_are_gone_at_once(house):
    browser = house.browser("anna")
    token = browser.token("/me")
    anna = house.database.run_now(members.find, "anna")
    house.database.run_now(members.save, replace(anna, role=Role.VIEWER))
    try:
        for path in (f"/incidents/{INCIDENT}", f"/incidents/{INCIDENT}/notes", "/deliveries"):
            assert browser.post(path, data={"csrf": token, "text": "x", "act": "acknowledge"}).status_code == 403
        assert 'name="act"' not in browser.get("/incidents").text
    finally:
        house.database.run_now(members.save, anna)
