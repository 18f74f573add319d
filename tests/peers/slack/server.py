"""The workspace behind HTTP on 127.0.0.1, with everything that can go wrong on the way."""

import asyncio
import json
import socket
import struct
from dataclasses import asdict
from email.utils import formatdate

from aiohttp import web

from peers.slack.api import Api, Refused
from peers.slack.faults import Fault, FaultPlan
from peers.slack.people import People
from peers.slack.sockets import Sockets
from peers.slack.workspace import CHANNEL, Seen, Workspace


class SlackPeer:
    """`async with SlackPeer() as peer`: `peer.url` is what the client takes as its address of the API."""

    def __init__(self, *, workspace=None, seed=0, port=0):
        self.workspace = workspace or Workspace()
        self.api = Api(self.workspace)
        self.sockets = Sockets(self.workspace)
        self.people = People(self.workspace, self.sockets)
        self.faults = FaultPlan(seed)
        self._port = port
        self._runner = None
        self.url = ""

    async def __aenter__(self):
        app = web.Application(client_max_size=2**20)
        app.router.add_get("/_peer/visible/{channel}", self._tell)
        app.router.add_post("/_peer/faults/{method}", self._plan)
        app.router.add_get("/link", self.sockets.serve)
        app.router.add_route("*", "/api/{method}", self._answer)
        app.router.add_post("/upload/v1/{file}", self._receive)
        self._runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/api/"
        self.api.connect_url = lambda: f"ws://{host}:{port}/link?ticket={self.sockets.ticket()}&app_id=A0BRANDMELD"
        self.api.url = f"http://{host}:{port}/"
        return self

    async def __aexit__(self, *_):
        await self.sockets.close()
        await self._runner.cleanup()

    def visible(self, channel=CHANNEL) -> tuple[Seen, ...]:
        """Return what people see in a channel, oldest first."""
        return self.workspace.visible(channel)

    # --------------------------------------------------------------------- the files

    async def _receive(self, request):
        fault = self.faults.next("upload")
        if fault is not None:
            return web.Response(status=fault.status, text="no")
        is_right = self.api.receive(request.match_info["file"], await request.read())
        return web.Response(status=200 if is_right else 400, text="OK" if is_right else "length mismatch")

    # ------------------------------------------------------------------ from outside

    async def _tell(self, request):
        seen = self.workspace.visible(request.match_info["channel"])
        return web.json_response([asdict(one) | {"key": one.key} for one in seen])

    async def _plan(self, request):
        planned = await request.json()
        faults = [Fault(**one | {"headers": tuple(map(tuple, one.get("headers", ())))}) for one in planned]
        self.faults.plan(request.match_info["method"], *faults)
        return web.json_response({"ok": True})

    # ---------------------------------------------------------------------- the calls

    async def _answer(self, request):
        method = request.match_info["method"]
        fault = self.faults.next(method)
        if fault is not None and fault.answer == "reset_early":
            return _cut(request, reset=True)
        arguments = await _arguments(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        status, body = 200, {}
        headers = {"Date": formatdate(self.workspace.clock(), usegmt=True)}
        if fault is None or fault.lands:
            try:
                body = self.api.call(method, arguments, token, late=fault.late if fault else 0.0)
            except Refused as no:
                status, headers = no.status, headers | dict(no.headers)
                body = {"ok": False, "error": no.name, **no.extra}
        bot = self.workspace.bots.get(token)
        if bot is not None:
            headers["X-OAuth-Scopes"] = ",".join(sorted(bot.scopes))
        if method == "chat.postMessage" and body.get("ok") and self.sockets.open:
            seen = self.workspace.messages.get((body["channel"], body["ts"]))
            if seen is not None:
                await self.sockets.deliver("events_api", self.people.posted_by_the_app(seen))
        if fault is None:
            return web.json_response(body, status=status, headers=headers)
        return await self._fail(request, fault, body)

    async def _fail(self, request, fault, body):
        text = json.dumps(body)
        match fault.answer:
            case "close" | "reset":
                response = _cut(request, reset=fault.answer == "reset")
            case "html":
                response = web.Response(text="<html>503 upstream</html>", content_type="text/html")
            case "plain":
                response = web.Response(text="ok", content_type="text/plain")
            case "list":
                response = web.json_response([body])
            case "cut":
                response = web.Response(text=text[: len(text) // 2 or 1], content_type="application/json")
            case "short":
                response = await _short(request, text)
            case "status":
                response = web.Response(status=fault.status, text="<html>no</html>", content_type="text/html")
            case "error":
                refusal = {"ok": False, "error": fault.error}
                response = web.json_response(refusal, status=_status(fault), headers=dict(fault.headers))
            case "slow":
                await asyncio.sleep(fault.seconds)
                response = web.json_response(body)
            case _:
                raise ValueError(f"no such fault: {fault.answer}")
        return response


def _status(fault):
    return fault.status if fault.status != Fault.status else 200


async def _arguments(request):
    """Return what was asked, from the query, a form or JSON; None values were never sent."""
    arguments = dict(request.query)
    if request.content_type == "application/json":
        arguments |= await request.json()
    elif request.can_read_body:
        arguments |= dict(await request.post())
    return arguments


def _cut(request, *, reset):
    """End the connection without an answer; a reset arrives as such and not as an end of file."""
    if reset:
        plug = request.transport.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
    return web.Response()


async def _short(request, text):
    """Promise more than comes."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(text) + 100)})
    await response.prepare(request)
    await response.write(text.encode())
    request.transport.abort()
    return response
