"""The configuration as it was read: every key with its value in words; secrets stay where they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import BaseModel

from brandmelder.capture.egress import redact
from brandmelder.notify.inert import inert
from brandmelder.options import Secret, format_duration
from brandmelder.web.render import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from brandmelder.settings import Settings
    from brandmelder.web.reader import Reader
    from brandmelder.web.site import Site


async def show(site: Site, _request: Request, reader: Reader) -> Response:
    """Show the configuration as it was read; secrets stay where they are."""
    lines = [(key, _said(value, site.settings)) for key, value in _flat(site.settings, "")]
    return page(
        site, reader, "settings.html", lines=lines, file=str(site.settings.path), warnings=site.settings.warnings
    )


def _flat(value: Any, path: str) -> Any:
    """Yield every key with its value."""
    if isinstance(value, BaseModel):
        hidden = {"lines", "warnings", "path", "outside"} if not path else set()
        items = [(name, getattr(value, name)) for name in type(value).model_fields if name not in hidden]
    elif isinstance(value, dict):
        items = [(str(name), inner) for name, inner in value.items()]
    elif isinstance(value, msgspec.Struct):
        items = [(name, getattr(value, name)) for name in value.__struct_fields__]
    elif isinstance(value, (tuple, list)) and any(isinstance(one, (BaseModel, msgspec.Struct, dict)) for one in value):
        items = [(str(place), inner) for place, inner in enumerate(value)]
    else:
        yield path, value
        return
    for name, inner in items:
        yield from _flat(inner, f"{path}.{name}" if path else name)


def _said(value: Any, settings: Settings) -> str:
    """Say a value in words; what came from outside the file is not, wherever in it it stands."""
    match value:
        case Secret() | None:
            said = "–" if value is None else "…"
        case bool():
            said = str(value).lower()
        case timedelta():
            said = format_duration(value)
        case datetime():
            said = value.isoformat(" ", "minutes")
        case tuple() | list() | frozenset() | set():
            said = ", ".join(_said(one, settings) for one in value) or "–"
        case _:
            said = str(value.value if isinstance(value, Enum) else value)
            for secret, shown in settings.outside:
                said = said.replace(secret.reveal(), shown)
            said = inert(redact(said), 300) or "–"
    return said
