"""Who gets in, who does not, and what a browser carries for it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.options import Role
from brandmelder.store import members
from web.house import INCIDENT, PASSWORD, House


def test_without_a_sign_in_a_page_asks_for_one_and_leads_back(house):
    browser = house.browser()
    answer = browser.get("/incidents")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/incidents")
    signed = browser.sign_in("anna", next="/incidents")
    assert (signed.status_code, signed.headers["location"]) == (303, "/incidents")
    assert browser.get("/incidents").status_code == 200


@pytest.mark.parametrize(("name", "password"), [("anna", "falsch"), ("niemand", PASSWORD), ("", ""), ("anna", "")])
def test_which_of_name_and_password_is_wrong_nobody_learns(house, name, password):
    answer = house.browser().sign_in(name, password)
    assert answer.status_code == 401
    assert "Name oder Passwort stimmt nicht." in answer.text


def test_after_eight_wrong_passwords_even_the_right_one_waits(house):
    browser = house.browser()
    assert [browser.sign_in("anna", "falsch").status_code for _ in range(9)] == [401] * 8 + [429]
    assert browser.sign_in("anna").status_code == 429
    house.now += timedelta(minutes=11)
    assert browser.sign_in("anna").status_code == 303


def test_the_session_is_a_new_token_that_scripts_and_other_sites_do_not_get(house):
    browser = house.browser()
    browser.cookies.set("brandmelder", "a-token-somebody-else-chose")
    cookie = browser.sign_in("anna").headers["set-cookie"]
    token = re.search(r"brandmelder=([^;]+)", cookie)[1]
    assert token != "a-token-somebody-else-chose"
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    stored = house.database.run_now(
        lambda connection: connection.exec_driver_sql("SELECT key FROM web_session").scalars().all()
    )
    assert stored
    assert token not in stored


def test_over_tls_the_cookie_belongs_to_this_host_alone(evening, tmp_path):
    with House(tmp_path / "a.db", web='web: {base_url: "https://brandmelder.example"}') as house:
        answer = house.browser().sign_in("anna")
        assert "__Host-brandmelder=" in answer.headers["set-cookie"]
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age" in answer.headers["strict-transport-security"]


def test_a_session_that_lies_idle_is_over(house):
    browser = house.browser("anna")
    house.now += timedelta(hours=11)
    assert browser.get("/incidents").status_code == 200
    house.now += timedelta(hours=13)
    assert browser.get("/incidents").status_code == 303


def test_a_used_session_ends_after_thirty_days(house):
    browser = house.browser("anna")
    for _ in range(61):
        house.now += timedelta(hours=11, minutes=50)
        browser.get("/incidents")
    assert browser.get("/incidents").status_code == 303


def test_who_signs_out_is_out(house):
    browser = house.browser("anna")
    kept = dict(browser.cookies)
    assert browser.post("/sign-out", data={"csrf": browser.token("/incidents")}).status_code == 303
    browser.cookies.update(kept)
    assert browser.get("/incidents").status_code == 303


def test_who_is_removed_is_out_at_once(house):
    browser = house.browser("anna")
    house.database.run_now(members.remove, "anna")
    assert browser.get("/incidents").status_code == 303


def test_a_changed_role_counts_from_the_next_look_on(house):
    browser = house.browser("anna")

    member = house.database.run_now(members.find, "anna")
    house.database.run_now(members.save, replace(member, role=Role.VIEWER))
    answer = browser.post(f"/incidents/{INCIDENT}", data={"csrf": browser.token("/incidents"), "act": "acknowledge"})
    assert answer.status_code == 403


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example", "/%0aset", "evil"])
def test_a_sign_in_leads_nowhere_else(house, place):
    location = house.browser().sign_in("anna", next=place).headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize("token", ["", "x", "ö"])
def test_a_form_without_its_token_changes_nothing(house, token):
    browser = house.browser("anna")
    answer = browser.post(f"/incidents/{INCIDENT}", data={"csrf": token, "act": "acknowledge"})
    assert answer.status_code == 400
    assert house.incident().acknowledged_by is None


def test_a_token_of_another_session_is_none(house):
    stolen = house.browser("jonas").token("/incidents")
    answer = house.browser("anna").post(f"/incidents/{INCIDENT}", data={"csrf": stolen, "act": "acknowledge"})
    assert answer.status_code == 400


def test_a_form_that_is_too_large_is_not_read(house):
    browser = house.browser("anna")
    answer = browser.post(f"/incidents/{INCIDENT}", data={"csrf": browser.token("/incidents"), "x": "y" * 70_000})
    assert answer.status_code == 400


def test_the_language_and_the_colours_are_remembered(house):
    browser = house.browser("anna")
    token = browser.token("/incidents")
    asked = {"csrf": token, "language": "en", "theme": "dark", "next": "/incidents"}
    assert browser.post("/preferences", data=asked).headers["location"] == "/incidents"
    page = browser.get("/incidents").text
    assert 'lang="en" data-theme="dark"' in page
    assert "Incidents" in page


@pytest.mark.parametrize(
    "path", ["/", f"/incidents/{INCIDENT}", "/monitors/nordfunk", "/sources", "/me", "/deliveries"]
)
def test_whoever_changes_the_colours_stays_where_they_are(house, path):
    page = house.browser("anna").get(path).text
    form = page[page.index('value="dark"') - 600 : page.index('value="dark"')]
    assert f'name="next" value="{path}"' in form
