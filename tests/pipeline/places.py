"""A channel whose outages are scripted: it keeps what people could have read, and when."""

from datetime import timedelta

from brandmelder.notify.compose import plain_text
from brandmelder.notify.notifier import Found, NotDelivered, RefusedPlace, Sent, Uneditable
from brandmelder.options import ChannelOptions


class Place:
    """`posts` holds (moment, key, text, thread); `edits` (moment, key)."""

    Options = ChannelOptions

    def __init__(self, ident, *, down=(), refuses=False, can_update=True, spacing=timedelta(0)):
        self.id, self.can_update, self.spacing = ident, can_update, spacing
        self.can_find, self.is_idempotent = True, False
        self.down, self.refuses = list(down), refuses
        self.posts, self.edits, self.attempts = [], [], 0
        self.clock = None

    async def push(self, message, *, key, thread, form):
        return self._said(lambda now: self.posts.append((now, key, plain_text(message), thread)), key)

    async def update(self, ref, message, *, key, form):
        if not self.can_update:
            return Uneditable("not here")
        return self._said(lambda now: self.edits.append((now, key)), ref)

    def _said(self, act, ref):
        now = self.clock.now()
        self.attempts += 1
        if self.refuses:
            return RefusedPlace("token_revoked")
        if any(since <= now < until for since, until in self.down):
            return NotDelivered("no connection")
        act(now)
        return Sent(ref)

    async def find(self, key, *, since, thread):
        return Found(tuple(key for _, told, _, _ in self.posts if told == key))

    async def delete(self, ref):
        return Sent(ref)

    async def check(self):
        return ()

    async def close(self):
        pass
