"""A workspace with a memory: who is in it, what stands in its channels, what people see and do."""

import json
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace

SCOPES = frozenset({"chat:write", "files:write", "channels:history", "groups:history", "channels:read", "groups:read"})
SCOPES |= {"users:read", "app_mentions:read"}
CHANNEL = "C0123456789"
TOKEN = "xoxb-test"
APP_TOKEN = "xapp-test"


@dataclass(frozen=True)
class Bot:
    """Who a token stands for."""

    token: str = TOKEN
    bot_id: str = "B0BRANDMELD"
    user_id: str = "U0BRANDMELD"
    user: str = "brandmelder"
    team: str = "Nordfunk"
    scopes: frozenset = SCOPES
    refused: str = ""
    """`token_revoked`, `account_inactive`, …: what every call answers."""


@dataclass(frozen=True)
class Person:
    """Somebody: what they type as their handle, and what others read."""

    handle: str
    name: str


PEOPLE = {
    "U0ANNA": Person("anna.schmidt", "Anna"),
    "U0BEN": Person("ben", "Ben"),
    "U0CEM": Person("cem", "Cem"),
}


@dataclass
class Channel:
    """A place, and who is in it."""

    id: str = CHANNEL
    name: str = "krise"
    is_private: bool = False
    is_archived: bool = False
    members: set = field(default_factory=lambda: {"U0BRANDMELD", *PEOPLE})


@dataclass(frozen=True)
class Seen:
    """One message as people see it."""

    channel: str
    ts: str
    text: str
    user: str
    bot_id: str = ""
    blocks: tuple = ()
    thread_ts: str = ""
    is_broadcast: bool = False
    edited: str = ""
    metadata: dict | None = None
    files: tuple = ()
    """What hangs on it: each with `id`, `name`, `title`, `alt_txt` and `size`."""

    @property
    def key(self):
        """The delivery's key in the metadata."""
        return (self.metadata or {}).get("event_payload", {}).get("key", "")


class Workspace:
    """All of it. `clock` tells the time in seconds; `log` is called with each change that people see."""

    def __init__(self, *, clock=time.time, log=None, page=999):
        self.clock = clock
        self.log = log or _forget
        self.page = page
        """The most messages that a page of history holds, whatever was asked for."""
        self.bots = {TOKEN: Bot()}
        self.channels = {CHANNEL: Channel()}
        self.messages = {}
        self.people = dict(PEOPLE)
        self.app_tokens = {APP_TOKEN: ""}
        """Tokens of the app itself, each with the error that it answers, or none."""
        self.whispers = {}
        """What one person alone sees, by person and ts."""
        self.forms = {}
        """The form that stands open before a person."""
        self.triggers = {}
        self._threads = defaultdict(dict)
        self.coming = []
        self.edit_window = True
        self.draws = True
        """Whether it takes `data_visualization`; some workspaces answer `invalid_blocks`."""
        self.uploads = {}
        """Files that were announced: each with its name, its size and, once it came, its bytes."""
        self._last_ts = 0

    def visible(self, channel=CHANNEL):
        """Return what stands in a channel, replies included, oldest first."""
        self.land()
        return tuple(one for (place, _), one in sorted(self.messages.items()) if place == channel)

    def keys(self, channel=CHANNEL):
        """Return the keys that people see, each as often as they see it."""
        return [one.key for one in self.visible(channel) if one.key]

    def whispered(self, person):
        """Return what one person alone was told, oldest first."""
        return [seen for (one, _), seen in sorted(self.whispers.items(), key=lambda item: item[0][1]) if one == person]

    def person_posts(self, text, *, channel=CHANNEL, thread_ts="", user="U0ANNA"):
        """Let a person write, and return the ts."""
        seen = Seen(channel=channel, ts=self.stamp(), text=text, user=user, thread_ts=thread_ts)
        self.put(seen)
        return seen.ts

    def person_deletes(self, ts, *, channel=CHANNEL):
        """Let a person with the right to it delete a message."""
        self.take(channel, ts)

    def change_bot(self, token=TOKEN, **changes):
        """Revoke a token, take a scope away, …"""
        self.bots[token] = replace(self.bots[token], **changes)

    # ------------------------------------------------------------------- the memory

    def put(self, seen, *, late=0.0):
        """Let a message appear, at once or after so many seconds."""
        if late:
            self.coming.append((self.clock() + late, seen))
        else:
            self.messages[seen.channel, seen.ts] = seen
            if seen.thread_ts:
                self._threads[seen.channel, seen.thread_ts][seen.ts] = seen
            self.log({"seen": asdict(seen)})

    def take(self, channel, ts):
        """Let a message disappear."""
        seen = self.messages.pop((channel, ts))
        self._threads[channel, seen.thread_ts].pop(ts, None)
        self.log({"gone": [channel, ts]})

    def replies_to(self, parent):
        """Return what stands in a message's thread, oldest first."""
        return [one for _, one in sorted(self._threads[parent.channel, parent.ts].items())]

    def stamp(self, *, late=0.0):
        """Return a ts that no other message has; a late message is dated when it appears."""
        self._last_ts = max(int(self.clock() * 1_000_000), self._last_ts + 1)
        ts = self._last_ts + int(late * 1_000_000)
        return f"{ts // 1_000_000}.{ts % 1_000_000:06}"

    def land(self):
        """Let what is late appear, if its time has come."""
        ready = [seen for moment, seen in self.coming if moment <= self.clock()]
        self.coming = [(moment, seen) for moment, seen in self.coming if moment > self.clock()]
        for seen in ready:
            self.put(seen)


def read_state(path):
    """Return what people see after the changes in a file, oldest first, as `Seen`."""
    messages = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        change = json.loads(line)
        if "seen" in change:
            seen = Seen(**(change["seen"] | {name: tuple(change["seen"][name]) for name in ("blocks", "files")}))
            messages[seen.channel, seen.ts] = seen
        else:
            messages.pop(tuple(change["gone"]), None)
    return tuple(seen for _, seen in sorted(messages.items()))


def _forget(change):
    """Keep no log."""
