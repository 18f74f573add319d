from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from brandmelder.capture.known import KEPT, key_of, last, pack, print_of, unpack

KEYS = st.dictionaries(st.integers(0, 2**48 - 1), st.integers(0, 2**40 - 1), max_size=50)


@given(KEYS)
def test_what_is_packed_comes_back_in_its_order(known):
    assert list(unpack(pack(known)).items()) == list(known.items())


@given(KEYS, st.integers(0, 60))
def test_of_too_many_the_last_are_kept(known, limit):
    assert unpack(pack(known, limit)) == last(known, limit)


def test_a_thousand_fit_into_a_cursor():
    known = {key_of(str(n)): print_of("x" * n) for n in range(3 * KEPT)}
    assert len(unpack(pack(known))) == KEPT
    assert len(pack(known)) < 14_000


def test_keys_beyond_48_bits_are_left_out():
    assert unpack(pack({1 << 48: 1, -1: 1, 7: 1})) == {7: 1}


@given(st.text(max_size=40))
def test_a_broken_memory_is_forgotten(text):
    assert isinstance(unpack(text), dict)


def test_fields_are_told_apart():
    assert print_of("ab", "c") != print_of("a", "bc") != print_of("abc")
    assert print_of("\ud800") == print_of("\ud800")
