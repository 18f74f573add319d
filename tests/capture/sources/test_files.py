"""Files that grow, shrink, are replaced and half written; JSON lines, CSV and mbox."""

from __future__ import annotations

import json
import mailbox
import os
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import ValidationError

from brandmelder.capture.sources.files import FilesOptions, FilesSource
from brandmelder.errors import Gone, ShapeChanged
from brandmelder.model import SourceId
from brandmelder.testing import Face, SourceConformance
from capture.conftest import NOW

ONE = SourceId("one")
LATER = NOW + timedelta(minutes=10)


def row(number, text="Nordfunk?", **more):
    return {"external_id": str(number), "text": text, "published_at": NOW.isoformat()} | more


def lines(*rows):
    return "".join(json.dumps(one) + "\n" for one in rows)


class Drop:
    """A folder, and the source that reads it; nobody has written to a file for a while unless `fresh` says so."""

    def __init__(self, folder, pattern="*.*l", **options):
        self.folder = folder
        values = {"type": "files", "path": f"{folder}/{pattern}"} | options
        self.source, self.cursor = FilesSource(ONE, FilesOptions(**values)), None

    def write(self, name, text, *, fresh=False, append=False):
        path = self.folder / name
        with path.open("ab" if append else "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        at = (NOW if fresh else NOW - timedelta(hours=1)).timestamp()
        os.utime(path, (at, at))

    async def poll(self, now=NOW):
        found = []
        for _ in range(20):
            poll = await self.source.poll(self.cursor, now)
            assert len(poll.mentions) <= 1000
            assert len(poll.cursor) <= 16_384
            self.cursor, found = poll.cursor, [*found, *poll.mentions]
            self.last = poll
            if not poll.more:
                return found
        raise AssertionError("no end")


def idents(found):
    return [one.external_id for one in found]


@pytest.fixture
def drop(tmp_path):
    return Drop(tmp_path, "*.jsonl")


async def test_what_is_added_is_read_once(drop):
    drop.write("a.jsonl", lines(row(1), row(2)))
    assert idents(await drop.poll()) == ["1", "2"]
    assert await drop.poll() == []
    drop.write("a.jsonl", lines(row(3)), append=True)
    drop.write("b.jsonl", lines(row(4)))
    assert sorted(idents(await drop.poll())) == ["3", "4"]


async def test_a_line_without_its_end_waits_until_nobody_writes_any_more(drop):
    drop.write("a.jsonl", lines(row(1)) + json.dumps(row(2))[:20], fresh=True)
    assert idents(await drop.poll()) == ["1"]
    drop.write("a.jsonl", lines(row(1)) + json.dumps(row(2)), fresh=True)
    assert idents(await drop.poll()) == []
    assert idents(await drop.poll(LATER)) == ["2"]


async def test_a_file_that_shrank_or_begins_otherwise_is_read_anew(drop):
    drop.write("a.jsonl", lines(row(1), row(2)))
    await drop.poll()
    drop.write("a.jsonl", lines(row(1, "Nordfunk!")))
    assert idents(await drop.poll()) == ["1"]
    drop.write("a.jsonl", lines(row(7), row(8), row(9)))
    assert idents(await drop.poll()) == ["7", "8", "9"]


@pytest.mark.parametrize("rows", [(4, 5, 6, 7), (1, 5, 6, 7, 8)])
async def test_an_export_that_is_written_over_the_last_one_is_read_anew(tmp_path, rows):
    """The header is the same every time, so it does not tell one export from the next."""

    def export(*numbers):
        told = (f"{n};Nordfunk {n};{NOW.isoformat()}" for n in numbers)
        return "\n".join(["external_id;text;published_at", *told, ""])

    drop = Drop(tmp_path, "*.csv")
    drop.write("export.csv", export(1, 2, 3))
    assert idents(await drop.poll()) == ["1", "2", "3"]
    drop.write("export.csv", export(*rows))
    found = idents(await drop.poll())
    assert set(found) - {"1"} == {str(n) for n in rows} - {"1"}


async def test_more_rows_than_a_poll_holds_come_in_several(drop):
    drop.write("a.jsonl", lines(*(row(n) for n in range(1700))))
    drop.write("b.jsonl", lines(*(row(n) for n in range(1700, 2100))))
    assert len(set(idents(await drop.poll()))) == 2100


async def test_what_was_written_before_the_first_look_is_history(drop):
    drop.write("a.jsonl", lines(row(1, published_at=(NOW - timedelta(days=1)).isoformat())))
    (old,) = await drop.poll()
    drop.write("a.jsonl", lines(row(2, published_at=LATER.isoformat())), append=True)
    (new,) = await drop.poll(LATER)
    assert (old.history, new.history) == (True, False)


async def test_bad_rows_are_told_and_too_many_are_another_kind_of_file(drop):
    drop.write("a.jsonl", lines(*(row(n) for n in range(9))) + "{broken\n")
    assert len(await drop.poll()) == 9
    assert drop.last.degraded.startswith("1 of 10 rows cannot be read: ")
    drop.write("b.jsonl", '[1]\n"x"\n')
    with pytest.raises(ShapeChanged, match=r'source "one": 2 of 2 rows cannot be read \([\w.]+:1: no object\)'):
        await drop.poll()


async def test_rows_that_say_so_are_taken_away(tmp_path):
    drop = Drop(tmp_path, "*.jsonl", fields={"external_id": "id", "text": "text", "deleted": "gone"})
    drop.write("a.jsonl", lines({"id": 1, "text": "x"}, {"id": 1, "gone": True}))
    await drop.poll()
    assert [one.external_id for one in drop.last.removals] == ["1"]


async def test_csv_has_columns_by_name_and_cells_of_several_lines(tmp_path):
    drop = Drop(tmp_path, "*.csv", fields={"external_id": "ID", "text": '"Der Text"', "published_at": "Zeit"})
    head = '\ufeffID;Zeit;"Der Text"\r\n'
    drop.write("a.csv", head + '1;2026-11-20T12:00:00Z;"Nordfunk\n""schweigt"""\r\n\r\n', fresh=True)
    (one,) = await drop.poll()
    assert one.text == 'Nordfunk "schweigt"'
    drop.write("a.csv", '2;2026-11-20T12:01:00Z;"halb', append=True, fresh=True)
    assert await drop.poll() == []
    drop.write("a.csv", ' und ganz"\r\n', append=True, fresh=True)
    assert [one.text for one in await drop.poll()] == ["halb und ganz"]
    drop.write("b.csv", "\r\n1;2\r\n")
    with pytest.raises(ShapeChanged, match="has no header"):
        await drop.poll()


async def test_letters_of_an_mbox_are_read_as_a_mailbox_s_are(tmp_path):
    path = tmp_path / "inbox.mbox"
    box = mailbox.mbox(path)
    for number in range(3):
        letter = EmailMessage()
        letter["From"], letter["Subject"] = "Mia <mia@example.org>", "Anschluss"
        letter["Message-ID"], letter["Date"] = f"<{number}@example.org>", format_datetime(NOW - timedelta(hours=1))
        letter.set_content(f"Nordfunk schweigt ({number}).\n\nFrom Kiel with love\n\n> altes Zitat\n-- \nMia\n")
        if number == 1:
            letter["Auto-Submitted"] = "auto-replied"
        box.add(letter)
    box.close()
    drop = Drop(tmp_path, "*.mbox")
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    assert idents(await drop.poll()) == ["<0@example.org>"], "the last letter may still be written"
    found = await drop.poll(LATER)
    assert [(one.external_id, one.context, one.author) for one in found] == [
        ("<2@example.org>", "Anschluss", "mia@example.org")
    ]
    assert found[0].text == "Nordfunk schweigt (2). From Kiel with love"


async def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Gone, match=r"there is no folder .*/drop; make it"):
        await Drop(tmp_path / "drop", "*.jsonl").poll()


async def test_more_files_than_can_be_known_are_told(drop):
    for number in range(203):
        drop.write(f"{number}.jsonl", lines(row(number)))
    assert len(await drop.poll()) == 200
    assert drop.last.degraded == "the 3 oldest of 203 files are not read; move them away"


def test_a_path_must_say_what_kind_of_files_it_means():
    with pytest.raises(ValidationError, match="names no kind of file"):
        FilesOptions(type="files", path="drop/*")


class FilesFace(Face):
    """Somebody writes a line for whatever happens."""

    def __init__(self):
        super().__init__()
        self._folder = TemporaryDirectory()
        self.path = Path(self._folder.name) / "posts.jsonl"
        self.path.touch()
        self._known = {}

    def answer(self, asked):
        raise AssertionError(f"nobody is asked: {asked.path}")

    async def show(self):
        seen = {one.number: one.text for one in self.posts.values() if not one.is_hidden}
        with self.path.open("a", encoding="utf-8") as file:
            for number in [number for number, text in seen.items() if self._known.get(number) != text]:
                post = self.posts[number]
                file.write(json.dumps({"id": number, "text": post.text, "published_at": post.at.isoformat()}) + "\n")
            for number in self._known.keys() - seen.keys():
                file.write(json.dumps({"id": number, "gone": True}) + "\n")
        self._known = seen


class TestFiles(SourceConformance):
    over_http = False

    def make_face(self):
        self.face = FilesFace()
        return self.face

    def make_source(self, tools, url):
        del tools, url
        fields = {"external_id": "id", "text": "text", "published_at": "published_at", "deleted": "gone"}
        return FilesSource(ONE, FilesOptions(type="files", path=str(self.face.path), fields=fields))


async def test_a_cell_of_several_lines_that_is_still_being_written_waits(tmp_path):
    drop = Drop(tmp_path, "*.csv")
    head = "external_id,text,published_at\n"
    drop.write("a.csv", f'{head}1,eins,{NOW.isoformat()}\n2,"zwei\nbeginnt\n', fresh=True)
    assert [one.text for one in await drop.poll()] == ["eins"]
    drop.write("a.csv", f'und endet",{NOW.isoformat()}\n3,drei,{NOW.isoformat()}\n', fresh=True, append=True)
    assert [one.text for one in await drop.poll()] == ["zwei beginnt und endet", "drei"]
    drop.write("a.csv", '4,"vier', append=True)
    assert [one.text for one in await drop.poll(LATER)] == ["vier"]


@pytest.mark.parametrize(("word", "is_gone"), [("false", False), ("0", False), ("nein", False), ("", False),
                                               ("true", True), ("1", True), ("2026-11-20", True)])  # fmt: skip
async def test_a_column_that_says_no_takes_nothing_away(tmp_path, word, is_gone):
    fields = {"external_id": "id", "text": "text", "deleted": "weg", "reach": "folgt"}
    drop = Drop(tmp_path, "*.csv", fields=fields)
    drop.write("a.csv", f"id,text,weg,folgt\n1,Nordfunk,{word},1200\n")
    found = await drop.poll()
    assert [one.reach for one in found] == ([] if is_gone else [1200])
    assert [one.external_id for one in drop.last.removals] == (["1"] if is_gone else [])


async def test_lines_of_an_old_program_are_told_and_no_bug(tmp_path):
    drop = Drop(tmp_path, "*.csv")
    drop.write("a.csv", "external_id,text\r1,eins\n2,zwei\n")
    with pytest.raises(ShapeChanged, match="save it anew as CSV"):
        await drop.poll()
