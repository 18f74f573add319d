"""`brandmelder label`: what staff teach the judge, one mention at a time or in bulk, and what came of it."""

from __future__ import annotations

import csv
import getpass
import io
import os
from datetime import UTC
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import click
import msgspec

from brandmelder.cli import acting, config_option, existing_database
from brandmelder.cli.taught import write_taught
from brandmelder.cli.terminal import say
from brandmelder.errors import BrandmelderError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import StaffLabel
    from brandmelder.pipeline.teach import Lesson
    from brandmelder.settings import Settings

T = TypeVar("T")

LABELS = ("negative", "neutral", "positive")
NONE = "none"
ORIGINS = ("random", "unsure", "alert")


class Labelled(msgspec.Struct):
    """One label: of a stored mention (`id`) or of a text. `origin` says why just this one was labelled."""

    label: str
    id: str | int | None = None
    text: str | None = None
    origin: str = "random"


@click.command()
@click.argument("what", metavar="[ID | FILE]", required=False)
@click.argument("label", metavar="[LABEL]", required=False)
@config_option
@click.option(
    "--ask",
    type=click.IntRange(1, 500),
    is_flag=False,
    flag_value=12,
    metavar="[N]",
    help="Show the N mentions whose labels help most (12 by default).",
)
@click.option("--report", is_flag=True, help="Show what was learnt, when, and what it changed.")
@click.option("--undo", is_flag=True, help="Take what was learnt last out of use.")
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False), help="Write all labels to a CSV file.")
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Learn from FILE alone and write what was learnt there, for `judge --taught`; no database is used.",
)
@click.option("--brand", default="", help="The brand the labels are of, with --to.")
def label(what: str | None, label: str | None, path: Path, **asked: object) -> None:
    """Teach the judge: `label 123 negative`, or `label labels.csv` in bulk.

    ID is the number of a mention, SOURCE/ID as its platform names it, or its address; LABEL is negative, neutral,
    positive, or none to take a label back. FILE holds JSON lines, or CSV with a heading: `id` or `text`, `label`, and
    `origin` (random, unsure, alert; random by default: labels of mentions nobody picked).

    What is learnt is used only if it wins on labels it was not fitted to, by the running service from the next mention
    on. What was judged before stays as it was.
    """
    if asked["to"] is not None:
        _learn_apart(what, Path(str(asked["to"])), str(asked["brand"]))
    elif asked["ask"] is not None:
        _ask(path, int(str(asked["ask"])))
    elif asked["report"]:
        _report(path)
    elif asked["undo"]:
        _undo(path)
    elif asked["export"] is not None:
        _export(path, Path(str(asked["export"])))
    elif what is not None and label is not None:
        _one(path, what, label)
    elif what is not None:
        _bulk(path, Path(what))
    else:
        raise click.UsageError("say which mention and which label, or a file; or --ask, --report, --undo, --export")


# ------------------------------------------------------------------ with a database


def _one(path: Path, name: str, label: str) -> None:
    from brandmelder.model import Label, StaffLabel
    from brandmelder.pipeline import staff, teach
    from brandmelder.store import labels

    if label not in (*LABELS, NONE):
        raise BrandmelderError(f"label {label!r}; write {', '.join(LABELS)}, or {NONE} to take one back")

    def work(connection: Connection, settings: Settings, now: datetime) -> Lesson:
        ident = labels.find_mention(connection, name)
        if ident is None:
            raise BrandmelderError(f"there is no mention {name}; its number, SOURCE/ID or address is wanted")
        if label == NONE:
            if not staff.take_back_label(connection, ident, acting(), now):
                raise BrandmelderError(f"mention {name} has no label")
            return teach.learn(connection, settings.brand, now)
        given = StaffLabel(label=Label(label), at=now, mention=ident, by=getpass.getuser())
        return staff.label(connection, [given], settings.brand, acting(), now)

    for line in _in_database(path, work).report:
        say(line)


def _bulk(path: Path, file: Path) -> None:
    from brandmelder.pipeline import staff

    rows = _rows(file)

    def work(connection: Connection, settings: Settings, now: datetime) -> Lesson:
        given = [_staff_label(connection, file, number, row, now) for number, row in rows]
        return staff.label(connection, given, settings.brand, acting(), now)

    lesson = _in_database(path, work)
    click.echo(f"{len(rows)} labels are kept")
    for line in lesson.report:
        say(line)


def _staff_label(connection: Connection, file: Path, number: int, row: Labelled, now: datetime) -> StaffLabel:
    from brandmelder.model import Label, Origin, StaffLabel
    from brandmelder.store import labels

    ident = None if row.id is None else labels.find_mention(connection, str(row.id))
    if ident is None and row.text is None:
        raise InputError(file, number, f"there is no mention {row.id}, and no `text`")
    return StaffLabel(
        label=Label(row.label),
        at=now,
        mention=ident,
        text=None if ident is not None else row.text,
        origin=Origin(row.origin),
        by=getpass.getuser(),
    )


def _ask(path: Path, count: int) -> None:
    from brandmelder.pipeline import teach

    found = _in_database(path, lambda connection, _settings, now: teach.ask(connection, count, now))
    for one in found:
        text = "".join(char if char.isprintable() else " " for char in one.text[:400])
        say(f"{one.mention}  {one.p_negative:4.0%} negative  {' '.join(text.split())}")
    click.echo("brandmelder label NUMBER negative|neutral|positive" if found else "there is nothing left to label")


def _report(path: Path) -> None:
    from brandmelder.store import labels

    versions = _in_database(path, lambda connection, _settings, _now: labels.versions(connection))
    used = next((one.version for one in versions if one.active), None)
    for one in versions:
        state = "in use" if one.version == used else "kept" if one.active else "undone"
        click.echo(f"version {one.version}, {one.at:%Y-%m-%d %H:%M} UTC, {one.labels} labels, {state}")
        click.echo(f"  from mention {one.after_mention + 1} on")
        for line in one.report.splitlines():
            click.echo(f"  {line}")
    if not versions:
        click.echo("nothing was learnt yet")


def _undo(path: Path) -> None:
    from brandmelder.store import labels

    version = _in_database(path, lambda connection, _settings, _now: labels.undo(connection))
    if version is None:
        raise BrandmelderError("nothing that was learnt is in use")
    click.echo(f"version {version} is out of use from the next mention on; the labels are kept")


def _export(path: Path, file: Path) -> None:
    from brandmelder.report.sheet import sheet
    from brandmelder.store import labels

    found = _in_database(path, lambda connection, _settings, _now: labels.read(connection))
    rows = [
        (str(one.mention or ""), one.text or "", one.label.value, one.origin.value, one.by, one.at.isoformat())
        for one in found
    ]
    with file.open("w", encoding="utf-8", newline="") as out:
        out.writelines(sheet(("id", "text", "label", "origin", "by", "at"), rows, zone=UTC, bom=False))
    click.echo(f"{len(found)} labels are written to {file}")


def _in_database(path: Path, work: Callable[[Connection, Settings, datetime], T]) -> T:
    from brandmelder.clock import SystemClock
    from brandmelder.settings import read_settings

    settings = read_settings(path, os.environ)
    database = existing_database(settings)
    try:
        return database.run_now(work, settings, SystemClock().now())
    finally:
        database.close()


# --------------------------------------------------------------- without a database


def _learn_apart(file: str | None, to: Path, brand: str) -> None:
    from brandmelder.classify import adapt, linear
    from brandmelder.pipeline.teach import told

    if file is None:
        raise click.UsageError("--to learns from a file; name it")
    rows = _rows(Path(file))
    for number, row in rows:
        if row.text is None:
            raise InputError(file, number, "has no `text`; an `id` means something only with a database")
    examples = linear.LinearClassifier(brand).examples(
        [row.text or "" for _, row in rows],
        [row.label == "negative" for _, row in rows],
        random=[row.origin == "random" for _, row in rows],
    )
    learnt = {key: found for key, ones in examples.items() if (found := adapt.learn(ones)) is not None}
    for key, ones in examples.items():
        click.echo(told(key, ones, learnt.get(key)))
    if learnt:
        write_taught(to, learnt)


def _rows(file: Path) -> Sequence[tuple[int, Labelled]]:
    try:
        with file.open("rb") as content:
            rows = list(_csv(content) if file.suffix == ".csv" else _json_lines(content))
    except OSError as error:
        hint = "write a label behind it if it is a mention, or name a file"
        raise InputError(file, None, f"cannot be read: {error.strerror}; {hint}") from error
    for number, row in rows:
        if row.label not in LABELS:
            raise InputError(file, number, f"label {row.label!r}; write negative, neutral or positive")
        if row.origin not in ORIGINS:
            raise InputError(file, number, f"origin {row.origin!r}; write random, unsure or alert")
        if row.id is None and not row.text:
            raise InputError(file, number, "no `id` and no `text`")
    return rows


def _json_lines(file: IO[bytes]) -> Iterator[tuple[int, Labelled]]:
    decoder = msgspec.json.Decoder(Labelled)
    for number, raw in enumerate(file, 1):
        if raw.strip():
            try:
                yield number, decoder.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                name = getattr(file, "name", "<stdin>")
                raise InputError(
                    str(name), number, f"{error}; write one JSON object with `id` or `text`, and `label`, per line"
                ) from error


def _csv(file: IO[bytes]) -> Iterator[tuple[int, Labelled]]:
    try:
        content = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(file.name, None, "is not UTF-8; save it as CSV UTF-8") from error
    lines = csv.DictReader(io.StringIO(content, newline=""))
    for row in lines:
        ident, text, found = row.get("id"), row.get("text"), row.get("label")
        if not (ident or text) or not found:
            said = "no `id` or `text`, or no `label`; the first line names the columns"
            raise InputError(file.name, lines.line_num, said)
        origin = (row.get("origin") or "random").strip()
        yield lines.line_num, Labelled(label=found.strip(), id=ident or None, text=text or None, origin=origin)
