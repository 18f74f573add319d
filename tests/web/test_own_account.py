"""One's own account: a second factor that lets in once by each of its digits, a new password, and other browsers."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest

from brandmelder.store import audit, members
from web.house import PASSWORD, House

NEW = "drei Enten im Regen"
REQUIRED = "web: {second_factor: required}"


def digits(house, seed, ahead=0):
    return pyotp.TOTP(seed).at(house.now + timedelta(seconds=ahead))


def enrolled(house, browser):
    """Set a second factor up in a browser as a person would; return its seed."""
    text = browser.get("/me").text
    seed = re.search(r'class="key">([A-Z2-7 ]+)<', text)[1].replace(" ", "")
    sealed = re.search(r'name="sealed" value="([^"]+)"', text)[1]
    asked = {"csrf": browser.token("/me"), "sealed": sealed, "password": PASSWORD, "code": digits(house, seed)}
    answer = browser.post("/me/factor", data=asked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/me?said=factor")
    return seed


def code(browser, typed):
    return browser.post("/sign-in/code", data={"csrf": browser.token(), "code": typed})


def change(browser, **fields):
    asked = {"csrf": browser.token("/me"), "password": PASSWORD, "new": NEW, "again": NEW} | fields
    return browser.post("/me/password", data=asked)


def test_with_a_second_factor_the_password_alone_lets_nobody_in(house):
    seed = enrolled(house, house.browser("anna"))
    house.now += timedelta(minutes=1)
    browser = house.browser()
    assert "Die sechs Ziffern" in browser.sign_in("anna", next="/monitors").text
    assert browser.get("/incidents").status_code == 303
    answer = code(browser, digits(house, seed))
    assert (answer.status_code, answer.headers["location"]) == (303, "/monitors")
    assert browser.get("/incidents").status_code == 200


@pytest.mark.parametrize(("ahead", "status"), [(-60, 401), (-30, 303), (0, 303), (30, 303), (60, 401)])
def test_a_phone_may_be_half_a_minute_off_and_no_more(house, ahead, status):
    seed = enrolled(house, house.browser("anna"))
    house.now += timedelta(minutes=5)
    browser = house.browser()
    browser.sign_in("anna")
    assert code(browser, digits(house, seed, ahead)).status_code == status


def test_digits_let_in_once_and_older_ones_not_after_them(house):
    seed = enrolled(house, house.browser("anna"))
    house.now += timedelta(minutes=5)
    first, second = house.browser(), house.browser()
    first.sign_in("anna")
    second.sign_in("anna")
    assert code(first, digits(house, seed)).status_code == 303
    assert code(second, digits(house, seed)).status_code == 401
    assert code(second, digits(house, seed, -30)).status_code == 401
    assert code(second, digits(house, seed, 30)).status_code == 303


def test_the_digits_that_set_it_up_let_nobody_in(house):
    seed = enrolled(house, house.browser("anna"))
    browser = house.browser()
    browser.sign_in("anna")
    assert code(browser, digits(house, seed)).status_code == 401


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "१२३४५६", "000000"])
def test_anything_else_than_the_digits_is_refused(house, typed):
    enrolled(house, house.browser("anna"))
    browser = house.browser()
    browser.sign_in("anna")
    assert code(browser, typed).status_code == 401


def test_after_eight_wrong_digits_even_the_right_ones_wait(house):
    seed = enrolled(house, house.browser("anna"))
    house.now += timedelta(minutes=1)
    browser = house.browser()
    browser.sign_in("anna")
    assert [code(browser, "000000").status_code for _ in range(9)] == [401] * 8 + [429]
    assert code(browser, digits(house, seed)).status_code == 429


def test_half_a_sign_in_is_over_after_five_minutes(house):
    seed = enrolled(house, house.browser("anna"))
    browser = house.browser()
    browser.sign_in("anna")
    house.now += timedelta(minutes=6)
    browser.cookies.set("brandmelder_half", browser.cookies["brandmelder_half"])
    assert code(browser, digits(house, seed)).status_code == 401


def test_a_password_changed_between_the_halves_ends_the_first(house):
    browser = house.browser("anna")
    seed = enrolled(house, browser)
    thief = house.browser()
    thief.sign_in("anna")
    assert change(browser).status_code == 303
    house.now += timedelta(minutes=1)
    assert code(thief, digits(house, seed)).status_code == 401
    assert thief.get("/incidents").status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "eyJuYW1lIjoiYWRhbSJ9.00"])
def test_nobody_begins_with_the_second_half(house, cookie):
    seed = enrolled(house, house.browser("anna"))
    house.now += timedelta(minutes=1)
    browser = house.browser()
    if cookie:
        browser.cookies.set("brandmelder_half", cookie)
    assert code(browser, digits(house, seed)).status_code == 401


def test_a_key_of_somebody_elses_page_sets_nothing_up(house):
    theirs = house.browser("jonas").get("/me").text
    seed = re.search(r'class="key">([A-Z2-7 ]+)<', theirs)[1].replace(" ", "")
    sealed = re.search(r'name="sealed" value="([^"]+)"', theirs)[1]
    browser = house.browser("anna")
    asked = {"csrf": browser.token("/me"), "sealed": sealed, "password": PASSWORD, "code": digits(house, seed)}
    assert browser.post("/me/factor", data=asked).status_code == 401
    assert house.database.run_now(members.find, "anna").factor == ""


def test_a_mistyped_digit_keeps_the_key_that_was_scanned(house):
    browser = house.browser("anna")
    text = browser.get("/me").text
    sealed = re.search(r'name="sealed" value="([^"]+)"', text)[1]
    key = re.search(r'class="key">([^<]+)<', text)[1]
    asked = {"csrf": browser.token("/me"), "sealed": sealed, "password": PASSWORD, "code": "000000"}
    assert key in browser.post("/me/factor", data=asked).text


def test_where_everybody_needs_one_nothing_else_is_shown_before(evening, tmp_path):
    with House(tmp_path / "a.db", web=REQUIRED) as house:
        browser = house.browser("anna")
        assert browser.get("/").headers["location"] == "/me"
        assert browser.get("/live").headers["location"] == "/me"
        answer = browser.get("/incidents/NF-2026-001")
        assert (answer.status_code, answer.headers.get("location")) == (303, "/me")
        assert "Zuerst ist er einzurichten." in browser.get("/me").text
        enrolled(house, browser)
        assert browser.get("/").status_code == 200


def test_removing_it_needs_the_password_and_the_digits(house):
    browser = house.browser("anna")
    seed = enrolled(house, browser)
    house.now += timedelta(minutes=1)
    asked = {"csrf": browser.token("/me"), "password": PASSWORD, "code": "000000"}
    assert browser.post("/me/factor", data=asked).status_code == 401
    assert browser.post("/me/factor", data=asked | {"password": "x", "code": digits(house, seed)}).status_code == 401
    assert browser.post("/me/factor", data=asked | {"code": digits(house, seed)}).status_code == 303
    assert house.database.run_now(members.find, "anna").factor == ""


def test_a_new_password_needs_the_present_one_and_signs_out_everywhere_else(house):
    other, browser = house.browser("anna"), house.browser("anna")
    assert change(browser, password="falsch").status_code == 401
    assert change(browser).headers["location"] == "/me?said=password"
    assert "Das Passwort ist geändert" in browser.get("/me?said=password").text
    assert other.get("/incidents").status_code == 303
    assert house.browser().sign_in("anna").status_code == 401
    assert house.browser().sign_in("anna", NEW).status_code == 303
    acts = [entry.act for entry in house.database.run_now(audit.newest, 20)]
    assert "member.password" in acts


@pytest.mark.parametrize(
    "new", ["kurz", "passwort1234", "Nordfunk2026!!", "123456789012", "Anna Petersen", "aaaaaaaaaaaaaa"]
)
def test_a_password_that_is_easy_to_guess_is_refused(house, new):
    answer = change(house.browser("anna"), new=new, again=new)
    assert answer.status_code == 400
    assert "nicht leicht zu erraten" in answer.text


def test_any_characters_make_a_password_and_none_is_cut(house):
    new = "🚒 " + "Ä" * 3 + " ein sehr langer Satz, der niemandem einfällt, mit Punkt und Komma. " * 3
    browser = house.browser("anna")
    assert change(browser, new=new, again=new).status_code == 303
    assert house.browser().sign_in("anna", new[:-1]).status_code == 401
    assert house.browser().sign_in("anna", new).status_code == 303


def test_two_new_passwords_must_be_the_same(house):
    assert change(house.browser("anna"), again=NEW + "x").status_code == 400


def test_after_eight_wrong_present_passwords_the_right_one_waits(house):
    browser = house.browser("anna")
    assert [change(browser, password="falsch").status_code for _ in range(8)] == [401] * 8
    assert "Zu viele" in change(browser).text
    assert house.browser().sign_in("anna").status_code == 303


def test_one_sees_where_one_is_signed_in_and_ends_it(house):
    other, browser = house.browser("anna"), house.browser("anna")
    assert browser.get("/me").text.count("dieser Browser") == 1
    asked = {"csrf": browser.token("/me"), "password": PASSWORD}
    assert browser.post("/me/sessions", data=asked | {"password": "x"}).status_code == 401
    assert browser.post("/me/sessions", data=asked).status_code == 303
    assert other.get("/incidents").status_code == 303
    assert browser.get("/incidents").status_code == 200


def test_nobody_in_particular_has_no_account(evening, tmp_path):
    with House(tmp_path / "a.db", web="web: {sign_in: open}") as house:
        assert house.browser().get("/me").status_code == 403
