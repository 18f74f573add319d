"""The API as an application of its own, to be mounted at /api/v1: each request passes the gate, is read, done, told."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount, Route

from brandmelder.errors import StoreError
from brandmelder.web.api.gate import Gate
from brandmelder.web.api.operation import Answer, Call
from brandmelder.web.api.problems import Refused
from brandmelder.web.api.reading import raw_body, read_body, read_headers, read_path, read_query
from brandmelder.web.api.schema import BASE, schema_json
from brandmelder.web.api.table import OPERATIONS
from brandmelder.web.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from brandmelder.web.api.operation import Door, Operation

log = structlog.get_logger()

SCHEMA = "/openapi.json"
"""The one address that wants no token: what it says stands in the documentation, too."""


def api(door: Door, *, rates: Rates | None = None) -> Starlette:
    """Return the API. Mount it at /api/v1; it looks after its own tokens."""
    gate = Gate(door, rates or Rates())
    by_path: dict[str, list[Operation]] = {}
    for one in OPERATIONS:
        by_path.setdefault(one.path, []).append(one)
    routes = [_route(door, gate, path, operations) for path, operations in by_path.items()]
    handlers = {HTTPException: _unrouted, Refused: _refused, StoreError: _store_failed, Exception: _failed}
    made = Starlette(routes=[Route(SCHEMA, _schema), *routes], exception_handlers=handlers)
    made.router.redirect_slashes = False  # whoever follows would send its token to a host and scheme the question chose
    return made


def mounted(door: Door, *, rates: Rates | None = None) -> Mount:
    """Return the API at its place; every address below it is its own, whatever signs it holds."""
    place = Mount(BASE, api(door, rates=rates))
    place.path_regex = re.compile(place.path_regex.pattern, re.DOTALL)
    return place


def _route(door: Door, gate: Gate, path: str, operations: Sequence[Operation]) -> Route:
    """Answer one address; a method that it does not know is said to be none of its own."""
    by_method = {one.method: one for one in operations}

    async def answer(request: Request) -> Response:
        operation = by_method.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            raise _no_method(request.method, sorted(by_method))
        now = door.now()
        token = await gate.pass_(request, operation.scope, now)
        read_path(operation, request.path_params)
        query = read_query(operation, request.query_params.multi_items())
        read_headers(operation, request.headers)
        raw = await raw_body(request)
        call = Call(
            door=door,
            token=token,
            now=now,
            path=dict(request.path_params),
            query=query,
            body=read_body(operation, raw, request.headers.get("content-type", "")),
            raw=raw,
            headers=request.headers,
        )
        done = await operation.handler(call)
        if request.method not in {"GET", "HEAD"}:
            log.info("api.done", operation=operation.name, token=token.id, status=done.status)
        return _response(done)

    # Every method comes here, so that a wrong one is refused in our words.
    return Route(path, answer, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])


def _response(done: Answer) -> Response:
    headers = {"cache-control": "no-store", **done.headers}
    if done.body is None:
        return Response(status_code=done.status, headers=headers)
    return Response(msgspec.json.encode(done.body), done.status, headers, media_type="application/json")


async def _schema(_request: Request) -> Response:
    return Response(schema_json(), media_type="application/json", headers={"cache-control": "max-age=300"})


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for nothing else
    return error.response


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "GET")
        return _no_method(request.method, allowed.split(", ")).response
    text = f"there is nothing under {request.url.path[:200]}; see {SCHEMA} for what there is"
    return Refused(HTTPStatus(error.status_code), "not-found", text).response


async def _store_failed(_request: Request, error: Exception) -> Response:
    log.warning("api.store", error=type(error).__name__)
    text = "the database cannot be used now; nothing was done, come again"
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "store", text, headers={"retry-after": "5"}).response


async def _failed(_request: Request, error: Exception) -> Response:
    log.error("api.bug", error=type(error).__name__)
    text = "something went wrong here that should not have; the service's log says what, nothing was done"
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "bug", text).response


def _no_method(method: str, allowed: Sequence[str]) -> Refused:
    told = ", ".join(allowed)
    text = f"{method[:20]} is not done here; done are: {told}"
    return Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method", text, headers={"allow": told})
