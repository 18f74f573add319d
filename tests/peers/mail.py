"""A real mail server (aiosmtpd) on 127.0.0.1: TLS, log-in, and everything that can go wrong in a conversation.

It is strict: lines end in CR LF and are at most 998 octets long, letters are ASCII and have what RFC 5322 asks.
"""

import asyncio
import email
import email.policy
import re
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

from peers.certificate import server_context

USER, PASSWORD = "alarm", "s3cret"


class _Protocol(SMTP):
    """The server, told when to break off: before it answers DATA, after the letter, or never to answer at all."""

    peer = None

    async def smtp_DATA(self, arg):  # noqa: N802 - the name of the command
        if self.peer.fault == "close_at_data":
            self.transport.abort()
            return
        await super().smtp_DATA(arg)

    def connection_made(self, transport):
        self.peer.connections += 1
        super().connection_made(transport)


class MailPeer:
    """`async with MailPeer(tls="starttls", login=True) as peer`: `peer.port`, `peer.letters`, `peer.fault`."""

    def __init__(self, *, tls="none", login=False):
        self._tls, self._login = tls, login
        self.letters, self.connections, self.complaints = [], 0, []
        self.fault = ""
        self.answers = {}
        """What to say in place of the usual: by `MAIL`, `RCPT`, `RCPT address`, `DATA`."""

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        context = server_context() if self._tls != "none" else None

        def protocol():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a password needs TLS; it has it, from the first byte
                made = self._protocol(loop, context)
            made.peer = self
            return made

        self._server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if self._tls == "tls" else None)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def _protocol(self, loop, context):
        return _Protocol(
            self,
            loop=loop,
            hostname="peer.example",
            tls_context=context if self._tls == "starttls" else None,
            require_starttls=self._tls == "starttls",
            auth_required=self._login,
            auth_require_tls=False,
            authenticator=self._authenticate,
        )

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    def _authenticate(self, server, session, envelope, mechanism, data):
        name, password = (getattr(data, name, b"") for name in ("login", "password"))
        return AuthResult(success=(name, password) == (USER.encode(), PASSWORD.encode()), handled=False)

    # ------------------------------------------------------------------ aiosmtpd's hooks

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        if self.fault == "silent":
            await asyncio.Event().wait()
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if said := self.answers.get(f"RCPT {address}") or self.answers.get("RCPT"):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.fault == "lost_before":
            server.transport.abort()
            return "250 never read"
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self._look_at(envelope.content)
        self.letters.append(Letter(envelope))
        if self.fault == "lost_after":
            server.transport.abort()
        if self.fault == "silent_after":
            await asyncio.Event().wait()
        return "250 taken"

    def _look_at(self, content):
        if re.search(rb"(?<!\r)\n|\r(?!\n)", content):
            self.complaints.append("a line does not end in CR LF")
        if any(len(line) > 998 for line in content.split(b"\r\n")):
            self.complaints.append("a line is too long")
        if not content.isascii():
            self.complaints.append("8 bit without being asked")
        seen = email.message_from_bytes(content, policy=email.policy.default)
        for name in ("From", "To", "Subject", "Date", "Message-ID"):
            if len(seen.get_all(name, [])) != 1:
                self.complaints.append(f"{name} does not stand there once")
        self.complaints += [str(defect) for part in seen.walk() for defect in part.defects]


class Letter:
    """One letter as it arrived."""

    def __init__(self, envelope):
        self.sender, self.recipients = envelope.mail_from, tuple(envelope.rcpt_tos)
        self.raw = envelope.content
        self.mail = email.message_from_bytes(envelope.content, policy=email.policy.default)

    def __getitem__(self, name):
        return self.mail[name]

    @property
    def text(self):
        return self.mail.get_body(("plain",)).get_content()

    @property
    def html(self):
        part = self.mail.get_body(("html",))
        return None if part is None else part.get_content()
