"""Strangers' words leave only by the function of their sink: looked for in the source, where somebody might forget."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[1] / "service/brandmelder"
FILES = sorted(SERVICE.rglob("*.py"))
FOREIGN = frozenset(
    [
        "text",
        "context",
        "author",
        "authors",
        "title",
        "url",
        "urls",
        "external_id",
        "said",
        "what",
        "words",
        "phrase",
        "phrases",
        "quote",
        "quotes",
        "body",
        "content",
        "note",
        "notes",
        "last_error",
        "handle",
        "snippet",
        "fault",
    ]
)
"""Names of fields that hold, or may hold, what strangers or their servers wrote."""
INERT = frozenset(
    [
        "excerpt",
        "inert",
        "visible",
        "plain",
        "say",
        "safe_url",
        "said",
        "escaped",
        "escape",
        "redact",
        "len",
        "bool",
        "type",
    ]
)
"""What makes words harmless for its sink, or takes nothing of them but their number."""
LOGS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
TERMINAL = frozenset({"echo", "print", "secho", "confirm", "prompt"})


@cache
def parsed(path):
    return ast.parse(path.read_text("utf-8"))


def trees(folder=""):
    return [(path, parsed(path)) for path in FILES if path.is_relative_to(SERVICE / folder)]


@cache
def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def name_of(function):
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def foreign_in(node):
    """Return the foreign fields an expression lets through: whatever stands inside of a harmless call is left out."""
    if isinstance(node, ast.Call) and name_of(node.func) in INERT:
        return set()
    found = {node.attr} if isinstance(node, ast.Attribute) and node.attr in FOREIGN else set()
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.Call) and child is node.func and not found):
            found |= foreign_in(child)
        elif isinstance(child, ast.Attribute):
            found |= foreign_in(child.value)
    return found


def where(path, node):
    return f"{path.relative_to(SERVICE)}:{node.lineno}"


def test_no_log_line_holds_what_strangers_wrote():
    wrong = [
        f"{where(path, call)}: {sorted(found)}"
        for path, tree in trees()
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LOGS
        and name_of(call.func.value) in {"log", "_log", "logger"}
        for found in [set().union(*(foreign_in(one.value) for one in call.keywords), *map(foreign_in, call.args))]
        if found
    ]
    assert wrong == []


def test_no_log_line_is_put_together_from_words():
    """An event is a name that stays the same; what varies stands in fields."""
    wrong = [
        where(path, call)
        for path, tree in trees()
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LOGS
        and name_of(call.func.value) == "log"
        and not isinstance(call.args[0], ast.Constant | ast.IfExp)
    ]
    assert wrong == []


def test_the_command_line_prints_foreign_words_by_one_function():
    wrong = [
        f"{where(path, call)}: {sorted(found)}"
        for path, tree in trees("cli")
        for call in calls(tree)
        if name_of(call.func) in TERMINAL
        for found in [set().union(set(), *map(foreign_in, call.args))]
        if found
    ]
    assert wrong == []


def _is_made_inert(value, function):
    if isinstance(value, ast.Call):
        return name_of(value.func) in INERT
    if isinstance(value, ast.Name):
        given = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and target.id == value.id
        ]
        return bool(given) and all(one is not None and _is_made_inert(one, function) for one in given)
    if isinstance(value, ast.IfExp):
        return _is_made_inert(value.body, function) and _is_made_inert(value.orelse, function)
    return isinstance(value, ast.Constant)


def foreign_places(tree):
    """Yield each call that makes words a stranger's, with its text and the function around it."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in calls(function):
            named = {one.arg: one.value for one in call.keywords}
            is_foreign = isinstance(named.get("foreign"), ast.Constant) and named["foreign"].value
            if (name_of(call.func) == "Span" and is_foreign) or name_of(call.func) == "QuoteText":
                yield call, named.get("text"), function


def test_what_a_message_quotes_was_made_inert_where_it_is_put_in():
    places = [(path, *one) for path, tree in trees() for one in foreign_places(tree)]
    assert len(places) >= 3, "the look-out itself sees something"
    wrong = [where(path, call) for path, call, text, function in places if not _is_made_inert(text, function)]
    assert wrong == []


def test_channels_get_messages_and_never_mentions():
    allowed = {"MentionId"}
    wrong = [
        f"{where(path, node)}: {one.name}"
        for path, tree in trees("notify")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in {"brandmelder.model", "brandmelder.store"}
        for one in node.names
        if one.name in {"Mention", "mentions", "Entry"} - allowed
    ]
    assert wrong == []


def test_the_page_trusts_no_words_but_its_own():
    templates = [*(SERVICE / "web").rglob("*.html")]
    assert templates
    trusted = re.compile(r"\|\s*safe\b(?!_)|autoescape\s+false|{%-?\s*raw")
    assert [path.name for path in templates if trusted.search(path.read_text("utf-8"))] == []
    marked = {str(path.relative_to(SERVICE)) for path, tree in trees() for call in calls(tree)
              if name_of(call.func) == "Markup" and not isinstance(call.args[0], ast.Constant)}  # fmt: skip
    assert marked <= {"web/icons.py", "web/charts.py"}, "these draw by themselves, and escape what they write"


@pytest.mark.parametrize(
    ("needed", "only"),
    [
        (("csv", "writer"), {"report/sheet.py"}),
        (("csv", "DictWriter"), set()),
    ],
)
def test_each_format_is_written_in_one_place(needed, only):
    module, attribute = needed
    found = {
        str(path.relative_to(SERVICE))
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.value, ast.Name)
        and node.value.id == module
    }
    assert found == only


def test_the_look_out_sees_what_it_is_for():
    """Each rule finds a planted fault; without that, an empty list would prove nothing."""
    planted = ast.parse(
        "def f(one):\n"
        "    log.info('x', words=one.text)\n"
        "    click.echo(f'{one.author}')\n"
        "    click.echo(excerpt(one.text))\n"
        "    return Span(text=one.text, foreign=True), Span(text=inert(one.text, 9), foreign=True)\n"
    )
    logged, shown, harmless = (call for call in calls(planted) if name_of(call.func) in {"info", "echo"})
    assert foreign_in(logged.keywords[0].value) == {"text"}
    assert foreign_in(shown.args[0]) == {"author"}
    assert foreign_in(harmless.args[0]) == set()
    verdicts = [_is_made_inert(text, function) for _, text, function in foreign_places(planted)]
    assert verdicts == [False, True]
