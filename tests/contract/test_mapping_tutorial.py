"""The tutorial on mappings, walked as it stands: its answer, its two mappings, the command and what it says."""

from __future__ import annotations

import json
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from brandmelder.cli import main

PAGE = (Path(__file__).parents[2] / "docs/tutorial-mapping.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_words):
        """Say nothing."""


@pytest.fixture
def check(tmp_path):
    (answer,) = blocks("json")
    (tmp_path / "tickets.json").write_text(answer, "utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=tmp_path))
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    config = tmp_path / "brandmelder.yaml"

    def check(yaml):
        config.write_text(yaml.replace(":8899/", f":{server.server_port}/"), "utf-8")
        words = ["check", "--live", "--config", str(config)]
        result = CliRunner().invoke(main, words)
        counted = json.loads(CliRunner().invoke(main, [*words, "--json"]).output) if not result.exit_code else {}
        return result, counted

    yield check
    server.shutdown()
    serving.join()
    server.server_close()


def test_the_tutorial_leads_where_it_says(check):
    first, better = blocks("yaml")
    result, _ = check(first)
    assert result.exit_code == 0, result.output
    assert re.search(r"helpdesk\D+3 mentions", result.output), result.output
    head, rest = first.split("sources:")[0], first[first.index("monitors:") :]
    result, _ = check(head + better + rest)
    assert re.search(r"helpdesk\D+2 mentions", result.output), result.output


def test_an_expression_that_is_none_is_refused_with_its_place(check):
    first, _ = blocks("yaml")
    result, _ = check(first.replace('text: "[subject, body][?@]"', 'text: "[subject"'))
    assert result.exit_code == 2
    assert "is no JMESPath expression" in result.output
    assert re.search(r"brandmelder\.yaml:11:\d+", result.output), result.output
