"""Socket Mode: connections, greetings, envelopes that are to be acknowledged within 3 s, and all that goes wrong.

After https://docs.slack.dev/apis/events-api/using-socket-mode. A ghost is a connection that Slack counts and nobody
reads: it swallows its share of the envelopes. Events that nobody acknowledged are sent again, interactions are not.
"""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

APP_ID = "A0BRANDMELD"
DEADLINE = 3.0
TICKET_LIFE = 30.0


@dataclass
class Envelope:
    """One thing that happened, on its way to the app."""

    id: str
    type: str
    payload: dict
    sent_at: float
    acked: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    deliveries: int = 0
    acks: int = 0
    answer: dict | None = None

    @property
    def seconds(self):
        """How long the acknowledgement took."""
        return self.acked.result() - self.sent_at


class Sockets:
    """All connections of the app."""

    def __init__(self, workspace, *, deadline=DEADLINE):
        self.workspace = workspace
        self.deadline = deadline
        self.open = []
        self.ghosts = 0
        self.duplicate = False
        """Whether each envelope is sent twice."""
        self.greeted = 0
        self.complaints = []
        self.envelopes = {}
        self._tickets = {}
        self._serving = set()
        self._turn = 0
        self._changed = asyncio.Event()

    def ticket(self):
        """Return what one connection may be opened with."""
        ticket = secrets.token_hex(8)
        self._tickets[ticket] = time.monotonic()
        return ticket

    async def serve(self, request):
        """Hold one connection: greet it, take its acknowledgements."""
        born = self._tickets.pop(request.query.get("ticket", ""), None)
        if born is None or time.monotonic() - born > TICKET_LIFE:
            return web.Response(status=408)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        self._serving.add(asyncio.current_task())
        self.open.append(socket)
        self.greeted += 1
        await socket.send_str(json.dumps(self._hello()))
        self._tell()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            if socket in self.open:
                self.open.remove(socket)
            self._serving.discard(asyncio.current_task())
            if request.transport is not None:
                request.transport.close()
            self._tell()
        return socket

    async def until(self, condition, *, within=10.0):
        """Wait until something is true of the connections."""
        async with asyncio.timeout(within):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def deliver(self, kind, payload, *, envelope=None, accepts=False):
        """Send an envelope and return it at once; its `acked` ends when the app acknowledges it."""
        one = Envelope(envelope or secrets.token_hex(12), kind, payload, time.monotonic())
        self.envelopes[one.id] = one
        for _ in range(2 if self.duplicate else 1):
            await self._send(one, accepts=accepts)
        return one

    async def again(self, one, *, attempt=1):
        """Send the same envelope once more, as Slack does with events that nobody acknowledged."""
        await self._send(one, accepts=False, attempt=attempt)

    async def answered(self, one):
        """Wait for an acknowledgement; false if the deadline passes, and then a person sees a warning."""
        try:
            async with asyncio.timeout(self.deadline):
                await asyncio.shield(one.acked)
        except TimeoutError:
            return False
        return True

    async def disconnect(self, reason="refresh_requested"):
        """Ask every connection to come anew, then close it."""
        leaving = tuple(self.open)
        for socket in leaving:
            await socket.send_str(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "peer"}}))
        for socket in leaving:
            await socket.close()
            if socket in self.open:
                self.open.remove(socket)

    async def close(self):
        """End every connection, and wait until each has gone."""
        for socket in tuple(self.open):
            await socket.close()
        if self._serving:
            await asyncio.wait(self._serving, timeout=2)

    def _hello(self):
        return {
            "type": "hello",
            "num_connections": len(self.open) + self.ghosts,
            "debug_info": {"host": "peer", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": APP_ID},
        }

    async def _send(self, one, *, accepts, attempt=0):
        one.deliveries += 1
        message = {
            "envelope_id": one.id,
            "type": one.type,
            "payload": one.payload,
            "accepts_response_payload": accepts,
        }
        if one.type == "events_api":
            message |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
        self._turn += 1
        places = [*self.open, *([None] * self.ghosts)]
        place = places[self._turn % len(places)] if places else None
        if place is not None:
            await place.send_str(json.dumps(message))

    def _acknowledged(self, text):
        told = json.loads(text)
        one = self.envelopes.get(told.get("envelope_id"))
        if one is None or told.keys() - {"envelope_id", "payload"}:
            self.complaints.append(f"an acknowledgement of nothing: {text[:200]}")
            self._tell()
            return
        one.acks += 1
        one.answer = told.get("payload")
        if one.acks > one.deliveries:
            self.complaints.append(f"{one.id} was acknowledged more often than sent")
        if not one.acked.done():
            one.acked.set_result(time.monotonic())

    def _tell(self):
        self._changed.set()
