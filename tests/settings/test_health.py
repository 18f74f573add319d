"""The socket for probes: off by default, on the loopback unless told otherwise, an odd address is refused by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from brandmelder.errors import ConfigurationError
from brandmelder.settings import parse_settings
from pipeline.world import YAML


def settings(more):
    return parse_settings(YAML + more, Path("brandmelder.yaml"), {})


def test_without_the_block_no_port_is_opened():
    assert settings("").health is None


@pytest.mark.parametrize(
    ("block", "place"),
    [
        ("{}", ("127.0.0.1", 9393)),
        ("{listen: '0.0.0.0:80'}", ("0.0.0.0", 80)),
        ("{listen: '[::1]:9393', metrics: false}", ("::1", 9393)),
        ("{listen: 'localhost:9393'}", ("localhost", 9393)),
    ],
)
def test_it_listens_where_it_is_told(block, place):
    assert settings(f"health: {block}\n").health.place == place


@pytest.mark.parametrize("listen", ["9393", "monitoring.example:9393", "127.0.0.1:99999", "127.0.0.1:", "::1:9393"])
def test_what_is_no_place_is_refused_with_its_line(listen):
    with pytest.raises(ConfigurationError, match=r"brandmelder\.yaml:\d+:\d+: .*write an address and a port"):
        settings(f"health: {{listen: '{listen}'}}\n")
