"""`brandmelder judge` and `brandmelder label`: the classifier as a filter, and what staff teach it."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
import msgspec

from brandmelder.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from brandmelder.classify.adapt import Correction
    from brandmelder.classify.linear import LinearClassifier
    from brandmelder.model import Verdict

BATCH = 500
"""Lines judged at once when the input is longer."""


class Line(msgspec.Struct):
    """One line of input; other keys are ignored."""

    text: str
    id: str | int | None = None
    language: str | None = None
    monitor: str | None = None


class Labelled(msgspec.Struct):
    """One label: `origin` is `random` (drawn, or simply all of a day), `unsure` or `alert` (picked by the machine)."""

    text: str
    label: str
    origin: str = "random"


class Taught(msgspec.Struct):
    """The file that `label` writes: what a brand's labels taught, by language, and for which model."""

    model: str
    corrections: dict[str, Any]


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--explain", is_flag=True, help="Write for people: the text, the verdict and the words that decided.")
@click.option("--brand", default="", help="The brand the texts speak of.")
@click.option("--taught", type=click.Path(path_type=Path, dir_okay=False), help="What `brandmelder label` wrote.")
def judge(file: IO[bytes], brand: str, taught: Path | None, *, explain: bool) -> None:
    """Judge JSON lines with a key `text` (and optionally `id`, `language`, `monitor`); without FILE, standard input."""
    classifier = _classifier(brand, taught)
    write = _explain if explain else _write
    for batch in _batches(_lines(file, Line)):
        for (number, line), verdict in zip(batch, classifier.classify(_mentions(batch)), strict=True):
            write(number, line, verdict)


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where to write it.")
@click.option("--brand", default="", help="The brand the labels are of.")
def label(file: IO[bytes], to: Path, brand: str) -> None:
    """Learn from JSON lines, or a CSV file with a heading: `text`, `label` (negative, neutral, positive), `origin`.

    Nothing is written unless the correction wins on labels it was not fitted to. Undo: remove the file.
    """
    from brandmelder.classify import adapt, linear

    rows = list(_csv(file) if file.name.endswith(".csv") else _lines(file, Labelled))
    for number, row in rows:
        if row.label not in ("negative", "neutral", "positive"):
            raise InputError(file.name, number, f"label {row.label!r}; write negative, neutral or positive")
    classifier = linear.LinearClassifier(brand)
    examples = classifier.examples(
        [row.text for _, row in rows],
        [row.label == "negative" for _, row in rows],
        random=[row.origin == "random" for _, row in rows],
    )
    learnt = {key: found for key, ones in examples.items() if (found := adapt.learn(ones)) is not None}
    for key, ones in examples.items():
        click.echo(_report(key, len(ones), learnt.get(key)))
    if learnt:
        content = Taught(model=linear.load().version, corrections=msgspec.to_builtins(learnt))
        to.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1))


def _report(language: str, count: int, found: Correction | None) -> str:
    if found is None:
        return f"{language}: {count} labels, nothing learnt: too few, or the judge as it is does as well"
    kind = f"{len(found.slots)} n-grams and calibration" if found.slots else "calibration only"
    return (
        f"{language}: {count} labels, {kind}; log loss on left-out labels"
        f" {found.loss_before:.3f} -> {found.loss_after:.3f}"
    )


def _classifier(brand: str, taught: Path | None) -> LinearClassifier:
    from brandmelder.classify import adapt, linear

    if taught is None:
        return linear.LinearClassifier(brand)
    try:
        content = msgspec.json.decode(taught.read_bytes(), type=Taught)
        corrections = msgspec.convert(content.corrections, dict[str, adapt.Correction])
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(taught, None, f"cannot be read: {error}; write it with `brandmelder label`") from error
    if content.model != linear.load().version:
        raise InputError(taught, None, "was learnt for another model; run `brandmelder label` again")
    return linear.LinearClassifier(brand, corrections=corrections)


def _lines(file: IO[bytes], shape: type[Any]) -> Iterator[tuple[int, Any]]:
    decoder = msgspec.json.Decoder(shape)
    for number, raw in enumerate(file, 1):
        if raw.strip():
            try:
                yield number, decoder.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                name = getattr(file, "name", "<stdin>")
                raise InputError(str(name), number, f"{error}; write one JSON object with `text` per line") from error


def _csv(file: IO[bytes]) -> Iterator[tuple[int, Labelled]]:
    try:
        content = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(file.name, None, "is not UTF-8; save it as CSV UTF-8") from error
    lines = csv.DictReader(io.StringIO(content, newline=""))
    for row in lines:
        text, found = row.get("text"), row.get("label")
        if not text or not found:
            raise InputError(file.name, lines.line_num, "no `text` or no `label`; the first line names the columns")
        yield lines.line_num, Labelled(text=text, label=found.strip(), origin=(row.get("origin") or "random").strip())


def _batches(lines: Iterable[tuple[int, Line]]) -> Iterator[list[tuple[int, Line]]]:
    batch: list[tuple[int, Line]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH or (sys.stdin.isatty() and len(batch) == 1):
            yield batch
            batch = []
    if batch:
        yield batch


def _mentions(batch: list[tuple[int, Line]]) -> list[Any]:
    from datetime import UTC, datetime

    from brandmelder.model import Mention, SourceId

    never = datetime.fromtimestamp(0, UTC)
    return [
        Mention(
            source=SourceId("file"),
            external_id=str(number),
            text=line.text,
            published_at=never,
            captured_at=never,
            language=line.language,
        )
        for number, line in batch
    ]


def _write(number: int, line: Line, verdict: Verdict) -> None:
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
    if line.monitor is not None:
        answer["monitor"] = line.monitor
    click.echo(msgspec.json.encode(answer))


def _explain(number: int, line: Line, verdict: Verdict) -> None:
    mark = "unsure" if verdict.unsure else verdict.label.value
    words = ", ".join(f"{_safe(word)} {share:+.0%}" for word, share in verdict.reasons)
    text = " ".join(line.text[:300].split())
    click.echo(f"{line.id if line.id is not None else number}: {_safe(text)}")
    click.echo(
        f"   {mark}; negative {verdict.p_negative:.0%}, neutral {verdict.p_neutral:.0%},"
        f" positive {verdict.p_positive:.0%}; language {verdict.language}; {verdict.stance.value};"
        f" insult {verdict.insult:.0%}" + (f"; {', '.join(verdict.topics)}" if verdict.topics else "")
    )
    if words:
        click.echo(f"   because of (+ towards negative): {words}")


def _safe(text: str) -> str:
    """Drop what could steer a terminal or turn the reading direction."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
