"""What a person reads when nobody answered."""

from __future__ import annotations

import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from brandmelder.notify.no_answer import named

KEY = ConnectionKey("slack.com", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "x"), "ConnectionRefusedError (nothing listens there: is it up"),
        (socket.gaierror(-2, "x"), "gaierror (its name has no address here: look at the DNS)"),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "x")), "look at the DNS, and at this machine's way out"),
        (ssl.SSLCertVerificationError("x"), "its certificate does not fit its name"),
        (ssl.SSLError(1, "x"), "no TLS is spoken there: is the port right?"),
        (TimeoutError(), "no answer in time: is there a firewall between?"),
        (aiohttp.ClientConnectorError(KEY, OSError(111, "x")), "no way there: is it up"),
    ],
)
def test_an_error_is_named_with_what_to_look_at(error, said):
    assert said in named(error)


def test_an_error_we_know_nothing_of_is_named_without_its_words():
    assert named(ValueError("<b>foreign words</b>")) == "ValueError"
