"""How passwords are kept and checked: for a name that nobody has it takes the same work to say no."""

from __future__ import annotations

import base64
import re

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from brandmelder.web.factor import new_seed
from brandmelder.web.passwords import LONGEST, _nobody, hashed, is_right
from web.house import PASSWORD

KEPT = hashed(PASSWORD)


def test_a_password_is_kept_as_rfc_9106_has_it():
    found = extract_parameters(KEPT)
    assert (found.type, found.memory_cost, found.time_cost) == (Type.ID, 64 * 1024, 3)
    assert found.salt_len >= 16
    assert hashed(PASSWORD) != KEPT


def test_for_a_name_that_nobody_has_the_same_work_is_done():
    assert extract_parameters(_nobody()) == extract_parameters(KEPT)
    assert not is_right("", "nobody has this password")
    assert is_right(KEPT, PASSWORD)


@pytest.mark.parametrize("typed", ["", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "x" * 100_000])
def test_any_other_password_is_wrong(typed):
    assert not is_right(KEPT, typed)


@pytest.mark.parametrize("kept", ["x", "$argon2id$v=19$m=65536,t=3,p=4$x", "plain"])
def test_what_is_no_hash_lets_nobody_in(kept):
    assert not is_right(kept, kept)


def test_a_seed_is_160_random_bits():
    assert len(base64.b32decode(new_seed())) == 20
    assert new_seed() != new_seed()


@pytest.mark.parametrize(
    ("path", "kinds"), [("/sign-in", {"current-password"}), ("/me", {"current-password", "new-password"})]
)
def test_fields_for_passwords_are_masked_known_to_managers_and_take_what_is_pasted(house, path, kinds):
    page = (house.browser() if path == "/sign-in" else house.browser("anna")).get(path).text
    fields = [one for one in re.findall(r"<input[^>]+>", page) if "password" in one]
    assert {re.search(r'autocomplete="([^"]+)"', one)[1] for one in fields} == kinds
    assert all('type="password"' in one and "onpaste" not in one for one in fields)
    assert {re.search(r'maxlength="(\d+)"', one)[1] for one in fields} == {str(LONGEST)}
