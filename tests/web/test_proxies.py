"""For whom a web server before the page asks is believed of those alone that the configuration names."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.responses import JSONResponse

from brandmelder.errors import ConfigurationError
from brandmelder.settings import parse_settings
from brandmelder.web.serve import PageServer
from web.house import YAML


async def says(scope, receive, send):
    found = JSONResponse({"client": scope["client"][0], "scheme": scope["scheme"]})
    await found(scope, receive, send)


async def asked(caller, forwarded, proxies):
    """Ask from one of this machine's addresses, as a proxy or a liar would; return what the page believes."""
    server = PageServer(says, "127.0.0.1", 0, proxies=proxies)
    running = asyncio.create_task(server.run())
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, local_addr=(caller, 0))
    lines = (
        "GET / HTTP/1.1",
        "host: a",
        "connection: close",
        f"x-forwarded-for: {forwarded}",
        "x-forwarded-proto: https",
    )
    writer.write("\r\n".join([*lines, "", ""]).encode())
    whole = await reader.read()
    writer.close()
    await writer.wait_closed()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    found = json.loads(whole.partition(b"\r\n\r\n")[2])
    return found["client"], found["scheme"]


@pytest.mark.parametrize(
    ("caller", "forwarded", "proxies", "believed"),
    [
        ("127.0.0.1", "203.0.113.7", (), ("203.0.113.7", "https")),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7", (), ("203.0.113.7", "https")),
        ("127.0.0.2", "203.0.113.7", (), ("127.0.0.2", "http")),
        ("127.0.0.2", "203.0.113.7", ("127.0.0.2/32",), ("203.0.113.7", "https")),
        ("127.0.0.2", "198.51.100.1, 203.0.113.7, 127.0.0.3", ("127.0.0.0/29",), ("203.0.113.7", "https")),
        ("127.0.0.9", "203.0.113.7", ("127.0.0.0/29",), ("127.0.0.9", "http")),
    ],
)
async def test_the_last_address_that_no_proxy_of_ours_has_is_who_asks(caller, forwarded, proxies, believed):
    assert await asked(caller, forwarded, proxies) == believed


def read(folder, web):
    return parse_settings(YAML.replace("web: {}", web), folder / "brandmelder.yaml", {}).web


def test_a_configuration_names_addresses_and_networks(tmp_path):
    found = read(tmp_path, "web: {proxies: [172.16.0.0/12, 10.0.0.7, '2001:db8::1']}")
    assert found.proxies == ("172.16.0.0/12", "10.0.0.7/32", "2001:db8::1/128")


@pytest.mark.parametrize(
    ("name", "why"), [("caddy", "is no address"), ("0.0.0.0/0", "everybody"), ("::/0", "everybody")]
)
def test_what_is_none_is_said_with_its_place(tmp_path, name, why):
    with pytest.raises(ConfigurationError, match=rf"brandmelder\.yaml:\d+:\d+.*proxies.*{why}"):
        read(tmp_path, f"web: {{proxies: ['{name}']}}")
