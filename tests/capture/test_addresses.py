"""Every spelling of every closed place, asked directly, by a redirect and by a name that changes: none is reached.

Connections are watched where they would be made, so that a form that slips past a rule is seen, whatever became of it.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import count

import httpcore
import pytest

from brandmelder.capture.egress import is_reachable
from brandmelder.capture.http import HttpClient
from brandmelder.errors import SourceError
from brandmelder.model import SourceId
from capture.conftest import CURT, NOW
from capture.hostile_server import hostile, reply

CLOSED = {
    "loopback": "127.0.0.1",
    "loopback elsewhere": "127.8.9.10",
    "this network": "0.0.0.0",
    "metadata": "169.254.169.254",
    "metadata of Alibaba": "100.100.100.200",
    "metadata of Azure": "168.63.129.16",
    "private ten": "10.0.0.1",
    "private 172": "172.16.0.1",
    "private 192": "192.168.1.1",
    "shared": "100.64.0.1",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
}
CLOSED_V6 = (
    "::1 :: fe80::1 fe80::1%25lo fe80::1%25eth0 fec0::1 fc00::1 fd00:ec2::254 fd20:ce::254 ff02::1 ff05::2 "
    "0:0:0:0:0:0:0:1 0000:0000:0000:0000:0000:0000:0000:0001 2001:db8::1 100::1"
)


def spellings(text):
    """Yield the forms of one IPv4 address that some resolver or browser takes for it."""
    number, parts = int(IPv4Address(text)), text.split(".")
    a, b, c, d = map(int, parts)
    yield text
    yield f"{text}."
    yield f"{number}"
    yield f"0x{number:x}"
    yield f"0X{number:08X}"
    yield f"0{number:o}"
    yield ".".join(f"0x{int(one):x}" for one in parts)
    yield ".".join(f"0{int(one):o}" for one in parts)
    yield ".".join(f"000{int(one):o}" for one in parts)
    yield f"0x{a:x}.{b}.0{c:o}.{d}"
    yield f"{a}.{b * 65536 + c * 256 + d}"
    yield f"{a}.{b}.{c * 256 + d}"
    yield "".join(f"%{ord(one):02x}" for one in text)
    yield text.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    yield text.replace(".", "。")
    yield text.replace(".", "\uff0e")
    yield "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(one)] if one.isdecimal() else one for one in text)
    yield f"user:secret@{text}"
    yield f"8.8.8.8@{text}"
    high, low = number >> 16, number & 0xFFFF
    for prefix in ("::ffff:", "::", "64:ff9b::", "64:ff9b:1::", "::ffff:0:"):
        yield f"[{prefix}{high:x}:{low:x}]"
    yield f"[::ffff:{text}]"
    yield f"[64:ff9b::{text}]"
    yield f"[2002:{high:x}:{low:x}::]"
    yield f"[2002:{high:x}:{low:x}::1]"
    yield f"[2001:0:{high:x}:{low:x}::]"
    yield f"[::ffff:{text}%25lo]"


HOSTS = sorted(
    {form for place in CLOSED.values() for form in spellings(place)}
    | {f"[{one}]" for one in CLOSED_V6.split()}
    | {
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
        "ip6-localhost",
        "127.0.0.1.nip.io",
        "metadata.google.internal",
    }
)
OTHERS = [
    "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/", "dict://127.0.0.1:11211/", "ldap://127.0.0.1/",
    "jar:http://127.0.0.1!/", "data:text/plain,x", "javascript:alert(1)", "unix:/run/docker.sock", "http:///x",
    "http:127.0.0.1",
    "//127.0.0.1/", "http://127.0.0.1:22/", "http://127.0.0.1:6379/", "http://[::1]:5432/", "http://8.8.8.8:25/",
    "http://127.0.0.1\t/", "http://127.0.0.1\\@8.8.8.8/", "http://8.8.8.8\\.127.0.0.1/", "http://127.0.0.1#@8.8.8.8/",
]  # fmt: skip
NAMES = {"127.0.0.1.nip.io": "127.0.0.1", "metadata.google.internal": "169.254.169.254"}


async def resolve(host, port):
    """Answer as the machine's resolver would, numbers in every spelling included; known tricks as their owners do."""
    name = host.rstrip(".").lower()
    if name in {"localhost", "ip6-localhost"}:
        return ["127.0.0.1", "::1"]
    if name in NAMES:
        return [NAMES[name]]
    return [row[4][0] for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)]


@pytest.fixture
def reached(monkeypatch):
    """Note every address to which a connection would be opened; none is, but to the tests' own server."""
    places = []
    real = httpcore.AnyIOBackend.connect_tcp

    async def connect(self, host, port, *more, **named):
        places.append((host, port))
        if host != "127.0.0.1":
            raise httpcore.ConnectError("nothing but loopback in tests")
        return await real(self, host, port, *more, **named)

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    return places


def fetch_of(*, allow_private=False, resolve=resolve):
    return HttpClient(limits=CURT, resolve=resolve).bind(source=SourceId("press"), allow_private=allow_private)


def test_there_are_hundreds_of_forms():
    assert len(HOSTS) + len(OTHERS) >= 150


async def test_no_form_is_reached_when_it_is_asked(reached):
    fetch = fetch_of()
    for url in [
        *(f"http://{host}/latest/meta-data/" for host in HOSTS),
        *(f"https://{host}/" for host in HOSTS),
        *OTHERS,
    ]:
        with pytest.raises(SourceError):
            await fetch(url, now=NOW)
        open_ones = [place for place in reached if not is_reachable(place[0], allow_private=False)]
        assert open_ones == [], url
        reached.clear()


async def test_no_form_is_reached_by_a_redirect_even_where_the_first_host_may_be_private(reached):
    async with hostile() as server:
        fetch = fetch_of(allow_private=True)
        asked = [f"http://{host}{port}/" for host in HOSTS for port in ("", f":{server.port + 1}")]
        for number, place in enumerate([*asked, *OTHERS]):
            url = server.on(f"/{number}", reply(302, headers={"Location": place}))
            with pytest.raises((SourceError, UnicodeError)):
                await fetch(url, now=NOW)
            named = ("127.0.0.1", server.port)
            wrong = [one for one in reached if one != named and not is_reachable(one[0], allow_private=False)]
            # A private source may go on to other addresses of its own host, and to nothing else.
            assert not [one for one in wrong if one[0] != "127.0.0.1"], place
            assert not [one for one in wrong if one[1] not in {80, 443}], place
            reached.clear()


@pytest.mark.parametrize("answers", [("8.8.8.8", "127.0.0.1"), ("127.0.0.1", "8.8.8.8")])
async def test_a_name_that_changes_its_answer_is_asked_once_and_its_closed_address_never(reached, answers):
    turns = count()

    async def rebinding(host, port):
        return [answers[next(turns) % 2]]

    with pytest.raises(SourceError):
        await fetch_of(resolve=rebinding)("http://rebind.example/", now=NOW)
    assert all(is_reachable(host, allow_private=False) for host, _ in reached)
    assert next(turns) == 1


async def test_one_closed_address_among_open_ones_closes_the_name(reached):
    for closed in [*CLOSED.values(), "::1", "fe80::1", "64:ff9b::7f00:1"]:
        for place in range(3):
            answer = ["8.8.8.8", "2606:4700::1111"]
            answer.insert(place, closed)

            async def mixed(host, port, answer=answer):
                return answer

            with pytest.raises(SourceError, match="not public"):
                await fetch_of(resolve=mixed)("http://mixed.example/", now=NOW)
    assert reached == []


def test_every_disguise_of_a_closed_address_is_closed():
    for place in CLOSED.values():
        number = int(IPv4Address(place))
        for prefix, shift in (("::ffff:0:0", 0), ("::", 0), ("64:ff9b::", 0), ("64:ff9b:1::", 0), ("2002::", 80),
                              ("::ffff:0:0:0", 0), ("2001::", 64)):  # fmt: skip
            disguised = IPv6Address(int(ip_address(prefix)) | number << shift)
            assert not is_reachable(str(disguised), allow_private=False), disguised
