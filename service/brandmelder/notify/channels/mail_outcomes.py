"""What an answer of a mail server, or none, means for a delivery. The first rule that matches wins.

Up to the last byte of the letter nothing can have arrived; from then on until the server's answer it may have (RFC
5321, 4.2.5: only the answer to the end of DATA says who is responsible).
"""

from __future__ import annotations

import enum
import smtplib
from typing import TYPE_CHECKING

from brandmelder.notify.no_answer import named
from brandmelder.notify.notifier import NotDelivered, Outcome, RefusedForm, RefusedPlace, Unclear

if TYPE_CHECKING:
    from collections.abc import Mapping


class Phase(enum.Enum):
    """How far the conversation came."""

    CONNECT = "connecting"
    GREET = "greeting"
    SECURE = "starting TLS"
    LOGIN = "logging in"
    ENVELOPE = "naming sender and recipients"
    LETTER = "handing over the letter"


def outcome_of(error: Exception, phase: Phase) -> Outcome:
    """Return what a failure at this point says about the letter."""
    code = _code(error)
    reason = f"the mail server, {phase.value}: {f'{code} {_said(error)}'.strip() if code else named(error)}"
    if phase is Phase.LETTER:
        return _at_the_letter(code, reason)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return RefusedPlace(f"the mail server does not offer what is configured, {phase.value}: {error}")
    if code is not None and 500 <= code < 600:
        return RefusedPlace(reason)
    return NotDelivered(reason)


def outcome_of_refusals(refused: Mapping[str, int], wanted: int) -> Outcome | None:
    """Return what refused recipients (with their codes) mean when none is left; None while one takes the letter."""
    if len(refused) < wanted:
        return None
    codes = ", ".join(str(code) for code in sorted(set(refused.values())))
    if any(400 <= code < 500 for code in refused.values()):
        return NotDelivered(f"the mail server takes no recipient now: {codes}")
    return RefusedPlace(f"the mail server takes no recipient: {codes}")


def _at_the_letter(code: int | None, reason: str) -> Outcome:
    if code is not None and 400 <= code < 500:
        return NotDelivered(reason)
    if code is not None and 500 <= code < 600:
        return RefusedForm(reason)
    return Unclear(reason)


def _code(error: Exception) -> int | None:
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0 else None


def _said(error: Exception) -> str:
    """Return the first words of the server's answer, printable, on one line."""
    said = getattr(error, "smtp_error", b"")
    text = said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
    return "".join(sign if sign.isprintable() else " " for sign in text)[:120].strip()
