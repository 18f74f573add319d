"""Normalising and hashing: the same string has the same hash wherever it stands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.classify import features


def normal(text):
    batch = features.read([text])
    units = batch.units[batch.starts[0] : batch.ends[0]]
    return units.tobytes().decode("utf-16-le", "surrogatepass")


def words(*texts):
    batch = features.read(texts)
    tokens = features.tokens(batch)
    return [
        [
            batch.units[begin : begin + length].tobytes().decode("utf-16-le", "surrogatepass")
            for begin, length in zip(tokens.begins[first:last], tokens.lengths[first:last], strict=True)
        ]
        for first, last in zip(tokens.first, tokens.last, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", " "),
        ("Größe", " grösse "),
        ("coooool!!!!", " cool!! "),
        ("siehe https://x.de/a?b=c jetzt", " siehe ~u jetzt "),
        ("www.acme.de @acme: hi", " ~u ~m hi "),
        ("acme.de/hilfe", " acme ~u "),
        ("a\u00a0b\tc\nd", " a b c d "),
        ("„so“ – ’nicht’…", " \"so\" - 'nicht'.. "),
        ("ha\u200bllo\ufe0f", " hallo "),
        ("u\u0308bel", " übel "),
        ("ＡＢＣ", " abc "),
        ("&lt;3 &amp; mehr", " <3 & mehr "),
        ("a\0b", " a b "),
    ],
)
def test_texts_are_normalised(text, expected):
    assert normal(text) == expected


def test_tokens_are_words_signs_stops_and_single_emoji():
    assert words("Na toll :-) 😡😡 geht's? ~") == [["na", "toll", ":-)", "😡", "😡", "geht's", "?", "~"]]


def test_a_text_is_cut():
    assert len(normal("ab " * 5000)) == features.LIMIT


@given(st.lists(st.text(max_size=60), min_size=1, max_size=6))
@settings(deadline=None)
def test_neighbours_in_a_batch_change_nothing(texts):
    together = features.read(texts)
    slots = features.gram_slots(together)
    for text, start, end in zip(texts, together.starts, together.ends, strict=True):
        alone = features.read([text])
        assert np.array_equal(together.units[start:end], alone.units[: alone.ends[0]])
        assert np.array_equal(slots[:, start:end], features.gram_slots(alone)[:, : alone.ends[0]])


def test_equal_words_have_equal_hashes_at_every_place():
    batch = features.read(["hund katze hund", "ein ganz anderer satz mit hund"])
    tokens = features.tokens(batch)
    assert tokens.hashes[0] == tokens.hashes[2] == tokens.hashes[-1] != tokens.hashes[1]


def test_hashes_stay_what_training_saw():
    """A change here makes every shipped weight meaningless."""
    tokens = features.tokens(features.read(["störung nicht ~u 😡"]))
    assert tokens.hashes.tolist() == GOLDEN_HASHES
    slots = features.gram_slots(features.read(["abcdef"]))
    assert slots[:, :3].tolist() == GOLDEN_SLOTS


GOLDEN_HASHES = [2269657883, 1603936404, 1795286593, 1334682832]
GOLDEN_SLOTS = [[243210, 7819, 27600], [123589, 204206, 188009], [182099, 145052, 113328]]
