"""What Slack tells of people becomes clicks: buttons, forms, words in a thread. What is none of them is no click.

Shapes: https://docs.slack.dev/reference/interaction-payloads and https://docs.slack.dev/reference/events.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from brandmelder.model import Act, Click
from brandmelder.notify.spoken import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

CALLBACK = "brandmelder"
MOST_WORDS = 200
_PRESSED = ("acknowledge", "snooze", "hand_over", "resolve", "dismiss", "undo", "reopen", "details")
_INCIDENT = re.compile(r"[\w.-]{1,60}")
_ID = re.compile(r"[A-Z][A-Z0-9]{2,30}")
_STAMP = re.compile(r"\d{1,12}\.\d{1,8}")
# Tuples: what strangers send may be of any type, and not every type can be looked up in a set.
_HEARD = ("app_mention", "message")
_SPOKEN_BY_PEOPLE = (None, "thread_broadcast")

Payload = dict[str, Any]


def from_interaction(payload: Payload, envelope: str) -> Click | None:
    """Return the click of a pressed button or a sent form."""
    match payload.get("type"):
        case "block_actions":
            return _pressed(payload, envelope)
        case "view_submission":
            return _sent(payload, envelope)
        case _:
            return None


def from_event(payload: Payload, envelope: str) -> Click | None:
    """Return the click of a command that a person wrote in a thread, to us or among others."""
    event = _part(payload, "event")
    text, thread, at = (event.get(name) for name in ("text", "thread_ts", "ts"))
    is_said = event.get("type") in _HEARD and event.get("subtype") in _SPOKEN_BY_PEOPLE and not event.get("bot_id")
    if not is_said or not isinstance(text, str) or not _are(_STAMP, thread, at) or thread == at:
        return None
    person, channel = event.get("user"), event.get("channel")
    if not _are(_ID, person, channel):
        return None
    spoken = parse(text, to=_us(payload))
    if spoken is None:
        return None
    return Click(
        envelope=envelope,
        person=str(person),
        at=str(at),
        act=spoken.act,
        place=f"{channel}:{thread}",
        note=spoken.note,
        other=spoken.other,
        seconds=spoken.seconds,
        is_spoken=True,
    )


def _pressed(payload: Payload, envelope: str) -> Click | None:
    actions = payload.get("actions")
    action = actions[0] if isinstance(actions, list) and len(actions) == 1 and isinstance(actions[0], dict) else {}
    container, user = _part(payload, "container"), _part(payload, "user")
    incident, _, revision = str(action.get("value", "")).rpartition(":")
    act, at, person = action.get("action_id"), action.get("action_ts"), user.get("id")
    channel, ts = container.get("channel_id"), container.get("message_ts")
    if act not in _PRESSED or not _are(_ID, person, channel) or not _are(_STAMP, at, ts):
        return None
    if not _INCIDENT.fullmatch(incident) or not re.fullmatch(r"\d{1,9}", revision):
        return None
    return Click(
        envelope=envelope,
        person=str(person),
        name=_name(user),
        at=str(at),
        act=str(act),
        place=f"{channel}:{ts}",
        incident=incident,
        revision=int(revision),
        trigger=str(payload.get("trigger_id") or "")[:200],
    )


def _sent(payload: Payload, envelope: str) -> Click | None:
    view, user = _part(payload, "view"), _part(payload, "user")
    about = _about(view)
    if about is None or not _are(_ID, user.get("id")):
        return None
    act, incident, revision, place = about
    values = _part(_part(view, "state"), "values")
    reason = _part(_part(_part(values, "reason"), "reason"), "selected_option").get("value")
    words = _part(_part(values, "words"), "words").get("value")
    other = _part(_part(values, "person"), "person").get("selected_user")
    if act is Act.HAND_OVER and not _are(_ID, other):
        return None
    note = str(reason or "other")[:40]
    return Click(
        envelope=envelope,
        person=str(user["id"]),
        name=_name(user),
        # A form has no stamp of its own; its view is sent once.
        at=f"view:{str(view.get('id'))[:60]}",
        act=act.value,
        place=place,
        incident=incident,
        revision=revision,
        note="" if act is Act.HAND_OVER else f"{note}: {str(words)[:MOST_WORDS]}" if words else note,
        other=str(other) if act is Act.HAND_OVER else "",
        is_form=True,
    )


def _about(view: Payload) -> tuple[Act, str, int, str] | None:
    """Return what a form was opened for, as slack_dialogs wrote it."""
    if view.get("callback_id") != CALLBACK:
        return None
    try:
        act, incident, revision, place = json.loads(view.get("private_metadata") or "")
        known = Act(act)
    except (ValueError, TypeError):
        return None
    is_whole = isinstance(incident, str) and isinstance(revision, int) and isinstance(place, str)
    return (known, incident, revision, place) if is_whole and known in {Act.DISMISS, Act.HAND_OVER} else None


def _us(payload: Payload) -> str | None:
    """Return the id under which the workspace knows the app."""
    authorizations = payload.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else {}
    ident = first.get("user_id") if isinstance(first, dict) else None
    return str(ident) if _are(_ID, ident) else None


def _name(user: Mapping[str, Any]) -> str:
    return str(user.get("name") or user.get("username") or user.get("id"))[:80]


def _part(holder: Mapping[str, Any], name: str) -> Payload:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _are(pattern: re.Pattern[str], *values: object) -> bool:
    return all(isinstance(value, str) and pattern.fullmatch(value) for value in values)
