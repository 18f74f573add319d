"""What the log says of those who were not let in, or not allowed something: enough to see an attack, no password."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from web.house import INCIDENT, PASSWORD


def logged(work):
    with capture_logs() as found:
        work()
    return [entry for entry in found if entry["event"].startswith("web.")]


def test_a_wrong_password_stands_in_the_log_without_itself_or_the_name(house):
    browser = house.browser()
    found = logged(lambda: browser.sign_in("anna", "das war geheim"))
    assert [(entry["event"], entry["why"]) for entry in found] == [("web.refused", "name or password")]
    assert "geheim" not in repr(found)
    assert "anna" not in repr(found)  # people type passwords into the wrong field


def test_too_many_attempts_stand_in_the_log(house):
    browser = house.browser()
    found = logged(lambda: [browser.sign_in("anna", "falsch") for _ in range(9)])
    assert found[-1]["why"] == "too many attempts"


def test_a_sign_in_says_by_what(house):
    browser = house.browser()
    found = logged(lambda: browser.sign_in("anna"))
    assert [(entry["event"], entry["member"], entry["by"]) for entry in found] == [
        ("web.signed_in", "anna", "password")
    ]
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize("path", ["/settings", "/audit"])
def test_whoever_may_not_see_something_stands_in_the_log(house, path):
    browser = house.browser("vera")
    found = logged(lambda: browser.get(path))
    assert [(one["event"], one["member"], one["role"], one["page"]) for one in found] == [
        ("web.not_allowed", "vera", "viewer", path)
    ]


def test_a_form_without_its_token_stands_in_the_log(house):
    browser = house.browser("anna")
    found = logged(lambda: browser.post(f"/incidents/{INCIDENT}", data={"csrf": "x", "act": "acknowledge"}))
    assert [(entry["event"], entry["member"]) for entry in found] == [("web.forged", "anna")]
