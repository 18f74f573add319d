"""One conversation with a mail server, in a thread: it says how far it came, and ends when its time is over."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from typing import TYPE_CHECKING

import certifi

from brandmelder.notify.channels.mail_outcomes import Phase, outcome_of, outcome_of_refusals
from brandmelder.notify.notifier import Outcome, Sent

if TYPE_CHECKING:
    from email.message import EmailMessage

    from brandmelder.notify.channels.mail_options import MailOptions

CONNECT, READ = 5.0, 14.0


def system_trust() -> ssl.SSLContext:
    """Return the machine's certificates, and those that a container without any needs."""
    trust = ssl.create_default_context()
    trust.load_verify_locations(certifi.where())
    return trust


class Session:
    """Blocking; run it in a thread, and call `hang_up` from outside when it takes too long."""

    def __init__(self, options: MailOptions, trust: ssl.SSLContext) -> None:
        self._options, self._trust = options, trust
        self.phase = Phase.CONNECT
        self._smtp: smtplib.SMTP | None = None
        self._is_over = False

    def send(self, letter: EmailMessage, *, sender: str, recipients: list[str]) -> Outcome:
        """Hand one letter over; whatever happens becomes an outcome."""
        try:
            smtp = self._connected()
            self.phase = Phase.ENVELOPE
            self._expect(smtp.mail(sender), smtplib.SMTPResponseException)
            refused = {one: code for one in recipients if (code := smtp.rcpt(one)[0]) not in {250, 251}}
            if outcome := outcome_of_refusals(refused, len(recipients)):
                return outcome
            self.phase = Phase.LETTER
            code, said = smtp.data(letter.as_bytes())
            self._expect((code, said), smtplib.SMTPDataError)
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.putcmd("quit")  # polite, and no answer of it changes what was taken
        except Exception as error:  # noqa: BLE001 - whatever goes wrong says something about the letter
            return outcome_of(error, self.phase)
        finally:
            self.hang_up()
        return Sent(str(letter["Message-ID"]), note=_note(refused))

    def greet(self) -> str:
        """Connect and log in; returns what is wrong in a sentence, empty if nothing."""
        try:
            self._connected().noop()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is wrong
            outcome = outcome_of(error, self.phase)
            return "" if isinstance(outcome, Sent) else outcome.reason
        finally:
            self.hang_up()
        return ""

    def hang_up(self) -> None:
        """End the conversation at once, from whichever thread. What the server has taken stays taken."""
        self._is_over = True
        smtp = self._smtp
        sock = None if smtp is None else smtp.sock
        if smtp is None or sock is None:
            return
        with contextlib.suppress(OSError):  # it may be gone already
            sock.shutdown(socket.SHUT_RDWR)  # first, so that whoever still reads from it lets go
        with contextlib.suppress(OSError):
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        options = self._options
        hello = options.sender.rpartition("@")[2].rstrip(">")  # asking the DNS for our own name could take minutes
        if options.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(local_hostname=hello, timeout=CONNECT, context=self._trust)
        else:
            smtp = smtplib.SMTP(local_hostname=hello, timeout=CONNECT)
        self._smtp = smtp
        smtp._host = options.server  # type: ignore[attr-defined] # noqa: SLF001 - the name the certificate must bear
        self._expect(smtp.connect(options.server, options.where), smtplib.SMTPConnectError)
        self.phase = Phase.GREET
        if smtp.sock is None or self._is_over:
            raise TimeoutError
        smtp.sock.settimeout(READ)
        smtp.ehlo_or_helo_if_needed()
        if options.security == "starttls":
            self.phase = Phase.SECURE
            self._expect(smtp.starttls(context=self._trust), smtplib.SMTPResponseException)
            smtp.ehlo()
        if options.user is not None and options.password is not None:
            self.phase = Phase.LOGIN
            smtp.login(options.user, options.password.reveal())
        return smtp

    @staticmethod
    def _expect(answer: tuple[int, bytes], otherwise: type[smtplib.SMTPResponseException]) -> None:
        code, said = answer
        if not 200 <= code < 300:
            raise otherwise(code, said)


def _note(refused: dict[str, int]) -> str | None:
    if not refused:
        return None
    codes = ", ".join(str(code) for code in sorted(set(refused.values())))
    return f"{len(refused)} of the recipients were refused ({codes})"
