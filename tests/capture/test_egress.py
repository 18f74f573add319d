from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.capture.egress import Guard, Resolver, is_reachable, reach_of, redact
from brandmelder.capture.http import HttpClient, parse_url
from brandmelder.errors import Blocked, SourceError
from brandmelder.model import SourceId
from capture.conftest import CURT, NOW

NEVER = """
0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 192.0.0.192 192.0.0.1 100.100.100.200 168.63.129.16 224.0.0.1
239.255.255.250 240.0.0.1 255.255.255.255 192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1
:: fe80::1 fe80::1%lo fec0::1 ff02::1 ff05::2 fd00:ec2::254 fd20:ce::254 2001:db8::1 100::1
::7f00:1 ::a9fe:a9fe ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::ffff:0:127.0.0.1
64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::8.8.8.8 64:ff9b:1::1 2001::1 2002:7f00:1:: 2002:a9fe:a9fe::
"""
PRIVATE = """
127.0.0.1 127.255.255.254 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255 100.64.0.1
::1 fc00::1 fd12:3456::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:192.168.1.1
"""
PUBLIC = "8.8.8.8 93.184.215.14 172.32.0.1 100.63.255.255 100.128.0.1 2606:4700::1111 ::ffff:8.8.8.8 2a00:1450::5"
NO_ADDRESS = ["", "localhost", "127.1", "0x7f000001", "2130706433", "127.0.0.1/8", "1.2.3.4.5", "[::1]"]

FORMS = """
http://127.0.0.1/ http://127.1/ http://127.0.1/ http://2130706433/ http://0x7f000001/ http://0x7f.0.0.1/ http://0x7f.1/
http://0177.0.0.1/ http://017700000001/ http://0/ http://0.0.0.0/ http://127.0.0.1./ http://%31%32%37.0.0.1/
http://①②⑦.0.0.1/ http://127。0。0。1/ http://127.0.0.1%2f@x/ http://user:pw@127.0.0.1/ http://8.8.8.8@127.0.0.1/
http://localhost/ http://LOCALHOST/ http://localhost./ http://[::1]/ http://[0:0:0:0:0:0:0:1]/ http://[::]/
http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/ http://[::ffff:a9fe:a9fe]/ http://[64:ff9b::7f00:1]/
http://[2002:7f00:1::]/ http://[::7f00:1]/ http://[fe80::1]/ http://[fec0::1]/ http://[fc00::1]/ http://[ff02::1]/
http://10.0.0.1/ http://10.1/ http://172.16.0.1/ http://192.168.1.1/ http://192.168.257/ http://100.64.0.1/
http://169.254.169.254/ http://2852039166/ http://0xa9fea9fe/ http://0251.0376.0251.0376/ http://169.254.43518/
http://100.100.100.200/ http://168.63.129.16/ http://192.0.0.192/ http://224.0.0.1/ http://255.255.255.255/
http://240.0.0.1/ http:///etc/passwd http:127.0.0.1 //127.0.0.1/
ftp://8.8.8.8/ file:///etc/passwd gopher://8.8.8.8/ dict://8.8.8.8:11211/ data:text/plain,x javascript:alert(1) x
"""


@pytest.mark.parametrize("address", NEVER.split())
@pytest.mark.parametrize("allow_private", [False, True])
def test_reserved_and_metadata_addresses_are_never_reached(address, allow_private):
    assert not is_reachable(address, allow_private=allow_private)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_addresses_are_reached_by_permission_only(address):
    assert not is_reachable(address, allow_private=False)
    assert is_reachable(address, allow_private=True)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses_are_reached(address):
    assert is_reachable(address, allow_private=False)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_address_is_not_reached(text):
    assert not is_reachable(text, allow_private=True)


@given(st.ip_addresses())
def test_whatever_is_reached_without_permission_is_global(address):
    if is_reachable(str(address), allow_private=False):
        assert address.is_global or address.ipv4_mapped.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_no_disguise_opens_what_is_closed(address):
    number = int(address)
    for prefix in ("::ffff:0:0", "64:ff9b::", "::", "2002::"):
        shift = 80 if prefix == "2002::" else 0
        disguised = ip_address(int(ip_address(prefix)) | number << shift)
        if is_reachable(str(disguised), allow_private=False):
            assert is_reachable(str(address), allow_private=False)


def test_there_are_at_least_forty_forms():
    assert len(FORMS.split()) >= 40


@pytest.mark.parametrize("url", FORMS.split())
async def test_no_spelling_of_a_closed_place_is_asked(url):
    found = []

    async def resolve(host, port):
        if host.rstrip(".") == "localhost":
            return ["127.0.0.1"]
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        found.extend(row[4][0] for row in rows)
        return found

    fetch = HttpClient(limits=CURT, resolve=resolve).bind(source=SourceId("press"), allow_private=False)
    with pytest.raises(SourceError) as caught:
        await fetch(url, now=NOW)
    assert isinstance(caught.value, Blocked) or not found, "what has an address is refused for it"


def test_the_port_a_url_names_is_open_on_its_host_only():
    reach = reach_of(parse_url("http://blog.example:8801/"), allow_private=False)
    reach.check(parse_url("http://blog.example:8801/feed"))
    reach.check(parse_url("https://other.example/feed"))
    for closed in ("http://other.example:8801/", "http://blog.example:8802/"):
        with pytest.raises(Blocked) as caught:
            reach.check(parse_url(closed))
        assert caught.value.why == "port"


def test_a_private_address_is_open_for_the_named_host_only():
    reach = reach_of(parse_url("http://blog.example/"), allow_private=True)
    assert reach.pick("blog.example", ["10.0.0.1"]) == ["10.0.0.1"]
    with pytest.raises(Blocked, match="name this host in its url"):
        reach.pick("other.example", ["10.0.0.1"])


def test_a_host_outside_ascii_is_the_same_host():
    reach = reach_of(parse_url("http://straße.example/"), allow_private=True)
    assert reach.host == "xn--strae-oqa.example"
    assert reach.pick("xn--strae-oqa.example", ["10.0.0.1"])


async def test_local_sockets_are_not_for_sources():
    with pytest.raises(NotImplementedError):
        await Guard(reach_of(parse_url("http://a/"), allow_private=True), Resolver()).connect_unix_socket("/run/x")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@a.example/x", "https://a.example/x"),
        ("https://a.example/x?access_token=s&page=2", "https://a.example/x?access_token=…&page=2"),
        ("https://a.example/x?page=2&apikey=s#y", "https://a.example/x?page=2&apikey=…#y"),
        ("https://a.example/x?key=s", "https://a.example/x?key=…"),
        ("https://a.example/x?api_key=s;token=t", "https://a.example/x?api_key=…;token=…"),
        ("https://a.example/x?X-Amz-Signature=s", "https://a.example/x?X-Amz-Signature=…"),
        ("https://a.example/x#access_token=s", "https://a.example/x#access_token=…"),
        ("https://a.example/key=1?q=Nordfunk", "https://a.example/key=1?q=Nordfunk"),
    ],
)
def test_secrets_in_urls_are_redacted(url, shown):
    assert redact(url) == shown
