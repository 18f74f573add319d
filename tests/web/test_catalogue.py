"""The page speaks German and English: no sentence lacks its translation, and none translates nothing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from jinja2.ext import extract_from_ast

import brandmelder.web
from brandmelder.web.catalogue import catalogue_of, parse
from brandmelder.web.pages.audit import ACTS
from brandmelder.web.render import environment

WEB = Path(brandmelder.web.__file__).parent


def sentences():
    """Return every sentence of the page, and of those with a number the form for many."""
    found = {}
    for path in WEB.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in {"say", "sentence"}:
                    found.setdefault(node.args[0].value, None)
                elif name == "say_many":
                    found[node.args[0].value] = node.args[1].value
    for path in (WEB / "templates").glob("*.html"):
        parsed = environment().parse(path.read_text("utf-8"))
        for _, function, message in extract_from_ast(parsed, ("_", "many")):
            texts = [message] if isinstance(message, str) else list(message or [None])
            if texts[0] is not None:
                found[texts[0]] = texts[1] if function == "many" else found.get(texts[0])
    return found


def test_german_says_every_sentence_and_no_other():
    german = catalogue_of("de").texts
    assert set(german) == set(sentences())


def test_every_sentence_with_a_number_has_both_forms_in_german():
    german = catalogue_of("de").texts
    assert [one for one, many in sentences().items() if many is not None and len(german[one]) != 2] == []


def test_a_translation_fills_in_the_same_names():
    german = catalogue_of("de").texts
    for one, many in sentences().items():
        for said in german[one]:
            names = set(re.findall(r"{(\w+)}", said))
            assert names <= set(re.findall(r"{(\w+)}", one + (many or ""))), one


def acts():
    """Return every act that the code writes into the audit by its name."""
    for path in WEB.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for word in ast.walk(node) if isinstance(node, ast.Call) and _records(node) else ():
                if isinstance(word, ast.Constant) and re.fullmatch(r"[a-z]+\.[a-z_]+", str(word.value)):
                    yield word.value


def _records(node):
    named = [node.func, *node.args[:1]]  # record(connection, ...), run(audit.record, ...), _noted(connection, ...)
    return any(
        (one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "")) in {"record", "_noted"}
        for one in named
    )


def test_every_act_that_the_audit_holds_has_a_name_on_its_page():
    found = set(acts())
    assert {"audit.export", "member.role", "webhook.rotate", "silence.add"} <= found
    assert found - set(ACTS) == set()


def test_english_is_what_stands_in_the_code():
    assert catalogue_of("en").texts == {}
    assert catalogue_of("en").say_many("{number} post", "{number} posts", 2) == "{number} posts"


def test_german_addresses_nobody_and_does_not_shout():
    for said in (text for texts in catalogue_of("de").texts.values() for text in texts):
        assert not re.search(r"\b(du|dein|dir|Sie|Ihre?|leider)\b|!", said), said


@pytest.mark.parametrize("text", ["msgid x", 'msgid "a\nmsgstr "b"', "msgid 3"])
def test_a_broken_catalogue_says_in_which_line(text):
    with pytest.raises(ValueError, match="line 1"):
        parse(text)
