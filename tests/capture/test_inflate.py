from __future__ import annotations

import contextlib
import gzip
import itertools
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.capture.inflate import Body
from brandmelder.errors import Blocked, Transient

CAPS = {"wire": 10 << 20, "inflated": 15 << 20, "ratio": 100}


def read(encoding: str, chunks: list[bytes], **caps: int) -> bytes:
    body = Body(encoding, **(CAPS | caps))
    for chunk in chunks:
        body.take(chunk)
    return body.whole()


@given(text=st.binary(max_size=2000), cuts=st.lists(st.integers(0, 2000)))
def test_a_body_is_the_same_however_it_is_cut_into_pieces(text, cuts):
    packed = gzip.compress(text)
    edges = sorted({0, len(packed), *(cut % (len(packed) + 1) for cut in cuts)})
    chunks = [packed[start:end] for start, end in itertools.pairwise(edges)]
    assert read("gzip", chunks) == text


@given(text=st.binary(max_size=300), cut=st.integers(1, 400))
def test_every_cut_of_a_gzip_body_is_noticed(text, cut):
    packed = gzip.compress(text)
    if cut < len(packed):
        with pytest.raises(Transient):
            read("gzip", [packed[:cut]])


@given(noise=st.binary(max_size=400))
def test_noise_is_refused_or_read_and_never_anything_else(noise):
    with contextlib.suppress(Transient, Blocked):
        read("gzip", [noise])


def test_a_bomb_costs_no_more_memory_than_the_cap():
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(300)) + squeeze.flush()
    tracemalloc.start()
    with pytest.raises(Blocked) as caught:
        read("gzip", [bomb])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.why in {"ratio", "size"}
    assert peak < 20 << 20


def test_small_answers_may_shrink_as_well_as_they_like():
    assert read("gzip", [gzip.compress(bytes(60_000))]) == bytes(60_000)


def test_the_ratio_counts_from_64_kb_on():
    with pytest.raises(Blocked, match="100 times") as caught:
        read("gzip", [gzip.compress(bytes(70_000))])
    assert caught.value.why == "ratio"


def test_a_plain_body_beyond_the_cap_is_refused():
    with pytest.raises(Blocked, match="larger than 1 MiB"):
        read("", [bytes(1 << 20), b"x"], wire=1 << 20)


def test_an_inflated_body_beyond_the_cap_is_refused():
    noise = random.Random(3).randbytes(2 << 20)
    with pytest.raises(Blocked, match="beyond 1 MiB"):
        read("gzip", [gzip.compress(noise)], inflated=1 << 20)


def test_zeros_after_the_last_member_are_padding():
    assert read("gzip", [gzip.compress(b"x") + bytes(10)]) == b"x"


@pytest.mark.parametrize("encoding", ["", "identity", "Identity", " identity , identity"])
def test_identity_is_no_encoding(encoding):
    assert read(encoding, [b"x"]) == b"x"
