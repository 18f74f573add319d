"""Files of names in the configuration: resolved beside it, and told with their own lines."""

from __future__ import annotations

import pytest

from brandmelder.errors import ConfigurationError
from brandmelder.settings import read_settings

CONFIG = """\
brand: Nordfunk
sources:
  blog: {type: feed, url: "https://blog.example/feed"}
monitors:
  nordfunk: {query: 'nordfunk -source:blog', aliases: names.txt}
channels:
  console: {type: console}
alerts:
  - {monitors: all, to: [console]}
"""


def read(folder, names, config=CONFIG):
    if names is not None:
        (folder / "names.txt").write_bytes(names)
    file = folder / "brandmelder.yaml"
    file.write_text(config, encoding="utf-8")
    return read_settings(file, {})


def test_names_are_read_beside_the_configuration(tmp_path):
    settings = read(tmp_path, "Nord Funk\n# Töchter\n#nf\n".encode())
    assert settings.monitors["nordfunk"].aliases == ('"Nord Funk"', "#nf")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (None, "names.txt cannot be read: No such file"),
        (b"\xff\xfe", "names.txt is not UTF-8"),
        (b"x\n" * 600_000, "is larger than 1 MiB"),
        (b'nordfunk\n"nord\n', "names.txt:2:1: this quotation mark is never closed"),
    ],
)
def test_what_is_wrong_with_a_file_of_names_is_told_at_its_key(tmp_path, names, said):
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, names)
    (problem,) = refused.value.problems
    assert (problem.line, said in problem.text) == (5, True), problem


def test_a_query_that_names_an_unknown_source_names_the_nearest(tmp_path):
    with pytest.raises(ConfigurationError, match='did you mean "blog"'):
        read(tmp_path, b"a", CONFIG.replace("source:blog", "source:blgo"))


def test_a_file_without_names_is_a_warning(tmp_path):
    assert any("holds no names" in problem.text for problem in read(tmp_path, b"# nichts\n").warnings)
