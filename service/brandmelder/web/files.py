"""The files that pages need: under an address that says what they hold, a browser fetches them once."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Scope

FOLDER: Final = files("brandmelder.web") / "static"
FOR_EVER: Final = "public, max-age=31536000, immutable"


@lru_cache(maxsize=1)
def stamp() -> str:
    """Return what changes whenever one of the files does: pages put it behind their addresses."""
    whole = sha256()
    for one in sorted(FOLDER.iterdir(), key=lambda one: one.name):
        whole.update(one.name.encode() + b"\n" + one.read_bytes())
    return whole.hexdigest()[:12]


class Files(StaticFiles):
    """Answers with a file; over a slow line each page but the first is drawn without waiting for one."""

    def __init__(self) -> None:
        super().__init__(directory=str(FOLDER))

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file: for ever under the stamp of this version, else to be asked for again each time."""
        response = await super().get_response(path, scope)
        is_stamped = scope["query_string"].decode("latin-1") == stamp()
        response.headers["cache-control"] = FOR_EVER if is_stamped else "no-cache"
        return response
