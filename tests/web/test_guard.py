"""What every answer carries, and what never gets as far as a page."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from brandmelder.web import guard
from brandmelder.web.api.app import mounted
from brandmelder.web.api.operation import Door
from brandmelder.web.app import app
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


def test_what_a_page_needs_is_fetched_once_and_pages_each_time(house):
    browser = house.browser("anna")
    page = browser.get("/incidents")
    assert page.headers["cache-control"] == "no-store"
    for address in re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js)\?[^"]+)"', page.text):
        assert browser.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert address
    old = browser.get("/static/page.css?0.0.1")
    assert old.headers["cache-control"] == "no-cache"
    assert browser.get("/static/page.css", headers={"if-none-match": old.headers["etag"]}).status_code == 304
    assert browser.get("/static/../guard.py").status_code == 404
    assert browser.get("/static/%2e%2e/guard.py").status_code == 404


@pytest.mark.parametrize(
    ("site", "packed"), [("", "gzip"), ("same-origin", "gzip"), ("none", "gzip"), ("cross-site", None)]
)
def test_a_foreign_page_learns_nothing_from_the_length_of_an_answer(house, site, packed):
    headers = {"accept-encoding": "gzip"} | ({"sec-fetch-site": site} if site else {})
    answer = house.browser("anna").get("/mentions?q=geraten", headers=headers)
    assert answer.headers.get("content-encoding") == packed
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_when_the_database_fails_that_much_is_said(house):
    browser = house.browser("anna")
    house.database.run_now(lambda connection: connection.exec_driver_sql("ALTER TABLE web_session RENAME TO gone"))
    answer = browser.get("/incidents")
    assert answer.status_code == 500
    assert "Das ging nicht" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/incidents/", "/me/", "//evil.example/", "/%5cevil.example/", "/oidc/"])
def test_no_answer_leads_to_a_host_that_was_named_in_the_question(house, path):
    answer = house.browser("anna").get(path, headers={"host": "127.0.0.1:6666", "x-forwarded-host": "evil.example"})
    assert "//" not in answer.headers.get("location", "")
    assert "evil.example" not in answer.headers.get("location", "")


def test_a_program_is_counted_by_its_token_and_told_in_the_words_of_its_description(house, monkeypatch):
    monkeypatch.setattr(guard, "MOST", 20)
    monkeypatch.setattr(guard, "MOST_PROGRAMS", 50)
    door = Door(parts=house.parts, now=lambda: house.now)
    program = TestClient(app(house.site, mounts=[mounted(door)]), base_url=house.site.web.base_url)
    answers = [program.get("/api/v1/monitors") for _ in range(60)]
    assert [one.status_code for one in answers] == [401] * 50 + [429] * 10
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert answers[-1].json()["type"] == "urn:brandmelder:too-many"
    assert "default-src 'none'" in answers[-1].headers["content-security-policy"]
