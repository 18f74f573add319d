"""The description of the API: valid OpenAPI 3.1, the same as in the documentation, and true of the examples there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from brandmelder.web.api.schema import schema, schema_json
from brandmelder.web.api.table import OPERATIONS
from brandmelder.web.serve import PageServer
from web.api.house import SECRET, client, opened, served, token

ROOT = Path(__file__).parents[3]
HOW_TO = (ROOT / "docs/how-to/api.md").read_text("utf-8")
EXAMPLES = re.findall(r"```sh\n(curl .*?)```", HOW_TO, flags=re.DOTALL)


def test_it_is_valid_openapi():
    validate(schema())
    assert schema()["openapi"] == "3.1.0"


def test_it_is_served_and_stands_in_the_documentation():
    written = json.loads((ROOT / "docs/reference/openapi.json").read_text("utf-8"))
    assert written == json.loads(schema_json())


def test_every_operation_names_its_scope_and_what_it_may_refuse():
    for one in OPERATIONS:
        told = schema()["paths"][one.path][one.method.lower()]
        assert told["security"] == [{"token": [one.scope.value]}]
        assert {"401", "403", "413", "422", "429", "503"} <= set(told["responses"])
        assert told["summary"].endswith(".")


@pytest.fixture
def address(storm_file, tmp_path):
    """Serve the API on a port of this machine, as the service does."""
    world = opened(storm_file, tmp_path)
    token(world)
    app, _ = served(world)
    server = PageServer(app, "127.0.0.1", 0)
    loop = asyncio.new_event_loop()
    serving = loop.create_task(server.run())

    def serve():
        asyncio.set_event_loop(loop)
        loop.run_until_complete(asyncio.gather(serving, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/api/v1"
    loop.call_soon_threadsafe(serving.cancel)
    thread.join()
    world.database.close()


@pytest.mark.skipif(
    shutil.which("curl") is None and not os.environ.get("CI"), reason="curl is not installed; the examples need it"
)
def test_the_examples_of_the_how_to_work(address):
    environment = {**os.environ, "API": address, "TOKEN": SECRET}
    assert len(EXAMPLES) >= 8
    for example in EXAMPLES:
        done = subprocess.run(
            ["bash", "-c", example], env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, f"{example}\n{done.stderr}"
        answer = json.loads(done.stdout)
        assert "status" not in answer, f"{example}\n{answer}"


def test_the_refusal_of_the_how_to_is_the_one_that_is_given(storm_file, tmp_path):
    from brandmelder.model import Scope

    world = opened(storm_file, tmp_path)
    token(world, Scope.INCIDENTS_READ, name="Control room")
    said = json.loads(re.search(r"```json\n(.*?)```", HOW_TO, flags=re.DOTALL)[1])
    assert client(served(world)[0]).post("silences", json={"reason": "x", "minutes": 5}).json() == said
    world.database.close()
