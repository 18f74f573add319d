from __future__ import annotations

import contextlib
import csv
import gzip
import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.capture.sources.archive import FAULTS, FOREVER, ArchiveOptions, ArchiveSource, read_mentions
from brandmelder.errors import Gone, InputError, ShapeChanged
from brandmelder.model import Mention, SourceId

BLOG = SourceId("blog")
T0 = datetime(2026, 11, 20, 13, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def line(number: int = 1, **more: object) -> dict[str, object]:
    at = (T0 + number * MINUTE).isoformat()
    return {"id": f"m{number}", "source": "blog", "url": f"https://b.example/{number}", "author": "Mia",
            "text": f"Text {number}", "published_at": at} | more  # fmt: skip


def jsonl(tmp_path, *lines, name="mentions.jsonl"):
    path = tmp_path / name
    raw = "".join((one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)) + "\n" for one in lines)
    path.write_bytes(gzip.compress(raw.encode(), mtime=0) if name.lower().endswith(".gz") else raw.encode())
    return path


def mention(number: int, captured: datetime | None = None) -> Mention:
    at = captured or T0 + number * MINUTE
    return Mention(source=BLOG, external_id=f"m{number}", text="x", published_at=at, captured_at=at)


# ------------------------------------------------------------------- reading


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "A.JSONL.GZ", "a.ndjson"])
def test_json_lines_are_read_plain_or_gzip(tmp_path, name):
    full = line(2, captured_at="2026-11-20T15:00:00+01:00", language="de", reach=120, parent_id=7, own=True, id=2)
    path = jsonl(tmp_path, line(1), "", full, name=name)
    assert list(read_mentions(path)) == [
        Mention(
            source=BLOG,
            external_id="m1",
            text="Text 1",
            url="https://b.example/1",
            author="Mia",
            published_at=T0 + MINUTE,
            captured_at=T0 + MINUTE,
        ),
        Mention(
            source=BLOG,
            external_id="2",
            text="Text 2",
            url="https://b.example/2",
            author="Mia",
            published_at=T0 + 2 * MINUTE,
            captured_at=T0 + 60 * MINUTE,
            language="de",
            reach=120,
            parent_id="7",
            own=True,
        ),
    ]


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_csv_reads_the_same_as_json(tmp_path, delimiter, name):
    lines = [
        line(1, text='Mit "Anführung",\nUmbruch; und Komma', reach="5", own="true", id="007", language=""),
        line(2, parent_id="m1", captured_at="2026-11-20T13:30:00Z"),
    ]
    names = [*line(), "captured_at", "reach", "own", "parent_id", "language"]
    plain = tmp_path / "plain.csv"
    with plain.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, names, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(lines)
    path = tmp_path / name
    path.write_bytes(gzip.compress(plain.read_bytes(), mtime=0) if name.endswith(".gz") else plain.read_bytes())
    lines[0] |= {"reach": 5, "own": True}
    assert list(read_mentions(path)) == list(read_mentions(jsonl(tmp_path, *lines)))


def test_texts_are_cleaned_and_odd_addresses_dropped(tmp_path):
    path = jsonl(tmp_path, line(1, text="a\u202eb\0 ", url="javascript:alert(1)", author="M\u200bia"))
    found = next(iter(read_mentions(path)))
    assert (found.text, found.url, found.author) == ("ab", "", "Mia")


def test_a_time_after_its_capture_is_flagged(tmp_path):
    found = next(iter(read_mentions(jsonl(tmp_path, line(60, captured_at=T0.isoformat())))))
    assert (found.published_at, found.flags) == (T0, ("future_dated",))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (line(1, published_at="2026-11-20T13:05:11"), "write the zone, as in 2026-11-20T13:05:11+01:00"),
        (line(1, published_at="gestern"), "write it as in 2026-11-20T13:05:11+01:00"),
        ({"id": "1", "source": "blog"}, "every line needs id, source, text and published_at"),
        (line(1, text=None), "text"),
        ("{", "truncated"),
        ("[]", "object"),
        ("nonsense", "malformed"),
        (line(1, reach="many"), "reach"),
    ],
)
def test_a_bad_line_is_named_with_its_place_and_its_remedy(tmp_path, bad, words):
    path = jsonl(tmp_path, line(1), bad, line(2))
    with pytest.raises(InputError, match=re.escape(words)) as caught:
        list(read_mentions(path))
    assert str(caught.value).startswith(f"{path}:2: ")


def test_all_bad_lines_are_named_at_once_up_to_twenty(tmp_path):
    with pytest.raises(InputError) as caught:
        list(read_mentions(jsonl(tmp_path, "x", line(1), "y", line(2))))
    assert [text.split(": ")[0][-2:] for text in str(caught.value).splitlines()] == [":1", ":3"]
    with pytest.raises(InputError, match="nobody read on") as caught:
        list(read_mentions(jsonl(tmp_path, *["x"] * 500)))
    assert len(str(caught.value).splitlines()) == FAULTS + 1


def test_good_lines_come_before_the_error(tmp_path):
    lines = read_mentions(jsonl(tmp_path, line(1), "x", line(2)))
    assert [next(lines).external_id, next(lines).external_id] == ["m1", "m2"]
    with pytest.raises(InputError):
        next(lines)


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("gone.jsonl", None, "No such file"),
        ("a.jsonl.gz", b"not gzip", "whole"),
        ("a.jsonl.gz", gzip.compress(b"x" * 5000, mtime=0)[:-12], "whole"),
        ("a.csv", b"id;text\n1;x\n", "header names no source, published_at"),
        ("a.csv", b"", "header names no id"),
        ("a.csv", b"id,source,text,published_at\n1,b,\xff\xfe,x\n", "UTF-8"),
        ("a.csv", b'id,source,text,published_at\n1,b,"' + b"x" * 200_000 + b'",x\n', "field larger"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, raw, words):
    path = tmp_path / name
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(InputError, match=words):
        list(read_mentions(path))


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(InputError, match="directory"):
        list(read_mentions(tmp_path))


def test_bad_rows_of_csv_are_named_by_their_first_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('id,source,text,published_at\n1,b,"zwei\nZeilen",2026-11-20T13:00:00Z\n2,b,x,gestern\n\n,,,\n')
    with pytest.raises(InputError) as caught:
        list(read_mentions(path))
    assert str(caught.value).startswith(f"{path}:4: ")


@given(st.binary(max_size=200))
def test_noise_is_an_input_error_or_nothing(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("noise") / "a.jsonl"
    path.write_bytes(noise)
    with contextlib.suppress(InputError):
        assert list(read_mentions(path)) == []


# ----------------------------------------------------------------- releasing


async def drain(source, now, cursor=None):
    found = []
    while True:
        poll = await source.poll(cursor, now)
        cursor = poll.cursor or cursor
        found += poll.mentions
        if not poll.more:
            return found, poll, cursor


async def test_mentions_are_released_when_they_were_captured():
    source = ArchiveSource.from_mentions(BLOG, [mention(3), mention(1), mention(2)])
    found, poll, cursor = await drain(source, T0 + MINUTE)
    assert [one.external_id for one in found] == ["m1"]
    assert (poll.not_before, poll.read_until) == (T0 + 2 * MINUTE, T0 + 2 * MINUTE)
    found, poll, cursor = await drain(source, T0 + 2 * MINUTE, cursor)
    assert [one.external_id for one in found] == ["m2"]
    found, poll, cursor = await drain(source, T0 + 99 * MINUTE, cursor)
    assert [one.external_id for one in found] == ["m3"]
    assert poll.not_before is None
    found, poll, cursor = await drain(source, T0 + 100 * MINUTE, cursor)
    assert (found, poll.read_until, poll.not_before) == ([], FOREVER, None)


async def test_what_was_captured_before_the_first_poll_is_history():
    source = ArchiveSource.from_mentions(BLOG, [mention(1), mention(2), mention(3)])
    found, _, cursor = await drain(source, T0 + 2 * MINUTE)
    assert [one.history for one in found] == [True, False]
    found, _, _ = await drain(source, T0 + 9 * MINUTE, cursor)
    assert [one.history for one in found] == [False]


async def test_no_poll_holds_more_than_a_thousand_and_no_mark_is_set_too_early():
    source = ArchiveSource.from_mentions(BLOG, [mention(n, T0) for n in range(2500)])
    sizes, cursor = [], None
    for _ in range(3):
        poll = await source.poll(cursor, T0)
        sizes.append((len(poll.mentions), poll.more, poll.read_until))
        cursor = poll.cursor
    assert sizes == [(1000, True, None), (1000, True, None), (500, False, FOREVER)]


async def test_no_mentions_at_all_is_a_quiet_source():
    found, poll, _ = await drain(ArchiveSource.from_mentions(BLOG, []), T0)
    assert (found, poll.read_until, poll.not_before) == ([], FOREVER, None)


@given(st.lists(st.integers(0, 50), max_size=60), st.lists(st.integers(0, 60), min_size=1, max_size=8))
async def test_whenever_it_is_polled_everything_comes_once_and_in_order(minutes, polls):
    source = ArchiveSource.from_mentions(BLOG, [mention(n, T0 + at * MINUTE) for n, at in enumerate(minutes)])
    found, cursor = [], None
    for at in [*sorted(polls), 60]:
        more, _, cursor = await drain(source, T0 + at * MINUTE, cursor)
        assert all(one.captured_at <= T0 + at * MINUTE for one in more)
        found += more
    assert [one.captured_at for one in found] == sorted(T0 + at * MINUTE for at in minutes)
    assert len({one.external_id for one in found}) == len(minutes)


# ---------------------------------------------------------------- in a config


def archive(path, **more) -> ArchiveSource:
    return ArchiveSource(BLOG, ArchiveOptions(type="archive", path=path, **more))


async def test_a_file_gives_its_own_source_only_or_all(tmp_path):
    path = jsonl(tmp_path, line(1), line(2, source="press"))
    found, _, _ = await drain(archive(path), T0 + 9 * MINUTE)
    assert [one.external_id for one in found] == ["m1"]
    found, _, _ = await drain(archive(path, all=True), T0 + 9 * MINUTE)
    assert [(one.external_id, one.source) for one in found] == [("m1", "blog"), ("m2", "blog")]


async def test_a_file_read_whole_is_not_read_again(tmp_path):
    path = jsonl(tmp_path, line(1))
    source = archive(path)
    _, _, cursor = await drain(source, T0 + 9 * MINUTE)
    assert source._mentions == []
    path.chmod(0)
    for one in (source, archive(path)):  # also after a restart
        found, poll, _ = await drain(one, T0 + 10 * MINUTE, cursor)
        assert (found, poll.read_until) == ([], T0 + 10 * MINUTE)


async def test_a_file_that_grows_is_read_anew_and_its_news_are_news(tmp_path):
    path = jsonl(tmp_path, line(1))
    source = archive(path)
    _, _, cursor = await drain(source, T0 + 5 * MINUTE)
    jsonl(tmp_path, line(1), line(7))
    os.utime(path, (1, 1))
    found, _, _ = await drain(source, T0 + 9 * MINUTE, cursor)
    assert [(one.external_id, one.history) for one in found] == [("m1", True), ("m7", False)]


async def test_a_few_bad_lines_are_told_and_the_rest_is_read(tmp_path):
    source = archive(jsonl(tmp_path, *[line(n) for n in range(9)], "x"))
    found, poll, cursor = await drain(source, T0 + 99 * MINUTE)
    assert len(found) == 9
    assert poll.degraded.startswith("1 of 10 lines cannot be read: line 10: ")
    assert (await source.poll(cursor, T0 + 100 * MINUTE)).degraded == poll.degraded


async def test_many_bad_lines_are_an_error(tmp_path):
    with pytest.raises(ShapeChanged, match=r'source "blog": .*2 of 3 lines'):
        await archive(jsonl(tmp_path, line(1), "x", "y")).poll(None, T0)


async def test_a_missing_file_is_an_error_of_this_source(tmp_path):
    with pytest.raises(Gone, match=r'source "blog": .*mend its path'):
        await archive(tmp_path / "gone.jsonl").poll(None, T0)


async def test_a_broken_file_is_an_error_of_this_source(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"not gzip")
    with pytest.raises(ShapeChanged, match='source "blog": '):
        await archive(path).poll(None, T0)


async def test_a_broken_cursor_is_a_first_contact(tmp_path):
    found, _, _ = await drain(archive(jsonl(tmp_path, line(1))), T0 + 9 * MINUTE, cursor="{")
    assert found[0].history
