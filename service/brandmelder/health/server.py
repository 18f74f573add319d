"""The socket at which health is asked: `/livez`, `/readyz`, `/metrics`. A stuck loop cannot keep it from answering.

Nothing here tells of people or of what they wrote: states, our own ids and numbers.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

from brandmelder import metrics
from brandmelder.errors import BrandmelderError
from brandmelder.health.pulse import STUCK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brandmelder.health.pulse import Pulse

PATIENCE = 5
"""Seconds that a caller has from its call to its answer; whoever drips is cut off."""
AT_ONCE = 16
"""So many callers are heard at once."""
_JSON = "application/json"
_MOMENT = 0.5


class HealthServer:
    """Listens on `host`, `port` in threads of its own. `troubles` says what keeps the service from its work."""

    def __init__(
        self, host: str, port: int, *, pulse: Pulse, troubles: Callable[[], Sequence[str]], has_metrics: bool = True
    ) -> None:
        """Open the socket. Raises BrandmelderError if it is taken."""
        handler = type("_Handler", (_Handler,), {"pulse": pulse, "troubles": troubles, "has_metrics": has_metrics})
        kind = _ServerV6 if ":" in host else _Server
        try:
            self._server = kind((host, port), handler)
        except OSError as error:
            raise BrandmelderError(
                f"health: cannot listen on {host} port {port} ({error.strerror}); choose another in health.listen"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on; of interest where 0 was asked for."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop and let go of the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 2 * AT_ONCE

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._moment = threading.Event()
        self._heard: dict[socket.socket, float] = {}
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket.socket, object]:
        """Take a caller; with no descriptor left, wait a moment: it stays in line, and asking at once is a loop."""
        try:
            return super().get_request()
        except OSError:
            self._moment.wait(_MOMENT)
            raise

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: tuple[str, int]
    ) -> None:
        """Give a caller a thread, if one is free; else it is turned away."""
        if isinstance(request, socket.socket) and self._slots.acquire(blocking=False):
            self._heard[request] = time.monotonic()
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: tuple[str, int]
    ) -> None:
        """Hear one caller."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            if isinstance(request, socket.socket):
                self._heard.pop(request, None)
            self._slots.release()

    def service_actions(self) -> None:
        """Cut off whoever takes too long: by the time of one read alone, a byte every few seconds keeps a place."""
        late = time.monotonic() - PATIENCE
        for caller, since in tuple(self._heard.items()):
            if since < late:
                with contextlib.suppress(OSError):  # it is gone already
                    caller.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a caller that breaks off is no event of ours."""


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    pulse: ClassVar[Pulse]
    troubles: ClassVar[Callable[[], Sequence[str]]]
    has_metrics: ClassVar[bool]
    timeout = PATIENCE
    server_version, sys_version = "Brandmelder", ""

    def do_GET(self) -> None:
        """Answer one question."""
        path = self.path.partition("?")[0]
        if path == "/livez":
            lag = self.pulse.lag()
            self._say(lag < STUCK, {"lag_seconds": round(lag.total_seconds(), 3)})
        elif path == "/readyz":
            found = list(type(self).troubles())
            lag = self.pulse.lag()
            if lag >= STUCK:
                found.insert(0, f"the event loop is stuck for {lag.total_seconds():.0f} s")
            metrics.READY.set(not found)
            self._say(not found, {"why": found})
        elif path == "/metrics" and self.has_metrics:
            self._send(HTTPStatus.OK, metrics.CONTENT_TYPE, metrics.exposition())
        else:
            self._send(HTTPStatus.NOT_FOUND, _JSON, b'{"error":"ask for /livez, /readyz or /metrics"}\n')

    do_HEAD = do_GET  # noqa: N815 -- the library's

    def _say(self, is_well: bool, more: dict[str, object]) -> None:  # noqa: FBT001 -- what is said
        status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
        self._send(status, _JSON, json.dumps({"ok": is_well, **more}).encode() + b"\n")

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 -- the library's
        """Log nothing: probes come every few seconds."""
