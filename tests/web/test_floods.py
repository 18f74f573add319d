"""A press office behind one address reads on in a storm; whoever guesses passwords stops nobody but themselves."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from brandmelder.web import guard
from brandmelder.web.keepsake import known_mark
from brandmelder.web.passwords import TooMany, Weighing
from brandmelder.web.rates import Proven, neighbourhood
from web.house import INCIDENT


def test_screens_behind_one_address_are_counted_each_for_itself(house, monkeypatch):
    monkeypatch.setattr(guard, "MOST", 30)
    screens = [house.browser(name) for name in ("anna", "jonas", "vera")]
    house.now += timedelta(minutes=2)
    answers = [one.get(f"/incidents/{INCIDENT}").status_code for _ in range(25) for one in screens]
    assert set(answers) == {200}
    stranger = house.browser()
    assert [stranger.get("/sign-in").status_code for _ in range(40)][-1] == 429
    assert screens[0].get("/incidents").status_code == 200
    assert [screens[1].get("/sign-in").status_code for _ in range(30)][-1] == 429


def test_a_session_that_is_none_is_counted_by_its_address(house, monkeypatch):
    monkeypatch.setattr(guard, "MOST", 30)
    browser = house.browser()
    found = []
    for number in range(40):
        browser.cookies.set("brandmelder", f"a-token-that-nobody-has-{number}")
        found.append(browser.get("/incidents").status_code)
    assert found[0] == 303
    assert found[-1] == 429


def test_whoever_guesses_a_password_elsewhere_locks_nobody_out_of_their_own_browser(house):
    own = house.browser("anna")
    own.post("/sign-out", data={"csrf": own.token("/me")})
    assert [house.browser().sign_in("anna", "falsch").status_code for _ in range(9)][-1] == 429
    assert house.browser().sign_in("anna").status_code == 429
    assert own.sign_in("anna").status_code == 303


def test_in_ones_own_browser_there_are_eight_tries_as_well(house):
    own = house.browser("anna")
    own.post("/sign-out", data={"csrf": own.token("/me")})
    assert [own.sign_in("anna", "falsch").status_code for _ in range(9)] == [401] * 8 + [429]
    assert own.sign_in("anna").status_code == 429


def test_a_browser_known_to_one_name_is_none_to_another(house):
    own = house.browser("vera")
    own.post("/sign-out", data={"csrf": own.token("/me")})
    assert [own.sign_in("anna", "falsch").status_code for _ in range(9)][-1] == 429
    assert own.sign_in("anna").status_code == 429


@pytest.mark.parametrize("mark", ["", "x", "x.y", "."])
def test_a_mark_that_is_not_ours_marks_nothing(house, mark):
    for _ in range(8):
        house.browser().sign_in("anna", "falsch")
    browser = house.browser()
    browser.cookies.set("brandmelder_known", mark)
    assert browser.sign_in("anna").status_code == 429
    assert known_mark(house.site, f"é{mark}\udcff", "anna") == ""


def test_a_names_tries_are_not_forgotten_for_other_names_and_addresses(house):
    for _ in range(8):
        house.browser().sign_in("anna", "falsch")
    for number in range(30_000):
        house.site.rates.allows(f"from {number}", house.now, most=8, within=timedelta(minutes=10))
    assert house.browser().sign_in("anna").status_code == 429


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("testclient", "testclient", True),
        ("", "x", False),
    ],
)
def test_of_ipv6_a_network_is_one_address(one, other, is_same):
    assert (neighbourhood(one) == neighbourhood(other)) is is_same


def test_what_proved_itself_is_remembered_within_bounds(monkeypatch):
    monkeypatch.setattr("brandmelder.web.rates.MOST_KEYS", 2)
    proven = Proven()
    for token in "abc":
        proven.note(token)
    assert [bool(proven.key_of(token)) for token in "abc"] == [False, True, True]
    proven.drop("b")
    assert not proven.key_of("b")
    assert not proven.key_of("")


async def test_a_flood_of_passwords_takes_two_threads_of_its_own_and_no_more():
    weighing, gate, names = Weighing(), threading.Event(), set()

    def slow():
        names.add(threading.current_thread().name)
        return gate.wait(10)

    waiting = [asyncio.create_task(weighing.weigh(slow)) for _ in range(Weighing.MOST)]
    await asyncio.sleep(0)
    with pytest.raises(TooMany):
        await weighing.weigh(slow)
    await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)  # what alerts need goes on
    gate.set()
    assert await asyncio.gather(*waiting) == [True] * Weighing.MOST
    assert len(names) == Weighing.THREADS
    assert all(name.startswith("passwords") for name in names)
    assert await weighing.weigh(slow)


def test_when_too_many_sign_in_at_once_they_are_told_to_come_again(house, monkeypatch):
    monkeypatch.setattr(Weighing, "MOST", 0)
    browser = house.browser()
    answer = browser.sign_in("anna")
    assert answer.status_code == 503
    assert "Zu viele auf einmal" in answer.text
