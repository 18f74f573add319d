"""Letters: what a person wrote, whatever the letter is made of; hostile ones are read or empty, never an error."""

from __future__ import annotations

import sys
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.capture.letters import read_letter


def written(text, kind="plain"):
    one = EmailMessage()
    one["From"], one["Subject"], one["Message-ID"] = "Mia K. <Mia@Example.com>", "Störung", "<1@example.com>"
    one.set_content(text, subtype=kind)
    return one


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Nordfunk geht nicht.\n\n-- \nMia K.\nMusterstraße 1", "Nordfunk geht nicht."),
        (
            "Immer noch nichts!\n\nAm 20.11.2026 um 14:05 schrieb Nordfunk <a@b>:\n> Wir kümmern uns.",
            "Immer noch nichts!",
        ),
        ("Still nothing.\n\nOn Fri, 20 Nov 2026 at 14:05, Nordfunk wrote:\n> We care.", "Still nothing."),
        ("Ja.\n> Geht es wieder?\nNein.", "Ja.\nNein."),
        ("Hallo\n\n-----Ursprüngliche Nachricht-----\nVon: Nordfunk", "Hallo"),
        ("> nur zitiert", "> nur zitiert"),
        ("-- \nnur Unterschrift", "-- \nnur Unterschrift"),
    ],
)
def test_quotation_and_signature_are_not_the_senders_words(text, own):
    assert read_letter(written(text).as_bytes()).text == own


def test_plain_text_comes_before_html_and_html_becomes_text():
    both = written("Klartext")
    both.add_alternative("<p>Reich</p>", subtype="html")
    assert read_letter(both.as_bytes()).text == "Klartext"
    assert read_letter(written("<p>Nur <b>reich</b></p><script>x</script>", "html").as_bytes()).text == "Nur reich"


def test_attachments_are_left_alone():
    one = written("Siehe Anhang")
    one.add_attachment("Geheim", filename="a.txt")
    assert read_letter(one.as_bytes()).text == "Siehe Anhang"


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-8", "x-unknown", "utf-16"])
def test_a_charset_that_lies_is_read_as_far_as_it_goes(charset):
    raw = f"Content-Type: text/plain; charset={charset}\r\nFrom: a@b\r\n\r\nNordfunk".encode()
    assert read_letter(raw).author == "a@b"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "Return-Path: <>",
        "List-Unsubscribe: <x>",
        "X-Autoreply: yes",
    ],
)
def test_a_machines_letter_is_known(header):
    assert read_letter(f"{header}\r\nFrom: a@b\r\n\r\nHallo".encode()).is_automatic


def test_the_answered_letter_is_its_parent():
    raw = b"In-Reply-To: <2@x>\r\nReferences: <1@x> <2@x>\r\n\r\nx"
    assert read_letter(raw).parent == "<2@x>"
    assert read_letter(b"References: <1@x> <3@x>\r\n\r\nx").parent == "<3@x>"


NESTED = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
HOSTILE = [
    b"",
    b"\x00" * 1000,
    b"Subject: " + b"=?utf-8?q?" * 10_000,
    b"From: " + b"<" * 50_000,
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 500,
    b"Date: " + b"9" * 10_000 + b"\r\n\r\nx",
    b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 100_000,
    b"Message-ID: <a>\r\nMessage-ID: <b>\r\n\r\nx",
    b'Content-Type: text/plain; charset="u\x00"\r\n\r\nSt\xc3\xb6rung',
]


@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_letter_is_read_or_empty(raw):
    told = read_letter(raw)
    assert len(told.subject) <= 300
    assert len(told.author) <= 200


@settings(max_examples=300)
@given(st.binary(max_size=600) | st.text(st.sampled_from('aF:\r\n<>@=?"-> \tö'), max_size=300).map(str.encode))
def test_no_letter_makes_it_raise(raw):
    read_letter(b"From: a@b\r\nContent-Type: text/plain\r\n" + raw)
    read_letter(raw)


MEGABYTE = 1 << 20
SLOW = {
    name: (head + unit * (MEGABYTE // len(unit)) + b"\r\n\r\nNordfunk geht nicht\r\n")
    for name, head, unit in [
        ("from of many addresses", b"From: ", b"a@b.c,"),
        ("from of quotes", b"From: ", b'"'),
        ("from of brackets", b"From: ", b"("),
        ("subject of coded words", b"Subject: ", b"=?utf-8?q?a?=\r\n "),
        ("parameters", b"Content-Type: text/plain", b";a=b"),
        ("numbered parameters", b"Content-Type: text/plain", b";a*0*=b"),
        ("disposition", b"Content-Disposition: inline", b";a=b"),
        ("encoding", b"Content-Transfer-Encoding: ", b"a "),
        ("references", b"References: ", b"<a@b> "),
        ("headers", b"X: y\r\n", b"X: " + b"y" * 60 + b"\r\n"),
    ]
} | {
    "parts": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\na\r\n" * 90_000,
    "parts within parts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3_000)
    ),
    "names for text": b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a-" + b"z9" * 400_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_no_letter_holds_everything_up(name):
    """Not timed, but counted in what the library does: what takes quadratic time would not come back for minutes."""
    steps = 0

    def count(_frame, event, _argument):
        nonlocal steps
        steps += event == "call"
        assert steps < 3_000_000, "no end"

    sys.setprofile(count)
    try:
        read_letter(SLOW[name])
    finally:
        sys.setprofile(None)


def test_a_letter_that_nobody_can_take_apart_keeps_its_subject_and_sender():
    head = b"From: Mia <mia@example.com>\r\nSubject: Nordfunk geht nicht\r\nMessage-ID: <1@x>\r\n"
    told = read_letter(head + SLOW["parts within parts"])
    assert (told.ident, told.author, told.subject) == ("<1@x>", "mia@example.com", "Nordfunk geht nicht")


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("=?utf-8?q?St=C3=B6rung?= bei =?iso-8859-1?b?TvZyZA==?=", "Störung bei Nörd"),
        ("=?utf-8?q?St=C3=B6?=\r\n =?utf-8?q?rung?=", "Störung"),
        ("Störung, roh", "Störung, roh"),
        ("=?x-none?q?St=C3=B6rung?=", "Störung"),
        ("=?utf-8?q?St=C3=B6rung?= und mehr Störung", "Störung und mehr Störung"),
    ],
)
def test_coded_words_in_a_subject_are_read(header, subject):
    assert read_letter(f"Subject: {header}\r\n\r\nx".encode()).subject == subject


def test_what_a_name_claims_is_no_address():
    raw = b"From: =?utf-8?q?chef=40nordfunk=2Eexample_=3C?= <troll@example.com>\r\n\r\nx"
    assert read_letter(raw).author == "troll@example.com"
