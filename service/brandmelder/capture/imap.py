"""The one careful IMAP client: reads a folder without touching it, at a checked address, within size and time.

Its questions are few: how far a folder has come (EXAMINE), which letters are new (UID SEARCH), the letters themselves
(UID FETCH with BODY.PEEK, so that nothing is marked as read). RFC 9051, RFC 3501, RFC 7162.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import imaplib
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import certifi
from msgspec import Struct

from brandmelder.capture.egress import Reach, Resolve, Resolver
from brandmelder.errors import AuthRefused, Blocked, Gone, ShapeChanged, SourceError, Transient
from brandmelder.options import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from brandmelder.model import SourceId

T = TypeVar("T")

LETTER_BYTES: Final = 1 << 20
"""How much of a letter is read."""
DEADLINE: Final = timedelta(seconds=60)
"""How long a whole visit may take."""
_STEP_SECONDS: Final = 15.0
_LONG: Final = 64
"""How many mailboxes may be waited in at once."""
_LITERAL: Final = LETTER_BYTES + (1 << 16)
_FETCHED: Final = re.compile(rb"UID (\d{1,15})")
_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d{1,15})")
_ARRIVED: Final = re.compile(rb'INTERNALDATE "([^"]+)"')
_EXISTS: Final = re.compile(rb"\* \d{1,15} EXISTS")
_BEYOND: Final = re.compile(r"&|[^\x20-\x7e]+")
_CODE: Final = re.compile(r"\[([A-Z]+)")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Security = Literal["tls", "starttls", "none"]


class Account(Struct, frozen=True, kw_only=True):
    """Whose mailbox, and where."""

    host: str
    port: int
    user: str
    password: Secret
    security: Security
    is_token: bool = False
    """The password is an OAuth 2 access token (XOAUTH2)."""
    allow_private: bool = False


class Folder(Struct, frozen=True, kw_only=True):
    """How far a folder has come. Another `validity` means that all its numbers are new."""

    validity: int
    next_uid: int
    """The number the next letter gets, or a lower one."""
    count: int


class Letter(Struct, frozen=True, kw_only=True):
    """A letter as it arrived; `raw` is its first megabyte."""

    uid: int
    arrived: datetime | None
    raw: bytes


class _Connection(imaplib.IMAP4):
    """imaplib over a socket to the address that was checked; TLS speaks to the host's own name."""

    def __init__(self, account: Account, address: str, trust: ssl.SSLContext, held: list[socket.socket]) -> None:
        self._account, self._address, self._trust, self._held = account, address, trust, held
        super().__init__(account.host, account.port, timeout=_STEP_SECONDS)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = socket.create_connection((self._address, self._account.port), timeout)
        self._held.append(plain)
        if self._account.security != "tls":
            return plain
        secure = self._trust.wrap_socket(plain, server_hostname=self._account.host)
        self._held.append(secure)
        return secure

    def capability_after_login(self) -> None:
        """Ask anew what the server can: many say more once they know who asks."""
        said, told = self.capability()
        if said == "OK" and told and isinstance(told[-1], bytes):
            self.capabilities = tuple(told[-1].decode("ascii", "replace").upper().split())

    def read(self, size: int) -> bytes:
        """Read a literal, unless the server promises more than was asked for."""
        if size > _LITERAL:
            raise self.abort(f"a literal of {size} bytes")
        return super().read(size)


class Session:
    """One visit. Its methods block; they run in a thread. Raises SourceError and imaplib's errors."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def open(self, folder: str) -> Folder:
        """Look into a folder without touching it."""
        quoted = '"' + _coded(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'
        said, told = self._connection.select(quoted, readonly=True)
        if said != "OK":
            raise Gone(f"has no folder {folder!r} ({_text(told)}); mend folder")
        return Folder(validity=self._number("UIDVALIDITY"), next_uid=self._number("UIDNEXT"), count=_digits(told))

    def idle(self, told: Callable[[], object], span: timedelta) -> None:
        """Wait in the open folder and say whenever a letter arrives, until `span` has passed without a word (RFC 2177).

        Returns at once where the server cannot; the connection is of no further use.
        """
        connection = self._connection
        connection.capability_after_login()
        if "IDLE" not in connection.capabilities:
            return
        connection.sock.settimeout(span.total_seconds())
        connection.send(b"B1 IDLE\r\n")
        with contextlib.suppress(TimeoutError):
            while line := connection.readline():
                if line.startswith((b"* BYE", b"B1 ")):
                    return
                if _EXISTS.match(line):
                    told()

    def _number(self, name: str) -> int:
        _, values = self._connection.response(name)
        return _digits(values)

    def since(self, day: datetime) -> list[int]:
        """Return the letters that arrived on or after a day, lowest number first."""
        return self._search(f"SINCE {day.day:02}-{_MONTHS[day.month - 1]}-{day.year}")

    def after(self, uid: int) -> list[int]:
        """Return the letters behind a number; beyond the end servers answer with the last one, which is left out."""
        return [one for one in self._search(f"UID {uid + 1}:*") if one > uid]

    def _search(self, question: str) -> list[int]:
        said, told = self._connection.uid("SEARCH", question)
        if said != "OK":
            raise Transient(f"refused a search ({_text(told)}); it is asked again at the next poll")
        return sorted(int(word) for row in told if isinstance(row, bytes) for word in row.split() if word.isdigit())

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return how many bytes of each letter would be read; who is not told of is taken for the largest."""
        said, told = self._connection.uid("FETCH", ",".join(map(str, uids)), "(UID RFC822.SIZE)")
        if said != "OK":
            raise Transient(f"refused its letters ({_text(told)}); it is asked again at the next poll")
        rows = [row for row in told if isinstance(row, bytes)]
        pairs = [(_FETCHED.search(row), _SIZE.search(row)) for row in rows]
        known = {int(uid[1]): min(int(size[1]), LETTER_BYTES) for uid, size in pairs if uid and size}
        return {uid: known.get(uid, LETTER_BYTES) for uid in uids}

    def read(self, uids: Sequence[int]) -> list[Letter]:
        """Return letters, unread as they were."""
        wanted = ",".join(map(str, uids))
        said, told = self._connection.uid("FETCH", wanted, f"(UID INTERNALDATE BODY.PEEK[]<0.{LETTER_BYTES}>)")
        if said != "OK":
            raise Transient(f"refused its letters ({_text(told)}); it is asked again at the next poll")
        letters = [
            Letter(uid=int(uid[1]), arrived=_arrival(said_of), raw=raw)
            for said_of, raw in _fetched(told)
            if (uid := _FETCHED.search(said_of))
        ]
        return sorted(letters, key=lambda one: one.uid)


class Mailboxes:
    """Lends a source visits to its mailbox. `resolve` and `trust` replace the machine's resolver and certificates."""

    def __init__(self, *, resolve: Resolve | None = None, trust: ssl.SSLContext | None = None) -> None:
        self._resolver = Resolver()
        self._resolve: Resolve = resolve or self._resolver
        self._trust = trust
        self._long = ThreadPoolExecutor(max_workers=_LONG, thread_name_prefix="brandmelder-idle")

    def close(self) -> None:
        """Let go of the resolver's threads; connections end with their visit."""
        self._resolver.close()
        self._long.shutdown(wait=False, cancel_futures=True)

    async def visit(
        self, source: SourceId, account: Account, work: Callable[[Session], T], *, deadline: timedelta = DEADLINE
    ) -> T:
        """Log in, do `work`, log out, all within the deadline. Raises a SourceError that says what to do."""
        held: list[socket.socket] = []
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                address = await self._address(account)
                # Who stays long has threads of its own: those of the loop are few, and polls need them.
                threads = self._long if deadline > DEADLINE else None
                visit = partial(self._visit, account, address, work, held)
                return await asyncio.get_running_loop().run_in_executor(threads, visit)
        except SourceError as error:
            raise error.about(source)  # noqa: B904 - the same error, with its name
        except TimeoutError:
            raise Blocked(f"took more than {deadline.total_seconds():g} s; is the server slow?", "deadline").about(
                source
            ) from None
        except Exception as error:
            raise _explained(error, account).about(source) from error
        finally:
            for opened in reversed(held):  # a thread that still waits in one ends with it
                with contextlib.suppress(OSError):
                    opened.shutdown(socket.SHUT_RDWR)
                opened.close()

    async def _address(self, account: Account) -> str:
        reach = Reach(account.host, account.port, account.allow_private)
        try:
            found = await self._resolve(account.host, account.port)
        except OSError as error:
            raise Transient(f"the name {account.host} has no address; check host and the DNS") from error
        if not found:
            raise Transient(f"the name {account.host} has no address; check host and the DNS")
        return reach.pick(account.host, found)[0]

    def _visit(self, account: Account, address: str, work: Callable[[Session], T], held: list[socket.socket]) -> T:
        trust = self._trust or _trusted()
        connection = _Connection(account, address, trust, held)
        if account.security == "starttls":
            connection.starttls(trust)
        if account.is_token:
            said = f"user={account.user}\x01auth=Bearer {account.password.reveal()}\x01\x01"
            connection.authenticate("XOAUTH2", lambda _challenge: said.encode())
        elif (account.user + account.password.reveal()).isascii():
            connection.login(account.user, account.password.reveal())
        else:  # LOGIN takes ASCII alone (RFC 4616)
            plain = f"\0{account.user}\0{account.password.reveal()}"
            connection.authenticate("PLAIN", lambda _challenge: plain.encode())
        found = work(Session(connection))
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            connection.logout()
        return found


def _coded(folder: str) -> str:
    """Return a folder's name as it travels: modified UTF-7 (RFC 3501, 5.1.3)."""
    return _BEYOND.sub(_run_coded, folder)


def _run_coded(run: re.Match[str]) -> str:
    coded = base64.b64encode(run[0].encode("utf-16-be", "surrogatepass")).decode("ascii").rstrip("=")
    return "&-" if run[0] == "&" else f"&{coded.replace('/', ',')}-"


def _trusted() -> ssl.SSLContext:
    trust = ssl.create_default_context()
    trust.load_verify_locations(certifi.where())
    return trust


def _explained(error: Exception, account: Account) -> SourceError:
    """Return what went wrong on the way, and what to do."""
    said = _text([error.args[0]]) if error.args else ""
    match error:
        case ssl.SSLCertVerificationError():
            reason = error.verify_message.rstrip(".")
            return Blocked(f"the certificate of {account.host} is refused ({reason}); it must be renewed there", "tls")
        case ssl.SSLError():
            return Blocked(f"{account.host} does not speak TLS on port {account.port}; mend port or security", "tls")
        case OSError():
            return Transient(f"{account.host} cannot be reached ({error.strerror or 'no reason given'}); is it up?")
        case imaplib.IMAP4.abort():
            return Transient(f"broke off ({said}); it is asked again at the next poll")
        case imaplib.IMAP4.error():
            return _refusal(said)
        case _:
            return ShapeChanged(f"does not speak IMAP as it should ({type(error).__name__}); mend host and port")


def _refusal(said: str) -> SourceError:
    code = _CODE.search(said)
    if code is not None and code[1] in {"UNAVAILABLE", "LIMIT", "INUSE", "OVERQUOTA"}:
        return Transient(f"is not available now ({said}); it is asked again at the next poll")
    return AuthRefused(f"refuses the log-in ({said}); renew user and password")


def _text(told: Sequence[object]) -> str:
    words = " ".join(one.decode("ascii", "replace") if isinstance(one, bytes) else str(one) for one in told if one)
    return "".join(letter for letter in words if letter.isprintable())[:120]


def _digits(told: Sequence[object]) -> int:
    word = told[-1] if told else None
    return int(word) if isinstance(word, bytes) and word.isdigit() and len(word) < 16 else 0


def _fetched(told: Sequence[object]) -> Iterator[tuple[bytes, bytes]]:
    """Return each letter with what is said of it, before its bytes or behind them: the order is the server's."""
    for row, behind in zip(told, [*told[1:], b""], strict=True):
        if isinstance(row, tuple):
            yield row[0] + b" " + (behind if isinstance(behind, bytes) else b""), row[1]


def _arrival(row: bytes) -> datetime | None:
    found = _ARRIVED.search(row)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1].decode("ascii").strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return None
