"""Two tiny plug-ins, registered as everybody's are: a source `pond` and a channel `bell`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from brandmelder import plugins
from brandmelder.settings import parse_settings

CODE = '''
from datetime import date
from pathlib import Path
from typing import Annotated
from pydantic import Field, model_validator
from brandmelder.options import ChannelOptions, Duration, Options, SecretText, SourceOptions

class Pond:
    class Options(SourceOptions):
        url: Annotated[str, Field(pattern=r"^https?://\\S+$")]
        """Where the pond lies."""
        password: SecretText | None = None
        depth: Annotated[int, Field(ge=1, le=9)] = 3
        fish: int | tuple[int, ...] = 1
        dug: date | None = None

class Rope(Options):
    key: SecretText
    length: int = 1

class Bell:
    class Options(ChannelOptions):
        token: SecretText
        channel: str = "C0"
        ropes: tuple[Rope, ...] = ()
        spare: tuple[SecretText, ...] = ()

class Gong:
    class Options(ChannelOptions):
        token: SecretText | None = None
        token_file: Path | None = None

        @model_validator(mode="after")
        def _one(self):
            if (self.token is None) == (self.token_file is None):
                raise ValueError("needs exactly one of token and token_file")
            return self

class Horn:
    class Options(ChannelOptions):
        pass

class Mute:
    pass

class Judge:
    name, version = "coin", "1"
'''
ENTRIES = """
[brandmelder.sources]
pond = tiny_plugins:Pond

[brandmelder.notifiers]
bell = tiny_plugins:Bell
gong = tiny_plugins:Gong
horn = tiny_plugins:Horn
mute = tiny_plugins:Mute
lost = tiny_plugins_that_are_missing:Lost

[brandmelder.classifiers]
coin = tiny_plugins:Judge
"""
GOOD = """\
brand: Nordfunk
language: de
timezone: Europe/Berlin
database: sqlite:///brandmelder.db
sources:
  blog:  {type: pond, url: "https://blog.example", every: 2m, own_accounts: [nordfunk]}
  press: {type: pond, url: "https://press.example/feed", every: 15m, class: news}
monitors:
  nordfunk:
    query: '(nordfunk OR "nord funk" OR #nordfunk) -stellenanzeige'
    sources: [blog, press]
    false_alarms: 1 per 30 days
channels:
  crisis:  {type: bell, token: "${BELL_TOKEN}", channel: C0123456789}
  console: {type: horn}
alerts:
  - {monitors: all, to: [crisis, console]}
"""
TOKEN = "xoxb-a-very-secret-token"


@pytest.fixture(autouse=True)
def plugged(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("installed")
    (folder / "tiny_plugins.py").write_text(CODE)
    record = folder / "tiny-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    (record / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    plugins._entries.cache_clear()
    yield
    sys.modules.pop("tiny_plugins", None)
    plugins._entries.cache_clear()


@pytest.fixture
def good():
    return GOOD


@pytest.fixture
def read():
    """Read a configuration's text, with the token set unless the test says otherwise."""

    def _read(text, environment=None, folder=Path()):
        surroundings = {"BELL_TOKEN": TOKEN} if environment is None else environment
        return parse_settings(text, folder / "brandmelder.yaml", surroundings)

    return _read
