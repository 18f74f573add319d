"""What an answer of Slack means for a delivery. The first rule that matches wins; anything unknown is unclear.

Names of errors: https://docs.slack.dev/reference/methods/chat.postMessage and chat.update. Exceptions: slack-sdk lets
aiohttp's through, and raises SlackApiError for every answer that is not `ok`. A reset before the request was read and
one after it was carried out raise the same error; hence it says nothing about what Slack did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError

from brandmelder.notify.answers import retry_after
from brandmelder.notify.no_answer import named
from brandmelder.notify.notifier import NotDelivered, Outcome, RefusedForm, RefusedPlace, Unclear, Uneditable

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMITED = frozenset({"ratelimited", "rate_limited"})
FORM = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "too_many_attachments",
    }
)
PLACE = frozenset(
    {
        "access_denied",
        "account_inactive",
        "cannot_reply_to_message",
        "channel_not_found",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "is_archived",
        "is_inactive",
        "message_limit_exceeded",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
UNEDITABLE = frozenset({"block_mismatch", "cant_update_message", "edit_window_closed"})
GONE = "message_not_found"

_NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


def outcome_of(error: Exception) -> Outcome:
    """Return what the failure of a call to Slack says about the message."""
    # Both are subclasses of errors that are raised after bytes went out: they must be asked for first.
    if isinstance(error, _NEVER_CONNECTED):
        return NotDelivered(f"Slack cannot be reached: {named(error)}")
    if not isinstance(error, SlackApiError):
        return Unclear(f"no usable answer from Slack: {type(error).__name__}")
    name, status = error_name(error), _status(error)
    if status == 429 or name in LIMITED:
        return NotDelivered(f"Slack asks to wait: {name or status}", retry_after(_headers(error)))
    return _refusal(name) or Unclear(f"Slack answered {status} {name or 'without a reason'}")


def error_name(error: SlackApiError) -> str:
    """Return the name in an answer's `error`; empty if it has none, as with a page of HTML."""
    data = getattr(error.response, "data", None)
    name = data.get("error") if isinstance(data, dict) else None
    return name if isinstance(name, str) else ""


def _refusal(name: str) -> Outcome | None:
    if name in FORM:
        return RefusedForm(f"Slack does not take the form: {name}")
    if name in PLACE or name.startswith("restricted_action"):
        return RefusedPlace(f"Slack does not take it in this channel: {name}")
    if name == GONE:
        return Uneditable("the message is gone", is_gone=True)
    if name in UNEDITABLE:
        return Uneditable(f"Slack does not let the message be edited: {name}")
    return None


def _status(error: SlackApiError) -> int:
    # For a body that is no JSON the SDK hands over aiohttp's response instead of its own.
    response: Any = error.response
    return int(getattr(response, "status_code", 0) or getattr(response, "status", 0))


def _headers(error: SlackApiError) -> Mapping[str, str]:
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    return headers
