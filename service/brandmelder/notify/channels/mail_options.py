"""What a mail channel's block may hold."""

from __future__ import annotations

import re
from email.headerregistry import Address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from brandmelder.options import ChannelOptions, SecretText

_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_SPEC = rf"(?P<local>{_WORD}(?:\.{_WORD})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)"
_ADDRESS = re.compile(rf"(?P<name>[^<>@\"\\,;:]+?) ?<{_SPEC}>".replace("P<", "P<named_", 3) + f"|{_SPEC}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PORTS = {"starttls": 587, "tls": 465, "none": 25}


def address_of(text: str) -> Address:
    """Read `Name <local@domain>` or `local@domain`. Raises ValueError that says what would be right."""
    match = _ADDRESS.fullmatch(text.strip())
    if match is None or not text.isprintable():
        raise ValueError(f"{text!r} is no mail address; write name@example.org, a foreign domain in its xn-- form")
    found = {name.removeprefix("named_"): part for name, part in match.groupdict().items() if part is not None}
    return Address(display_name=found.get("name", ""), username=found["local"], domain=found["domain"])


def _mail_address(text: str) -> str:
    address_of(text)
    return text


MailAddress = Annotated[
    str, AfterValidator(_mail_address), WithJsonSchema({"type": "string", "pattern": "^[^\\r\\n]+@[^\\r\\n]+$"})
]


class MailOptions(ChannelOptions):
    """Mail by a server that takes it from us (SMTP submission)."""

    server: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$", max_length=253)]
    """The name of the mail server."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the way is kept secret: `starttls` (port 587), `tls` (465), or `none` (25) for a server on this host."""
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """Its port, if it is not the usual one."""
    user: str | None = None
    """The name to log in with, if the server wants one."""
    password: SecretText | None = None
    """The password to log in with."""
    sender: MailAddress
    """Who it comes from: `alarm@example.org` or `Brandmelder <alarm@example.org>`."""
    to: Annotated[tuple[MailAddress, ...], Field(min_length=1, max_length=50)]
    """Who gets it; all see each other."""

    @model_validator(mode="after")
    def _is_no_clear_text(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` belong together: give both or neither")
        if self.security == "none" and self.server not in _LOOPBACK:
            raise ValueError("`security: none` sends in clear; it is for a server on this host, write starttls or tls")
        return self

    @property
    def where(self) -> int:
        """The port that is asked."""
        return self.port or PORTS[self.security]
