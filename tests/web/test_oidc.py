"""Signing in at a provider that runs here: the flow as browsers walk it, and every way in which it must not work."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from brandmelder import wiring
from brandmelder.options import Role
from brandmelder.store import members
from peers.oidc import OidcPeer
from web.house import House

BASE = "http://127.0.0.1:8470"


@pytest.fixture(scope="module")
def provider():
    with OidcPeer(f"{BASE}/oidc/answer") as found:
        yield found


@pytest.fixture
def house(provider, tmp_path):
    provider.person = "anna"
    web = (
        f"web: {{sign_in: oidc, base_url: '{BASE}', oidc: {{issuer: '{provider.issuer}', client_id: brandmelder, "
        "client_secret: '${OIDC}', allow_private: true, roles: {admin: [betrieb], responder: [presse]}}}"
    )
    with House(tmp_path / "a.db", web=web) as found:
        found.site.exchange = _asks
        found.now = datetime.now(UTC).replace(microsecond=0)  # the provider's clock is the machine's
        yield found


async def _asks(method, url, *, headers, body=b""):
    """Ask by the house's own client, anew for each request: every one runs in a loop of its own here."""
    reach = wiring.outside()
    try:
        return await reach.http.exchange(allow_private=True)(method, url, headers=headers, body=body)
    finally:
        await reach.close()


def led_back(browser):
    """Walk to the provider; return the address by which it leads back."""
    there = browser.get("/oidc?next=/incidents").headers["location"]
    return httpx.get(there, follow_redirects=False).headers["location"].removeprefix(BASE)


def test_whoever_the_provider_vouches_for_is_let_in(house):
    browser = house.browser()
    answer = browser.get(led_back(browser))
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents")
    assert browser.get("/incidents").status_code == 200
    (member,) = [one for one in house.database.run_now(members.everybody) if "#" in one.name]
    assert (member.shown, member.role, member.password) == ("Anna Petersen", Role.RESPONDER, "")


def test_the_provider_is_asked_once_somebody_presses_a_button_and_with_what_binds_its_answer(house, provider):
    browser = house.browser()
    assert browser.get("/incidents").headers["location"] == "/sign-in?next=/incidents"
    page = browser.get("/sign-in?next=/incidents")
    assert page.status_code == 200
    assert 'href="/oidc?next=/incidents"' in page.text
    there = urlsplit(browser.get("/oidc?next=/incidents").headers["location"])
    asked = {name: values[0] for name, values in parse_qs(there.query).items()}
    assert f"{there.scheme}://{there.netloc}" == provider.issuer
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == f"{BASE}/oidc/answer"
    assert min(len(asked[name]) for name in ("state", "nonce")) >= 32
    assert len(asked["code_challenge"]) == 43
    assert "geheim" not in there.query


def test_tokens_of_the_provider_stay_in_the_service(house):
    browser = house.browser()
    answer = browser.get(led_back(browser))
    assert set(browser.cookies) == {"brandmelder"}
    assert "eyJ" not in answer.text + str(answer.headers)  # a JSON Web Token begins so
    rows = house.database.run_now(lambda connection: "\n".join(connection.connection.iterdump()))
    assert "eyJ" not in rows


def test_a_group_gives_the_role(house, provider):
    provider.person = "adam"
    browser = house.browser()
    browser.get(led_back(browser))
    assert browser.get("/settings").status_code == 200
    assert "geheim" not in browser.get("/settings").text


def test_whoever_has_none_of_the_groups_is_not_let_in(house, provider):
    provider.person = "fremd"
    browser = house.browser()
    answer = browser.get(led_back(browser))
    assert answer.status_code == 401
    assert "Hier ist keine Rolle vergeben" in answer.text
    assert browser.get("/incidents").status_code == 303


def test_an_answer_that_another_browser_began_is_refused(house):
    stolen = led_back(house.browser())
    other = house.browser()
    led_back(other)
    assert other.get(stolen).status_code == 401
    assert house.browser().get(stolen).status_code == 401


@pytest.mark.parametrize("change", [{"state": "other"}, {"code": "other"}, {"code": ""}, {"state": ""}])
def test_a_changed_answer_is_refused(house, change):
    browser = house.browser()
    parts = urlsplit(led_back(browser))
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | change
    assert browser.get(f"{parts.path}?{urlencode(query)}").status_code == 401
    assert browser.get("/incidents").status_code == 303


def test_a_refused_answer_uses_up_what_it_had_to_fit_and_keeps_where_one_was_going(house):
    browser = house.browser()
    back = led_back(browser)
    refused = browser.get(back.replace("state=", "state=x"))
    assert refused.status_code == 401
    assert 'href="/oidc?next=/incidents"' in refused.text
    assert browser.get(back).status_code == 401
    assert browser.get(led_back(browser)).status_code == 303


def test_a_code_lets_in_once(house):
    browser = house.browser()
    back = led_back(browser)
    kept = browser.cookies.get("brandmelder_oidc")
    assert browser.get(back).status_code == 303
    again = house.browser()
    again.cookies.set("brandmelder_oidc", kept)
    assert again.get(back).status_code == 401


def test_an_identity_of_another_sign_in_is_refused(house, monkeypatch):
    browser = house.browser()
    back = led_back(browser)
    monkeypatch.setattr("brandmelder.web.oidc._checked", _with_another_nonce())
    assert browser.get(back).status_code == 401


def _with_another_nonce():
    from brandmelder.web.oidc import _checked

    return lambda token, keys, block, *, nonce, now: _checked(token, keys, block, nonce=nonce + "x", now=now)


def test_a_provider_that_does_not_answer_is_told_so(house):
    async def unheard(method, url, *, headers, body=b""):
        return await _asks(method, "http://127.0.0.1:9", headers=headers)

    house.site.exchange = unheard
    answer = house.browser().get("/oidc")
    assert answer.status_code == 401
    assert "the provider does not answer" in answer.text


def test_a_password_does_not_work_where_a_provider_is_asked(house):
    assert house.browser().get("/sign-in").text.count('name="password"') == 0


def test_nobody_of_a_provider_gets_a_password_or_a_factor_here(house):
    browser = house.browser()
    browser.get(led_back(browser))
    asked = {"csrf": browser.token("/me"), "new": "drei Enten im Regen", "again": "drei Enten im Regen"}
    assert browser.post("/me/password", data=asked).status_code == 404
    assert browser.post("/me/factor", data=asked | {"code": "000000"}).status_code == 404
    (member,) = [one for one in house.database.run_now(members.everybody) if "#" in one.name]
    assert (member.password, member.factor) == ("", "")


def test_over_tls_what_the_answer_must_fit_is_kept_for_this_host_alone(provider, tmp_path):
    web = (
        f"web: {{sign_in: oidc, base_url: 'https://brandmelder.example', oidc: {{issuer: '{provider.issuer}', "
        "client_id: brandmelder, client_secret: '${OIDC}', allow_private: true, roles: {admin: [betrieb]}}}"
    )
    with House(tmp_path / "a.db", web=web) as house:
        house.site.exchange = _asks
        (cookie,) = [one for one in house.browser().get("/oidc").headers.get_list("set-cookie") if "_oidc=" in one]
        assert cookie.startswith("__Host-brandmelder_oidc=")
        assert "; Secure" in cookie
        assert "Domain" not in cookie


@pytest.mark.parametrize("issuer", ["https://evil.example", "", None])
def test_a_provider_that_calls_itself_otherwise_is_not_asked(house, provider, issuer):
    async def otherwise(method, url, *, headers, body=b""):
        reply = await _asks(method, url, headers=headers, body=body)
        said = json.loads(reply.body) | {"issuer": issuer}
        return replace(reply, body=json.dumps(said).encode())

    house.site.exchange = otherwise
    answer = house.browser().get("/oidc")
    assert answer.status_code == 401
    assert "location" not in answer.headers


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_a_provider_asked_over_tls_sends_nobody_elsewhere_in_clear(provider, tmp_path, name):
    async def told(_method, _url, *, headers, body=b""):
        reply = await _asks("GET", f"{provider.issuer}/.well-known/openid-configuration", headers=headers, body=body)
        known = {key: str(one).replace("http://", "https://") for key, one in json.loads(reply.body).items()}
        known |= {name: f"http://elsewhere.example/{name}", "issuer": "https://provider.example"}
        return replace(reply, body=json.dumps(known).encode())

    web = (
        f"web: {{sign_in: oidc, base_url: '{BASE}', oidc: {{issuer: 'https://provider.example', "
        "client_id: brandmelder, client_secret: '${OIDC}', roles: {admin: [betrieb]}}}"
    )
    with House(tmp_path / "a.db", web=web) as house:
        house.site.exchange = told
        answer = house.browser().get("/oidc")
    assert answer.status_code == 401
    assert f"the provider names no {name} over https" in answer.text
