"""A mailbox on a real Dovecot: every letter once, none touched, our answers known as ours."""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import os
import tempfile
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import ValidationError

from brandmelder.capture.imap import Folder, Mailboxes
from brandmelder.capture.source import Tools
from brandmelder.capture.sources import mailbox
from brandmelder.capture.sources.mailbox import LETTERS, MailboxOptions, MailboxSource
from brandmelder.errors import AuthRefused, Blocked, Gone, Transient
from brandmelder.model import SourceId
from brandmelder.options import Secret
from peers.dovecot import BINARY, Dovecot

MAIL = SourceId("mail")
MINUTE = timedelta(minutes=1)
LATER = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def dovecot():
    if BINARY is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Dovecot is missing: install dovecot-imapd and dovecot-lmtpd")
        pytest.skip("needs Dovecot (dovecot-imapd, dovecot-lmtpd)")
    with tempfile.TemporaryDirectory(prefix="dovecot-", ignore_cleanup_errors=True) as folder:
        server = Dovecot(Path(folder))  # pytest closes its own folders to other users, whenever another run begins
        yield server
        server.stop()


@pytest.fixture
def user(request):
    """A mailbox of its own for each test."""
    return "u" + str(abs(hash(request.node.name)))


def letter(text, number=1, *, subject="Nordfunk", sender="mia@example.com", **headers):
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = f"Mia <{sender}>", "hilfe@nordfunk.example", subject
    one["Date"] = datetime.now(UTC)
    one["Message-ID"] = f"<{number}@example.com>"
    for name, value in headers.items():
        one[name.replace("_", "-")] = value
    one.set_content(text)
    return one


async def unused(_body, _kind):
    raise AssertionError


class Reader:
    """Polls a mailbox and keeps what a store would keep."""

    def __init__(self, dovecot, user, **options):
        values = {
            "type": "mailbox",
            "host": "127.0.0.1",
            "port": dovecot.imap,
            "security": "none",
            "allow_private": True,
            "user": user,
            "password": Secret("secret"),
        } | options
        tools = Tools(fetch=unused, parse_feed=unused, mailboxes=Mailboxes())
        self.source = MailboxSource(MAIL, MailboxOptions(**values), tools)
        self.cursor = None
        self.stored = {}

    async def poll(self, now=None):
        for _ in range(50):
            poll = await self.source.poll(self.cursor, now or datetime.now(UTC))
            self.cursor = poll.cursor
            self.stored |= {one.external_id: one for one in poll.mentions}
            if not poll.more:
                return poll
        raise AssertionError("no end")

    def texts(self):
        return [one.text for one in self.stored.values()]


async def test_letters_come_once_and_the_first_ones_are_history(dovecot, user):
    dovecot.deliver(user, letter("Nordfunk geht nicht", 1), letter("Wieder nichts", 2))
    reader = Reader(dovecot, user)
    await reader.poll(datetime.now(UTC) + MINUTE)
    assert reader.texts() == ["Nordfunk geht nicht", "Wieder nichts"]
    assert all(one.history for one in reader.stored.values())
    dovecot.deliver(user, letter("Noch immer nichts", 3))
    poll = await reader.poll()
    assert [one.text for one in poll.mentions] == ["Noch immer nichts"]
    assert not (await reader.poll()).mentions


async def test_author_subject_and_parent_come_along(dovecot, user):
    dovecot.deliver(user, letter("Ja", 5, subject="Re: Störung", In_Reply_To="<4@example.com>"))
    reader = Reader(dovecot, user)
    await reader.poll()
    (one,) = reader.stored.values()
    assert (one.external_id, one.author, one.context) == ("<5@example.com>", "mia@example.com", "Re: Störung")
    assert one.parent_id == "<4@example.com>"


async def test_nothing_is_marked_or_moved(dovecot, user):
    dovecot.deliver(user, letter("Nordfunk", 1))
    await Reader(dovecot, user).poll()

    def look():
        with imaplib.IMAP4("127.0.0.1", dovecot.imap) as box:
            box.login(user, "secret")
            box.select(readonly=True)
            return box.search(None, "UNSEEN")[1]

    assert await asyncio.to_thread(look) == [b"1"]


async def test_more_letters_than_a_poll_reads_come_in_several(dovecot, user):
    dovecot.deliver(user, *(letter(f"Nordfunk {number}", number) for number in range(LETTERS + 7)))
    reader = Reader(dovecot, user)
    first = await reader.source.poll(None, datetime.now(UTC))
    assert (len(first.mentions), first.more, first.read_until) == (LETTERS, True, None)
    await reader.poll()
    assert len(reader.stored) == LETTERS + 7


async def test_a_folder_numbered_anew_is_read_again_and_nothing_counts_twice(dovecot, user):
    dovecot.deliver(user, letter("Nordfunk eins", 1), letter("Nordfunk zwei", 2))
    reader = Reader(dovecot, user)
    await reader.poll()
    dovecot.run("mailbox", "update", "-u", user, "--uid-validity", "77", "INBOX")
    dovecot.deliver(user, letter("Nordfunk drei", 3))
    await reader.poll()
    assert sorted(reader.texts()) == ["Nordfunk drei", "Nordfunk eins", "Nordfunk zwei"]


async def test_our_answers_in_the_folder_of_sent_ones_are_responses(dovecot, user):
    dovecot.deliver(user, letter("Nordfunk geht nicht", 1))
    answer = letter("Wir kümmern uns.", 9, sender="hilfe@nordfunk.example", In_Reply_To="<1@example.com>")

    def send():
        with imaplib.IMAP4("127.0.0.1", dovecot.imap) as box:
            box.login(user, "secret")
            box.append("Sent", "", imaplib.Time2Internaldate(datetime.now(UTC)), answer.as_bytes())

    await asyncio.to_thread(send)
    reader = Reader(dovecot, user, sent="Sent")
    await reader.poll()
    assert {one.text: (one.own, one.parent_id) for one in reader.stored.values()} == {
        "Nordfunk geht nicht": (False, None),
        "Wir kümmern uns.": (True, "<1@example.com>"),
    }


async def test_a_folder_with_an_umlaut_and_an_ampersand_is_read(dovecot, user):
    """Names of folders travel in a coding of their own (RFC 3501, 5.1.3)."""
    dovecot.run("mailbox", "create", "-u", user, "Störung & Lob")
    sent = letter("Nordfunk rauscht", 7).as_bytes()

    def put():
        with imaplib.IMAP4("127.0.0.1", dovecot.imap) as box:
            box.login(user, "secret")
            box.append('"St&APY-rung &- Lob"', "", imaplib.Time2Internaldate(datetime.now(UTC)), sent)

    await asyncio.to_thread(put)
    reader = Reader(dovecot, user, folder="Störung & Lob")
    await reader.poll()
    assert reader.texts() == ["Nordfunk rauscht"]
    with pytest.raises(Gone, match="Entwürfe"):
        await Reader(dovecot, user, folder="Entwürfe").poll()


async def test_a_password_with_an_umlaut_is_refused_or_taken_like_any_other(dovecot, user):
    with pytest.raises(AuthRefused):
        await Reader(dovecot, user, password=Secret("Schlüssel")).poll()


async def test_machines_letters_are_left_out(dovecot, user):
    dovecot.deliver(
        user,
        letter("Bin im Urlaub", 1, Auto_Submitted="auto-replied"),
        letter("Unser Newsletter", 2, List_Unsubscribe="<mailto:x@example.com>"),
        letter("Nordfunk!", 3),
    )
    reader = Reader(dovecot, user)
    await reader.poll()
    assert reader.texts() == ["Nordfunk!"]


async def test_a_back_dated_letter_counts_when_it_arrived(dovecot, user):
    old = letter("Nordfunk", 1)
    del old["Date"]
    old["Date"] = datetime(2020, 1, 1, tzinfo=UTC)
    dovecot.deliver(user, old)
    reader = Reader(dovecot, user)
    await reader.poll()
    (one,) = reader.stored.values()
    assert "back_dated" in one.flags
    assert one.published_at.year > 2020


async def test_what_is_wrong_says_what_to_do(dovecot, user):
    with pytest.raises(AuthRefused, match="refuses the log-in"):
        await Reader(dovecot, user, password=Secret("wrong")).poll()
    with pytest.raises(Gone, match="has no folder 'Nowhere'"):
        await Reader(dovecot, user, folder="Nowhere").poll()
    with pytest.raises(Blocked, match="allow_private"):
        await Reader(dovecot, user, security="tls", allow_private=False).poll()
    with pytest.raises(Blocked, match="does not speak TLS"):
        await Reader(dovecot, user, security="tls").poll()


async def test_a_server_that_is_away_is_a_passing_fault(unused_tcp_port, dovecot, user):
    with pytest.raises(Transient, match="cannot be reached"):
        await Reader(dovecot, user, port=unused_tcp_port).poll()


@contextlib.asynccontextmanager
async def served(talk):
    """Let `talk` play an IMAP server on loopback; yields its port."""
    tasks = []

    async def play(reader, writer):
        tasks.append(asyncio.current_task())
        try:
            with contextlib.suppress(ConnectionError):
                await talk(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_server_that_drips_meets_the_deadline(dovecot, user):
    async def drip(_reader, writer):
        for _ in range(100):
            writer.write(b"*")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with served(drip) as port:
        boxes, account = Mailboxes(), Reader(dovecot, user, port=port).source._account
        with pytest.raises(Blocked, match="took more than"):
            await boxes.visit(MAIL, account, lambda _session: None, deadline=timedelta(seconds=0.3))
        boxes.close()


async def test_a_literal_larger_than_was_asked_for_is_refused(dovecot, user):
    async def promise(reader, writer):
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            answer = b"* CAPABILITY IMAP4rev1\r\n" + line.split()[0] + b" OK done\r\n"
            writer.write(b"* LIST {99999999999}\r\n" if b"LOGIN" in line else answer)

    async with served(promise) as port:
        with pytest.raises(Transient, match="literal of 99999999999"):
            await Reader(dovecot, user, port=port).poll()


async def test_a_server_that_names_the_number_behind_the_letter_is_read(dovecot, user):
    """The parts of an answer come in any order (RFC 9051, 7.5.2)."""
    raw = letter("Nordfunk schweigt").as_bytes().replace(b"\n", b"\r\n")
    said = {
        b"EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 6] ok\r\n",
        b"UID SEARCH": b"* SEARCH 5\r\n",
        b"UID FETCH": b'* 1 FETCH (BODY[]<0> {%d}\r\n%s INTERNALDATE "20-Nov-2026 13:00:00 +0000" UID 5)\r\n'
        % (len(raw), raw),
        b"LOGOUT": b"* BYE\r\n",
    }

    async def talk(reader, writer):
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, _, asked = line.partition(b" ")
            found = next((answer for name, answer in said.items() if asked.startswith(name)), b"")
            writer.write(b"* CAPABILITY IMAP4rev1\r\n" if asked.startswith(b"CAPABILITY") else found)
            writer.write(tag + b" OK done\r\n")

    async with served(talk) as port:
        reader = Reader(dovecot, user, port=port)
        await reader.poll()
    assert [text.strip() for text in reader.texts()] == ["Nordfunk schweigt"]


def test_a_password_in_clear_is_refused():
    with pytest.raises(ValidationError, match="tls or starttls"):
        MailboxOptions(type="mailbox", host="mail.example", user="a", password=Secret("b"), security="none")


async def test_a_letter_that_arrives_has_the_mailbox_polled_at_once(dovecot, user):
    reader, nudged = Reader(dovecot, user), asyncio.Event()
    dovecot.deliver(user, letter("Nordfunk alt", 1))
    await reader.poll()
    hearing = asyncio.create_task(reader.source.listen(nudged.set))
    async with asyncio.timeout(60):
        number = 1
        while not nudged.is_set():  # until somebody waits in the folder, a letter only lies there
            number += 1
            dovecot.deliver(user, letter(f"Nordfunk {number}", number))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(nudged.wait(), 0.5)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    await reader.poll()
    assert f"Nordfunk {number}" in reader.texts()
    with imaplib.IMAP4("127.0.0.1", dovecot.imap) as box:
        box.login(user, "secret")
        box.select("INBOX", readonly=True)
        assert box.search(None, "SEEN") == ("OK", [b""]), "nothing is marked by waiting"


async def test_a_mailbox_that_cannot_be_reached_is_heard_in_silence(unused_tcp_port, dovecot, user):
    nudged = asyncio.Event()
    hearing = asyncio.create_task(Reader(dovecot, user, port=unused_tcp_port).source.listen(nudged.set))
    done, _ = await asyncio.wait([hearing], timeout=0.3)
    assert not done, "it tries again later; the polls tell what is wrong"
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    assert not nudged.is_set()
    await Reader(dovecot, user, idle=False).source.listen(nudged.set)


async def test_large_letters_come_in_several_polls_and_none_is_asked_for_twice(dovecot, user, monkeypatch):
    monkeypatch.setattr(mailbox, "BYTES", 100_000)
    dovecot.deliver(user, *(letter(f"Nordfunk {number} " + "x " * 20_000, number) for number in range(5)))
    reader = Reader(dovecot, user)
    first = await reader.source.poll(None, datetime.now(UTC))
    assert (len(first.mentions), first.more, first.extent.expected) == (2, True, 5)
    await reader.poll()
    assert len(reader.stored) == 5


def test_letters_that_are_deleted_while_they_are_read_do_not_keep_the_others_waiting():
    class Emptied:
        def open(self, _name):
            return Folder(validity=1, next_uid=9, count=8)

        def after(self, uid):
            return [one for one in range(1, 9) if one > uid]

        def sizes(self, uids):
            return dict.fromkeys(uids, 100)

        def read(self, _uids):
            return []

    found = mailbox._read(Emptied(), "INBOX", mailbox._Place(1, 2), datetime(2026, 11, 20, tzinfo=UTC))
    assert (found.last, found.left) == (8, 0)
