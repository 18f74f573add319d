"""Facts about the house itself: what is shipped, what it costs to start, what its papers say."""

from __future__ import annotations

import ast
import email.parser
import importlib.metadata
import importlib.util
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import jsonschema
import pytest
import yaml

import brandmelder
from brandmelder import plugins
from brandmelder.backtest.expect import ExpectationsFile
from brandmelder.options import ChannelOptions, SourceOptions
from brandmelder.settings import parse_settings
from brandmelder.settings.schema import build_schema

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "service/brandmelder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
HEAVY = {"httpx", "slack_sdk", "sqlalchemy", "pydantic", "aiohttp", "starlette", "alembic", "feedparser"}
PAPERS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def run(*command, environment=None):
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


# ------------------------------------------------------------------ what is shipped


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel as it is published; return it open."""
    folder = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as opened:
        yield opened


def test_the_wheel_holds_the_service_and_nothing_else(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"brandmelder", f"brandmelder-{brandmelder.__version__}.dist-info"}
    tracked = {path.relative_to(ROOT / "service").as_posix() for path in SERVICE.rglob("*.py")}
    assert tracked <= set(wheel.namelist())


def test_the_wheel_holds_no_mentions_and_no_databases(wheel):
    assert not [name for name in wheel.namelist() if re.search(r"\.(jsonl|csv|db|gz|key)$", name)]


@pytest.mark.parametrize("name", ["py.typed", "settings/first.de.yaml", "settings/first.en.yaml"])
def test_the_wheel_holds_what_is_no_code(wheel, name):
    assert f"brandmelder/{name}" in wheel.namelist()


def test_the_wheel_names_its_licence_its_command_and_its_plug_ins(wheel):
    folder = f"brandmelder-{brandmelder.__version__}.dist-info"
    said = email.parser.Parser().parsestr(wheel.read(f"{folder}/METADATA").decode())
    assert said["License-Expression"] == "Apache-2.0"
    assert f"{folder}/licenses/LICENSE" in wheel.namelist()
    entries = wheel.read(f"{folder}/entry_points.txt").decode()
    for group in ("console_scripts", "brandmelder.sources", "brandmelder.classifiers", "brandmelder.notifiers"):
        assert f"[{group}]" in entries


def test_one_version_everywhere():
    assert importlib.metadata.version("brandmelder") == brandmelder.__version__
    assert f"## {brandmelder.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("name", plugins.built_in("sources"))
def test_a_source_comes_with_its_options(name):
    assert issubclass(plugins.load("sources", name).Options, SourceOptions)


@pytest.mark.parametrize("name", plugins.built_in("notifiers"))
def test_a_channel_comes_with_its_options(name):
    assert issubclass(plugins.load("notifiers", name).Options, ChannelOptions)


def test_options_named_apart_are_those_of_the_class():
    for entry in importlib.metadata.entry_points(group="brandmelder.options"):
        group, _, name = entry.name.partition(".")
        assert entry.load() is plugins.load(group, name).Options


def test_the_classifiers_load():
    assert all(plugins.load("classifiers", name).name for name in plugins.built_in("classifiers"))


def test_every_dependency_has_its_reason():
    names = [re.match(r"[a-z0-9-]+", line)[0] for line in PROJECT["project"]["dependencies"]]
    assert len(names) <= 25
    reasons = (ROOT / "docs/decisions/0002-dependencies.md").read_text("utf-8").lower()
    assert [name for name in names if f"| {name.split('-rs')[0]}" not in reasons] == []


# ------------------------------------------------------------------- what it costs


def cpu_seconds(*command, environment=None):
    """Return the least CPU time of three runs; other work on the machine only adds to it."""
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run(*command, environment=environment).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


def imported(code):
    result = run(sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)")
    assert result.returncode == 0, result.stderr
    return {name.partition(".")[0] for name in result.stdout.split()}


def pure_modules():
    """Return the modules that the import contract calls the core, as far as they exist."""
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (core,) = [contract for contract in contracts if contract["name"].startswith("The core decides")]
    return [name for name in core["source_modules"] if importlib.util.find_spec(name)]


def test_the_core_imports_nothing_heavy():
    assert imported("import " + ", ".join(pure_modules())) & HEAVY == set()


def test_help_imports_nothing_heavy():
    code = "from brandmelder.cli import main\nmain(['--help'], standalone_mode=False)"
    assert imported(code) & HEAVY == set()


def test_check_imports_no_client_and_no_database(tmp_path):
    environment = {**os.environ, "SLACK_BOT_TOKEN": "xoxb-0"}
    code = "import sys\nfrom brandmelder.cli import main\nmain(['check'], standalone_mode=False)\nprint(*sys.modules)"
    result = run(sys.executable, "-c", code, environment=environment)
    assert result.returncode == 0, result.stderr
    heavy = {"httpx", "slack_sdk", "aiohttp", "sqlalchemy", "alembic", "feedparser", "numpy", "apscheduler"}
    assert {name.partition(".")[0] for name in result.stdout.split()} & heavy == set()


def test_help_is_there_at_once():
    assert cpu_seconds(sys.executable, "-m", "brandmelder", "--help") <= 0.15


def test_check_costs_little_more_than_the_model_library():
    environment = {**os.environ, "SLACK_BOT_TOKEN": "xoxb-0"}
    library = cpu_seconds(sys.executable, "-c", "import pydantic.main")
    spent = cpu_seconds(sys.executable, "-m", "brandmelder", "check", environment=environment)
    assert spent <= max(0.6, 5 * library), f"{spent:.2f} s, of them {library:.2f} s the library"


# ------------------------------------------------------------------ how it is built


@pytest.mark.parametrize("path", sorted(SERVICE.rglob("*.py")), ids=lambda path: str(path.relative_to(SERVICE)))
def test_no_file_grows_beyond_its_page_and_each_says_its_question(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text)), "its first line says which question it answers"


def test_no_drawers():
    drawers = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "core"}
    assert not [path for path in SERVICE.rglob("*") if path.stem in drawers]


def test_the_generated_papers_are_current():
    spec = importlib.util.spec_from_file_location("write_reference", ROOT / "docs/reference/write.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stale = [str(path.relative_to(ROOT)) for path, text in module.pages().items() if path.read_text("utf-8") != text]
    assert not stale, f"run make docs: {', '.join(stale)}"


def test_the_example_in_the_clone_is_what_init_writes():
    example = (ROOT / "config/brandmelder.yaml").read_text("utf-8")
    assert example.replace("language: de ", "language: en ") == (SERVICE / "settings/first.en.yaml").read_text("utf-8")


def test_decisions_are_numbered_and_titled():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert len(set(numbers)) == len(numbers)
    assert len(pages) >= 10
    for page in pages:
        assert page.read_text("utf-8").startswith(f"# {page.name[:4]} ")


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_link_in_a_paper_leads_nowhere(paper):
    text = re.sub(r"```.*?```", "", paper.read_text("utf-8"), flags=re.DOTALL)
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    assert not [link for link in links if link and "://" not in link and not (paper.parent / link).exists()]


def test_the_picture_shows_the_alert_and_loads_nothing():
    picture = (ROOT / "docs/images/alert.svg").read_text("utf-8")
    assert "Negative" in picture
    assert "NF-2026-001" in picture.replace("&#160;", " ")
    assert not re.search(r"@font-face|@import|url\((?!#)|href=|<image|<script", picture)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_paper_names_a_command_that_is_not_there(paper):
    from brandmelder.cli import main

    known = set(main.list_commands(None))
    told = re.findall(r"(?:^|`|/)brandmelder ([a-z][a-z-]+)", paper.read_text("utf-8"), flags=re.MULTILINE)
    assert set(told) <= known


@pytest.fixture(scope="module")
def schema():
    return build_schema(plugins.built_in)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_piece_of_configuration_in_a_paper_is_right(paper, schema):
    validator = jsonschema.Draft7Validator({**schema, "required": []})
    for block in re.findall(r"```yaml\n(.*?)```", paper.read_text("utf-8"), flags=re.DOTALL):
        piece = yaml.safe_load(block)
        if piece.keys() <= ExpectationsFile.model_fields.keys():
            ExpectationsFile.model_validate(piece)
        elif "display_information" not in piece:  # a manifest of Slack's
            assert [error.message for error in validator.iter_errors(piece)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.name)
def test_every_configuration_in_the_clone_pleases_an_editor(path, schema):
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text("utf-8")))] == []


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.name)
def test_every_configuration_in_the_clone_can_be_used(path, tmp_path):
    (tmp_path / "token").write_text("xoxb-0")
    text = path.read_text("utf-8").replace("/run/secrets/slack_bot_token", str(tmp_path / "token"))
    warnings = parse_settings(text, path, {"SLACK_BOT_TOKEN": "xoxb-0"}).warnings
    assert [warning.text for warning in warnings if path.name != "demo.yaml"] == []


# ----------------------------------------------------------------------- the house


def test_ci_is_a_script_that_runs_the_tests():
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & stat.S_IXUSR
    assert run("bash", "-n", str(script)).returncode == 0
    text = script.read_text("utf-8")
    assert "set -euo pipefail" in text
    assert text.rstrip().endswith("make test")


@pytest.fixture
def bare_path(tmp_path):
    """Return a PATH on which only the few tools stand that a Makefile may expect, and no Python."""
    for tool in ("sh", "awk", "cut", "rm", "touch"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    return tmp_path


def make(target, path, folder):
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "pyproject.toml").touch()
    (folder / "uv.lock").touch()
    command = [shutil.which("make"), "-C", str(folder), target]
    return subprocess.run(command, env={"PATH": str(path)}, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_says_when_python_is_missing(bare_path, tmp_path_factory):
    result = make("demo", bare_path, tmp_path_factory.mktemp("clone"))
    assert result.returncode == 2
    assert "needs Python 3.11 or newer" in result.stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_says_when_python_is_too_old(bare_path, tmp_path_factory):
    (bare_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (bare_path / "python3").chmod(0o755)
    result = make("demo", bare_path, tmp_path_factory.mktemp("clone"))
    assert "needs Python 3.11 or newer" in result.stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_says_when_python_cannot_make_environments(bare_path, tmp_path_factory):
    (bare_path / "python3").write_text(f'#!/bin/sh\ncase "$*" in *venv*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    (bare_path / "python3").chmod(0o755)
    result = make("demo", bare_path, tmp_path_factory.mktemp("clone"))
    assert result.returncode == 2
    assert "apt install python3-venv" in result.stdout


def stages():
    """Return the Dockerfile's stages, each as its instructions with lines joined."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    found: list[list[tuple[str, str]]] = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            instruction, _, rest = line.partition(" ")
            if instruction == "ARG" and not found:
                continue
            if instruction == "FROM":
                found.append([])
            found[-1].append((instruction, " ".join(rest.split())))
    return found


def test_the_image_is_built_in_two_stages_from_a_tagged_base():
    build, final = stages()
    assert re.search(r"^ARG PYTHON=python:3\.\d+-slim$", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    for stage in (build, final):
        assert stage[0][1].split()[0] == "${PYTHON}", "one base, which a build may pin by its digest"
    assert not [rest for instruction, rest in final if instruction == "RUN" and re.search("pip|uv |apt", rest)]
    assert any("uv sync --frozen --no-dev" in rest for _, rest in build)


def test_the_image_runs_as_nobody_and_writes_in_one_place():
    final = dict(reversed(stages()[-1]))
    assert final["USER"] == "65532:65532"
    assert final["VOLUME"] == final["WORKDIR"] == "/var/lib/brandmelder"
    assert "PYTHONDONTWRITEBYTECODE=1" in final["ENV"]
    instructions = [instruction for instruction, _ in stages()[-1]]
    assert instructions.index("USER") < instructions.index("ENTRYPOINT")
    assert "EXPOSE" not in instructions


def test_the_image_looks_after_its_health_with_what_it_has():
    final = dict(stages()[-1])
    assert '["brandmelder", "health"' in final["HEALTHCHECK"]
    assert "curl" not in final["HEALTHCHECK"]
    assert final["ENTRYPOINT"] == '["brandmelder"]'


def test_the_image_copies_only_what_exists_and_holds_no_secret():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    for stage in stages():
        for instruction, rest in stage:
            assert not re.search(r"TOKEN|SECRET|PASSWORD", rest)
            if instruction == "COPY" and not rest.startswith("--from"):
                for name in rest.split()[:-1]:
                    assert (ROOT / name).exists()
                    assert f"!{name.removeprefix('./')}" in ignored


def test_make_and_the_image_use_the_same_uv():
    (version,) = re.findall(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text("utf-8"))
    assert f"uv=={version}" in (ROOT / "Dockerfile").read_text("utf-8")
