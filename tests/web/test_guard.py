"""What every answer carries, and what never gets as far as a page."""

from __future__ import annotations

import pytest

from web.house import INCIDENT, House


@pytest.mark.parametrize("path", ["/sign-in", f"/incidents/{INCIDENT}", "/nothing", "/static/page.css"])
def test_every_answer_allows_our_own_scripts_and_styles_alone(house, path):
    headers = house.browser("anna").get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_fault_is_guarded_told_and_not_explained(house, monkeypatch):
    browser = house.browser("anna")
    monkeypatch.setattr(house.site, "bands", None)
    answer = browser.get(f"/incidents/{INCIDENT}")
    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "Das ging nicht" in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8470", "", "[", "127.0.0.1.evil.example"])
def test_a_foreign_name_that_leads_here_shows_nothing(house, host):
    answer = house.browser("anna").get("/sign-in", headers={"host": host})
    assert answer.status_code == 421


def test_a_flood_from_one_address_is_told_to_wait(house):
    browser = house.browser()
    answers = [browser.get("/static/icon.svg").status_code for _ in range(620)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_no_page_holds_a_script_or_a_style_of_its_own(house):
    page = house.browser("anna").get(f"/incidents/{INCIDENT}").text
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == 1
    assert " on" not in "".join(part.partition(">")[0] for part in page.split("<")).replace(" on-", "")


def test_an_open_page_lets_in_whoever_reaches_this_machine(evening, tmp_path):
    with House(tmp_path / "a.db", web="web: {sign_in: open}") as house:
        assert house.browser().get("/incidents").status_code == 200
