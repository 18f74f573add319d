"""People in the workspace: they press what stands before them, fill forms, and write in threads.

What they cannot see they cannot press: a button must stand in the message, a form must be open. Payloads after
https://docs.slack.dev/reference/interaction-payloads and https://docs.slack.dev/reference/events/message.
"""

import secrets
import time

from peers.slack import views
from peers.slack.sockets import APP_ID
from peers.slack.workspace import CHANNEL

TEAM = "T0NORDFUNK"
BOT_USER = "U0BRANDMELD"


class People:
    """Acts for anybody; each act returns the envelope it became, or its payload where HTTP is asked for."""

    def __init__(self, workspace, sockets):
        self.workspace, self.sockets = workspace, sockets

    # ------------------------------------------------------------------------- acts

    async def presses(self, person, act, ts, *, channel=CHANNEL):
        """Press a button of a message; returns the envelope."""
        return await self.sockets.deliver("interactive", self.press(person, act, ts, channel=channel), accepts=False)

    def press(self, person, act, ts, *, channel=CHANNEL):
        """Return what a pressed button sends."""
        seen = self.workspace.messages.get((channel, ts)) or self.workspace.whispers.get((person, ts))
        assert seen is not None, f"{person} sees no message {ts}"
        return self.pressing(person, _button(seen.blocks, act), seen, channel=channel)

    def pressing(self, person, button, seen, *, channel=CHANNEL):
        """Return what pressing `button` sends, also for one that has gone from the message meanwhile."""
        is_whisper = (person, seen.ts) in self.workspace.whispers
        container = {
            "type": "message",
            "message_ts": seen.ts,
            "channel_id": channel,
            "is_ephemeral": is_whisper,
            **({"thread_ts": seen.thread_ts} if seen.thread_ts else {}),
        }
        payload = {
            "type": "block_actions",
            "user": self._user(person),
            "api_app_id": APP_ID,
            "token": "verification",
            "container": container,
            "trigger_id": self._trigger(person),
            "team": {"id": TEAM, "domain": "nordfunk"},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": channel, "name": "krise"},
            "state": {"values": {}},
            "response_url": "https://hooks.slack.com/actions/T0/0/0",
            "actions": [
                {
                    "action_id": button["action_id"],
                    "block_id": "b",
                    "text": button["text"],
                    "value": button.get("value", ""),
                    "type": "button",
                    "action_ts": self.workspace.stamp(),
                }
            ],
        }
        return payload if is_whisper else payload | {"message": {"type": "message", "ts": seen.ts, "text": seen.text}}

    async def sends(self, who, /, **answers):
        """Send the form that stands open before a person."""
        return await self.sockets.deliver("interactive", self.submission(who, **answers), accepts=True)

    def submission(self, who, /, **answers):
        """Return what the open form sends."""
        shown = self.workspace.forms.pop(who, None)
        assert shown is not None, f"no form is open before {who}"
        view = {
            **shown,
            "state": {"values": views.filled(shown, answers)},
            "hash": secrets.token_hex(6),
            "team_id": TEAM,
            "app_id": APP_ID,
            "bot_id": "B0BRANDMELD",
        }
        return {
            "type": "view_submission",
            "team": {"id": TEAM, "domain": "nordfunk"},
            "user": self._user(who),
            "api_app_id": APP_ID,
            "token": "verification",
            "trigger_id": self._trigger(who),
            "view": view,
            "response_urls": [],
            "is_enterprise_install": False,
            "enterprise": None,
        }

    async def says(self, person, text, thread, *, channel=CHANNEL):
        """Write in a thread: Slack tells of the message, and once more of a mention. Returns the envelopes."""
        ts = self.workspace.person_posts(text, channel=channel, thread_ts=thread, user=person)
        kinds = ("message", "app_mention") if f"<@{BOT_USER}" in text else ("message",)
        payloads = [self.saying(kind, person, text, ts, thread=thread, channel=channel) for kind in kinds]
        return [await self.sockets.deliver("events_api", payload) for payload in payloads]

    def saying(self, kind, person, text, ts, *, thread, channel=CHANNEL):
        """Return what Slack tells of words in a thread."""
        event = {
            "type": kind,
            "user": person,
            "ts": ts,
            "text": text,
            "team": TEAM,
            "thread_ts": thread,
            "channel": channel,
            "event_ts": ts,
        }
        if kind == "message":
            event |= {"channel_type": "channel", "parent_user_id": BOT_USER}
        return self._event(event)

    def posted_by_the_app(self, seen):
        """Return what Slack tells the app of its own message."""
        event = {
            "type": "message",
            "user": seen.user,
            "bot_id": seen.bot_id,
            "app_id": APP_ID,
            "ts": seen.ts,
            "text": seen.text,
            "team": TEAM,
            "channel": seen.channel,
            "event_ts": seen.ts,
            "channel_type": "channel",
            **({"thread_ts": seen.thread_ts} if seen.thread_ts else {}),
        }
        return self._event(event)

    def _event(self, event):
        return {
            "token": "verification",
            "team_id": TEAM,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(6).upper()}",
            "event_time": int(self.workspace.clock()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }

    # ---------------------------------------------------------------------- triggers

    def _trigger(self, person):
        trigger = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.workspace.triggers[trigger] = (time.monotonic(), person)
        return trigger

    def _user(self, person):
        one = self.workspace.people[person]
        return {"id": person, "username": one.handle, "name": one.handle, "team_id": TEAM}


def buttons(blocks):
    """Return the buttons that stand in a message, by their act."""
    return {
        element["action_id"]: element for block in blocks if block["type"] == "actions" for element in block["elements"]
    }


def _button(blocks, act):
    found = buttons(blocks)
    assert act in found, f"the message has no button {act}, only {sorted(found)}"
    return found[act]
