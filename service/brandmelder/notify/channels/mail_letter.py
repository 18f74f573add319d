"""A message as a letter: plain text first, HTML second, headers that mailboxes thread and filters understand.

What stands in a header passes `inert`, the policy refuses line breaks, and `=?` is parted: else words that strangers
wrote as `=?utf-8?q?=0A…?=` would be decoded into line breaks, here or in the reader's mailbox.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from brandmelder.model import Form
from brandmelder.notify.channels.mail_html import html_of
from brandmelder.notify.channels.mail_options import address_of
from brandmelder.notify.compose import plain_text
from brandmelder.notify.inert import inert, visible

if TYPE_CHECKING:
    from email.headerregistry import Address

    from brandmelder.notify.channels.mail_options import MailOptions
    from brandmelder.notify.message import Message

POLICY = SMTP.clone(cte_type="7bit")
"""Every server takes it, whatever it offers."""
_SUBJECT = 200
_URGENT = 4
"""The severity from which a letter is marked urgent."""


def message_id(message: Message, key: str, options: MailOptions) -> str:
    """Return the letter's Message-ID: the same for the same key, so that a mailbox can drop a twin."""
    return f"<{message.stamped(key).replace(':', '.')}@{address_of(options.sender).domain}>"


def recipients(message: Message, options: MailOptions) -> tuple[Address, ...]:
    """Return who gets a letter: the channel's own readers, and whomever the message calls."""
    listed = [address_of(one) for one in options.to]
    known = {one.addr_spec.casefold() for one in listed}
    return (*listed, *(address_of(one.mail) for one in message.calls if one.mail and one.mail.casefold() not in known))


def letter(message: Message, *, key: str, thread: str | None, form: Form, options: MailOptions) -> EmailMessage:
    """Return the message as it is sent, but for its date; in the lesser form without HTML."""
    mail = EmailMessage(POLICY)
    mail["From"] = address_of(options.sender)
    mail["To"] = recipients(message, options)
    mail["Subject"] = inert(message.lock_screen, _SUBJECT).replace("=?", "= ?")
    mail["Message-ID"] = message_id(message, key, options)
    if thread is not None:
        mail["In-Reply-To"] = thread
        mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice answers it
    mail["X-Auto-Response-Suppress"] = "All"
    if message.subject is not None and message.subject.severity >= _URGENT and thread is None:
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    mail.set_content("\n".join(visible(line) for line in plain_text(message).split("\n")) + "\n")
    if form is Form.FULL:
        mail.add_alternative(html_of(message), subtype="html")
    return mail


def illustrate(mail: EmailMessage, message: Message, picture: bytes) -> None:
    """Put a PNG into the letter, where its HTML shows it; it travels with it and loads from nowhere."""
    ident = f"chart.{str(mail['Message-ID'])[1:-1]}"
    page = mail.get_body(("html",))
    if isinstance(page, EmailMessage):
        page.set_content(html_of(message, picture=ident), subtype="html")
        page.add_related(picture, "image", "png", cid=f"<{ident}>", filename="chart.png", disposition="inline")
