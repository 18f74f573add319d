"""Letters through the standard library to a real mail server."""

import smtplib
import socket
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import ValidationError

from brandmelder.model import ChannelId, Form
from brandmelder.notify.channels.mail import MailNotifier
from brandmelder.notify.channels.mail_html import html_of
from brandmelder.notify.channels.mail_letter import letter
from brandmelder.notify.channels.mail_options import MailOptions
from brandmelder.notify.channels.mail_outcomes import Phase, outcome_of, outcome_of_refusals
from brandmelder.notify.message import Button, Callee, Line, QuoteText, Span
from brandmelder.notify.notifier import NotDelivered, RefusedForm, RefusedPlace, Sent, Tools, Unclear, Uneditable
from brandmelder.notify.raster import can_draw
from brandmelder.options import Secret
from notify.channels.samples import ALERT, a_subject
from notify.test_chart import chart as a_chart
from peers.certificate import trusting_context
from peers.mail import PASSWORD, USER, MailPeer

KEY = "NF-2026-042:open:post"
AT = datetime(2026, 11, 22, 20, 15, tzinfo=UTC)
TOLD = replace(ALERT, subject=a_subject(severity=4))
ID = f"<NF-2026-042.open.post.{int(TOLD.subject.opened_at.timestamp())}@nordfunk.example>"


async def no_web(*_, **__):
    raise AssertionError("a letter does not travel by HTTP")


TOOLS = Tools(exchange=no_web, now=lambda: AT)


def options(port=25, **fields):
    fields = {
        "server": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "Brandmelder <alarm@nordfunk.example>",
        "to": ("anna@nordfunk.example", "Bert <bert@nordfunk.example>"),
    } | fields
    return MailOptions(type="mail", **fields)


@asynccontextmanager
async def scene(*, tls="none", login=False, deadline=20.0, trust=None, **fields):
    async with MailPeer(tls=tls, login=login) as peer:
        if login:
            fields = {"user": USER, "password": Secret(PASSWORD)} | fields
        notifier = MailNotifier(
            ChannelId("post"),
            options(peer.port, security=tls, **fields),
            TOOLS,
            trust=trust or trusting_context(),
            deadline=timedelta(seconds=deadline),
        )
        yield peer, notifier
        await notifier.close()
        assert peer.complaints == []


async def push(notifier, message=TOLD, *, key=KEY, thread=None, form=Form.FULL):
    return await notifier.push(message, key=key, thread=thread, form=form)


# ----------------------------------------------------------------------- the letter


async def test_a_letter_arrives_with_plain_text_first_and_its_key_as_message_id():
    async with scene() as (peer, notifier):
        assert await push(notifier) == Sent(ID)
        (seen,) = peer.letters
        assert seen.sender == "alarm@nordfunk.example"
        assert seen.recipients == ("anna@nordfunk.example", "bert@nordfunk.example")
        assert seen["Message-ID"] == ID
        assert str(seen["From"]) == "Brandmelder <alarm@nordfunk.example>"
        assert seen["Subject"] == "🔴 Nordfunk – Negative Erwähnungen: 38 in 60 min, üblich 2–6"
        assert seen["Date"].datetime == AT
        assert [part.get_content_type() for part in seen.mail.iter_parts()] == ["text/plain", "text/html"]
        assert seen.text.startswith(TOLD.lock_screen)
        assert "Seit Stunden kein Netz." in seen.text
        assert 'href="https://blog.example/1"' in seen.html


async def test_it_says_that_a_machine_wrote_it_and_how_urgent_it_is():
    async with scene() as (peer, notifier):
        await push(notifier)
        await push(notifier, replace(TOLD, subject=a_subject(severity=2)))
        loud, calm = peer.letters
        assert (loud["Auto-Submitted"], loud["Importance"]) == ("auto-generated", "high")
        assert calm["Importance"] is None


async def test_news_stands_in_the_conversation_of_the_alert():
    async with scene() as (peer, notifier):
        alert = await push(notifier)
        await push(notifier, key="NF-2026-042:thread:5:post", thread=alert.ref)
        first, second = peer.letters
        assert first["In-Reply-To"] is None
        assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
        assert second["Message-ID"] != first["Message-ID"]


async def test_the_lesser_form_is_text_alone():
    async with scene() as (peer, notifier):
        await push(notifier, form=Form.PLAIN)
        (seen,) = peer.letters
        assert seen.mail.get_content_type() == "text/plain"
        assert seen.html is None


async def test_two_databases_that_number_alike_do_not_share_a_message_id():
    async with scene() as (_, notifier):
        one = await push(notifier)
        other = await push(notifier, replace(TOLD, subject=a_subject(opened_at=AT + timedelta(days=1))))
        assert one.ref != other.ref


async def test_what_was_mailed_is_neither_edited_nor_looked_for_nor_called_back():
    async with scene() as (peer, notifier):
        assert (notifier.can_update, notifier.can_find) == (False, False)
        assert isinstance(await notifier.update(ID, TOLD, key=KEY, form=Form.FULL), Uneditable)
        assert isinstance(await notifier.delete(ID), RefusedPlace)
        assert peer.connections == 0


# ------------------------------------------------------------------ hostile words


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.links, self.attributes = set(), [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name in {"href", "src"}]


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "\r\nBcc: all@example.org",
            "a\nSubject: b",
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "\u202eevil\u202c",
            "=?utf-8?q?=0d=0aBcc:_x?=",
            "\x00\x1b[31m",
            "javascript:alert(1)",
            "\u2028X: y",
            "\r\n.\r\nMAIL FROM:<x@y>",
        ]
    ),
)
OURS = {
    "html",
    "head",
    "meta",
    "title",
    "body",
    "div",
    "h1",
    "p",
    "b",
    "table",
    "tr",
    "td",
    "blockquote",
    "br",
    "span",
    "a",
}


def hostile(words):
    return replace(
        TOLD,
        headline=f"Nordfunk {words}"[:150],
        sentence=(Span(text=words, foreign=True), Span(text=words, bold=True)),
        spark=words,
        lines=(Line(label=words, spans=(Span(text=words, foreign=True),)),),
        honest=(words,),
        quotes=(QuoteText(text=words, label=words, url="https://blog.example/1"), QuoteText(text=words, label=words)),
        buttons=(Button(act="details", label=words, url=f"javascript:{words}"),),
        footer=((Span(text=words),),),
    )


@given(HOSTILE)
def test_hostile_words_make_no_header_no_tag_and_no_link(words):
    mail = letter(hostile(words), key=KEY, thread=None, form=Form.FULL, options=options())
    names = ["From", "To", "Subject", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "Importance"]
    assert list(mail.keys()) == [*names, "X-Priority", "MIME-Version", "Content-Type"]
    assert "\n" not in mail["Subject"]
    mail.as_bytes().decode("ascii")
    page = Tags(html_of(hostile(words)))
    assert page.tags <= OURS
    assert set(page.links) == {"https://blog.example/1"}
    assert not {name for name in page.attributes if name.startswith("on")}


async def test_a_lonely_dot_does_not_end_the_letter():
    async with scene() as (peer, notifier):
        await push(notifier, replace(TOLD, honest=("vor", ".", "nach")), form=Form.PLAIN)
        assert "nach" in peer.letters[0].text


# ------------------------------------------------------------- secrecy and log-in


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_letter_travels_under_tls_after_a_log_in(tls):
    async with scene(tls=tls, login=True) as (peer, notifier):
        assert isinstance(await push(notifier), Sent)
        assert list(await notifier.check()) == []
        assert len(peer.letters) == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_that_nobody_signed_gets_neither_password_nor_letter(tls):
    async with scene(tls=tls, login=True, trust=ssl.create_default_context()) as (peer, notifier):
        assert isinstance(await push(notifier), NotDelivered)
        assert peer.letters == []
        (trouble,) = await notifier.check()
        assert "SSLCertVerificationError" in trouble


async def test_a_server_without_starttls_gets_nothing_in_clear():
    async with MailPeer() as peer:
        notifier = MailNotifier(ChannelId("post"), options(peer.port, security="starttls"), TOOLS)
        outcome = await push(notifier)
        assert isinstance(outcome, RefusedPlace)
        assert "does not offer" in outcome.reason
        assert peer.letters == []


async def test_a_wrong_password_is_said_and_does_not_stand_in_the_reason():
    async with scene(tls="starttls", login=True, password=Secret("wr0ng")) as (_, notifier):
        outcome = await push(notifier)
        assert isinstance(outcome, RefusedPlace)
        assert "535" in outcome.reason
        assert "wr0ng" not in outcome.reason


# ------------------------------------------------------------------- what it means


async def test_a_server_that_is_down_got_nothing():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        notifier = MailNotifier(ChannelId("post"), options(free.getsockname()[1]), TOOLS)
        assert isinstance(await push(notifier), NotDelivered)


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"MAIL": "451 try later"}, NotDelivered),
        ({"MAIL": "553 no such sender"}, RefusedPlace),
        ({"RCPT": "450 greylisted"}, NotDelivered),
        ({"RCPT": "550 no such user"}, RefusedPlace),
        ({"RCPT anna@nordfunk.example": "550 gone", "RCPT bert@nordfunk.example": "450 later"}, NotDelivered),
        ({"DATA": "451 disk full"}, NotDelivered),
        ({"DATA": "554 looks like spam"}, RefusedForm),
        ({"DATA": "552 too large"}, RefusedForm),
    ],
)
async def test_what_the_server_says_no_to(answers, kind):
    async with scene() as (peer, notifier):
        peer.answers = answers
        assert type(await push(notifier)) is kind
        assert peer.letters == []


async def test_who_can_be_reached_is_told_and_the_rest_is_noted():
    async with scene() as (peer, notifier):
        peer.answers = {"RCPT anna@nordfunk.example": "550 gone"}
        assert await push(notifier) == Sent(ID, note="1 of the recipients were refused (550)")
        assert peer.letters[0].recipients == ("bert@nordfunk.example",)


@pytest.mark.parametrize(
    ("fault", "arrived", "kind"),
    [("lost_before", 0, Unclear), ("lost_after", 1, Unclear), ("close_at_data", 0, Unclear)],
)
async def test_a_connection_lost_at_the_letter_leaves_it_open_whether_it_arrived(fault, arrived, kind):
    async with scene() as (peer, notifier):
        peer.fault = fault
        assert type(await push(notifier)) is kind
        assert len(peer.letters) == arrived


@pytest.mark.parametrize(("fault", "kind"), [("silent", NotDelivered), ("silent_after", Unclear)])
async def test_a_silent_server_is_left_when_the_time_is_over(fault, kind):
    async with scene(deadline=1.5) as (peer, notifier):
        peer.fault = fault
        assert type(await push(notifier)) is kind


RESPONSE = smtplib.SMTPResponseException
EARLY = [phase for phase in Phase if phase is not Phase.LETTER]


@pytest.mark.parametrize("phase", EARLY)
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(111, "refused"), NotDelivered),
        (socket.gaierror(-2, "unknown name"), NotDelivered),
        (ssl.SSLError(1, "wrong version"), NotDelivered),
        (ssl.SSLCertVerificationError("expired"), NotDelivered),
        (TimeoutError(), NotDelivered),
        (smtplib.SMTPServerDisconnected("closed"), NotDelivered),
        (RESPONSE(421, b"busy"), NotDelivered),
        (RESPONSE(454, b"later"), NotDelivered),
        (RESPONSE(-1, b"nonsense"), NotDelivered),
        (RESPONSE(530, b"log in"), RefusedPlace),
        (smtplib.SMTPAuthenticationError(535, b"bad"), RefusedPlace),
        (RESPONSE(550, b"no"), RefusedPlace),
        (smtplib.SMTPNotSupportedError("no STARTTLS"), RefusedPlace),
        (RuntimeError("anything else"), NotDelivered),
    ],
    ids=repr,
)
def test_before_the_letter_nothing_can_have_arrived(phase, error, kind):
    assert type(outcome_of(error, phase)) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (smtplib.SMTPDataError(451, b"later"), NotDelivered),
        (smtplib.SMTPDataError(552, b"too large"), RefusedForm),
        (smtplib.SMTPDataError(554, b"spam"), RefusedForm),
        (smtplib.SMTPDataError(-1, b"nonsense"), Unclear),
        (smtplib.SMTPDataError(354, b"go on"), Unclear),
        (smtplib.SMTPServerDisconnected("closed"), Unclear),
        (ConnectionResetError(104, "reset"), Unclear),
        (TimeoutError(), Unclear),
        (ssl.SSLError(1, "broken"), Unclear),
        (RuntimeError("anything else"), Unclear),
    ],
    ids=repr,
)
def test_at_the_letter_anything_unknown_may_have_arrived(error, kind):
    assert type(outcome_of(error, Phase.LETTER)) is kind


def test_one_recipient_that_takes_it_is_enough():
    assert outcome_of_refusals({"a": 550}, 2) is None
    assert outcome_of_refusals({}, 1) is None


def test_what_a_server_says_is_shown_on_one_printable_line():
    reason = outcome_of(RESPONSE(550, b"no\r\n\x1b[31m way \xff"), Phase.ENVELOPE).reason
    assert reason.isprintable()


# ---------------------------------------------------------------------- the options


@pytest.mark.parametrize(
    "bad",
    [
        {"sender": "nobody"},
        {"sender": "a@b.example\r\nBcc: c@d.example"},
        {"to": ()},
        {"to": ("a@b.example, c@d.example",)},
        {"user": "alarm"},
        {"password": Secret("x")},
        {"server": "mail.example.org"},
        {"server": "mail example"},
        {"port": 0},
        {"security": "ssl"},
    ],
)
def test_options_that_cannot_be_meant_are_refused(bad):
    with pytest.raises(ValidationError):
        options(**bad)


def test_the_usual_ports():
    ports = [options(None, security=kind).where for kind in ("starttls", "tls", "none")]
    assert ports == [587, 465, 25]


def test_who_is_called_gets_the_letter_too_and_nobody_twice():
    called = replace(
        TOLD,
        calls=(
            Callee(name="Carla", mail="carla@nordfunk.example"),
            Callee(name="Anna", mail="Anna@nordfunk.example"),
            Callee(name="Dora"),
        ),
    )
    mail = letter(called, key=KEY, thread=None, form=Form.FULL, options=options())
    assert [one.addr_spec for one in mail["To"].addresses] == [
        "anna@nordfunk.example",
        "bert@nordfunk.example",
        "carla@nordfunk.example",
    ]


async def test_the_server_is_told_of_whom_a_letter_calls():
    called = replace(TOLD, calls=(Callee(name="Carla", mail="carla@nordfunk.example"),))
    async with scene() as (peer, notifier):
        assert isinstance(await notifier.push(called, key=KEY, thread=None, form=Form.FULL), Sent)
        assert "carla@nordfunk.example" in peer.letters[0].recipients


# ---------------------------------------------------------------------- the picture


@pytest.mark.skipif(not can_draw(), reason="the extra `picture` is not installed")
async def test_the_chart_travels_with_the_letter_and_loads_from_nowhere():
    async with scene() as (peer, notifier):
        assert isinstance(await push(notifier, replace(TOLD, chart=a_chart())), Sent)
        (seen,) = peer.letters
        (image,) = [part for part in seen.mail.walk() if part.get_content_type() == "image/png"]
        assert image.get_content().startswith(b"\x89PNG")
        assert image["Content-Disposition"].content_disposition == "inline"
        assert f'src="cid:{image["Content-ID"][1:-1]}"' in seen.html
        assert Tags(seen.html).links[0].startswith("cid:")
        assert seen.text.startswith(TOLD.lock_screen)
        await push(notifier, replace(TOLD, chart=a_chart()), form=Form.PLAIN)
        assert peer.letters[1].mail.get_content_type() == "text/plain"
