"""The JSON schema of the configuration, for editors: the top level, and one block per source and channel plug-in."""

from __future__ import annotations

import json
import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

from brandmelder import plugins
from brandmelder.options import ChannelOptions, Role, SourceOptions, format_duration
from brandmelder.settings.calendar import EventBlock, MarkedBlock
from brandmelder.settings.docstrings import docstrings
from brandmelder.settings.duty import (
    PersonBlock,
    QuietBlock,
    RotaBlock,
    SilencesBlock,
    StepBlock,
    TurnsBlock,
    WorkingHoursBlock,
    format_days,
)
from brandmelder.settings.health import HealthBlock
from brandmelder.settings.retention import RetentionBlock
from brandmelder.settings.secrets import secret_names
from brandmelder.settings.shape import NAME, AlertBlock, DigestBlock, Document, MonitorBlock, SecondOpinionBlock
from brandmelder.settings.transformer import TransformerBlock
from brandmelder.settings.web import OidcBlock, WebBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel

Schema = dict[str, Any]

_NAMES_OR_ALL: Schema = {
    "anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}, {"type": "null"}]
}
_ALTERNATIVES = re.compile(r"\^\(([\w|]+)\)\$")


def build_schema(names: Callable[[plugins.Group], Iterable[str]] = plugins.names) -> Schema:
    """Return the schema of a configuration that may use the plug-ins `names` tells of: by default all installed."""
    defs: Schema = {}
    schema = _model(Document, defs)
    sections = {
        "sources": _plugged("sources", SourceOptions, names("sources"), defs),
        "channels": _plugged("notifiers", ChannelOptions, names("notifiers"), defs),
        "monitors": _model(MonitorBlock, defs),
        "people": _model(PersonBlock, defs),
        "rota": _rota(defs),
    }
    properties = schema["properties"]
    for section, block in sections.items():
        properties[section].update(additionalProperties=block, propertyNames={"pattern": f"^{NAME.pattern}$"})
    properties["second_opinion"] = {**_model(SecondOpinionBlock, defs), **properties["second_opinion"]}
    properties["transformer"] = {**_model(TransformerBlock, defs), **properties["transformer"]}
    properties["web"] = {**_web(defs), **properties["web"]}
    alert = properties["alerts"]["items"] = _model(AlertBlock, defs)
    alert["properties"]["escalation"]["items"] = _model(StepBlock, defs)
    properties["quiet_hours"]["items"] = _model(QuietBlock, defs)
    properties["digests"]["items"] = _model(DigestBlock, defs)
    blocks: dict[str, type[BaseModel]] = {
        "silences": SilencesBlock,
        "working_hours": WorkingHoursBlock,
        "health": HealthBlock,
        "retention": RetentionBlock,
    }
    for key, model in blocks.items():
        properties[key] = {**_model(model, defs), "description": properties[key]["description"]}
    properties["calendar"]["items"] = _model(EventBlock, defs)
    properties["marked"]["items"] = _model(MarkedBlock, defs)
    for item in (properties["calendar"]["items"], properties["marked"]["items"]):
        item["properties"]["monitors"].update(_NAMES_OR_ALL)
    properties["classifier"]["enum"] = list(names("classifiers"))
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Configuration of Brandmelder"}
    return {**head, **schema, "$defs": dict(sorted(defs.items()))}


def schema_text(schema: Schema | None = None) -> str:
    """Return the schema as the file that lies in `config/`."""
    return json.dumps(build_schema() if schema is None else schema, indent=2, ensure_ascii=False) + "\n"


def _rota(defs: Schema) -> Schema:
    """Return the block of a rota with what the block of its turns says."""
    block = _model(RotaBlock, defs)
    block["properties"]["turns"] = {**_model(TurnsBlock, defs), "description": docstrings(RotaBlock)["turns"]}
    return block


def _web(defs: Schema) -> Schema:
    """Return the block of the page with what the block of its single sign-on says."""
    block = _model(WebBlock, defs)
    oidc = _model(OidcBlock, defs)
    oidc["properties"]["roles"]["propertyNames"] = {"enum": [role.value for role in Role]}
    block["properties"]["oidc"] = {**oidc, "description": docstrings(WebBlock)["oidc"]}
    return block


def _plugged(group: plugins.Group, base: type[BaseModel], names: Iterable[str], defs: Schema) -> Schema:
    """Return a block whose keys depend on its `type`."""
    known = list(names)
    cases = []
    for name in known:
        defs[f"{group}.{name}"] = case = _model(plugins.options(group, name), defs)
        case["properties"]["type"] = {"const": name, "description": case["properties"]["type"].get("description", "")}
        case["required"] = sorted({"type", *case.get("required", ())})
        when = {"properties": {"type": {"const": name}}, "required": ["type"]}
        cases.append({"if": when, "then": {"$ref": f"#/$defs/{group}.{name}"}})
    kind = {"enum": known, "description": docstrings(base).get("type", "")}
    return {"type": "object", "properties": {"type": kind}, "required": ["type"], "allOf": cases}


def _model(model: type[BaseModel], defs: Schema) -> Schema:
    """Return one model's schema with what its docstrings say; models inside it go to `defs`."""
    prefix = f"{model.__module__}.{model.__qualname__}"
    schema = model.model_json_schema(by_alias=True, ref_template=f"#/$defs/{prefix}.{{model}}")
    for name, inner in schema.pop("$defs", {}).items():
        defs[f"{prefix}.{name}"] = inner
    schema.pop("title", None)
    said = docstrings(model)
    for name, field in model.model_fields.items():
        key = field.alias or name
        block = schema["properties"][key] = _plain(schema["properties"][key])
        if said.get(name):
            block.setdefault("description", said[name])
        if (written := _written(field.default)) is not None:
            block["default"] = written
    _offer_files(model, schema)
    return schema


def _written(default: Any) -> str | None:
    """Return how a default is written in a configuration, where that is not how JSON writes it."""
    match default:
        case timedelta():
            return format_duration(default)
        case time():
            return f"{default:%H:%M}"
        case frozenset():
            return format_days(default)
        case _:
            return None


def _plain(block: Schema) -> Schema:
    """Say a key's type as people would: no title, no `or null` where leaving the key out means the same."""
    block = {key: value for key, value in block.items() if key != "title" and (key, value) != ("default", None)}
    choices = [choice for choice in block.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del block["anyOf"]
        block = {**choices[0], **block}
    alternatives = _ALTERNATIVES.fullmatch(block.get("pattern", ""))
    if alternatives:
        del block["pattern"]
        block["enum"] = alternatives[1].split("|")
    return block


def _offer_files(model: type[BaseModel], schema: Schema) -> None:
    """Let every secret come from a file beside: `token_file` in place of `token`."""
    for name in secret_names(model):
        file = f"{name}_file"
        text = f"A file that holds the {name}; its path counts from the configuration's folder."
        schema["properties"].setdefault(file, {"type": "string", "description": text})
        if name in schema.get("required", ()):
            schema["required"].remove(name)
            schema.setdefault("allOf", []).append({"oneOf": [{"required": [name]}, {"required": [file]}]})
