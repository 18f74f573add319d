"""Where health may be asked by HTTP."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from brandmelder.options import Options

_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9.]+|localhost):(?P<port>\d{1,5})")


def _place(value: Any) -> str:
    found = _LISTEN.fullmatch(str(value))
    if found is None or int(found["port"]) > 65_535:
        raise ValueError("is no place to listen on; write an address and a port, as in 127.0.0.1:9393 or [::1]:9393")
    return str(value)


class HealthBlock(Options):
    """A socket for probes and for Prometheus: `/livez`, `/readyz`, `/metrics`. Nothing there needs a login."""

    listen: Annotated[str, BeforeValidator(_place), Field(examples=["127.0.0.1:9393"])] = "127.0.0.1:9393"
    """Address and port. Other machines reach it only if you name another address than the loopback's."""
    metrics: bool = True
    """Whether `/metrics` is there, too."""

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)
