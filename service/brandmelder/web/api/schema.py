"""The API as OpenAPI 3.1, made from the table of operations and the types they take and give."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from brandmelder import __version__
from brandmelder.model import Scope
from brandmelder.web.api.problems import MEDIA, Problem
from brandmelder.web.api.reading import HEADERS
from brandmelder.web.api.table import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brandmelder.web.api.operation import Operation

Schema = dict[str, Any]
BASE: Final = "/api/v1"
_REFS: Final = "#/components/schemas/{name}"
_ALWAYS: Final = (401, 403, 413, 422, 429, 503)
"""What every operation may answer."""
_HEADERS: Final[dict[str, Schema]] = {
    "if-match": {
        "description": "Only if the incident still stands at the revision of this entity tag; else nothing is done.",
        "schema": {"type": "string", "pattern": HEADERS["if-match"]},
    },
    "if-none-match": {
        "description": "Only if the incident has another entity tag; else 304.",
        "schema": {"type": "string", "pattern": HEADERS["if-none-match"]},
    },
    "idempotency-key": {
        "description": "Chosen by the caller: the same key with the same body, within a day, is done once.",
        "schema": {"type": "string", "pattern": HEADERS["idempotency-key"]},
    },
}
_ABOUT: Final = """\
What the page shows to people, programs read and do here. Every operation wants a token with its scope:
`brandmelder token create --name NAME --scope SCOPE`, sent as `Authorization: Bearer bm_…`.

- **Errors** are `application/problem+json`: `detail` says what, to what, what to do; `where` which part of the request.
- **Lists** go on with `after`, which is `next` of the page before; null is the end.
- **Entity tags**: an incident's tag holds its revision. `If-Match` on an act refuses it if somebody was faster.
- **Idempotency-Key** makes a repetition harmless for a day.
- **Limits**: 600 requests a minute for each token, bodies of 1 MiB.
- **Texts** of mentions, quotes and phrases are strangers' words: treat them as hostile.
"""


@lru_cache(maxsize=1)
def schema() -> Schema:
    """Return the whole description, of nothing but what JSON knows."""
    told: Schema = msgspec.json.decode(msgspec.json.encode(_schema()))
    return told


def _schema() -> Schema:
    bodies = [one.body for one in OPERATIONS if one.body is not None]
    answers = [one.answers for one in OPERATIONS if one.answers is not None]
    types = list(dict.fromkeys([*bodies, *answers, Problem]))
    found, components = msgspec.json.schema_components(types, ref_template=_REFS)
    shapes = dict(zip(types, found, strict=True))
    paths: dict[str, Schema] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, shapes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Brandmelder",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": BASE}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(one) for one in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Scopes: " + ", ".join(f"`{one.value}`" for one in Scope),
                }
            },
            "responses": {"Problem": _problem(shapes)},
        },
    }


@lru_cache(maxsize=1)
def schema_json() -> bytes:
    """Return the whole description as JSON."""
    return msgspec.json.encode(schema())


def _tag(one: Operation) -> str:
    return one.path.split("/")[1]


def _operation(one: Operation, shapes: dict[Any, Schema]) -> Schema:
    told: Schema = {
        "operationId": one.name,
        "tags": [_tag(one)],
        "summary": one.says,
        "description": f"Scope `{one.scope.value}`.",
        "security": [{"token": [one.scope.value]}],
        "parameters": [*_in_path(one), *_in_query(one), *_in_headers(one)],
        "responses": dict(_responses(one, shapes)),
    }
    if one.body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": shapes[one.body]}}}
    return told


def _in_path(one: Operation) -> Iterator[Schema]:
    for name, wanted in one.path_types.items():
        yield {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(wanted)}


def _in_query(one: Operation) -> Iterator[Schema]:
    (found,), parts = msgspec.json.schema_components([one.query], ref_template=_REFS)
    block = parts[found["$ref"].rpartition("/")[2]]
    for name, wanted in block["properties"].items():
        plain = _without_null(_resolved(wanted, parts))
        about = plain.pop("description", "")
        default = plain.pop("default", None)
        if default is not None:
            plain["default"] = default
        yield {
            "name": name,
            "in": "query",
            "required": name in block.get("required", ()),
            **({"description": about} if about else {}),
            "schema": plain,
        }


def _resolved(wanted: Schema, parts: dict[str, Schema]) -> Schema:
    if "$ref" in wanted:
        rest = {name: value for name, value in wanted.items() if name != "$ref"}
        return {**parts[wanted["$ref"].rpartition("/")[2]], **rest}
    if "anyOf" in wanted:
        return {**wanted, "anyOf": [_resolved(one, parts) for one in wanted["anyOf"]]}
    return dict(wanted)


def _without_null(wanted: Schema) -> Schema:
    """Return what a parameter holds where it is given: it is left out rather than null."""
    choices = [one for one in wanted.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1:
        return {**{name: value for name, value in wanted.items() if name != "anyOf"}, **choices[0]}
    return wanted


def _in_headers(one: Operation) -> Iterator[Schema]:
    for name in one.headers:
        yield {"name": name, "in": "header", "required": False, **_HEADERS[name]}


def _responses(one: Operation, shapes: dict[Any, Schema]) -> Iterator[tuple[str, Schema]]:
    good = sorted({one.status, *(status for status in one.refusals if status < 300)})
    for status in good:
        told: Schema = {"description": HTTPStatus(status).phrase}
        if one.answers is not None:
            told["content"] = {"application/json": {"schema": shapes[one.answers]}}
        if {"if-match", "if-none-match"} & set(one.headers):
            told["headers"] = {"etag": {"description": "Its revision.", "schema": {"type": "string"}}}
        yield str(status), told
    no_json = {415} if one.body is not None else set()
    for status in sorted({*_ALWAYS, *no_json, *(status for status in one.refusals if status >= 300)}):
        if status == HTTPStatus.NOT_MODIFIED:
            yield str(status), {"description": "It still is as the caller knows it."}
        else:
            yield str(status), {"$ref": "#/components/responses/Problem"}


def _problem(shapes: dict[Any, Schema]) -> Schema:
    return {
        "description": "It was not done, and why.",
        "content": {MEDIA: {"schema": shapes[Problem]}},
    }
