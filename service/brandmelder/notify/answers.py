"""What the answer to an HTTP request, or none, means for a delivery. Anything unknown may have arrived.

The table is that of decision 0007; a channel asks it after its own, better-known answers.
"""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from brandmelder.errors import ChannelError, Unsent
from brandmelder.notify.notifier import NotDelivered, RefusedForm, RefusedPlace, Unclear, Uneditable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brandmelder.notify.notifier import Reply

Refusal = NotDelivered | RefusedForm | RefusedPlace | Unclear | Uneditable
"""Every outcome but that it stands there."""
RETRY_AFTER = timedelta(seconds=30)
"""How long to wait when a server asks to wait and does not say how long."""
LONGEST_RETRY_AFTER = timedelta(minutes=10)

FORM = frozenset({400, 413, 415, 422})
PLACE = frozenset({401, 403, 404, 410, *range(300, 400)})
LIMITED = 429


def is_success(reply: Reply) -> bool:
    """Whether the server says that it took the message."""
    return 200 <= reply.status < 300


def refusal(reply: Reply, who: str) -> Refusal | None:
    """Return what a status other than success means; None for success. `who` is the server's name in the reason."""
    if is_success(reply):
        return None
    if reply.status == LIMITED:
        return NotDelivered(f"{who} asks to wait: {reply.status}", retry_after(reply.headers))
    if reply.status in FORM:
        return RefusedForm(f"{who} does not take the form: {reply.status}")
    if reply.status in PLACE:
        return RefusedPlace(f"{who} does not take it at this address: {reply.status}{_where(reply)}")
    return Unclear(f"{who} answered {reply.status}")


def unheard(error: ChannelError, who: str) -> Refusal:
    """Return what it means that there was no answer."""
    reason = f"{who}: {error}"
    if not isinstance(error, Unsent):
        return Unclear(reason)
    return RefusedPlace(reason) if error.is_final else NotDelivered(reason)


def retry_after(headers: Mapping[str, str]) -> timedelta:
    """Return how long a server asks to wait: whole or decimal seconds or a date, else 30 s; at most 10 min."""
    said = {name.lower(): value for name, value in headers.items()}
    text = said.get("retry-after", "").strip()
    try:
        asked = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        asked = _until(text, said.get("date", ""))
    return min(max(asked, timedelta(0)), LONGEST_RETRY_AFTER)


def _until(date: str, asked_at: str) -> timedelta:
    """Return the time from the answer's own date to another: no clock but the server's is needed."""
    try:
        return parsedate_to_datetime(date) - parsedate_to_datetime(asked_at)
    except (ValueError, TypeError):
        return RETRY_AFTER


def _where(reply: Reply) -> str:
    return "; redirects are not followed, give the final address" if 300 <= reply.status < 400 else ""
