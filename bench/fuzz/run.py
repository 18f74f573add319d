"""Fuzz each target for so many minutes of its own CPU, guided by coverage (atheris); print what was tried and found.

    make fuzz MINUTES=5                 every target
    make fuzz MINUTES=30 TARGETS=feed   one of them

A finding ends its target: an uncaught error, an input of more than 5 s, more than 512 MB beyond what the code itself
takes. The input is kept under bench/fuzz/findings/ so that it can become a test. Exit code 1 if there is any.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FINDINGS = HERE / "findings"
LONGEST, MEMORY, SIZE = 5, 1024, 65_536
"""Seconds for one input; megabytes in all, of which the interpreter with the judge's model takes about half; bytes."""


def inside(name: str, options: list[str]) -> None:
    """Run one target in this process until its time is over."""
    import atheris

    with atheris.instrument_imports(include=["brandmelder", "feedparser", "email", "html", "yaml", "lark"]):
        from targets import TARGETS
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


@dataclass
class Row:
    """What one target was put through."""

    target: str
    inputs: int = 0
    cpu: float = 0.0
    """Seconds."""
    slowest: int = 0
    """Seconds."""
    peak: int = 0
    """Megabytes."""
    found: str = ""


def fuzzed(name: str, minutes: float) -> Row:
    """Run one target in children until it had so many minutes of a processor; return its row of the table.

    libFuzzer knows only the clock on the wall: on a busy machine it runs again, with what it has learnt, for the rest.
    """
    from targets import seeds

    FINDINGS.mkdir(exist_ok=True)
    row = Row(name)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(name)):
            (Path(corpus) / f"{number}").write_bytes(seed)
        while not row.found and (rest := minutes * 60 - row.cpu) > 0:
            _round(row, corpus, max(1, int(rest)))
    return row


def _round(row: Row, corpus: str, seconds: int) -> None:
    options = [
        corpus,
        f"-max_total_time={seconds}",
        f"-timeout={LONGEST}",
        f"-rss_limit_mb={MEMORY}",
        f"-max_len={SIZE}",
        f"-artifact_prefix={FINDINGS}/{row.target}-",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, __file__, "--inside", row.target, *options],
        capture_output=True, text=True, errors="replace", check=False, env={**os.environ, "PYTHONHASHSEED": "0"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = done.stderr + done.stdout
    stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", said))
    row.inputs += int(stats.get("number_of_executed_units", 0))
    row.cpu += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    row.slowest = max(row.slowest, int(stats.get("slowest_unit_time_sec", 0)))
    row.peak = max(row.peak, int(stats.get("peak_rss_mb", 0)))
    row.found = "" if done.returncode == 0 else _finding(said)


def _finding(said: str) -> str:
    kind = re.search(r"^(\w+(?:\.\w+)*(?:Error|Exception)[^\n]{0,120})", said, flags=re.MULTILINE)
    short = re.search(r"ERROR: libFuzzer: ([^\n(]+)", said)
    return (kind or short)[1] if kind or short else f"ended badly: {said[-300:]}"


def main() -> int:
    """Fuzz what is asked for."""
    from targets import TARGETS

    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=1.0)
    asked.add_argument("--targets", default="", help="names, parted by commas; all by default")
    given = asked.parse_args()
    names = [name for name in given.targets.split(",") if name] or list(TARGETS)
    print(f"{'target':<14}{'inputs':>10}{'CPU min':>9}{'slowest s':>11}{'peak MB':>9}  found")
    bad = 0
    for name in names:
        row = fuzzed(name, given.minutes)
        bad += bool(row.found)
        figures = f"{row.inputs:>10}{row.cpu / 60:>9.1f}{row.slowest:>11}{row.peak:>9}"
        print(f"{name:<14}{figures}  {row.found or '-'}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
