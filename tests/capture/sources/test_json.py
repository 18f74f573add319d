"""A service nobody wrote a source for, read by a mapping."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from pydantic import ValidationError

from brandmelder.capture import mapping
from brandmelder.capture.backward import Trail
from brandmelder.capture.source import Answer, Tools
from brandmelder.capture.sources.json import JsonOptions, JsonSource, _next_link
from brandmelder.errors import AuthRefused, Blocked, ShapeChanged
from brandmelder.model import Cursor, SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR, MINUTE

NOW = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
FIELDS = {
    "external_id": "id",
    "text": "[subject, body][?@]",
    "published_at": "created_at",
    "url": "web_url",
    "author": "requester.name",
}


class DeskFace(Face):
    """A help desk: tickets newest first, 25 a page, in every style of paging; a deleted one says so."""

    def __init__(self, style="page"):
        super().__init__()
        self.style = style
        self.gone = set()
        self.elsewhere = ""

    def delete(self, post):
        self.gone.add(post.number)

    def newest_first(self):
        return [post for post in super().newest_first() if post.number not in self.gone]

    def answer(self, asked):
        if asked.path == "/token":
            ok = asked.body == b"grant_type=client_credentials&client_id=desk&client_secret=s"
            return Said.json({"access_token": "t"} if ok else {"error": "invalid_client"}, status=200 if ok else 401)
        number = int(asked.query.get("page", "1"))
        start = int(asked.query.get("offset", asked.query.get("cursor", "") or (number - 1) * 25))
        listed = super().newest_first()
        rows = [self._ticket(post) for post in listed[start : start + 25]]
        is_more = start + 25 < len(listed)
        following = f"{self.elsewhere or self.url}/api/tickets?offset={start + 25}"
        told = {"tickets": rows, "next": None}
        headers = {}
        if is_more:
            told["next"] = {"cursor": str(start + 25), "next_url": following}.get(self.style)
            headers = {"link": f'<{following}>; rel="next", <x>; rel="last"'} if self.style == "link" else {}
        return Said.json(told, **headers)

    def _ticket(self, post):
        if post.number in self.gone:
            return {"id": post.number, "status": "deleted"}
        return {
            "id": post.number,
            "subject": None,
            "body": post.text,
            "created_at": int(post.at.timestamp()),
            "web_url": f"https://desk.example/{post.number}",
            "requester": {"name": post.author},
        }


def source(tools, base, **options):
    values = {
        "type": "json",
        "url": f"{base}/api/tickets?page={{page}}",
        "items": "tickets",
        "fields": FIELDS | {"deleted": "status == 'deleted'"},
        "paging": {"style": "page", "size": 25},
    } | options
    return JsonSource(SourceId("one"), JsonOptions(**values), tools)


class Conformance(SourceConformance):
    page = 25
    follows_edits = False
    releases_late = False
    follows_deletions = False
    style, place, following = "page", "?page={page}", None

    def make_face(self):
        return DeskFace(self.style)

    def make_source(self, tools, url):
        paging = {"style": self.style, "size": 25} | ({"next": self.following} if self.following else {})
        return source(tools, url, url=f"{url}/api/tickets{self.place}", paging=paging)


class TestByPage(Conformance):
    async def test_a_row_that_says_it_was_deleted_is_a_removal(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "Nordfunk")
            await stage.reader.poll()
            stage.face.delete(post)
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            assert stage.reader.removed == {"1"}

    async def test_some_bad_rows_are_said_and_many_are_a_change_of_shape(self):
        async with self.reading() as stage:
            for number in range(9):
                stage.face.write(stage.now - HOUR, f"Nordfunk {number}")
            stage.face.write(stage.now, "")
            poll = await stage.reader.poll()
            assert poll.degraded == "1 of 10 rows cannot be mapped: text finds nothing"
            for _ in range(3):
                stage.face.write(stage.now, "")
            with pytest.raises(ShapeChanged, match="4 of 13 rows cannot be mapped"):
                await stage.reader.poll()


class TestByOffset(Conformance):
    style, place = "offset", "?offset={offset}"


class TestByCursor(Conformance):
    style, place, following = "cursor", "?cursor={cursor}", "next"


class TestByLink(Conformance):
    style, place = "link", ""


class TestByAddress(Conformance):
    style, place, following = "next_url", "", "next"

    async def test_a_next_page_on_another_host_is_never_asked_for(self):
        async with self.reading() as stage:
            for number in range(30):
                stage.face.write(stage.now, f"Nordfunk {number}")
            stage.face.elsewhere = "http://127.0.0.2:1"
            with pytest.raises(Blocked, match="another host"):
                await stage.reader.poll()


class TestFromATimeOn(Conformance):
    follows_edits = True
    place = "?page={page}&since={since_iso}&unix={since_unix}"

    async def test_it_asks_from_where_it_had_read_less_the_overlap(self):
        async with self.reading() as stage:
            await stage.reader.poll()
            first = stage.now
            stage.later(HOUR)
            await stage.reader.poll()
            assert stage.asked[-1].query["since"] == f"{first - 10 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("options", "header", "value"),
    [
        ({"token": Secret("t")}, "authorization", "Bearer t"),
        ({"token": Secret("t"), "token_header": "X-Api-Key"}, "x-api-key", "t"),
        ({"user": "a", "password": Secret("b")}, "authorization", "Basic YTpi"),
    ],
)
async def test_each_way_of_logging_in(options, header, value):
    suite = TestByPage()
    async with suite.reading() as stage:
        stage.reader.source = source(stage.reader.source._tools, stage.url, **options)
        await stage.reader.poll()
        assert stage.asked[-1].headers[header] == value


async def test_a_token_in_the_address_and_credentials_of_a_client():
    suite = TestByPage()
    async with suite.reading() as stage:
        tools = stage.reader.source._tools
        stage.reader.source = source(tools, stage.url, token=Secret("t"), token_query="key")
        await stage.reader.poll()
        assert stage.asked[-1].query["key"] == "t"
        client = {"user": "desk", "token_url": f"{stage.url}/token"}
        stage.reader.source = source(tools, stage.url, client_secret=Secret("s"), **client)
        await stage.reader.poll()
        assert stage.asked[-1].headers["authorization"] == "Bearer t"
        stage.reader.source = source(tools, stage.url, client_secret=Secret("wrong"), **client)
        with pytest.raises(AuthRefused, match="invalid_client"):
            await stage.reader.poll()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"items": "tickets["}, "no JMESPath expression"),
        ({"url": "https://x.example/{seite}"}, "{seite} is not filled in"),
        ({"url": "https://x.example/"}, "needs {page} in url"),
        ({"paging": {"style": "cursor"}}, "needs next"),
        ({"token": Secret("t"), "user": "a", "password": Secret("b")}, "one way"),
        ({"password": Secret("b")}, "need user"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(options, said):
    with pytest.raises(ValidationError) as refused:
        source(None, "https://x.example", **options)
    assert said in str(refused.value)


async def test_rows_that_stand_elsewhere_say_so():
    suite = TestByPage()
    async with suite.reading() as stage:
        stage.reader.source = source(stage.reader.source._tools, stage.url, items="results")
        with pytest.raises(ShapeChanged, match="items 'results' finds nothing"):
            await stage.reader.poll()


@pytest.mark.parametrize("row", [{"a": {"b": 3}}, {"a": None}, {"a": [1]}, {}, {"a": "x"}, "x", None, 7, [{"a": 1}]])
@pytest.mark.parametrize("path", ["a", "a.b", "a.b.c"])
def test_a_plain_path_finds_what_jmespath_finds(path, row):
    assert mapping._picker(path)(row) == mapping._compiled(path).search(row)


async def test_whoever_an_answer_was_redirected_to_is_never_sent_our_token():
    asked = []

    async def redirected(url, **question):
        asked.append((url, question["headers"].get("authorization")))
        rows = [{"id": len(asked), "body": "fremd", "created_at": 1}]
        body = json.dumps({"tickets": rows, "next": "https://elsewhere.example/api?page=2"}).encode()
        place = url if "elsewhere" in url else "https://elsewhere.example/api"
        return Answer(url=place, status=200, headers={"content-type": "application/json"}, body=body)

    one = source(
        Tools(fetch=redirected, parse_feed=None), "https://desk.example", url="https://desk.example/api/tickets",
        paging={"style": "next_url", "next": "next"}, token=Secret("geheim"),
    )  # fmt: skip
    with pytest.raises(Blocked, match=r"redirected to elsewhere\.example"):
        await one.poll(None, NOW)
    assert asked == [("https://desk.example/api/tickets", "Bearer geheim")]


async def test_a_next_page_that_an_old_cursor_names_elsewhere_is_not_asked_for():
    async def never(url, **question):
        raise AssertionError(url)

    trail = Trail(place="https://desk.example/api", first=NOW, began=NOW, page="https://elsewhere.example/api?page=2")
    one = source(
        Tools(fetch=never, parse_feed=None), "", url="https://desk.example/api",
        paging={"style": "next_url", "next": "next"}, token=Secret("geheim"),
    )  # fmt: skip
    with pytest.raises(Blocked, match="another host"):
        await one.poll(Cursor(msgspec.json.encode(trail).decode()), NOW)


async def test_a_token_that_a_service_takes_back_early_is_asked_for_anew():
    suite = TestByPage()
    async with suite.reading() as stage:
        plain, given = stage.face.answer, []

        def answer(asked):
            if asked.path == "/token":
                given.append(f"t{len(given)}")
                return Said.json({"access_token": given[-1], "expires_in": 86_400})
            is_let_in = asked.headers["authorization"] == f"Bearer {given[-1]}" and len(given) != 1
            return plain(asked) if is_let_in else Said.json({"error": "invalid_token"}, status=401)

        stage.face.answer = answer
        client = {"user": "desk", "token_url": f"{stage.url}/token"}
        stage.reader.source = source(stage.reader.source._tools, stage.url, client_secret=Secret("s"), **client)
        with pytest.raises(AuthRefused):
            await stage.reader.poll()
        stage.later(5 * MINUTE)
        await stage.reader.poll()
        assert given == ["t0", "t1"]


@pytest.mark.parametrize("row", [{"reach": 2**63}, {"reach": 10**30}, {"reach": -5}, {"published_at": 10**400}])
async def test_a_number_beyond_all_measure_hides_no_other_row(row):
    suite = TestByPage()
    async with suite.reading() as stage:
        plain = stage.face.answer

        def answer(asked):
            told = json.loads(plain(asked).body)
            told["tickets"][0] |= {"reach": row.get("reach"), "created_at": row.get("published_at", 1_795_179_911)}
            return Said.json(told)

        for number in range(9):
            stage.face.write(stage.now - HOUR, f"Nordfunk {number}")
        stage.face.answer = answer
        stage.reader.source = source(stage.reader.source._tools, stage.url, fields=FIELDS | {"reach": "reach"})
        await stage.reader.poll()
        assert len(stage.reader.stored) == 9 - ("published_at" in row)
        assert all(one.reach is None or one.reach < 2**63 for one in stage.reader.stored.values())


# ------------------------------------------------------------------ asked for what is new


class SinceFace(DeskFace):
    """Tells what changed since a moment, oldest first; `updated_at` is what it goes by, whenever a ticket was made."""

    def answer(self, asked):
        since = int(asked.query["since"])
        listed = [post for post in reversed(self.newest_first()) if post.at.timestamp() >= since]
        number = int(asked.query.get("page", "1"))
        rows = [self._ticket(post) for post in listed[(number - 1) * 25 : number * 25]]
        return Said.json({"tickets": rows})


async def test_what_is_told_since_a_moment_is_read_to_its_end_however_old_it_is():
    suite = Conformance()
    suite.make_face = SinceFace
    async with suite.reading() as stage:
        stage.reader.source = source(
            stage.reader.source._tools, stage.url,
            url=f"{stage.url}/api/tickets?since={{since_unix}}&page={{page}}", overlap="6h",
        )  # fmt: skip
        await stage.reader.poll()
        for number in range(60):
            stage.face.write(stage.now - 5 * HOUR + number * MINUTE, f"Nordfunk alt {number}")
        stage.face.write(stage.now, "Nordfunk neu")
        stage.later(5 * MINUTE)
        await stage.reader.poll()
        assert "Nordfunk neu" in stage.reader.texts()


async def test_more_than_a_walk_may_read_of_what_is_new_is_a_declared_gap_up_to_now():
    suite = Conformance()
    suite.make_face = SinceFace
    async with suite.reading() as stage:
        stage.reader.source = source(
            stage.reader.source._tools, stage.url,
            url=f"{stage.url}/api/tickets?since={{since_unix}}&page={{page}}",
        )  # fmt: skip
        await stage.reader.poll()
        for number in range(1_300):
            stage.face.write(stage.now + number * timedelta(seconds=0.1), f"Nordfunk {number}")
        stage.later(5 * MINUTE)
        await stage.reader.poll()
        (gap,) = stage.reader.gaps
        assert gap.until == stage.now


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<https://desk.example/a?fields=id,text&page=2>; rel="next"', "https://desk.example/a?fields=id,text&page=2"),
        ('<https://desk.example/1>; rel="prev", </a?page=2>; rel=next', "/a?page=2"),
        ('</a?page=2>; title="mehr, viel"; rel="next last"', "/a?page=2"),
        ('</a>; rel="nextish"', ""),
        ('</a>; title="rel=next"', ""),
        ("<" * 5_000, ""),
    ],
)
def test_the_next_page_of_a_link_header_is_found(header, found):
    assert _next_link(header) == found


async def test_a_token_that_a_service_repeats_in_its_next_address_does_not_go_into_the_database():
    asked = []

    async def answer(url, **_question):
        asked.append(url)
        told = {"tickets": [{"id": 1, "body": "Nordfunk"}], "next": f"{url}&page=2"}
        return Answer(url=url, status=200, headers={"content-type": "application/json"}, body=json.dumps(told).encode())

    one = source(
        Tools(fetch=answer, parse_feed=None), "", url="https://desk.example/api?a=b", token=Secret("geheim"),
        token_query="api_key", paging={"style": "next_url", "next": "next"},
        fields={"external_id": "id", "text": "body"},
    )  # fmt: skip
    poll = await one.poll(None, NOW)
    assert "geheim" not in poll.cursor
    await one.poll(poll.cursor, NOW)
    assert [url.count("geheim") for url in asked] == [1, 1]


async def test_a_page_that_the_service_has_forgotten_begins_the_walk_anew():
    suite = TestByCursor()
    async with suite.reading() as stage:
        for number in range(60):
            stage.face.write(stage.now - HOUR + number * MINUTE, f"Nordfunk {number}")
        first = await stage.reader.source.poll(None, stage.now)
        assert first.more
        plain, refused = stage.face.answer, []

        def answer(asked):
            if asked.query.get("cursor") == "25" and not refused:
                refused.append(asked)
                return Said.json({"error": "cursor expired"}, status=400)
            return plain(asked)

        stage.face.answer = answer
        again = await stage.reader.source.poll(first.cursor, stage.now)
        assert len(again.mentions) == 25
        assert not again.more, "a service that never gives a second page is not asked in circles"
        assert "400" in again.degraded
        stage.reader.cursor = again.cursor
        await stage.reader.poll()
        assert len(stage.reader.texts() | {one.text for one in again.mentions}) == 60
