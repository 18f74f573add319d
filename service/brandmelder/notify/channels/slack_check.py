"""What is wrong with a Slack channel, in sentences that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from brandmelder.notify.channels.slack_outcomes import error_name
from brandmelder.notify.notifier import Ability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_client import AsyncWebClient

_REINSTALL = "add it in the app's settings under OAuth & Permissions, then install the app again"
_TOKENS = {
    "not_authed": "no token was sent; set `token` or `token_file`",
    "invalid_auth": "Slack does not know the token; copy the Bot User OAuth Token (xoxb-…) again",
    "token_revoked": "the token was revoked; install the app again and renew the token",
    "token_expired": "the token has expired; renew it",
    "account_inactive": "the app was removed from the workspace; install it again and renew the token",
    "not_allowed_token_type": "this kind of token may not post; use the Bot User OAuth Token (xoxb-…)",
}


async def problems(client: AsyncWebClient, channel: str) -> list[str]:
    """Return what keeps the client from posting to, or finding messages in, `channel`. Raises on other failures."""
    try:
        who = await client.auth_test()
    except SlackApiError as error:
        name = error_name(error)
        return [_TOKENS.get(name, f"Slack refuses the token: {name or 'no reason given'}")]
    found = _scopes(_granted(who.headers))
    found += await _place(client, channel, user=str(who.get("user") or "the app"))
    return found


async def abilities(client: AsyncWebClient, *, shows_charts: bool) -> list[Ability]:
    """Return what the workspace lets the app do. Raises what the client raises."""
    granted = _granted((await client.auth_test()).headers) or set()
    return [
        Ability(
            what="read the channel's history",
            is_there=bool(granted & {"channels:history", "groups:history"}),
            otherwise="an alert whose answer was lost is sent again after ten minutes, as a possible repeat",
        ),
        Ability(
            what="show Slack's own chart",
            is_there=shows_charts,
            otherwise="the picture hangs in the thread as PNG, or a line of blocks stands for it",
        ),
        Ability(
            what="hang files in the thread (files:write)",
            is_there="files:write" in granted,
            otherwise="where Slack's own chart is refused there is no picture",
        ),
    ]


async def _place(client: AsyncWebClient, channel: str, *, user: str) -> list[str]:
    try:
        info = await client.conversations_info(channel=channel)
        found = _membership(info.get("channel") or {}, user)
    except SlackApiError as error:
        if error_name(error) == "channel_not_found":
            return [f"there is no channel {channel} for this token; check the id, and invite the app if it is private"]
        found = [_refused(error, "the channel's state cannot be read")]
    if found:
        return found
    try:
        await client.conversations_history(channel=channel, limit=1)
    except SlackApiError as error:
        return [_refused(error, "an alert whose answer was lost cannot be looked for and may be repeated")]
    return []


def _membership(info: Mapping[str, Any], user: str) -> list[str]:
    name = info.get("name") or info.get("id")
    if info.get("is_archived"):
        return [f"#{name} is archived; unarchive it or choose another channel"]
    if not info.get("is_member", True):
        return [f"the app is not in #{name}; write there: /invite @{user}"]
    return []


def _granted(headers: Mapping[str, str]) -> set[str] | None:
    """Return the token's scopes, as Slack tells them with each answer; None where a proxy took the header away."""
    told = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
    return None if told is None else {scope.strip() for scope in told.split(",")}


def _scopes(granted: set[str] | None) -> list[str]:
    if granted is None or "chat:write" in granted:
        return []
    return [f"the token lacks the scope chat:write, without which nothing can be posted; {_REINSTALL}"]


def _refused(error: SlackApiError, consequence: str) -> str:
    name = error_name(error)
    if name != "missing_scope":
        return f"{consequence}: Slack answers {name or 'without a reason'}"
    needed = error.response.get("needed") or "that it needs"
    return f"the token lacks the scope {needed}: {consequence}; {_REINSTALL}"
