from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from brandmelder.settings.docstrings import docstrings
from brandmelder.settings.schema import build_schema, schema_text
from brandmelder.settings.shape import MonitorBlock

KINDS = ("sources", "notifiers", "classifiers")


def names(group):
    return {"sources": ["pond"], "notifiers": ["bell", "horn"], "classifiers": ["coin", "lexicon"]}[group]


@pytest.fixture
def schema():
    return build_schema(names)


@pytest.fixture
def faults(schema, good):
    """Return what an editor would underline after a change to the good configuration."""
    validator = jsonschema.Draft7Validator(schema)

    def _faults(old="", new=""):
        assert old in good
        return [error.message for error in validator.iter_errors(yaml.safe_load(good.replace(old, new, 1)))]

    return _faults


def test_the_schema_is_one_itself(schema):
    jsonschema.Draft7Validator.check_schema(schema)


def test_a_good_configuration_pleases_an_editor(faults):
    assert faults() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("brand:", "brnad:"),
        ("language: de", "language: fr"),
        ("type: pond", "type: pnod"),
        ("every: 2m", "every: soon"),
        ("every: 2m", "evry: 2m"),
        ("class: news", "class: new"),
        ("url: ", "ulr: "),
        ("    query:", "    quary:"),
        ("channel: C0123456789", "chanel: C0"),
        ('"${BELL_TOKEN}"', "xoxb-in-clear"),
        ('token: "${BELL_TOKEN}", ', ""),
        ("token:", "token_file: x, token:"),
        ("  console:", "  Console:"),
        ("to: [crisis, console]", "to: []"),
        ("monitors: all", "monitors: most"),
    ],
)
def test_a_mistake_is_underlined(faults, old, new):
    assert faults(old, new)


def test_a_secret_may_come_from_a_file(faults):
    assert faults('token: "${BELL_TOKEN}"', "token_file: /run/secrets/bell") == []


def test_what_a_key_means_comes_from_the_docstring_under_it(schema):
    assert docstrings(MonitorBlock)["title"] == "What messages call it; its name by default."
    assert schema["$defs"]["sources.pond"]["properties"]["url"]["description"] == "Where the pond lies."
    assert schema["$defs"]["sources.pond"]["properties"]["every"]["default"] == "5m"


def test_models_inside_a_block_come_with_it(schema):
    (name,) = [name for name in schema["$defs"] if name.endswith(".Rope")]
    assert schema["$defs"]["notifiers.bell"]["properties"]["ropes"]["items"] == {"$ref": f"#/$defs/{name}"}


def test_the_text_is_what_a_program_reads(schema):
    assert json.loads(schema_text(schema)) == schema
