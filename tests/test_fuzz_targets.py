"""What is fuzzed for hours by hand (make fuzz) is tried on every run on honest, hostile and made-up inputs."""

from __future__ import annotations

import contextlib
import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brandmelder.capture.child import ParserChild
from brandmelder.capture.http import parse_url
from brandmelder.errors import Blocked

sys.path.insert(0, str(Path(__file__).parents[1] / "bench/fuzz"))
import feeds
from targets import TARGETS, seeds

TEXTS = st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
EXAMPLES = {"feed": 40, "judge": 15, "sinks": 60, "configuration": 40, "swollen": 6, "stream": 40}
FOUND = {
    # What fuzzing has found: inputs that once raised what is none of ours, or broke a promise.
    "address": [b"//////", b"http:////a", b"?//x"],
    "cursor": [b'\x0a{"v":1,"lists":{"posts":{"v":1,"place":"p","first":"2026-11-01T00:00:00Z","page":"7\xb2"}}}'],
    "file": [b"\1\0id;text\r1;a\n2;b\n"],
    "sent": [b'{"type":{},"data":[{"external_id":"1","text":"a"}]}'],
    "swollen": [b"\0" + unit for unit in (b"a@b.c,", b'"', b"<", b".")],
    "letter": [b"Subject: =?utf-8?q?a=0Ab=0Dc?=\r\n\r\nx"],
}


@pytest.mark.parametrize("name", TARGETS)
def test_honest_inputs_and_what_fuzzing_found_pass(name):
    for data in [b"", b"\0", b"\xff" * 50, *seeds(name), *FOUND.get(name, ())]:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_made_up_inputs_pass(name):
    honest = seeds(name)

    @settings(
        max_examples=EXAMPLES.get(name, 100), deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(
        st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.data(),
    )
    def tried(made_up, data):
        TARGETS[name](made_up)
        base = data.draw(st.sampled_from(honest))
        at = data.draw(st.integers(0, len(base)))
        TARGETS[name](base[:at] + made_up + base[at + len(made_up) // 2 :])

    tried()


def test_an_address_that_cannot_be_written_again_is_refused_in_a_sentence():
    with pytest.raises(Blocked, match="cannot be read"):
        parse_url("//////")


async def test_a_hundred_hostile_feeds_end_within_the_limits_of_the_parser():
    rng, child = random.Random(11), ParserChild()
    try:
        for _ in range(120):
            body, kind = feeds.tricks(rng), rng.choice(feeds.KINDS)
            with contextlib.suppress(Blocked):
                found = await child.parse_feed(body, kind)
                assert not any("root:" in entry.title for entry in found.entries)
        assert set(child.deaths) <= {"parser_time", "parser_memory", "parser_died"}
    finally:
        await child.close()
