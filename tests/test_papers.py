"""What README, tutorials and how-tos tell a reader to type is there: commands, options, names, places, measures."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import msgspec
import pytest

from brandmelder.cli import main
from brandmelder.notify.english import ENGLISH
from brandmelder.notify.german import GERMAN
from brandmelder.notify.spoken import parse

ROOT = Path(__file__).parents[1]
PAPERS = [
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").iterdir())
    if "decisions" not in path.parts and path.name != "cli.md"
]
SIGNS = "".join(
    (ROOT / "service/brandmelder/notify" / name).read_text("utf-8") for name in ("compose.py", "call.py", "sight.py")
)
BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
BREAKS = {"|", "||", "&&", ";", "&", ">", ">>", "<", "2>"}


def typed(paper):
    """Yield the words of each call of ours in a paper, and whether it stands there whole, to be copied."""
    text = paper.read_text("utf-8")
    for language, block in BLOCK.findall(text):
        if language not in {"", "sh"}:
            continue
        for line in block.replace("\\\n", " ").splitlines():
            yield from ((call, True) for call in calls(line))
    if paper.suffix == ".md":
        for piece in re.findall(r"`([^`\n]+)`", BLOCK.sub("", text)):
            yield from ((call, False) for call in calls(piece))


def calls(line):
    """Yield the words behind `brandmelder` in a line of a shell."""
    try:
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:  # a program's output, no line of a shell
        return
    command = []
    for word in [*words, ";"]:
        if word not in BREAKS:
            command.append(word)
            continue
        if command and command[0] in {"docker", "podman"}:
            command = (
                command[len(command) - 1 - command[::-1].index("brandmelder") :]
                if command.count("brandmelder") > 1
                else []
            )
        while command and (command[0] in {"sudo", "$"} or re.match(r"[A-Z_]+=", command[0])):
            command = command[3 if command[:2] == ["sudo", "-u"] else 1 :]
        if command and (command[0] == "brandmelder" or command[0].endswith("/bin/brandmelder")):
            yield command[1:]
        command = []


def fault(words, *, is_whole):
    """Return what the command line says against a call, or nothing."""
    context, command = click.Context(main, info_name="brandmelder", **main.context_settings), main
    words = list(words)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            return f"{command.name} has no command {words[0]}"
        context, command = click.Context(found, parent=context, info_name=words.pop(0)), found
    try:
        command.make_context(context.info_name, words, parent=context.parent)
    except click.exceptions.Exit:
        return None
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        return "something is missing" if is_whole else None
    except click.BadParameter as error:
        return None if "does not exist" in error.message or not is_whole else error.message
    except click.UsageError as error:
        is_begun = "Missing" in error.message or "requires an argument" in error.message
        return None if is_begun and not is_whole else error.message
    return None


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_a_paper_is_taken_with_its_options(paper, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {" ".join(words): fault(words, is_whole=is_whole) for words, is_whole in typed(paper)}
    assert {call: said for call, said in found.items() if said} == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("brandmelder incidents aks NF-2026-001", "incidents has no command aks"),
        ("brandmelder check --life", "No such option '--life'"),
        ("brandmelder silence add --for 2h", "something is missing"),
        ("brandmelder token create --name x --scope all", "'all' is not one of"),
        ("docker compose exec brandmelder brandmelder doktor", "main has no command doktor"),
        ("cat x | sudo -u brandmelder .venv/bin/brandmelder judge --why && echo", "No such option '--why'"),
    ],
)
def test_a_paper_that_errs_would_be_noticed(line, said):
    (call,) = calls(line)
    assert said in fault(call, is_whole=True)


@pytest.mark.parametrize(("heading", "words"), [("## Deutsch", GERMAN), ("## English", ENGLISH)])
def test_the_page_for_those_on_call_speaks_of_what_stands_in_alerts(heading, words):
    page = (ROOT / "docs/how-to/alert.md").read_text("utf-8").partition(f"{heading}\n")[2].partition("\n## ")[0]
    tables = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("|") and "---" not in line]
    labels = [label for row in tables for label in re.findall(r"`([^`!]+)`", row[0])]
    alert = str(msgspec.structs.asdict(words))
    assert len(labels) >= 15
    assert [label for label in labels if label not in alert] == []
    acts = [(row[0].strip(), re.findall(r"`([^`]+)`", row[1])) for row in tables if len(row) == 3 and "`" in row[1]]
    buttons = {said: act for act, said in words.buttons.items()}
    for button, (command,) in acts:
        assert parse(command.replace("@anna", "<@U0123ABCD>"), to="U0SELF").act == buttons[button]
    assert len(acts) == 6
    for sign in re.findall(r"`([^`\w !]{1,2})`", page):
        assert sign in SIGNS
