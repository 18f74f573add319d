"""What is sent to us: who may send, what can be read, and the suite with messages in place of questions."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from brandmelder.capture.lists import join
from brandmelder.capture.signatures import sign, signed_by, signing_key
from brandmelder.capture.source import Sent
from brandmelder.capture.sources.webhook import WebhookOptions, WebhookSource
from brandmelder.errors import AuthRefused, ShapeChanged, Transient
from brandmelder.model import SourceId
from brandmelder.testing import Face, SourceConformance
from brandmelder.testing.sources import MINUTE
from capture.conftest import NOW

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another key of thirty-two bytes!").decode()
KEY = signing_key(SECRET)


def source(**options):
    values = {"type": "webhook"} | ({} if "token" in options else {"secret": SECRET}) | options
    return WebhookSource(SourceId("one"), WebhookOptions(**values), tools=None)


def message(body, *, ident="msg_1", key=KEY, at=NOW, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = str(int(at.timestamp()))
    signed = {"webhook-id": ident, "webhook-timestamp": stamp, "webhook-signature": sign(key, ident, stamp, raw)}
    return Sent(headers=signed | headers, body=raw)


def created(*rows, kind="mention.created"):
    return {"type": kind, "timestamp": NOW.isoformat(), "data": list(rows) if len(rows) > 1 else rows[0]}


ROW = {"external_id": "t-1", "text": "Nordfunk antwortet nicht", "published_at": "2026-11-20T12:59:00Z",
       "author": "mia", "url": "https://desk.example/t/1"}  # fmt: skip


# ------------------------------------------------------------------ who sent it


def test_the_specification_s_own_example_is_accepted():
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    then = datetime.fromtimestamp(1614265330, UTC)
    body = b'{"test": 2432232314}'
    assert signed_by(headers, body, [KEY], then) == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert signed_by(headers, body.replace(b" ", b""), [KEY], then) is None, "the raw bytes are signed"
    assert signed_by(headers, body, [KEY], then + timedelta(minutes=6)) is None
    assert signed_by(headers, body, [KEY], then - timedelta(minutes=6)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": "msg.1"},
        {"webhook-id": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "٣"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": "v1a,AAAA"},
        {"webhook-signature": ""},
        {"webhook-signature": "ünsigniert"},
    ],
)
def test_a_message_that_is_not_signed_as_it_should_be_is_a_stranger_s(change):
    sent = message(created(ROW))
    with pytest.raises(AuthRefused, match="was not signed"):
        source().receive(Sent(headers={**sent.headers, **change}, body=sent.body), NOW)


def test_old_and_new_secret_are_taken_while_one_is_replaced():
    one = source(secret=OTHER, old_secret=SECRET)
    assert one.receive(message(created(ROW)), NOW).ident == "msg_1"
    assert one.receive(message(created(ROW), key=signing_key(OTHER)), NOW).ident == "msg_1"
    both = message(created(ROW))
    both.headers["webhook-signature"] = "v1,AAAA v1a,BBBB " + both.headers["webhook-signature"]
    assert source().receive(both, NOW).ident == "msg_1"


@pytest.mark.parametrize("between", [" ", "\n", "\n\n  "])
def test_several_secrets_hold_at_once(between):
    one = source(secret=f"{OTHER}{between}{SECRET}\n")
    assert one.receive(message(created(ROW)), NOW).ident == "msg_1"
    assert one.receive(message(created(ROW), key=signing_key(OTHER)), NOW).ident == "msg_1"


@pytest.mark.parametrize("secret", ["", " ", f"{SECRET} short"])
def test_one_wrong_secret_among_several_is_refused(secret):
    with pytest.raises(ValueError, match="is no signing secret"):
        source(secret=secret)


def test_a_sender_that_cannot_sign_bears_a_token():
    one = source(token="geheim")
    body = json.dumps(created(ROW)).encode()
    first = one.receive(Sent(headers={"authorization": "Bearer geheim"}, body=body), NOW)
    again = one.receive(Sent(headers={"authorization": "Bearer geheim"}, body=body), NOW)
    assert first.ident == again.ident, "what numbers nothing is told apart by its bytes"
    with pytest.raises(AuthRefused):
        one.receive(Sent(headers={"authorization": "Bearer falsch"}, body=body), NOW)
    with pytest.raises(AuthRefused):
        one.receive(Sent(headers={}, body=body), NOW)


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()))
def test_no_header_breaks_the_check(headers):
    assert signed_by(headers, b"{}", [KEY], NOW) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"secret": "geheim"}, "whsec_ and the base64"),
        ({"secret": "whsec_" + base64.b64encode(b"short").decode()}, "24 to 64 bytes"),
        ({"secret": None}, "exactly one of secret"),
        ({"token": "x", "secret": SECRET}, "exactly one of secret"),
        ({"items": "rows"}, "items needs fields"),
        ({"listen": "8072"}, "no place to listen"),
    ],
)
def test_what_would_not_work_is_refused_before_anything_listens(options, said):
    with pytest.raises(ValidationError, match=said):
        WebhookOptions(**({"type": "webhook", "secret": SECRET} | options))


# --------------------------------------------------------------- what it says


def test_a_message_becomes_a_mention():
    (one,) = source(own_accounts=["nordfunk"]).receive(message(created(ROW)), NOW).poll.mentions
    assert (one.external_id, one.text, one.author, one.url) == (
        "t-1", "Nordfunk antwortet nicht", "mia", "https://desk.example/t/1",
    )  # fmt: skip
    assert one.published_at == NOW - MINUTE


def test_several_come_in_one_message_and_are_taken_away_in_one():
    rows = [ROW | {"external_id": f"t-{n}"} for n in range(100)]
    assert len(source().receive(message(created(*rows)), NOW).poll.mentions) == 100
    gone = [{"external_id": "t-1"}, {"external_id": "t-2"}]
    poll = source().receive(message(created(*gone, kind="mention.deleted")), NOW).poll
    assert ([one.external_id for one in poll.removals], poll.mentions) == (["t-1", "t-2"], ())


def test_a_service_s_own_json_is_mapped():
    one = source(
        items="posts[?public]",
        fields={"external_id": "id", "text": "raw", "author": "by.name", "deleted": "gone"},
    )
    body = {"posts": [{"id": 7, "raw": "<b>Nordfunk</b>", "by": {"name": "mia"}, "public": True},
                      {"id": 8, "raw": "", "public": True, "gone": True},
                      {"id": 9, "raw": "intern", "public": False}]}  # fmt: skip
    poll = one.receive(message(body), NOW).poll
    assert [(m.external_id, m.author) for m in poll.mentions] == [("7", "mia")]
    assert [r.external_id for r in poll.removals] == ["8"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"type": ', "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'"nichts"', "type is none of"),
        (created(ROW, kind="ticket.created"), "type is none of"),
        (created({"text": "ohne Kennung"}), "external_id finds nothing"),
        (created(ROW | {"text": ""}), "text finds nothing"),
        (created(ROW | {"published_at": "gestern"}), "is no time"),
        (created(ROW, {"text": "ohne Kennung"}), "1 of 2 rows"),
        (created(*[ROW] * 101), "at most 100"),
    ],
)
def test_a_message_that_cannot_be_read_whole_is_refused_whole(body, said):
    with pytest.raises(ShapeChanged, match=said):
        source().receive(message(body), NOW)


async def test_silence_longer_than_expected_is_blindness_and_a_heartbeat_ends_it():
    one = source(expect="1h")
    poll = await one.poll(None, NOW)
    assert poll.read_until == NOW
    cursor = (await one.poll(poll.cursor, NOW + 59 * MINUTE)).cursor
    with pytest.raises(Transient, match="nothing has come since 2026-11-20 13:00"):
        await one.poll(cursor, NOW + 61 * MINUTE)
    later = NOW + 70 * MINUTE
    arrival = one.receive(message({"type": "heartbeat"}, at=later), later)
    assert (await one.poll(cursor, later)).read_until == later, "also before its cursor is committed"
    assert (await source(expect="1h").poll(arrival.poll.cursor, later)).read_until == later, "and after a restart"


def test_each_heartbeat_is_one_of_its_own_though_its_sender_numbers_nothing():
    one = source(token="t", expect="1h")
    sent = Sent(headers={"authorization": "Bearer t"}, body=b'{"type": "heartbeat"}')
    first, second = one.receive(sent, NOW), one.receive(sent, NOW + 30 * MINUTE)
    assert first.ident != second.ident
    assert first.ident == one.receive(sent, NOW).ident


# ------------------------------------------------------------------- the suite


class Sender(Face):
    """Sends a message for whatever happens, and repeats the last ones: it was not told whether they were kept."""

    def __init__(self):
        super().__init__()
        self.known, self.sent, self.messages = {}, 0, []

    def answer(self, asked):
        raise AssertionError(f"nobody is asked: {asked.path}")

    async def show(self):
        seen = {one.number: one.text for one in self.posts.values() if not one.is_hidden}
        fresh = [number for number, text in seen.items() if self.known.get(number) != text]
        rows = [self._row(self.posts[number]) for number in fresh]
        for start in range(0, len(rows), 100):
            self._send("mention.created", rows[start : start + 100])
        for number in self.known.keys() - seen.keys():
            self._send("mention.deleted", [{"external_id": str(number)}])
        self.known = seen

    @staticmethod
    def _row(post):
        return {"external_id": str(post.number), "text": post.text, "published_at": post.at.isoformat()}

    def _send(self, kind, data):
        self.sent += 1
        self.messages.append((f"msg_{self.sent}", {"type": kind, "data": data}))

    def outbox(self):
        return [message(body, ident=ident, at=self.now()) for ident, body in self.messages[-8:]]


class Doorstep:
    """The source as the pipeline uses it: what lies before the door is taken in, then it is polled."""

    def __init__(self, inner, face):
        self.id, self._inner, self._face = inner.id, inner, face

    async def poll(self, cursor, now):
        polls = [self._inner.receive(sent, now).poll for sent in self._face.outbox()]
        last = await self._inner.poll(cursor, now)
        return join([*polls, last], cursor=last.cursor, read_until=last.read_until)


class TestWebhook(SourceConformance):
    over_http = False

    def make_face(self):
        self.face = Sender()
        return self.face

    def make_source(self, tools, url):
        del tools, url
        return Doorstep(source(), self.face)

    async def test_the_first_poll_reads_history_and_marks_it(self):
        """There is no history to be had: what is sent is news."""
