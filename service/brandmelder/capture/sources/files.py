"""Files that somebody drops into a folder or writes on: JSON lines, CSV, mbox, mapped like any other rows.

Each file is read on from where it was left; one that shrank, or reads otherwise before that place, is another file and
read anew: the upsert makes that harmless. A last line without its end waits. Write under another name and rename, and
no half file is ever seen.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, ClassVar, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import AfterValidator

from brandmelder.capture.fields import Fields, mention_of_row
from brandmelder.capture.mapping import Bad, Mapped, read_rows
from brandmelder.capture.rows import BadRow, Batch, kind_of, line_of, read_batch
from brandmelder.capture.source import Poll, Tools
from brandmelder.errors import Gone, ShapeChanged
from brandmelder.model import Cursor, Extent, Mention, Removal, SourceId
from brandmelder.options import SourceOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH: Final = 1_000
FILES: Final = 200
"""So many files are known at once; the cursor holds them."""
SETTLED: Final = timedelta(minutes=1)
"""A file that nobody wrote to for so long is whole: its last line counts without an end."""
BAD_SHARE: Final = 0.2
DEFAULT_FIELDS: Final[Mapping[str, str]] = {
    name: name for name in ("text", "published_at", "url", "author", "context", "language", "parent_id", "reach")
} | {"external_id": "external_id || id"}
"""The names of Brandmelder's own files; `fields` maps others."""


def _can_be_read(value: str) -> str:
    if kind_of(value.rpartition("/")[2]) is None:
        raise ValueError(f"{value!r} names no kind of file; it must end in .jsonl, .csv or .mbox, as in drop/*.jsonl")
    return value


class FilesOptions(SourceOptions):
    """Files in a folder: JSON lines, CSV or mbox."""

    path: Annotated[str, AfterValidator(_can_be_read)]
    """Which, as in `drop/*.jsonl`; `*` stands for any name, `**` for any folders. Ends in .jsonl, .csv or .mbox."""
    fields: Fields | None = None
    """Where a mention's parts stand in a row (JMESPath; in CSV the columns); by default under our own names."""


class Place(Struct, frozen=True, array_like=True):
    """How far a file was read."""

    inode: int
    offset: int
    head: str
    """Hash of its first line."""
    tail: str = ""
    """Hash of the bytes before `offset`: an export that is written over the last one begins like it."""


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds."""

    v: int = 1
    pattern: str
    first: datetime
    places: dict[str, Place] = {}
    """By the hash of a file's name."""


class Read(Struct, frozen=True, kw_only=True):
    """What one look at the folder brought."""

    rows: Sequence[Mapped]
    bad: Bad
    total: int
    places: dict[str, Place]
    has_more: bool
    note: str = ""


class FilesSource:
    """Reads what was added to any of the files, oldest file first."""

    Options: ClassVar[type[SourceOptions]] = FilesOptions

    def __init__(self, source_id: SourceId, options: FilesOptions, tools: Tools | None = None) -> None:
        del tools  # files need none
        self.id = source_id
        self._options = options
        self._fields = options.fields.model_dump(exclude_none=True) if options.fields else dict(DEFAULT_FIELDS)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read on in the files. Raises Gone where there is no such folder, ShapeChanged for files of another kind."""
        memory = self._recall(cursor, now)
        found = await asyncio.to_thread(self._read, memory.places, now)
        memory.places = found.places
        if found.bad.count > BAD_SHARE * found.total:
            text = f"{found.bad.count} of {found.total} rows cannot be read ({found.bad.first})"
            raise ShapeChanged(f"{text}; mend fields or the file").about(self.id)
        note = f"{found.bad.count} of {found.total} rows cannot be read: {found.bad.first}" if found.bad.count else ""
        there = [row for row in found.rows if not row.is_deleted]
        return Poll(
            mentions=tuple(self._mention(row, memory.first, now) for row in there),
            removals=tuple(
                Removal(source=self.id, external_id=row.external_id, reason="deleted")
                for row in found.rows
                if row.is_deleted
            ),
            cursor=Cursor(msgspec.json.encode(memory).decode()),
            read_until=None if found.has_more else now,
            extent=Extent(read=len(there)),
            more=found.has_more,
            degraded=note or found.note,
        )

    def _recall(self, cursor: Cursor | None, now: datetime) -> Memory:
        try:
            memory = msgspec.json.decode(cursor, type=Memory) if cursor else None
        except msgspec.MsgspecError:
            memory = None
        if memory is None or memory.pattern != self._options.path:
            return Memory(pattern=self._options.path, first=now.replace(microsecond=0))
        return memory

    def _mention(self, row: Mapped, first: datetime, now: datetime) -> Mention:
        one = mention_of_row(row, source=self.id, options=self._options, now=now)
        return replace(one, history=True) if one.published_at < first else one

    # ------------------------------------------------------------ in a thread

    def _read(self, known: Mapping[str, Place], now: datetime) -> Read:
        files, note = self._files()
        places: dict[str, Place] = {}
        rows: list[Any] = []
        stood: list[tuple[Path, int]] = []
        has_more = False
        for path, modified in files:
            key = hashlib.blake2b(str(path).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
            if len(rows) >= BATCH:
                places |= {key: known[key]} if key in known else {}
                has_more = True
                continue
            places[key], batch = self._read_file(path, known.get(key), BATCH - len(rows), modified, now)
            rows += batch.rows
            stood += [(path, start) for start in batch.starts]
            has_more = has_more or batch.has_more
        objects = [at for at, row in enumerate(rows) if isinstance(row, dict)]
        mapped, bad = read_rows([rows[at] for at in objects], "@", self._fields, source=self.id)
        broken = {at: row.why for at, row in enumerate(rows) if isinstance(row, BadRow)}
        if bad.count or broken:
            found = {objects[bad.at]: bad.first} if bad.count else {}
            at, why = min((found | broken).items())
            bad = Bad(bad.count + len(broken), f"{_place_of(*stood[at])}: {why}", at)
        total = sum(row is not None for row in rows)
        return Read(rows=mapped, bad=bad, total=total, places=places, has_more=has_more, note=note)

    def _files(self) -> tuple[list[tuple[Path, float]], str]:
        """Return the files and when they were last written, oldest first, and what is left out."""
        pattern = Path(self._options.path)
        fixed = [part for part in pattern.parts if not set(part) & set("*?[")]
        folder = Path(*fixed[: len(fixed) - (len(fixed) == len(pattern.parts))])
        if not folder.is_dir():
            raise Gone(f"there is no folder {folder}; make it, or mend path").about(self.id)
        found: list[tuple[Path, float]] = []
        for path in folder.glob(str(pattern.relative_to(folder))):
            try:
                if path.is_file():
                    found.append((path, path.stat().st_mtime))
            except OSError:
                continue  # moved away meanwhile
        found.sort(key=lambda one: (one[1], str(one[0])))
        left = len(found) - FILES
        note = f"the {left} oldest of {len(found)} files are not read; move them away" if left > 0 else ""
        return found[-FILES:], note

    def _read_file(
        self, path: Path, known: Place | None, limit: int, modified: float, now: datetime
    ) -> tuple[Place, Batch]:
        kind = kind_of(path.name)
        try:
            with path.open("rb") as file:
                head = hashlib.blake2b(file.readline(4_096), digest_size=6).hexdigest()
                status = path.stat()
                is_same = known is not None and (known.inode, known.head) == (status.st_ino, head)
                is_same = is_same and known is not None and known.tail in {"", _tail(file, known.offset)}
                offset = known.offset if known is not None and is_same and known.offset <= status.st_size else 0
                is_whole = now - datetime.fromtimestamp(modified, UTC) >= SETTLED
                batch = read_batch(file, kind or "jsonl", offset, limit=limit, is_whole=is_whole)
                tail = _tail(file, batch.offset)
        except OSError as error:
            raise Gone(f"{path} cannot be read ({error.strerror}); mend its rights").about(self.id) from error
        except ValueError as error:
            raise ShapeChanged(f"{path} {error}").about(self.id) from error
        return Place(status.st_ino, batch.offset, head, tail), batch


def _place_of(path: Path, start: int) -> str:
    """Return where a row stands, for whoever opens the file."""
    try:
        with path.open("rb") as file:
            return f"{path.name}:{line_of(file, start)}"
    except OSError:  # moved away meanwhile
        return path.name


def _tail(file: BinaryIO, offset: int) -> str:
    start = max(0, offset - 256)
    file.seek(start)
    return hashlib.blake2b(file.read(offset - start), digest_size=4).hexdigest()
