"""What README, tutorials and how-tos tell a reader to type is there: commands, options, names, places, measures."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from pathlib import Path

import click
import msgspec
import pytest
import yaml
from prometheus_client import generate_latest

from brandmelder import metrics
from brandmelder.cli import main
from brandmelder.errors import ConfigurationError
from brandmelder.notify.english import ENGLISH
from brandmelder.notify.german import GERMAN
from brandmelder.notify.spoken import parse
from brandmelder.settings import parse_settings

ROOT = Path(__file__).parents[1]
PAPERS = [
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").iterdir())
    if "decisions" not in path.parts and path.name != "cli.md"
]
SIGNS = "".join(
    (ROOT / "service/brandmelder/notify" / name).read_text("utf-8")
    for name in ("compose.py", "call.py", "sight.py", "channels/slack_blocks.py")
)
BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
BREAKS = {"|", "||", "&&", ";", "&", ">", ">>", "<", "2>"}


def typed(paper):
    """Yield the words of each call of ours in a paper, and whether it stands there whole, to be copied."""
    text = paper.read_text("utf-8")
    for language, block in BLOCK.findall(text):
        if language not in {"", "sh", "console"}:
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
    labels = [label for row in tables for label in re.findall(r"`([^`]+)`", row[0]) if label not in {"!", "⚠"}]
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


MARKDOWN = [path for path in PAPERS if path.suffix == ".md"]


def anchors(paper):
    """Return the anchors that a reader of Markdown makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", paper.read_text("utf-8")), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "") for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("paper", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_into_a_page_finds_its_heading(paper):
    links = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", BLOCK.sub("", paper.read_text("utf-8")))
    pages = [(paper.parent / page if page else paper, anchor) for page, anchor in links if "://" not in page]
    assert [(page.name, anchor) for page, anchor in pages if anchor not in anchors(page)] == []


def test_what_a_page_installs_and_makes_is_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    for paper in (*MARKDOWN, ROOT / "Dockerfile"):
        text = paper.read_text("utf-8")
        extras = re.findall(r"brandmelder\[(\w+)\]|--extra (\w+)", text)
        assert {one or other for one, other in extras} <= project["project"]["optional-dependencies"].keys(), paper
        blocks = "".join(block for language, block in BLOCK.findall(text) if language in {"", "sh"})
        assert set(re.findall(r"^make ([a-z-]+)", blocks, flags=re.MULTILINE)) <= targets, paper
    (version,) = re.findall(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text("utf-8"))
    assert f"uv=={version}" in (ROOT / "docs/how-to/install.md").read_text("utf-8")


def test_the_metrics_that_are_told_are_those_that_are_measured():
    page = (ROOT / "docs/how-to/monitoring.md").read_text("utf-8")
    table = page.partition("## Metrics\n")[2].partition("\n## ")[0]
    rows = [line.partition("|")[2].partition("|")[0] for line in table.splitlines() if line.startswith("| `")]
    told = {re.sub(r"\{.*\}", "", name) for row in rows for name in re.findall(r"`([^`]+)`", row)}
    measured = {
        line.split()[2].removeprefix("brandmelder_")
        for line in generate_latest(metrics.REGISTRY).decode().splitlines()
        if line.startswith("# TYPE") and not line.split()[2].endswith("_created")
    }
    assert told == measured
    rules = page.partition("## Alerts worth having\n")[2]
    assert set(re.findall(r"brandmelder_(\w+)", rules)) <= measured


def test_the_page_on_systemd_asks_of_systemd_what_it_knows():
    page = (ROOT / "docs/how-to/systemd.md").read_text("utf-8")
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str
    unit.read_string(page.partition("```ini\n")[2].partition("```")[0])
    assert [value for section in unit.values() for value in section.values() if "#" in value] == []
    assert fault(shlex.split(unit["Service"]["ExecStart"])[1:], is_whole=True) is None
    assert "Type=notify and ExecReload=/bin/kill -HUP $MAINPID" in page


class Secrets(dict):
    """An environment in which every variable is set."""

    def __missing__(self, name):
        return "https://a.example/x" if re.search("URL|HOOK$", name) else "xoxb-0-abcdefghijklmnop"

    def get(self, name, default=None):
        del default
        return self[name]

    def __contains__(self, name):
        return True


SMALL = {
    "brand": "Nordfunk",
    "sources": {"blog": {"type": "feed", "url": "https://blog.example/feed"}},
    "monitors": {"nordfunk": {"query": "nordfunk"}},
    "channels": {"console": {"type": "console"}},
    "alerts": [{"monitors": "all", "to": ["console"]}],
}
ELSEWHERE = re.compile(
    r'unknown (channel|source|person|rota|monitor) "'
    r"|cannot be read: No such file|there is no directory|name our accounts|is no integration key|no signing secret"
)
"""What a piece leaves to the rest of a configuration: names told elsewhere, files, the forms of secrets."""


def pieces():
    """Yield every piece of configuration in the papers; expectations of a backtest and Slack's manifest are none."""
    for paper in MARKDOWN:
        for number, (language, block) in enumerate(BLOCK.findall(paper.read_text("utf-8"))):
            if language == "yaml" and not re.match(r"# expect.yaml|display_information:", block):
                yield pytest.param(block, id=f"{paper.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize("block", list(pieces()))
def test_a_piece_of_configuration_is_right_in_a_whole_one(block, tmp_path):
    whole = dict(SMALL)
    for key, value in yaml.safe_load(block).items():
        is_added = isinstance(value, dict) and isinstance(whole.get(key), dict)
        whole[key] = {**whole[key], **value} if is_added else value
    assert [str(one) for one in problems(whole, tmp_path) if not ELSEWHERE.search(f"{one.text} {one.hint}")] == []


def problems(whole, folder):
    """Return what is wrong with a configuration."""
    try:
        parse_settings(yaml.safe_dump(whole, allow_unicode=True), folder / "brandmelder.yaml", Secrets())
    except ConfigurationError as error:
        return error.problems
    return ()
