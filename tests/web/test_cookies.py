"""What a browser is given to keep: over TLS by no name that a neighbouring host could set, and nothing of it long."""

from __future__ import annotations

from datetime import timedelta
from http.cookies import SimpleCookie

import pyotp
import pytest

from brandmelder.options import Role
from brandmelder.store import members
from web.house import House

TLS = 'web: {base_url: "https://brandmelder.example"}'
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def given(*answers):
    """Return every cookie that some answers set."""
    found = [SimpleCookie(line) for answer in answers for line in answer.headers.get_list("set-cookie")]
    return {morsel.key: morsel for cookie in found for morsel in cookie.values()}


def walk(house):
    """Sign in by password and digits, choose a language, sign out: every cookie there is without a provider."""
    house.database.run_now(members.set_factor, "anna", SEED)
    browser = house.browser()
    first, half = browser.get("/sign-in"), browser.sign_in("anna")
    digits = {"csrf": browser.token(), "code": pyotp.TOTP(SEED).at(house.now)}
    whole = browser.post("/sign-in/code", data=digits)
    chosen = {"csrf": browser.token("/incidents"), "language": "en", "theme": "dark"}
    told = browser.post("/preferences", data=chosen)
    assert browser.get("/incidents").status_code == 200
    gone = browser.post("/sign-out", data={"csrf": browser.token("/incidents")})
    return [first, half, whole, told], gone


def test_over_tls_no_neighbouring_host_can_set_or_read_any_of_them(tmp_path):
    with House(tmp_path / "a.db", web=TLS) as house:
        answers, gone = walk(house)
        found = given(*answers)
        assert set(found) == {
            "__Host-brandmelder", "__Host-brandmelder_visitor", "__Host-brandmelder_half",
            "__Host-brandmelder_known",
            "__Host-brandmelder_language", "__Host-brandmelder_theme",
        }  # fmt: skip
        for morsel in [*found.values(), *given(gone).values()]:
            assert morsel["secure"]
            assert morsel["httponly"]
            assert morsel["samesite"] == "lax"
            assert (morsel["path"], morsel["domain"]) == ("/", "")


def test_over_tls_a_name_that_others_can_set_is_not_read(tmp_path):
    with House(tmp_path / "a.db", web=TLS) as house:
        theirs = house.browser()
        token = theirs.token()
        planted = theirs.cookies["__Host-brandmelder_visitor"]
        ours = house.browser()
        ours.cookies.set("brandmelder_visitor", planted)
        assert ours.token() != token


@pytest.mark.parametrize("web", ["web: {}", TLS])
def test_what_is_kept_for_a_sign_in_ends_with_it_or_with_the_browser(tmp_path, web):
    with House(tmp_path / "a.db", web=web) as house:
        answers, _ = walk(house)
        ages = {name.removeprefix("__Host-"): morsel["max-age"] for name, morsel in given(*answers).items()}
        assert ages["brandmelder_visitor"] == ""
        assert ages["brandmelder_half"] in {"0", "300"}
        assert int(ages["brandmelder"]) <= timedelta(days=30).total_seconds()


def test_where_the_way_in_has_changed_the_old_one_is_closed(tmp_path):
    path = tmp_path / "a.db"
    with House(path) as house:
        browser = house.browser("anna")
        mine = dict(browser.cookies)
    oidc = (
        "web: {sign_in: oidc, oidc: {issuer: 'https://login.example', client_id: brandmelder, "
        "client_secret: '${OIDC}', roles: {admin: [betrieb]}}}"
    )
    with House(path, web=oidc) as house:
        later = house.browser()
        later.cookies.update(mine)
        assert later.get("/incidents").status_code == 303
        theirs = members.Member(name="https://login.example#1", shown="Eva", role=Role.ADMIN, created_at=house.now)
        house.database.run_now(members.save, theirs)
        house.database.run_now(members.begin, "t" * 43, theirs.name, csrf="c", now=house.now)
        later.cookies.clear()
        later.cookies.set("brandmelder", "t" * 43)
        assert later.get("/incidents").status_code == 200
    with House(path) as house:
        back = house.browser()
        back.cookies.set("brandmelder", "t" * 43)
        assert back.get("/incidents").status_code == 303
