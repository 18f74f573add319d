"""Mentions from a file, released as they were captured: imports, and the other world of a backtest.

A file holds JSON lines or CSV with a header, plain or gzip: `id, source, url, author, text, published_at`, and
optionally `captured_at, language, reach, parent_id, own, context`. Times bear a zone.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
from bisect import bisect_right
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from brandmelder.capture.normalise import clean_text, settle_time, to_utc_seconds
from brandmelder.capture.source import Poll, Tools
from brandmelder.errors import Gone, InputError, ShapeChanged
from brandmelder.model import Cursor, Extent, Mention, SourceId
from brandmelder.options import SourceOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BATCH: Final = 1000
FAULTS: Final = 20
"""After so many bad lines nobody reads on."""
BAD_SHARE: Final = 0.2
"""More bad lines than this, and the file is of another kind."""

FOREVER: Final = datetime(9999, 1, 1, tzinfo=UTC)

Moment = Annotated[datetime, Meta(tz=True)]


class Line(Struct, frozen=True):
    """A mention as it stands in a file."""

    id: str | int
    source: str
    text: str
    published_at: Moment
    url: str | None = None
    author: str | None = None
    captured_at: Moment | None = None
    language: str | None = None
    reach: int | None = None
    parent_id: str | int | None = None
    own: bool | None = None
    context: str | None = None


class BadLine(Struct, frozen=True):
    """A line that cannot be read, and why."""

    number: int
    text: str


class ArchiveOptions(SourceOptions):
    """A file of mentions: JSON lines (`.jsonl`) or CSV (`.csv`), plain or `.gz`."""

    path: Path
    """The file."""
    all: bool = False
    """Take all its mentions as this source's own, whatever source they name."""


class State(Struct, frozen=True, kw_only=True):
    """What the cursor holds."""

    v: int = 1
    first: datetime
    """The first contact: what was captured before it is history."""
    stamp: str
    """Size and time of the file that was read; another file is read anew."""
    released: int = 0
    total: int = 0
    note: str = ""


def read_mentions(path: Path) -> Iterator[Mention]:
    """Read a file of mentions, line by line. Raises InputError that names every bad line, at most 20 of them.

    `published_at` stands in for a missing `captured_at`; a mention dated more than five minutes after its capture is
    `future_dated`. The error comes when the file ends, or at the twentieth bad line.
    """
    faults: list[BadLine] = []
    for found in scan(path):
        if isinstance(found, Mention):
            yield found
            continue
        faults.append(found)
        if len(faults) == FAULTS:
            break
    if faults:
        first, *others = faults
        rest = [f"{path}:{one.number}: {one.text}" for one in others]
        end = [f"{path}: nobody read on after {FAULTS} bad lines"] if len(faults) == FAULTS else []
        raise InputError(path, first.number, "\n".join([first.text, *rest, *end]))


def scan(path: Path) -> Iterator[Mention | BadLine]:
    """Read a file of mentions and its bad lines. Raises InputError if the file itself cannot be read."""
    names = path.name.lower().removesuffix(".gz")
    try:
        with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as file:
            yield from _scan_csv(file, path) if names.endswith(".csv") else _scan_json(file)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(path, None, f"cannot be read ({reason}); is it whole, and is the name right?") from error


def _scan_json(file: Iterable[bytes]) -> Iterator[Mention | BadLine]:
    decode = msgspec.json.Decoder(Line).decode
    for number, raw in enumerate(file, 1):
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if line.isspace():
            continue
        try:
            yield _mention(decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            yield BadLine(number, _advise(error))


def _scan_csv(file: Any, path: Path) -> Iterator[Mention | BadLine]:
    number = 1
    try:
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            header = text.readline()
            names = next(csv.reader([header], delimiter=_delimiter(header)), [])
            missing = [name for name in ("id", "source", "text", "published_at") if name not in names]
            if missing:
                raise InputError(path, 1, f"the header names no {', '.join(missing)}; every mention needs that")
            rows = csv.reader(text, delimiter=_delimiter(header))
            for row in rows:
                start, number = number + 1, rows.line_num + 1
                cells = {name: cell for name, cell in zip(names, row, strict=False) if cell}
                if cells:
                    yield _read_row(cells, start)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(path, number, f"is no readable CSV in UTF-8 ({error}); save it anew") from error


def _read_row(cells: dict[str, str], number: int) -> Mention | BadLine:
    try:
        return _mention(msgspec.convert({"text": "", **cells}, Line, strict=False))
    except msgspec.MsgspecError as error:
        return BadLine(number, _advise(error))


def _delimiter(header: str) -> str:
    return ";" if header.count(";") > header.count(",") else ","


def _advise(error: Exception) -> str:
    text = str(error)
    if "timezone" in text:
        text += "; write the zone, as in 2026-11-20T13:05:11+01:00"
    elif "missing required" in text:
        text += "; every line needs id, source, text and published_at"
    elif "RFC3339" in text:
        text += "; write it as in 2026-11-20T13:05:11+01:00"
    return text


def _mention(line: Line) -> Mention:
    captured = to_utc_seconds(line.captured_at or line.published_at)
    published, flags = (captured, ()) if line.captured_at is None else settle_time(line.published_at, captured)
    url = line.url or ""
    return Mention(
        source=SourceId(line.source),
        external_id=str(line.id),
        text=clean_text(line.text),
        published_at=published,
        captured_at=captured,
        context=clean_text(line.context) if line.context else "",
        url=url if url.startswith(("https://", "http://")) else "",
        author=clean_text(line.author) if line.author else "",
        language=line.language or None,
        reach=line.reach,
        parent_id=None if line.parent_id in {None, ""} else str(line.parent_id),
        own=line.own or False,
        flags=flags,
    )


class ArchiveSource:
    """Releases mentions by `captured_at`: what had been captured when it was first asked is history."""

    Options: ClassVar[type[SourceOptions]] = ArchiveOptions

    def __init__(
        self,
        source_id: SourceId,
        options: ArchiveOptions | None,
        tools: Tools | None = None,
        *,
        mentions: Iterable[Mention] = (),
    ) -> None:
        del tools  # a file needs none
        self.id = source_id
        self._options = options
        self._note = ""
        self._load(mentions, None if options else "")

    @classmethod
    def from_mentions(cls, source_id: SourceId, mentions: Iterable[Mention]) -> Self:
        """Return a source of mentions that are already in memory: for a backtest."""
        return cls(source_id, None, mentions=mentions)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Return what was captured since `cursor` and until `now`, at most 1,000, and when the next is due.

        A file may grow, so it counts as read until `now`; mentions in memory are all there will be, so they count as
        read until the next of them is captured: a replay settles its bins on time, however quiet the source.
        """
        stamp = self._stamp()
        state = self._recall(cursor) or State(first=now, stamp=stamp)
        if state.stamp != stamp:
            state = State(first=state.first, stamp=stamp)
        elif state.released == state.total > 0:
            return Poll(read_until=self._known_until(state.released, now), degraded=state.note)
        if self._loaded != stamp:
            await asyncio.to_thread(self._read, stamp)
        due = bisect_right(self._captured, now)
        end = min(due, state.released + BATCH)
        batch = tuple(
            replace(one, history=True) if one.captured_at < state.first else one
            for one in self._mentions[state.released : end]
        )
        end = max(end, state.released)
        state = replace(state, released=end, total=len(self._mentions), note=self._note)
        poll = Poll(
            mentions=batch,
            cursor=Cursor(msgspec.json.encode(state).decode()),
            read_until=self._known_until(end, now) if end >= due else None,
            extent=Extent(read=len(batch), expected=len(batch), is_exact=True),
            more=end < due,
            not_before=self._captured[end] if due <= end < len(self._captured) else None,
            degraded=self._note,
        )
        if state.released == state.total and self._options is not None:
            self._load((), None)  # an import need not stay in memory
        return poll

    def _known_until(self, released: int, now: datetime) -> datetime:
        if self._options is not None:
            return now
        return self._captured[released] if released < len(self._captured) else FOREVER

    def _recall(self, cursor: Cursor | None) -> State | None:
        try:
            return msgspec.json.decode(cursor, type=State) if cursor else None
        except msgspec.MsgspecError:
            return None

    def _stamp(self) -> str:
        if self._options is None:
            return ""
        try:
            found = self._options.path.stat()
        except OSError as error:
            text = f"{self._options.path} cannot be read ({error.strerror}); mend its path"
            raise Gone(text).about(self.id) from error
        return f"{found.st_size}:{found.st_mtime_ns}"

    def _read(self, stamp: str) -> None:
        """Read the file; bad lines are left out and told, too many of them are an error."""
        if self._options is None:
            return
        try:
            found = list(scan(self._options.path))
        except InputError as error:
            raise ShapeChanged(str(error)).about(self.id) from error
        mentions = [one for one in found if isinstance(one, Mention)]
        bad = [one for one in found if isinstance(one, BadLine)]
        told = "; ".join(f"line {one.number}: {one.text}" for one in islice(bad, 3))
        self._note = f"{len(bad)} of {len(found)} lines cannot be read: {told}" if bad else ""
        if len(bad) > BAD_SHARE * len(found):
            raise ShapeChanged(f"{self._options.path}: {self._note}; is it a file of mentions?").about(self.id)
        if self._options.all:
            mentions = [replace(one, source=self.id) for one in mentions]
        self._load((one for one in mentions if one.source == self.id), stamp)

    def _load(self, mentions: Iterable[Mention], stamp: str | None) -> None:
        """Hold `mentions` in the order of their capture; `stamp` says of which file they are."""
        self._mentions: Sequence[Mention] = sorted(mentions, key=lambda one: one.captured_at)
        self._captured = [one.captured_at for one in self._mentions]
        self._loaded = stamp
