"""`brandmelder judge`: the classifier as a filter, JSON lines in and JSON lines out."""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
import msgspec

from brandmelder.cli.taught import read_taught
from brandmelder.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from brandmelder.classify.classifier import Classifier
    from brandmelder.model import Mention, Verdict

PORTION = 1 << 18
"""Bytes read at most at once. What is there is judged at once, so that a slow writer gets its answers promptly."""
LONGEST = 1 << 24
"""Bytes of the longest line that is read."""
BAD_INPUT = 2


class Line(msgspec.Struct):
    """One line of input; other keys are ignored."""

    text: str
    id: str | int | None = None
    language: str | None = None
    monitor: str | None = None


Numbered = tuple[int, Line]


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--explain", is_flag=True, help="Write for people: the text, the verdict and the words that decided.")
@click.option("--brand", default=None, help="The brand the texts speak of.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Judge as the service with this configuration does: its brand, classifier and topics.",
)
@click.option("--taught", type=click.Path(path_type=Path, dir_okay=False), help="What `brandmelder label` wrote.")
def judge(file: IO[bytes], brand: str | None, config: Path | None, taught: Path | None, *, explain: bool) -> None:
    """Judge JSON lines with a key `text` (and optionally `id`, `language`, `monitor`); without FILE, standard input.

    For each line one is written, in the same order: id (the number of the line if it has none), language, p_negative,
    p_neutral, p_positive, label (negative, neutral, positive or unsure), stance, insult, topics, why. A line that
    cannot be read is named on standard error and left out; the others are judged, and the exit code is 2.
    """
    verdicts_on = _judge(brand, config, taught)
    write = _explained if explain else _answer
    name = getattr(file, "name", "<stdin>")
    out, wrong = sys.stdout.buffer, 0
    decoder = msgspec.json.Decoder(Line)
    for portion in _portions(file):
        batch: list[Numbered] = []
        for number, raw in portion:
            try:
                batch.append((number, decoder.decode(raw)))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                wrong += 1
                click.echo(str(InputError(name, number, f"{error}; write one JSON object with `text`")), err=True)
        answers = zip(batch, verdicts_on(batch), strict=True)
        out.write(b"".join(write(number, line, verdict) for (number, line), verdict in answers))
        out.flush()
    if wrong:
        raise SystemExit(BAD_INPUT)


def _portions(file: IO[bytes]) -> Iterator[list[tuple[int, bytes]]]:
    """Return the lines that are there, each with its number; empty ones are left out.

    Raises InputError for a line without an end.
    """
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    number, rest = 0, b""
    while chunk := read(PORTION):
        *lines, rest = (rest + chunk).split(b"\n")
        if number == 0 and lines:
            lines[0] = lines[0].removeprefix(BOM_UTF8)
        if len(rest) > LONGEST:
            name = getattr(file, "name", "<stdin>")
            raise InputError(name, number + len(lines) + 1, f"is longer than {LONGEST} bytes; write one object a line")
        yield [(number + at, line) for at, line in enumerate(lines, 1) if line.strip()]
        number += len(lines)
    if rest.strip():
        yield [(number + 1, rest if number else rest.removeprefix(BOM_UTF8))]


def _judge(brand: str | None, config: Path | None, taught: Path | None) -> Callable[[Sequence[Numbered]], Any]:
    import structlog

    from brandmelder import wiring
    from brandmelder.classify import linear
    from brandmelder.classify.topics import Topics
    from brandmelder.model import MonitorId
    from brandmelder.settings import read_settings

    # Standard output belongs to the verdicts.
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    settings = None if config is None else read_settings(config, os.environ)
    name = settings.brand if brand is None and settings is not None else brand or ""
    classifier: Classifier = (
        wiring.build_classifier(settings, name)
        if settings is not None and taught is None
        else linear.LinearClassifier(name, corrections=None if taught is None else read_taught(taught))
    )
    topics = Topics({}) if settings is None else wiring.topics_of(settings)

    def verdicts_on(batch: Sequence[Numbered]) -> Sequence[Verdict]:
        found = classifier.classify(_mentions(batch))
        concerned = [() if line.monitor is None else (MonitorId(line.monitor),) for _, line in batch]
        return topics.read(found, [line.text for _, line in batch], concerned)

    return verdicts_on


def _mentions(batch: Sequence[Numbered]) -> list[Mention]:
    from datetime import UTC, datetime

    from brandmelder.model import Mention, SourceId

    never, source = datetime.fromtimestamp(0, UTC), SourceId("file")
    return [
        Mention(
            source=source,
            external_id=str(number),
            text=line.text,
            published_at=never,
            captured_at=never,
            language=line.language,
        )
        for number, line in batch
    ]


def _answer(number: int, line: Line, verdict: Verdict) -> bytes:
    answer = {
        "id": line.id if line.id is not None else number,
        "language": verdict.language,
        "p_negative": verdict.p_negative,
        "p_neutral": verdict.p_neutral,
        "p_positive": verdict.p_positive,
        "label": "unsure" if verdict.unsure else verdict.label.value,
        "stance": verdict.stance.value,
        "insult": verdict.insult,
        "topics": verdict.topics,
        "why": verdict.reasons,
    }
    return msgspec.json.encode(answer) + b"\n"


def _explained(number: int, line: Line, verdict: Verdict) -> bytes:
    mark = "unsure" if verdict.unsure else verdict.label.value
    text = " ".join(line.text[:300].split())
    told = [
        f"{_safe(str(line.id if line.id is not None else number))}: {_safe(text)}",
        f"   {mark}; negative {verdict.p_negative:.0%}, neutral {verdict.p_neutral:.0%},"
        f" positive {verdict.p_positive:.0%}; language {verdict.language}; {verdict.stance.value};"
        f" insult {verdict.insult:.0%}" + (f"; {', '.join(verdict.topics)}" if verdict.topics else ""),
    ]
    if verdict.reasons:
        words = ", ".join(f"{_safe(word)} {share:+.0%}" for word, share in verdict.reasons)
        told.append(f"   because of (+ towards negative): {words}")
    return "".join(f"{line}\n" for line in told).encode("utf-8", "replace")


def _safe(text: str) -> str:
    """Drop what could steer a terminal or turn the reading direction."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
