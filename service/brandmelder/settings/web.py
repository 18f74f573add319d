"""What a configuration says of the page: where it listens, under which address people reach it, how they sign in."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from brandmelder.options import Duration, Options, Role, SecretText, WebAddress
from brandmelder.settings.secrets import refuse_clear_text, take_files

if TYPE_CHECKING:
    from pathlib import Path

    from brandmelder.settings.wording import Notes

_KEY = ("web",)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_MOST_PORT = 65_535


def _listen(value: Any) -> str:
    text = str(value).strip()
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not port.isdecimal() or not 0 < int(port) <= _MOST_PORT or not (_address(bare) or _HOST.fullmatch(bare)):
        raise ValueError("no place to listen; write an address and a port, as in 127.0.0.1:8470 or [::1]:8470")
    return text


def _address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _bare(value: str) -> str:
    parts = urlsplit(value)
    if parts.query or parts.fragment or parts.path not in {"", "/"}:
        raise ValueError("holds a path; write the address alone, as in https://brandmelder.example")
    return value.rstrip("/")


def _some_time(span: timedelta) -> timedelta:
    if not timedelta(minutes=5) <= span <= timedelta(days=30):
        raise ValueError("is out of reach; write something between 5m and 30d")
    return span


def _network(value: str) -> str:
    try:
        found = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        raise ValueError("is no address and no network; write 10.0.0.7 or 172.16.0.0/12") from None
    if not found.prefixlen:
        raise ValueError("would believe everybody; name the web server that stands before the page")
    return str(found)


class OidcBlock(Options):
    """A provider of OpenID Connect, where people sign in."""

    issuer: WebAddress
    """The provider's address, below which `.well-known/openid-configuration` lies."""
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    """What the provider calls this service."""
    client_secret: SecretText
    """What it knows this service by: `${NAME}`, or `client_secret_file`."""
    claim: Annotated[str, Field(min_length=1, max_length=200)] = "groups"
    """In which claim of the identity the names stand that `roles` speaks of."""
    roles: dict[Role, tuple[str, ...]] = Field(default_factory=dict)
    """Who may do what: for `viewer`, `responder`, `admin` and `privacy_officer` the names found in that claim."""
    otherwise: Role | None = None
    """The role of whoever has none of those names; by default they are not let in."""
    allow_private: bool = False
    """Let the provider be at a private or loopback address, such as a server in the house."""


class WebBlock(Options):
    """The page in the browser."""

    listen: Annotated[str, BeforeValidator(_listen)] = "127.0.0.1:8470"
    """Address and port; by default this machine alone reaches it. Put a web server with TLS before anything else."""
    base_url: Annotated[WebAddress, AfterValidator(_bare)] | None = None
    """Under which address people reach it: what `Details` in an alert leads to."""
    proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Addresses or networks of web servers with TLS before the page, beside this machine's own: of these alone it is
    believed for whom they ask. In a container the requests come from its network, as in 172.16.0.0/12."""
    sign_in: Literal["local", "oidc", "open"] = "local"
    """How people sign in: with accounts of this service (`brandmelder account add`), at a provider (`oidc`), or not at
    all (`open`, on a loopback address only)."""
    session: Annotated[Duration, AfterValidator(_some_time)] = timedelta(hours=12)
    """After so long without a look somebody has to sign in again."""
    second_factor: Literal["optional", "required"] = "optional"
    """Whether everybody with an account of this service must show a second factor, digits made by their phone. A
    provider asks for its own."""
    oidc: OidcBlock | None = None
    """The provider, with `sign_in: oidc`."""


class WebSettings(Options):
    """The same, everything resolved."""

    host: str
    port: int
    base_url: str
    sign_in: Literal["local", "oidc", "open"]
    session: timedelta
    proxies: tuple[str, ...] = ()
    second_factor: Literal["optional", "required"] = "optional"
    oidc: OidcBlock | None = None

    @property
    def is_secure(self) -> bool:
        """Whether people reach it over TLS: then cookies never travel without."""
        return self.base_url.startswith("https://")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Say whether a host to listen on is reached from this machine alone."""
    return host == "localhost" or (_address(host) and ipaddress.ip_address(host).is_loopback)


def read_web(written: Any, notes: Notes, *, folder: Path) -> WebSettings | None:
    """Return what the block under `web` says; everything wrong with it goes into the notes."""
    document = notes.marked.value
    if written is None and not (isinstance(document, dict) and "web" in document):
        return None
    block = {} if written is None else dict(written) if isinstance(written, dict) else written
    if isinstance(block, dict) and isinstance(block.get("oidc"), dict):
        block["oidc"] = dict(block["oidc"])
        take_files(OidcBlock, block["oidc"], (*_KEY, "oidc"), folder=folder, notes=notes)
    refuse_clear_text(WebBlock, block, _KEY, notes)
    found = notes.accept(WebBlock, block, _KEY)
    if found is None:
        return None
    host, _, port = found.listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    settings = WebSettings(
        host=host,
        port=int(port),
        base_url=found.base_url or f"http://{found.listen}",
        sign_in=found.sign_in,
        session=found.session,
        proxies=found.proxies,
        second_factor=found.second_factor,
        oidc=found.oidc,
    )
    _hold_together(settings, found, notes)
    return settings


def _hold_together(settings: WebSettings, block: WebBlock, notes: Notes) -> None:
    """Note what does not go together."""
    if block.sign_in == "open" and not settings.is_loopback:
        hint = "write sign_in: local, or listen on 127.0.0.1"
        notes.wrong((*_KEY, "sign_in"), f"everybody who reaches {block.listen} would be let in", hint)
    if (block.sign_in == "oidc") != (block.oidc is not None):
        is_missing = block.oidc is None
        text = "sign_in: oidc needs the block oidc" if is_missing else "the block oidc is not used"
        hint = "name issuer, client_id and client_secret" if is_missing else "write sign_in: oidc, or remove it"
        notes.wrong((*_KEY, "sign_in" if is_missing else "oidc"), text, hint, on_key=not is_missing)
    if block.second_factor == "required" and block.sign_in != "local":
        hint = "remove it: a provider asks for its own" if block.sign_in == "oidc" else "write sign_in: local"
        notes.wrong((*_KEY, "second_factor"), f"sign_in: {block.sign_in} has no second factor of ours", hint)
    if block.base_url is None and not settings.is_loopback:
        hint = "write base_url: the address under which people reach it"
        notes.wrong((*_KEY, "listen"), "nobody would know how to reach the page", hint)
    elif not settings.is_secure and not is_loopback(urlsplit(settings.base_url).hostname or ""):
        hint = "put a web server with TLS before it and write https://"
        notes.warn((*_KEY, "base_url"), "passwords and cookies would travel in clear", hint)
