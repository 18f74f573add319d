"""Which places we may reach: all addresses of a host are checked, and the connection goes to a checked one.

`ipaddress.is_global` alone is not enough: it calls multicast, NAT64, 6to4 and others global, and through them stand
loopback and the metadata services of cloud machines.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

import httpcore
from msgspec import Struct

from brandmelder.errors import Blocked, Transient

if TYPE_CHECKING:
    import httpx

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Turn a host's name and a port into addresses in the order in which they should be tried. Raises OSError."""

PORTS: Final = {"http": 80, "https": 443}
TRIED: Final = 4
"""How many of a host's addresses are tried; all are checked."""
_NETWORKS = {
    "never": (
        # this network, link-local with the metadata services, protocol assignments, multicast, reserved, broadcast
        "0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 224.0.0.0/4 240.0.0.0/4 "
        # metadata and host services that stand in ordinary ranges: Alibaba, Azure, Amazon, Google
        "100.100.100.200/32 168.63.129.16/32 fd00:ec2::254/128 fd20:ce::254/128 "
        # unspecified, link-local, site-local, multicast
        "::/128 fe80::/10 fec0::/10 ff00::/8"
    ),
    "private": "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 ::1/128 fc00::/7",
    # IPv4 in disguise: compatible, translated (RFC 2765), NAT64, Teredo, 6to4
    "disguised": "::/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 2001::/32 2002::/16",
}
_NEVER, _PRIVATE, _DISGUISED = (tuple(map(ip_network, text.split())) for text in _NETWORKS.values())
_SECRET = re.compile(
    r"(?<=[?&;#])([\w.-]{0,40}(?:token|key|secret|password|passwd|pwd|signature|sig)=)[^&#;\s]*",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=//)[^/?#@\s]*@")


def redact(url: str) -> str:
    """Return `url` without what may be secret in it: credentials and the values of keys and tokens."""
    return _SECRET.sub(r"\1…", _USERINFO.sub("", url))


def is_reachable(address: str, *, allow_private: bool) -> bool:
    """Whether we may connect to this IP address.

    `allow_private` opens loopback, private and shared ranges; link-local, metadata and reserved ones stay closed.
    """
    try:
        place: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(place, IPv6Address) and place.ipv4_mapped is not None:
        place = place.ipv4_mapped
    if any(place in network for network in _NEVER):
        return False
    if any(place in network for network in _PRIVATE):
        return allow_private
    return place.is_global and not place.is_multicast and not any(place in network for network in _DISGUISED)


class Reach(Struct, frozen=True):
    """Where one request may go: what its URL names, and what everybody may reach."""

    host: str
    port: int
    allow_private: bool

    def check(self, url: httpx.URL) -> None:
        """Raise Blocked unless scheme and port are allowed: 80 and 443, and the port the first URL itself names."""
        if url.scheme not in PORTS:
            raise Blocked(f"its address leads to {url.scheme[:20]!r}; only http and https are followed", "scheme")
        host, port = host_of(url), port_of(url)
        if not host:
            raise Blocked("its address names no host; mend its url", "address")
        if port not in PORTS.values() and (host, port) != (self.host, self.port):
            raise Blocked(f"it leads to port {port} of {host}; if that is right, name it in its url", "port")

    def pick(self, host: str, addresses: Sequence[str]) -> Sequence[str]:
        """Return the addresses if all of them may be reached. Raises Blocked if only one may not."""
        is_named = host == self.host
        private = self.allow_private and is_named
        for address in addresses:
            if is_reachable(address, allow_private=private):
                continue
            if not is_reachable(address, allow_private=True):
                advice = "such addresses are never asked"
            elif is_named:
                advice = "if that is meant, set allow_private: true"
            else:
                advice = "if that is meant, name this host in its url and set allow_private: true"
            raise Blocked(f"{host} has the address {address}, which is not public; {advice}", "address")
        return addresses


def reach_of(url: httpx.URL, *, allow_private: bool) -> Reach:
    """Return where a request for `url` may go."""
    return Reach(host_of(url), port_of(url), allow_private)


def host_of(url: httpx.URL) -> str:
    """Return the host of `url` as it goes over the wire: lower case, in ASCII, IPv6 without brackets."""
    return url.raw_host.decode("ascii")


def port_of(url: httpx.URL) -> int:
    """Return the port of `url`, the scheme's own if it names none."""
    return url.port or PORTS.get(url.scheme, 0)


class Guard(httpcore.AsyncNetworkBackend):
    """The network as one request may use it. The name is resolved once, so no second answer can slip past the check."""

    def __init__(self, reach: Reach, resolve: Resolve) -> None:
        self._reach, self._resolve = reach, resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers. Raises Blocked, Transient or httpcore's errors."""
        try:
            async with asyncio.timeout(timeout):
                addresses = self._reach.pick(host, await self._addresses(host, port))
                return await self._first(addresses, port, timeout, local_address, socket_options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such name"
            raise Transient(f"the name {host} has no address ({reason}); check its url and the DNS") from error
        if not found:
            raise Transient(f"the name {host} has no address; check its url and the DNS")
        return found

    async def _first(
        self,
        addresses: Sequence[str],
        port: int,
        timeout: float | None,  # noqa: ASYNC109 - shared out over the addresses
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = addresses[:TRIED]
        share = None if timeout is None else timeout / (len(others) + 1)
        for address in others:
            try:
                return await self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(last, port, timeout, local_address, socket_options)


class Resolver:
    """The machine's resolver in threads of its own, so that dead name servers hold up nothing but names."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="brandmelder-names")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of `host`, best first. Raises OSError."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        rows = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return tuple(dict.fromkeys(str(row[4][0]) for row in rows))

    def close(self) -> None:
        """Let the threads end; those that still wait for a name server are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
