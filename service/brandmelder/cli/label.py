"""`brandmelder label`: what staff teach the judge."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
import msgspec

from brandmelder.cli.taught import write_taught
from brandmelder.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brandmelder.classify.adapt import Correction


class Labelled(msgspec.Struct):
    """One label: `origin` is `random` (drawn, or simply all of a day), `unsure` or `alert` (picked by the machine)."""

    text: str
    label: str
    origin: str = "random"


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
        write_taught(to, learnt)


def _report(language: str, count: int, found: Correction | None) -> str:
    if found is None:
        return f"{language}: {count} labels, nothing learnt: too few, or the judge as it is does as well"
    kind = f"{len(found.slots)} n-grams and calibration" if found.slots else "calibration only"
    return (
        f"{language}: {count} labels, {kind}; log loss on left-out labels"
        f" {found.loss_before:.3f} -> {found.loss_after:.3f}"
    )


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
