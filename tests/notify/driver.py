"""The smallest loop that keeps the rules of notify/delivery.py: intents are saved before, outcomes after each send."""

from collections import defaultdict

from brandmelder.model import DeliveryState
from brandmelder.notify import delivery as life
from brandmelder.notify.notifier import Found, Sent, Unreadable
from brandmelder.notify.stand_in import called, stand_in_at


class Driver:
    """Holds the rows as a store would; `step` does all that is due at a moment and survives being cut anywhere."""

    def __init__(self, notifier, message_of):
        self.notifier = notifier
        self.message_of = message_of
        self.rows = {}
        self.keys = defaultdict(list)
        self.saved = []

    def save(self, *deliveries):
        for one in deliveries:
            if one.key not in self.rows:
                self.keys[one.incident].append(one.key)
            self.rows[one.key] = one
            self.saved.append(one)

    def recover(self, now):
        self.save(*(life.recover(one, now) for one in self.rows.values()))

    def group(self, incident):
        return [self.rows[key] for key in self.keys[incident]]

    def next_moment(self):
        return min((moment for one in self.rows.values() if (moment := life.next_moment(one))), default=None)

    async def step(self, now):
        for one in tuple(self.rows.values()):
            if (moment := stand_in_at(one)) and moment <= now:
                self.save(called(one, now))
        for one in tuple(self.rows.values()):
            if one.state is DeliveryState.UNCLEAR and life.looks_at(one) <= now:
                await self.look(one, now)
            elif (moment := life.sweeps_at(one)) and moment <= now:
                await self.sweep(one, now)
        waiting = [one for one in self.rows.values() if one.state is DeliveryState.DUE and one.due_at <= now]
        for incident in dict.fromkeys(one.incident for one in waiting):
            decided = life.orders(self.group(incident), now)
            self.save(*decided.changed)
            for one in decided.go:
                await self.send(one, now)

    async def send(self, one, now):
        newest = max(other.revision for other in self.group(one.incident))
        begun = life.begin(one, now, revision=newest)
        self.save(begun)
        self.save(life.after(begun, await self.attempt(begun), now))

    async def attempt(self, one):
        parent = life.parent(self.group(one.incident))
        message = self.message_of(one)
        if life.is_edit(one):
            return await self.notifier.update(parent, message, key=one.key, form=one.form)
        thread = parent if life.is_reply(one) else None
        return await self.notifier.push(message, key=one.key, thread=thread, form=one.form)

    async def find(self, one):
        thread = life.parent(self.group(one.incident)) if life.is_reply(one) else None
        return await self.notifier.find(one.key, since=life.look_since(one), thread=thread)

    async def look(self, one, now):
        self.save(life.after_look(one, await self.find(one), now))

    async def sweep(self, one, now):
        found = await self.find(one)
        if isinstance(found, Found):
            for ref in life.twins(one, found.refs):
                if not isinstance(await self.notifier.delete(ref), Sent):
                    found = Unreadable("a twin could not be deleted")
        self.save(life.after_sweep(one, found, now))
